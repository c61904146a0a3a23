#!/usr/bin/env python3
"""An independent check of an evidence bundle, written from docs/formats.md: who asked, on whose word, who answers for it?

    bundle.py FILE --trust ROOT

FILE is the bundle, ROOT the trust root that you believe. Prints HOLDS and what the bundle shows (status 0), or REFUSED,
the code of the part that does not hold and why (status 1; 2 if FILE is no bundle at all). Needs the package
`cryptography`; reads no clock, since the ledger's log index is the only one that counts.
"""
import json, re, sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
sys.dont_write_bytecode = True
from verify import (MALFORMED, Jws, Refused, SdJwt, SplitView, States, TrustRoot, Word, b64, check_anchor, check_occasion,
                    closed, holds, is_basis, is_sound, may_ask, need, places, prove_state, read_transaction_data, sha, strict, time_of, unb64)
LEEWAY, A_DAY, MAX_CHAIN = 300, 86_400, 8
# What a certificate of somebody else's can make `cryptography` raise, beside what any malformed thing can.
UNREADABLE = (*MALFORMED, UnsupportedAlgorithm, x509.InvalidVersion, x509.ExtensionNotFound, x509.DuplicateExtension,
              x509.UnsupportedGeneralNameType)

class Fails(Refused):
    """A part of the bundle does not hold."""
    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code
@contextmanager
def part(code):
    """Whatever goes wrong in here, this part of the bundle does not hold; two histories have a name of their own."""
    try:
        yield
    except Fails:
        raise
    except SplitView as why:
        raise Fails("evidence.split_view", why) from why
    except Refused as why:
        raise Fails(code, why) from why
    except UNREADABLE as error:
        raise Fails(code, f"malformed or missing: {type(error).__name__}") from error

# ---- The file, and what the ledger says in it ----
def read(data):
    """The bundle that was written to this file."""
    with part("evidence.malformed"):
        need(len(data) <= 8 * 1024 * 1024, "larger than a bundle may be")
        said, digest = re.fullmatch(r'(.*),"sha256":"([A-Za-z0-9_-]{43})"}\n', data.decode(), re.DOTALL).groups()
        digest = b64(digest, 32)
    if sha(said.encode()) != digest:
        raise Fails("evidence.changed", "the file is another one than was written")
    with part("evidence.malformed"):
        optional = ("receipt_proof", "full", "withdrawal")
        bundle = closed(strict(said + "}"), "format", "request", "receipt", "states", "key_bindings", optional=optional)
        need(bundle["format"] == "xinfu-evidence-1", "another format")
        texts = [bundle["request"], bundle["receipt"], *bundle["key_bindings"]]
        if "full" in bundle:
            closed(bundle["full"], "vp_token", optional=("anchors",))
            texts += [text for shown in bundle["full"]["vp_token"].values() for text in shown]
        if "withdrawal" in bundle:
            taken_back = closed(bundle["withdrawal"], "text", optional=("notarised", "acknowledgement", "acknowledgement_proof"))
            need("acknowledgement" in taken_back or "acknowledgement_proof" not in taken_back, "a proof of nothing")
            texts += [taken_back[name] for name in ("text", "acknowledgement") if name in taken_back]
        need(all(type(text) is str for text in texts), "something that is no text")
        for state in bundle["states"]:
            closed(state, "key", "value", "path", "seal", "proof")
        return bundle
class Ledger(States):
    """The states of a bundle, all read as of one log index."""
    def __init__(self, proofs, trust):
        with part("evidence.state"):
            proven = [prove_state(proof, trust) for proof in proofs]
            super().__init__({key: (value, index) for key, value, index, *_ in proven})
            need(len(self.known) == len(proven), "a state twice")
        self.newest = min((index for _, _, index, _, _ in proven), default=0)
        self.times = [time for *_, time, _ in proven]
        self.seals = sorted((index, sealed) for _, _, index, _, sealed in proven)
        self.moment = None
    def get(self, key, index=None):
        if key not in self.known:
            raise Fails("evidence.incomplete", f"{key.split('/')[0]}/ of somebody in the chain is not here")
        return super().get(key, self.moment if index is None else index)
    def sealed_by(self, at=None):
        """When, at the latest, the log had come to an index, or to the moment, in milliseconds."""
        return min((sealed for index, sealed in self.seals if index >= (self.moment if at is None else at)), default=None)
    def reach(self, index):
        if index > self.newest:
            raise Fails("evidence.behind", "a state is of before something was on the ledger")
    def named(self, did):
        label = self.get(f"did/{did}")[0].get("label")
        return f"{label['en']} ({did})" if label else did
def find_moment(bundle, receipt, trust, ledger):
    """The log index as of which everything is read; whether the receipt is on the ledger."""
    said = receipt.claims
    if "receipt_proof" not in bundle:
        if any(time < said["iat"] - LEEWAY for time in ledger.times):
            raise Fails("evidence.behind", "the receipt waits, and a state is of before it")
        return ledger.newest, False
    with part("evidence.anchor"):
        proof = bundle["receipt_proof"]
        index, sender, range_ = check_anchor(proof, sha(bundle["receipt"].encode()), "receipt", trust)
    if sender != said["iss"]:
        raise Fails("evidence.anchor_sender", "somebody else put the receipt on the ledger")
    with part("evidence.anchor"):
        need(range_["first"] + proof["batch"]["index"] == said["seq"], "the receipt stands at another's place")
    ledger.reach(index)
    return index, True

# ---- What the service signed ----
RECEIPT = "iss act iat request presentations purpose basis retention_days holder_signs verdict seq".split()
def read_receipt(text):
    """The receipt, signature not yet checked."""
    receipt = Jws(text, "xinfu-receipt+jwt")
    said = closed(receipt.claims, *RECEIPT, optional=("case", "previous"))
    act = closed(said["act"], "duty", "key", "holder")
    need(len(text) <= 65_536 and is_sound({**said, "duty": act["duty"]}) and act["holder"] in ("official", "service")
         and b64(act["key"], 32) and b64(said["request"], 32), "out of bounds")
    need(type(said["seq"]) is int and said["seq"] > 0 and (said["seq"] == 1) == ("previous" not in said)
         and (said["seq"] == 1 or b64(said["previous"], 32)), "another place than the receipt before it says")
    need(re.fullmatch(r"accepted|[a-z0-9_]+(\.[a-z0-9_]+)+", said["verdict"]), "a verdict that is none")
    for shown in [shown for several in said["presentations"].values() for shown in several]:
        need(b64(closed(shown, "digest", "claims", optional=("type",))["digest"], 32), "a presentation")
    need(time_of(said, "iat") is not None and receipt.signer()[0] == said["iss"], "another service's")
    return receipt
def check_request(text, service, ledger):
    """The payload of the request object, and its queries by id. That it has expired since changes nothing."""
    jws = Jws(text, "oauth-authz-req+jwt")
    request = jws.claims
    if "x5c" in jws.header:
        leaf = x509.load_der_x509_certificate(b64(jws.header["x5c"][0], url=False))
        name = f"x509_hash:{unb64(sha(b64(jws.header['x5c'][0], url=False)))}"
        history, index = ledger.get(f"did/{service}")
        (key,) = [key["jwk"] for key in history["keys"] if key["use"] == "authentication" and holds(key, index)
                  and holds(history, index, "created", "deactivated") and point(key["jwk"]) == raw(leaf.public_key())]
        need(leaf.issuer != leaf.subject, "a certificate that signs itself")
        need(leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature, "a key that signs nothing")
    else:
        name, (signer, key_id) = f"decentralized_identifier:{service}", jws.signer()
        need(signer == service, "a key of somebody else's")
        key = ledger.key(service, key_id, "authentication")
    jws.verify(key)
    need(len(text) <= 65_536 and (request["aud"], request["client_id"]) == ("https://self-issued.me/v2", name), "in another name")
    need(request["response_type"] == "vp_token" and request["response_mode"] in ("direct_post", "direct_post.jwt")
         and "dc+sd-jwt" in request["client_metadata"]["vp_formats_supported"]
         and not {"redirect_uri", "scope"} & set(request), "another kind of request")
    need(re.fullmatch("[A-Za-z0-9._~-]{22,512}", request["nonce"]) and time_of(request, "exp") is not None, "nonce or exp")
    (history, index), address = ledger.get(f"did/{service}"), origin(request["response_uri"])
    services = [s for s in history["services"] if s["type"] == "XinfuVerifier" and holds(s, index)]
    need(address and any(origin(s["url"]) == address for s in services), "an answer to an address that is not the service's")
    queries = {query["id"]: query for query in request["dcql_query"]["credentials"]}
    need(queries and len(queries) == len(request["dcql_query"]["credentials"]), "no queries, or one twice")
    infos = [info for info in request.get("verifier_info", []) if info["format"] == "xinfu-duty+jwt"]
    need(len(infos) <= 1 and all("credential_ids" not in info for info in infos), "more than one official's word")
    for query in queries.values():
        need(query["format"] == "dc+sd-jwt" and query["meta"]["vct_values"], "a query of another format")
    return request, queries
def point(jwk):
    return b64(jwk["x"], 32) + (b64(jwk["y"], 32) if jwk["kty"] == "EC" else b"")
def raw(key):
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    need(isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1), "a key of another kind")
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
def origin(url):
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    return parts.hostname and not parts.username and not parts.fragment and (parts.scheme, parts.hostname, port)

# ---- Who answers for it, and on whose word ----
def check_word(request, receipt, queries, over, ledger):
    """The official's word, and the delegation under which it was given."""
    with part("evidence.duty"):
        word = Word(request)
    said = word.claims
    if unb64(word.digest) != receipt["request"]:
        raise Fails("evidence.other_request", "the receipt is over another question")
    mine = [receipt["act"]["duty"], receipt["act"]["key"], *map(receipt.get, WORDS)]
    if mine != [said["duty"], word.header["kid"], *map(said.get, WORDS)]:
        raise Fails("evidence.other_word", "the receipt states something else than the official signed")
    with part("evidence.duty"):
        delegation = word.check(request, receipt["iss"], queries, ledger)
        need(over <= {word.digest}, "transaction_data over another attestation")
    if delegation["holder"] != receipt["act"]["holder"]:
        raise Fails("evidence.official", "the receipt says otherwise than the ledger whether a person signed")
    return word, delegation
WORDS = ("purpose", "basis", "retention_days", "case", "holder_signs")
def find_chains(service, queries, purpose, ledger):
    """For each accreditation under which was asked, the links from the service up to the authority."""
    with part("evidence.accreditation"):
        grants = []
        for query, vct in [(query, vct) for query in queries.values() for vct in query["meta"]["vct_values"]]:
            mine = [grant for grant in ledger.grants(service, "verifier", vct, ledger.moment) if may_ask(grant, query, purpose)]
            need(mine, "the service was not accredited for the question")
            grants += [mine[0]] if mine[0] not in grants else []
    with part("evidence.chain"):
        return [climb(service, grant, ledger) for grant in grants]
def climb(holder, grant, ledger):
    links = []
    while len(links) < MAX_CHAIN:
        by = grant["by"]
        links.append((ledger.named(holder), ledger.named(by), grant["id"]))
        if "under" not in grant:
            need(grant["depth"] == 1, "accredited under nothing")
            member, given = ledger.get(f"member/{by}")[0], grant["id"]
            need(member and member["did"] == by, "accredited by nobody")
            need(any(holds(period, given) for period in [member, *member.get("earlier", [])]), "by no member")
            # An authority that was expelled and came back is none any more; what it gave before stands.
            need(member["authority"] or given < member["from"], "by no authority")
            return links
        history = ledger.get(f"accreditation/{by}")[0] or {"subject": by, "grants": []}
        (above,) = [above for above in history["grants"] if above["id"] == grant["under"]]
        need(history["subject"] == by and above["delegable"] and holds(above, ledger.moment, "started", "ended")
             and grant["depth"] == above["depth"] + 1 and is_within(grant, above), "an accreditation that was not to be given")
        holder, grant = by, above
    raise Refused("a chain without an end")
def is_within(grant, above):
    begins = lambda path: any(path[: len(given)] == given for given in above.get("claims", []))
    return (grant["role"] == above["role"] and set(grant["types"]) <= set(above["types"])
            and all(map(begins, grant.get("claims", [])))
            and set(grant.get("purposes", [])) <= set(above.get("purposes", []))
            and above["from"] <= grant["from"] and grant["until"] <= above["until"])

# ---- The holder ----
def check_holder(bundle, receipt, request, queries, to_sign, ledger, trust):
    """`signed`, `claimed` or `unproven`."""
    sent = None
    if "full" in bundle:
        token = bundle["full"]["vp_token"]
        with part("evidence.presentation"):
            need(receipt["presentations"] == name_presentations(token), "not the presentations that the receipt names")
        with part("evidence.holder"):
            sent = [text.split("~")[-1] for _, several in sorted(token.items()) for text in several]
            need(bundle["key_bindings"] == sent, "signatures of something else than the presentations")
    if not bundle["key_bindings"]:
        return "unproven"
    try:
        with part("evidence.holder"):
            if sent is None:
                check_claimed(bundle["key_bindings"], receipt, request, queries, to_sign)
                return "claimed"
            check_signed(bundle["full"], receipt, request, queries, to_sign, ledger, trust)
            return "signed"
    except Fails as why:
        # What the service refused may well be forged; that is why.
        if why.code == "evidence.holder" and receipt["verdict"] != "accepted":
            return "unproven"
        raise
NAMES = 24 * 1024
def name_presentations(token):
    """An answer as a receipt names it; types and claims for which there is no room are left out."""
    room, named = NAMES, {}
    for query_id, several in sorted(token.items()):
        named[query_id] = []
        for text in several:
            names = name(text)
            size = len(json.dumps([names.get("type"), names["claims"]], ensure_ascii=False, separators=(",", ":")).encode())
            room, names = (room - size, names) if size <= room else (room, {"claims": []})
            named[query_id].append({"digest": unb64(sha(text.encode())), **names})
    return named
def name(text):
    """Type and disclosed claims of a presentation, whether or not they hold."""
    try:
        shown = SdJwt(text, typ=None)
    except (Refused, *MALFORMED):
        return {"claims": []}
    steps = lambda path: [(0, step.encode()) if type(step) is str else (1, step) for step in path]
    vct, claims = shown.claims.get("vct"), [list(path) for path in sorted(shown.came, key=steps)]
    return {"claims": claims, **({"type": vct} if type(vct) is str else {})}
def check_claimed(bindings, receipt, request, queries, to_sign):
    """Each says that it answers this question. Nobody can check the signatures from here."""
    named = [(query_id, shown) for query_id, several in sorted(receipt["presentations"].items()) for shown in several]
    need(len(named) == len(bindings), "not as many signatures as presentations")
    for binding, (query_id, shown) in zip(bindings, named):
        need("type" not in shown or shown["type"] in queries[query_id]["meta"]["vct_values"], "not a type that was asked for")
        check_occasion(Jws(binding, "kb+jwt"), request, to_sign[query_id])
def check_signed(full, receipt, request, queries, to_sign, ledger, trust):
    """The issuer's signature over the holder's key, the holder's over the question."""
    token, anchors = full["vp_token"], full.get("anchors", {})
    check_outline(token, request["dcql_query"], queries)
    need(set(anchors) <= set(token), "a proof of something that was not shown")
    for query_id, several in token.items():
        proofs = anchors.get(query_id) or [None] * len(several)
        need(len(proofs) == len(several), "not as many proofs as presentations")
        for text, proof in zip(several, proofs):
            shown = SdJwt(text)
            issuer, key_id = shown.jws.signer()
            index = ledger.moment if proof is None else anchored_before(proof, shown, issuer, ledger, trust)
            shown.verify(ledger.key(issuer, key_id, "assertionMethod", index))
            need(ledger.grants(issuer, "issuer", shown.claims["vct"], index), "the issuer was not accredited")
            check_answer(queries[query_id], shown.claims, issuer)
            holder = Jws(shown.kb, "kb+jwt")
            holder.verify(closed(shown.claims["cnf"], "jwk")["jwk"])
            check_occasion(holder, request, to_sign[query_id])
            need(holder.claims["sd_hash"] == shown.hash(shown.bound), "a signature over another presentation")
            check_age(holder.claims, receipt["iat"])
def check_age(claims, at):
    exp, nbf, iat = (time_of(claims, name) for name in ("exp", "nbf", "iat"))
    need(at - A_DAY - LEEWAY <= iat <= at + LEEWAY, "a signature of another day")
    need((exp is None or at < exp + LEEWAY) and (nbf is None or nbf - LEEWAY <= at), "a signature out of its time")
def anchored_before(proof, shown, issuer, ledger, trust):
    index, sender, _ = check_anchor(proof, shown.digest, "credential", trust)
    need(sender == issuer and index <= ledger.moment, "anchored by somebody else, or after the act")
    return index
def check_outline(token, asked, queries):
    """The queries answered are those that had to be, each by as many credentials as it may."""
    for query_id, several in token.items():
        most = 16 if queries[query_id].get("multiple", False) else 1
        # Not by the signature: under ES256 anybody makes a second one of the first.
        issued = {text.split("~")[0].rpartition(".")[0] for text in several}
        need(1 <= len(several) <= most and len(issued) == len(several), "too many answers")
    sets = asked.get("credential_sets", [])
    met = [[set(option) for option in one["options"] if set(option) <= set(token)] for one in sets]
    need(all(met_by or one.get("required", True) is False for met_by, one in zip(met, sets)), "a query without its answer")
    wanted = set().union(*[option for options in met for option in options]) if sets else set(queries)
    need(token and set(token) == wanted, "another answer than was asked for")
def check_answer(query, claims, issuer):
    """The credential answers the query."""
    trusted = query.get("trusted_authorities", [])
    need(claims["vct"] in query["meta"]["vct_values"], "not the type asked for")
    need(not trusted or any(one["type"] == "xinfu_ledger" and issuer in one["values"] for one in trusted), "another issuer")
    asked = query.get("claims", [])
    by_id = {claim.get("id"): claim for claim in asked}
    alternatives = [[by_id[name] for name in names] for names in query["claim_sets"]] if "claim_sets" in query else [asked]
    same = lambda one, other: type(one) is type(other) and one == other
    def is_there(claim):
        values = [value for _, value in places(claims, claim["path"])]
        return values and ("values" not in claim or any(same(value, one) for value in values for one in claim["values"]))
    need(any(all(map(is_there, alternative)) for alternative in alternatives), "a claim is missing")

# ---- Taken back ----
ACKNOWLEDGEMENT = "iss iat withdrawal receipt deleted kept passed_on seq".split()
KINDS = "claims presentation key_bindings anchor_proofs holder_keys request verdict receipt".split()
def check_withdrawal(bundle, receipt, request, ledger, trust):
    """What is shown of a withdrawal, as pairs; none where the sharing was not taken back."""
    if "withdrawal" not in bundle:
        return []
    taken_back, text = bundle["withdrawal"], bundle["withdrawal"]["text"]
    with part("evidence.withdrawal"):
        withdrawal = Jws(text, "xinfu-withdrawal+jwt")
        said, jwk = closed(withdrawal.claims, "aud", "receipt", "iat"), withdrawal.header["jwk"]
        need(len(text) <= 4096 and not {"kid", "x5c"} & set(withdrawal.header) and "d" not in jwk, "a key by two names")
        need((said["aud"], said["receipt"]) == (receipt["iss"], unb64(sha(bundle["receipt"].encode()))), "of another sharing")
        need(any(answers(text, request, jwk) for text in bundle["key_bindings"]), "another hand than the one that answered")
        withdrawal.verify(jwk)
        need(time_of(said, "iat") >= receipt["iat"] - LEEWAY, "from before the sharing")
    shown = [("withdrawn", f"signed {said['iat']}")]
    if "notarised" in taken_back:
        with part("evidence.notarised"):
            index, by, _ = check_anchor(taken_back["notarised"], sha(text.encode()), "notarised", trust)
        ledger.reach(index)
        sealed = ledger.sealed_by(index) // 1000
        with part("evidence.withdrawal"):
            need(said["iat"] <= sealed + LEEWAY, "from after it was there")
        shown.append(("notarised", f"{index} by {ledger.named(by)}, sealed by {sealed}"))
    if "acknowledgement" in taken_back:
        shown.append(("acknowledged", check_acknowledgement(taken_back, said, receipt, ledger, trust)))
    return shown
def answers(text, request, jwk):
    """Whether this is an answer to the request by this key."""
    try:
        binding = Jws(text, "kb+jwt")
        binding.verify(jwk)
        return [binding.claims[name] for name in ("aud", "nonce")] == [request["client_id"], request["nonce"]]
    except (Refused, *MALFORMED):
        return False
def check_acknowledgement(taken_back, withdrawal, receipt, ledger, trust):
    """What the service says it did, as of when the ledger took that, else the newest that all of the bundle knows."""
    text, service, sealed, index = taken_back["acknowledgement"], receipt["iss"], None, ledger.newest
    with part("evidence.acknowledgement"):
        jws = Jws(text, "xinfu-withdrawal-ack+jwt")
        said, (signer, key_id) = closed(jws.claims, *ACKNOWLEDGEMENT, optional=("previous",)), jws.signer()
        need(len(text) <= 24_576 and signer == said["iss"] and is_account(said), "out of bounds")
        if "acknowledgement_proof" in taken_back:
            proof = taken_back["acknowledgement_proof"]
            index, sender, range_ = check_anchor(proof, sha(text.encode()), "receipt", trust)
            need((sender, range_["first"] + proof["batch"]["index"]) == (service, said["seq"]), "stands at another's place")
    if "acknowledgement_proof" in taken_back:
        ledger.reach(index)
        sealed = ledger.sealed_by(index) // 1000
    elif any(time < said["iat"] - LEEWAY for time in ledger.times):
        raise Fails("evidence.behind", "the acknowledgement waits, and a state is of before it")
    with part("evidence.acknowledgement"):
        need(said["iss"] == service, "another service's")
        jws.verify(ledger.key(service, key_id, "authentication", index))
        need(said["withdrawal"] == unb64(sha(taken_back["text"].encode())), "over another withdrawal")
        need(said["receipt"] == withdrawal["receipt"] and said["seq"] > receipt["seq"], "over another receipt")
        need(said["iat"] >= withdrawal["iat"] - LEEWAY and (sealed is None or said["iat"] <= sealed + LEEWAY), "of another time")
    return f"entry {said['seq']} of {said['iat']}, " + ("waiting" if sealed is None else f"{index}, sealed by {sealed}")
def is_account(said):
    """Whether an acknowledgement gives account of each kind at most once, and of the receipt as kept."""
    kept = [closed(one, "what", "basis", optional=("until",)) for one in said["kept"]]
    stays, gone = [one["what"] for one in kept], said["deleted"]
    in_order = all([kind for kind in KINDS if kind in some] == some for some in (stays, gone))
    return (in_order and "receipt" in stays and not set(stays) & set(gone) and type(said["passed_on"]) is bool
            and all(is_basis(one["basis"]) for one in kept) and time_of(said, "iat") is not None
            and all(time_of(one, "until") >= said["iat"] for one in kept if "until" in one)
            and type(said["seq"]) is int and said["seq"] > 1 and b64(said["previous"], 32))

# ---- All of it ----
def check(data, trust_root):
    """What the bundle shows, as pairs of a name and a text. Raises Fails by the first part that does not hold."""
    try:
        trust = TrustRoot(trust_root.decode())
    except MALFORMED as error:
        raise Refused("the trust root is none that a chain writes") from error
    bundle = read(data)
    ledger = Ledger(bundle["states"], trust)
    with part("evidence.receipt"):
        receipt = read_receipt(bundle["receipt"])
        said, (service, key_id) = receipt.claims, receipt.signer()
    ledger.moment, is_anchored = find_moment(bundle, receipt, trust, ledger)
    with part("evidence.receipt"):
        receipt.verify(ledger.key(service, key_id, "authentication"))
    with part("evidence.request"):
        request, queries = check_request(bundle["request"], service, ledger)
        to_sign, over = read_transaction_data(request, queries)
    word, delegation = check_word(request, said, queries, over, ledger)
    with part("evidence.receipt"):
        sealed = ledger.sealed_by()
        need(not is_anchored or said["iat"] <= sealed // 1000 + LEEWAY, "from after it was on the ledger")
        need(said["verdict"] != "accepted" or said["iat"] <= request["exp"] + LEEWAY, "accepted when the question had ended")
    chains = find_chains(service, queries, said["purpose"], ledger)
    holder = check_holder(bundle, said, request, queries, to_sign, ledger, trust)
    withdrawn = check_withdrawal(bundle, said, request, ledger, trust)
    shown = [shown for several in said["presentations"].values() for shown in several]
    hand = {"official": "an official", "service": "a service account"}[delegation["holder"]]
    return [
        ("service", ledger.named(service)),
        ("duty", f"{word.claims['duty']}, {delegation['title']['en']}, delegated at {delegation['id']} to {hand}"),
        *[("accredited", f"{holder} by {by} at {given}") for chain in chains for holder, by, given in chain],
        *[("authority", chain[-1][1]) for chain in chains],
        *[("shown", f"{one.get('type', 'unreadable')}: {', '.join('.'.join(map(str, path)) for path in one['claims'])}")
          for one in shown],
        ("purpose", f"{said['purpose']}; {said['basis']}; kept for {said['retention_days']} days"),
        ("verdict", said["verdict"]),
        ("receipt", f"number {said['seq']} of {said['iat']}"),
        ("anchored" if is_anchored else "waiting", f"{ledger.moment}, sealed by {sealed // 1000}"),
        ("holder", holder),
        *withdrawn,
    ]

def main():
    sys.argv[2:3] == ["--trust"] and len(sys.argv) == 4 or sys.exit(__doc__)
    try:
        shown = check(Path(sys.argv[1]).read_bytes(), Path(sys.argv[3]).read_bytes())
    except Refused as why:
        print(f"REFUSED {why}")
        return 2 if isinstance(why, Fails) and why.code == "evidence.malformed" else 1
    print("HOLDS")
    for name, text in shown:
        # What others wrote must not move the cursor.
        print(f"{name:>10}  {''.join(letter if letter.isprintable() else '?' for letter in text)}")
    return 0
if __name__ == "__main__":
    sys.exit(main())
