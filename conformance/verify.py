#!/usr/bin/env python3
"""An independent verifier, written from docs/formats.md: may this presentation be relied on, given only these files?

    verify.py FOLDER --now SECONDS

FOLDER holds request.jwt, vp_token.json, anchors.json, evidence.json, trust-root.txt and type.json (type metadata).
Prints ACCEPTED (status 0) or REFUSED and the reason (status 1). Needs the package `cryptography`; reads no clock.
"""
import base64, hashlib, json, re, sys, zlib
from functools import lru_cache
from pathlib import Path
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
EVIDENCE_AGE, HOLDER_AGE, LEEWAY = 86_400, 300, 60
FILES = ("request.jwt", "vp_token.json", "anchors.json", "evidence.json", "trust-root.txt", "type.json")
Refused = type("Refused", (Exception,), {"__doc__": "Why not."})
SplitView = type("SplitView", (Refused,), {"__doc__": "The ledger has certified two histories."})
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, zlib.error)
def need(holds, why):
    if not holds:
        raise Refused(why)

# ---- Bytes, JSON, signatures ----
sha = lambda data: hashlib.sha256(data).digest()
unb64 = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
def b64(text, length=None, url=True):
    data = base64.b64decode(text + "=" * (-len(text) % 4 if url else 0), b"-_" if url else None, validate=True)
    spelling = unb64(data) if url else base64.b64encode(data).decode()
    need(spelling == text and length in (None, len(data)), "base64 in another spelling, or of another length")
    return data
number = lambda text: int(re.fullmatch("0|[1-9][0-9]{0,19}", text)[0])  # one spelling, or an error that refuses
def strict(data):
    unique = lambda pairs: need(len(dict(pairs)) == len(pairs), "a name twice in an object") or dict(pairs)
    value = json.loads(data.decode() if isinstance(data, bytes) else data, object_pairs_hook=unique)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # refuses lone surrogates and infinite numbers
    return value
def closed(value, *names, optional=()):
    need(isinstance(value, dict) and set(names) <= set(value) <= {*names, *optional}, "other members than expected")
    return value
def time_of(claims, name):
    need(name not in claims or type(claims[name]) is int and 0 <= claims[name] <= 253_402_300_799, f"{name} is no time")
    return claims.get(name)
P, ORDER_8 = 2**255 - 19, 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL_ORDER = {0, 1, P - 1, ORDER_8, P - ORDER_8}  # the y of all points of small order
@lru_cache(100_000)
def ed25519_holds(key, message, signature):
    """Stricter than formats.md in one point: what needs the factor 8 to hold, no honest signature, is refused."""
    y = int.from_bytes(key, "little") & 2**255 - 1
    need(len(key) == 32 and y < P and y not in SMALL_ORDER, "a key in another encoding, or of small order")
    return accepts(ed25519.Ed25519PublicKey.from_public_bytes(key).verify, signature, message)
def accepts(verify, *arguments):
    try:
        return verify(*arguments) is None
    except InvalidSignature:
        return False
def signed_by(jwk, alg, message, signature):
    need("d" not in jwk and len(signature) == 64, "key or signature malformed")
    if (jwk["kty"], jwk.get("crv")) == ("OKP", "Ed25519") and alg in ("EdDSA", "Ed25519"):
        return ed25519_holds(b64(jwk["x"], 32), message, signature)
    need((jwk["kty"], jwk["crv"], alg) == ("EC", "P-256", "ES256"), "algorithm and key do not match")
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + b64(jwk["x"], 32) + b64(jwk["y"], 32))
    return accepts(key.verify, utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
def thumbprint(jwk):
    names = {"OKP": ("crv", "kty", "x"), "EC": ("crv", "kty", "x", "y")}[jwk["kty"]]
    return unb64(sha(json.dumps({name: jwk[name] for name in names}, separators=(",", ":")).encode()))
class Jws:
    def __init__(self, text, typ):
        head, payload, signature = text.split(".")
        self.input, self.signature = f"{head}.{payload}".encode(), b64(signature)
        self.header, self.claims = strict(b64(head)), strict(b64(payload))
        need(typ in (None, self.header["typ"]) and not {"crit", "b64"} & set(self.header), f"no JWS of typ {typ}")
    def verify(self, jwk):
        need(signed_by(jwk, self.header["alg"], self.input, self.signature), "a signature does not hold")
    def signer(self):
        """DID and key id; that it is one of a ledger DID is asked of the evidence."""
        return re.fullmatch(r"(did:xinfu:[a-z0-9-]{1,32}:[A-Za-z0-9]+)#([A-Za-z0-9._-]{1,64})", self.header["kid"]).groups()
    def check_times(self, now):
        exp, nbf, iat = (time_of(self.claims, name) for name in ("exp", "nbf", "iat"))
        need((exp is None or now < exp + LEEWAY) and (nbf is None or nbf - LEEWAY <= now), "expired, or not valid yet")
        need(iat is None or iat <= now + LEEWAY, "issued in the future")

# ---- The ledger ----
def check_included(leaf, index, size, path, root):
    need(type(index) is int and 0 <= index < size, "index outside the tree")
    node, last, value = index, size - 1, sha(b"\0" + leaf)
    for sibling in path:
        need(last > 0, "path too long")
        right = node & 1 or node == last
        value = sha(b"\1" + (sibling + value if right else value + sibling))
        while right and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    need(last == 0 and value == root, "a path does not lead to its root")
def parse_key(text, kind):
    name, key_id, material = text.split("+", 2)
    material = b64(material, 33, url=False)
    need(material[0] == kind and sha(name.encode() + b"\n" + material)[:4].hex() == key_id, "a verifier key")
    return name, bytes.fromhex(key_id), material[1:]
class TrustRoot:
    """Reads the one rendering that a chain gives its own file."""
    def __init__(self, text):
        *lines, group, quorum, end = text.split("\n")
        logs, names, keys = zip(*[re.fullmatch(r"log (\S+)\nwitness (\S+) (\S+)", "\n".join(lines[at : at + 2])).groups()
                                  for at in range(0, len(lines), 2)])
        self.logs, self.witnesses = [parse_key(key, 1) for key in logs], [parse_key(key, 4) for key in keys]
        self.origin, self.quorum, self.roots = self.logs[0][0], 2 * len(names) // 3 + 1, {}
        need([group, quorum, end] == [f"group validators {self.quorum} {' '.join(names)}", "quorum validators", ""]
             and list(names) == sorted(set(names)), "trust root: validators, sorted, and their quorum")
        need(all((log[0], witness[0]) == (self.origin, f"{self.origin}/{name}") for log, witness, name in
                 zip(self.logs, self.witnesses, names)), "trust root: names of keys")
        need(len({key[2] for key in self.logs + self.witnesses}) == 2 * len(names), "trust root: a key twice")
    def certify(self, note):
        """Size, root and time of a certified checkpoint."""
        need(len(note.encode()) <= 16_384 and not re.search(r"[\x00-\x09\x0b-\x1f]", note), "note malformed")
        text, signatures = note[: note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2 :].split("\n")
        need(signatures.pop() == "" and len(signatures) <= 16, "note malformed")
        origin, size, root, _ = text.split("\n")
        logged, cosigned = False, {}
        for dash, name, data in (line.split(" ") for line in signatures):
            data = b64(data, url=False)
            need(dash == "—" and name and "+" not in name and len(data) > 4, "signature line malformed")
            for key in (log[2] for log in self.logs if log[:2] == (name, data[:4])):
                need(logged := ed25519_holds(key, text.encode(), data[4:]), "a log signature does not hold")
            for key in (witness[2] for witness in self.witnesses if witness[:2] == (name, data[:4])):
                time = int.from_bytes(data[4:12], "big")
                holds = ed25519_holds(key, f"cosignature/v1\ntime {time}\n{text}".encode(), data[12:])
                need(holds and time < 2**63, "a cosignature does not hold")
                cosigned[key] = max(time, cosigned.get(key, 0))
        need(origin == self.origin and logged and len(cosigned) >= self.quorum, "the checkpoint is not certified")
        if self.roots.setdefault(size, root) != root:
            raise SplitView("the ledger has certified two histories")
        return number(size), b64(root, 32, url=False), sorted(cosigned.values())[-1 - (len(self.logs) - 1) // 3]
    def prove(self, proof, entry):
        """Index of a log entry, with size and time of the checkpoint that shows it."""
        head, note = proof.split("\n\n", 1)
        header, *lines = re.sub(r"\A(.*)\nextra [A-Za-z0-9+/]*=*\n", r"\1\n", head).split("\n")
        need(header == "c2sp.org/tlog-proof@v1" and lines[0].startswith("index "), "not a log proof")
        index, (size, root, time) = number(lines[0][6:]), self.certify(note)
        check_included(entry, index, size, [b64(line, 32, url=False) for line in lines[1:]], root)
        return index, size, time
def prove_state(proof, trust):
    """Key, value (None: absent) and last log index known of a state proof; times of its checkpoint (s) and seal (ms)."""
    closed(proof, "key", "value", "path", "seal", "proof")
    index, size, time = trust.prove(proof["proof"], proof["seal"].encode())
    need(index == size - 1, "the seal is not the last entry")
    seal = re.fullmatch(r'{"type":"xinfu-seal","height":([0-9]+),"time":([0-9]+),"state":"(.{43})","policy":"(.{43})"}',
                        proof["seal"])
    need(seal and max(number(seal[1]), number(seal[2])) < 2**53 and b64(seal[4], 32), "the last entry is not a seal")
    place, value, other = sha(proof["key"].encode()), proof["value"], proof["path"].get("other")
    siblings = [b64(sibling, 32) for sibling in closed(proof["path"], "siblings", optional=("other",))["siblings"]]
    bits = lambda data: f"{int.from_bytes(data, 'big'):0256b}"[: len(siblings)]
    need(len(siblings) <= 256 and (value is None or other is None), "state path malformed")
    node = b"SPARSE_MERKLE_PLACEHOLDER_HASH__" if value is None else sha(b"JMT::LeafNode" + place + sha(b64(value)))
    if other is not None:
        key = b64(closed(other, "key", "value")["key"], 32)
        need(key != place and bits(key) == bits(place), "another leaf in another place")
        node = sha(b"JMT::LeafNode" + key + b64(other["value"], 32))
    for sibling, bit in zip(siblings, reversed(bits(place))):
        node = sha(b"JMT::IntrnalNode" + (sibling + node if bit == "1" else node + sibling))
    need(node == b64(seal[3], 32), "a state path does not lead to its root")
    return proof["key"], None if value is None else strict(b64(value)), index, time, number(seal[2])
def holds(entry, index, start="from", end="until"):
    return entry.get(start) is not None and entry[start] <= index and (entry.get(end) is None or index < entry[end])
class States:
    """What the ledger says, read as of a log index: one that is named, else the last that a proof knows."""
    def __init__(self, known):
        self.known = known
    def get(self, key, index=None):
        value, until = self.known[key]
        need(index is None or index <= until, "evidence older than the anchor")
        return value, until if index is None else index
    def key(self, did, key_id, use, index=None):
        history, index = self.get(f"did/{did}", index)
        keys = [key for key in history["keys"] if (key["id"], key["use"]) == (key_id, use) and holds(key, index)]
        need(history["did"] == did and holds(history, index, "created", "deactivated") and keys, f"not a key for {use}")
        return keys[0]["jwk"]
    def grants(self, did, role, vct, index):
        history = self.get(f"accreditation/{did}", index)[0] or {"grants": []}
        return [grant for grant in history["grants"] if grant["role"] == role and vct in grant["types"]
                and holds(grant, index, "started", "ended")]

class Evidence(States):
    """An evidence set."""
    def __init__(self, data, trust, now):
        proven = [prove_state(proof, trust) for proof in closed(data, "states", "status_lists")["states"]]
        need(all(-LEEWAY <= now - time <= EVIDENCE_AGE + LEEWAY for *_, time, _ in proven), "evidence stale or from the future")
        super().__init__({key: (value, index) for key, value, index, *_ in proven})
        self.lists = data["status_lists"]
def check_anchor(anchor, digest, kind, trust):
    """Log index and sender of an anchor proof, and what its transaction says."""
    tx = Jws(closed(anchor, "batch", "transaction", "proof")["transaction"], "xinfu-tx+jwt")
    said = closed(tx.claims, *"aud seq exp op kind root count".split(), *["first", "last", "head"] * (kind == "receipt"))
    need((said["op"], said["kind"], said["aud"]) == ("anchor", kind, trust.origin), "no such anchor of this ledger")
    batch = closed(anchor["batch"], "index", "count", "path")
    need(said["count"] == batch["count"], "a batch of another size")
    check_included(digest, batch["index"], batch["count"], [b64(h, 32) for h in batch["path"]], b64(said["root"], 32))
    return trust.prove(anchor["proof"], anchor["transaction"].encode())[0], tx.signer()[0], said

# ---- Presentations ----
class SdJwt:
    def __init__(self, text, typ="dc+sd-jwt"):
        issued, *disclosures, self.kb = text.split("~")
        self.digest, self.bound, self.jws = sha(issued.encode()), text[: len(text) - len(self.kb)], Jws(issued, typ)
        payload = dict(self.jws.claims)
        algorithm = {"sha-256": hashlib.sha256, "sha-384": hashlib.sha384, "sha-512": hashlib.sha512}[
            payload.pop("_sd_alg", "sha-256")]
        self.hash = lambda data: unb64(algorithm(data.encode()).digest())
        self.offered, self.seen, self.came = {self.hash(text): strict(b64(text)) for text in disclosures}, set(), set()
        need(len(self.offered) == len(disclosures), "a disclosure twice")
        self.claims = self.walk(payload, ())
        need(not self.offered, "a disclosure that nothing refers to")
    def verify(self, jwk):
        never = {"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}
        need(not any(path[0] in never for path in self.came), "a claim that must not be a disclosure")
        self.jws.verify(jwk)
    def take(self, digest, length):
        need(isinstance(digest, str) and digest not in self.seen, "a digest twice, or none")
        self.seen.add(digest)
        content = self.offered.pop(digest, None)
        need(content is None or type(content) is list and len(content) == length and type(content[0]) is str, "a disclosure")
        return content
    def walk(self, value, path):
        if isinstance(value, list):
            items = []
            for at, item in enumerate(value):
                content = self.take(item["..."], 2) if isinstance(item, dict) and set(item) == {"..."} else [None, item]
                if content and content[0] is not None:
                    self.came.add((*path, at))
                items += [self.walk(content[1], (*path, at))] if content else []
            return items
        if not isinstance(value, dict):
            return value
        need("..." not in value and "_sd_alg" not in value and type(value.get("_sd", [])) is list, "a reserved name")
        out = {name: self.walk(item, (*path, name)) for name, item in value.items() if name != "_sd"}
        for _, name, item in filter(None, (self.take(digest, 3) for digest in value.get("_sd", []))):
            need(type(name) is str and name not in ("_sd", "...") and name not in out, "a disclosed name")
            self.came.add((*path, name))
            out[name] = self.walk(item, (*path, name))
        return out
def places(value, path, at=()):
    """Values at a claims path, each behind its place."""
    if not path:
        return [(at, value)]
    steps = range(len(value)) if path[0] is None and isinstance(value, list) else [path[0]]
    fits = lambda s: s in value if isinstance(value, dict) else isinstance(value, list) and type(s) is int and s < len(value)
    return [found for step in steps if fits(step) for found in places(value[step], path[1:], (*at, step))]
def is_of(stated, data):
    """Whether integrity metadata (SRI) states a digest of these bytes, by the strongest hash that it names."""
    for name in ("sha512", "sha384", "sha256"):
        digests = [one.split("?")[0] for one in stated.split() if one.startswith(f"{name}-")]
        if digests:
            return f"{name}-{base64.b64encode(hashlib.new(name, data).digest()).decode()}" in digests
    return False
def check_status(claims, did, evidence, now):
    reference = claims["status"]["status_list"]
    fetched = closed(evidence.lists[reference["uri"]], "token", "fetched_at")
    token = Jws(fetched["token"], "statuslist+jwt")
    signer, key_id = token.signer()
    need(signer == did and token.claims["sub"] == reference["uri"] and "iat" in token.claims, "another status list")
    token.verify(evidence.key(did, key_id, "assertionMethod"))
    token.check_times(now)
    need(now < time_of(fetched, "fetched_at") + min(EVIDENCE_AGE, token.claims.get("ttl", EVIDENCE_AGE)) + LEEWAY, "stale list")
    status_list, index, inflate = token.claims["status_list"], reference["idx"], zlib.decompressobj()
    entries, bits = inflate.decompress(b64(status_list["lst"]), 2**24), status_list["bits"]
    need(bits in (1, 2, 4, 8) and type(index) is int and index >= 0 and inflate.eof, "status list malformed")
    need(entries[index * bits // 8] >> index * bits % 8 & (1 << bits) - 1 == 0, "revoked, suspended or unknown")
def check_occasion(holder, request, to_sign):
    """That a KB-JWT answers this request, and for the purposes that are to be signed."""
    name = "transaction_data_hashes"
    hashed = holder.claims.get(name, []), holder.claims.get(f"{name}_alg", "sha-256")
    need(hashed == (to_sign, "sha-256"), "the holder did not sign what the data is wanted for, or something else")
    need([holder.claims[name] for name in ("aud", "nonce")] == [request["client_id"], request["nonce"]], "key binding of something else")
def check_credential(text, anchor, query, request, to_sign, published, evidence, trust, now):
    shown, metadata = SdJwt(text), strict(published)
    (index, sender, _), (issuer, key_id) = check_anchor(anchor, shown.digest, "credential", trust), shown.jws.signer()
    need(sender == issuer, "anchored by somebody else than the issuer")
    shown.verify(evidence.key(issuer, key_id, "assertionMethod", index))
    claims, vct, services = shown.claims, shown.claims["vct"], evidence.get(f"did/{issuer}")[0]["services"]
    need(any(s["url"] == claims["iss"] and holds(s, index) for s in services), "an address that is not the issuer's")
    need(evidence.grants(issuer, "issuer", vct, index), "the issuer was not accredited")
    registered = [d["digest"] for d in evidence.get(f"schema/{vct}", index)[0]["digests"] if d["from"] <= index]
    need((registered[-1], metadata["vct"]) == (unb64(sha(published)), vct) and "extends" not in metadata, "not the type registered")
    need("vct#integrity" not in claims or is_of(claims["vct#integrity"], published), "another version of the type")
    for rule in metadata["claims"]:
        came = [place in shown.came for place, _ in places(claims, rule["path"])]
        need(all(came) if rule.get("sd") == "always" else not any(came) or rule.get("sd") != "never", "the type's rules")
    shown.jws.check_times(now)
    check_status(claims, issuer, evidence, now)
    holder = Jws(shown.kb, "kb+jwt")
    holder.verify(closed(claims["cnf"], "jwk")["jwk"])
    holder.check_times(now)
    need(now - time_of(holder.claims, "iat") <= HOLDER_AGE + LEEWAY, "key binding too old")
    check_occasion(holder, request, to_sign)
    need(holder.claims["sd_hash"] == shown.hash(shown.bound), "key binding of something else")
    need(query["format"] == "dc+sd-jwt" and vct in query["meta"]["vct_values"], "not the type asked for")
    for asked in query["claims"]:
        values = [value for _, value in places(claims, asked["path"])]
        need(values and ("values" not in asked or any(value in asked["values"] for value in values)), "a claim is missing")
def may_ask(grant, query, purpose):
    names = lambda path: path[: next((at for at, step in enumerate(path) if type(step) is not str), len(path))]
    covers = lambda path: any(names(path)[: len(given)] == given for given in grant.get("claims", []))
    purposes = grant.get("purposes", [])
    return all(covers(claim["path"]) for claim in query.get("claims", [])) and (purpose in purposes if purpose else not purposes)
WORD = "iss duty purpose basis retention_days receiver holder_signs dcql_query client_id response_uri nonce exp".split()
def is_sound(said):
    """Duty number, purpose, basis and retention within their bounds."""
    return (re.fullmatch("[A-Za-z0-9._-]{1,64}", said["duty"]) and re.fullmatch("[!-~]{1,64}", said["purpose"])
            and is_basis(said["basis"]) and type(said["retention_days"]) is int and 0 <= said["retention_days"] <= 36_525
            and type(said["holder_signs"]) is bool and ("case" not in said or b64(said["case"], 32)))
def is_basis(text):
    """A law, in words."""
    return text.strip() and len(text) <= 256 and not re.search(r"[\x00-\x1f\x7f-\x9f]", text)
class Word(Jws):
    """What an official says over a request."""
    def __init__(self, request):
        infos = [info for info in request["verifier_info"] if info["format"] == "xinfu-duty+jwt"]
        need(len(infos) == 1 and "credential_ids" not in infos[0], "not one attestation for the whole request")
        super().__init__(infos[0]["data"], "xinfu-duty+jwt")
        said = closed(self.claims, *WORD, optional=("case",))
        need(len(infos[0]["data"]) <= 24_576 and is_sound(said) and said["receiver"] == said["iss"], "attestation out of bounds")
        self.digest = sha(infos[0]["data"].encode())
    def check(self, request, asker, queries, evidence):
        """That it answers for this request; the delegation under which it was given."""
        said = self.claims
        need(said["iss"] == asker, "another department's attestation")
        history, index = evidence.get(f"duty/{asker}/{said['duty']}")
        need(history and (history["department"], history["duty"]) == (asker, said["duty"]), "no duty of this number")
        given = [duty for duty in history["delegations"] if holds(duty, index, "started", "ended")]
        need(len(given) == 1 and thumbprint(given[0]["key"]) == self.header["kid"], "no duty is delegated to this key now")
        self.verify(given[0]["key"])
        same = lambda *names: all(json.dumps(said[n], sort_keys=True) == json.dumps(request[n], sort_keys=True) for n in names)
        need(same("dcql_query", "client_id", "response_uri", "nonce", "exp") and said["purpose"] == request["xinfu_purpose"]
             and said["holder_signs"] == ("transaction_data" in request), "the attestation is over another request")
        need(given[0]["role"] == "verifier" and all(
            set(query["meta"]["vct_values"]) <= set(given[0]["types"]) and may_ask(given[0], query, said["purpose"])
            for query in queries.values()), "the duty does not cover the question")
        need("case" in said or not given[0].get("case_required", False), "the duty needs a case, and there is no case")
        return given[0]
def read_transaction_data(request, queries):
    """By query, what its holder must sign; and which attestations that is over."""
    to_sign, over, ours = {query_id: [] for query_id in queries}, set(), "urn:xinfu:transaction-data:duty:1"
    for text in request.get("transaction_data", []):
        data, optional = b64(text), "transaction_data_hashes_alg"
        bound = closed(strict(data), "type", "credential_ids", "attestation", optional=(optional,))
        (query_id,), algorithms = bound["credential_ids"], bound.get(optional, ["sha-256"])
        need(len(data) <= 2048 and bound["type"] == ours and type(algorithms) is list and "sha-256" in algorithms
             and to_sign.get(query_id) == [], "transaction_data that is none for its query")
        over.add(b64(bound["attestation"], 32))
        to_sign[query_id].append(unb64(sha(text.encode())))
    need(all(to_sign.values()) == ("transaction_data" in request), "transaction_data is missing for a query")
    return to_sign, over
def check(files, now):
    """Raises Refused unless everything holds."""
    try:
        trust, jws = TrustRoot(files["trust-root.txt"].decode()), Jws(files["request.jwt"].decode(), "oauth-authz-req+jwt")
        evidence = Evidence(strict(files["evidence.json"]), trust, now)
        request, (asker, key_id) = jws.claims, jws.signer()
        jws.verify(evidence.key(asker, key_id, "authentication"))
        need((request["client_id"], request["aud"]) == 
             (f"decentralized_identifier:{asker}", "https://self-issued.me/v2"), "a request in another name")
        queries = {query["id"]: query for query in closed(request["dcql_query"], "credentials")["credentials"]}
        index = min(evidence.get(f"{kind}/{asker}")[1] for kind in ("did", "accreditation"))
        for query, vct in [(query, vct) for query in queries.values() for vct in query["meta"]["vct_values"]]:
            grants = evidence.grants(asker, "verifier", vct, index)
            need(any(may_ask(grant, query, request.get("xinfu_purpose")) for grant in grants), "the asker may not ask this")
            closed(query, "id", "format", "meta", "claims")
        word, (to_sign, over) = Word(request), read_transaction_data(request, queries)
        word.check(request, asker, queries, evidence)
        need(over <= {word.digest}, "transaction_data over another attestation")
        token, anchors = (strict(files[name]) for name in ("vp_token.json", "anchors.json"))
        need(queries and set(token) == set(anchors) == set(queries), "not what was asked for")
        for query_id, query in queries.items():
            (shown,), (anchor,) = token[query_id], anchors[query_id]
            check_credential(shown, anchor, query, request, to_sign[query_id], files["type.json"], evidence, trust, now)
    except MALFORMED as error:
        raise Refused(f"malformed or missing: {type(error).__name__}") from error

if __name__ == "__main__":
    sys.argv[2:3] == ["--now"] and len(sys.argv) == 4 or sys.exit(__doc__)
    try:
        check({name: (Path(sys.argv[1]) / name).read_bytes() for name in FILES}, int(sys.argv[3]))
    except Refused as why:
        sys.exit(f"REFUSED: {why}")
    print("ACCEPTED")
