#!/usr/bin/env python3
"""An independent check of a period export, written from docs/formats.md: is this all that the service did, given a trust root?

    period.py FILE TRUST-ROOT
    period.py --cases FOLDER

Prints WHOLE and what the ledger vouches for (status 0), or REFUSED and the reason (status 1). With --cases, FOLDER holds
trust-root.txt, and files named holds-*.json and refused-*.json: status 0 when each comes to what its name says. Needs the
package `cryptography`; reads no clock.
"""
import sys
from pathlib import Path
sys.dont_write_bytecode = True
from verify import MALFORMED, Jws, Refused, TrustRoot, b64, closed, need, prove_state, sha, strict, unb64
MAX_BYTES, MAX_RECEIPT, LEEWAY, MAX_TIME = 64 * 2**20, 64 * 2**10, 300, 253_402_300_799
RECEIPT = "iss act iat request presentations purpose basis retention_days holder_signs verdict seq".split()
ACKNOWLEDGEMENT = "iss iat withdrawal receipt deleted kept passed_on seq".split()


def opened(data):
    """The object of a file that ends with its own digest."""
    text = data.decode().removesuffix("\n")
    need(len(data) <= MAX_BYTES, "a file too large")
    said, digest = text.rsplit(',"sha256":"', 1)
    need(digest == unb64(sha(said.encode())) + '"}', "the file was changed after it was written")
    return strict(said + "}")


class Entry:
    def __init__(self, text, service, keys):
        self.digest, jws = sha(text.encode()), Jws(text, None)
        kinds = {"xinfu-receipt+jwt": (RECEIPT, ("case", "previous")), "xinfu-withdrawal-ack+jwt": (ACKNOWLEDGEMENT, ("previous",))}
        names, optional = kinds[jws.header["typ"]]
        said = closed(jws.claims, *names, optional=optional)
        did, key_id = jws.signer()
        need(len(text) <= MAX_RECEIPT and said["iss"] == did == service, "a receipt of another service")
        jws.verify(keys[key_id])
        self.seq, self.at, self.previous = said["seq"], said["iat"], said.get("previous")
        need(type(self.seq) is int and self.seq > 0 and (self.seq == 1) == (self.previous is None), "a receipt's place")
        need(type(self.at) is int and 0 <= self.at <= MAX_TIME, "a receipt's time")


def read_chain(said, keys):
    """Every entry in the file, each of which follows the one before."""
    around = lambda name: [said[name]] if name in said else []
    texts = around("before") + said["entries"] + around("after")
    chain = [Entry(text, said["service"], keys) for text in texts]
    need("before" in said or not chain or chain[0].seq == 1, "the receipt before is missing")
    for one, next_one in zip(chain, chain[1:]):
        need(next_one.seq == one.seq + 1, f"a gap, or a receipt in another place, at {one.seq + 1}")
        need(next_one.previous == unb64(one.digest), f"receipt {one.seq} is not the one that was followed")
    return chain


def check_times(said, chain):
    begin, end = said["from"], said["to"]
    need(type(begin) is int and type(end) is int and begin < end, "no period")
    inside = chain["before" in said :][: len(said["entries"])]
    need("before" not in said or chain[0].at < begin, "the receipt before is of the period")
    need("after" not in said or chain[-1].at >= end, "the receipt after is of the period")
    need(all(begin - LEEWAY * (place > 0) <= entry.at < end for place, entry in enumerate(inside)), "a receipt of another time")


def root_of(digests):
    """Root of RFC 6962 over a batch."""
    if len(digests) == 1:
        return sha(b"\0" + digests[0])
    middle = 1 << (len(digests) - 1).bit_length() - 1
    return sha(b"\1" + root_of(digests[:middle]) + root_of(digests[middle:]))


def check_ranges(said, chain, last, head, as_of, trust):
    """Every entry that the ledger has is in an anchor that the service made, each of which continues the one before."""
    here, next_place = {entry.seq: entry.digest for entry in chain}, chain[0].seq if chain else 1
    for number, range_ in enumerate(said["ranges"]):
        closed(range_, "first", "last", "transaction", "proof", optional=("leading", "trailing"))
        first, end = range_["first"], range_["last"]
        need(type(first) is int and type(end) is int and 0 < first <= end, "a range")
        need((first <= next_place if number == 0 else first == next_place) and end >= next_place, "ranges do not continue")
        leading, trailing = ([b64(digest, 32) for digest in range_.get(name, [])] for name in ("leading", "trailing"))
        digests = leading + [here[seq] for seq in range(first, end + 1) if seq in here] + trailing
        need(len(leading) == max(0, chain[0].seq - first) and len(digests) == end - first + 1 <= 65_536, "digests of a range")
        tx = Jws(range_["transaction"], "xinfu-tx+jwt")
        anchor = closed(tx.claims, *"aud seq exp op kind root count first last head".split())
        need((anchor["op"], anchor["kind"], anchor["aud"]) == ("anchor", "receipt", trust.origin), "no anchor of receipts")
        need(tx.signer()[0] == said["service"], "somebody else anchored the receipts")
        need((anchor["first"], anchor["last"], anchor["count"]) == (first, end, len(digests)), "an anchor of another range")
        need((b64(anchor["root"], 32), b64(anchor["head"], 32)) == (root_of(digests), digests[-1]), "the chain was forked")
        index = trust.prove(range_["proof"], range_["transaction"].encode())[0]
        need(index <= as_of and end <= last and (end < last or digests[-1] == head), "the ledger has another chain")
        next_place = end + 1
    need(not chain or next_place > min(chain[-1].seq, last), "a receipt that the ledger has is in no anchor")


def check(data, trust_root):
    """What the period shows. Raises Refused unless it is whole."""
    try:
        said, trust = opened(data), TrustRoot(trust_root.decode())
        closed(said, *"format service from to entries ranges keys anchored".split(), optional=("before", "after"))
        service = said["service"]
        need(said["format"] == "xinfu-period-1" and type(said["entries"]) is list and type(said["ranges"]) is list, "no period")
        states = [prove_state(said[name], trust) for name in ("keys", "anchored")]
        need([state[0] for state in states] == [f"did/{service}", f"receipts/{service}"], "states of something else")
        (_, history, *_), (_, anchored, as_of, known_at, _) = states
        need(history["did"] == service, "another history")
        keys = {key["id"]: key["jwk"] for key in history["keys"] if key["use"] == "authentication"}
        anchored = closed(anchored or {"last": 0}, "last", optional=("head",))
        last, head = anchored["last"], b64(anchored["head"], 32) if "head" in anchored else None
        chain = read_chain(said, keys)
        need("after" in said or last <= (chain[-1].seq if chain else 0), "the tail is cut off")
        check_times(said, chain)
        check_ranges(said, chain, last, head, as_of, trust)
        places = [entry.seq for entry in chain["before" in said :][: len(said["entries"])]]
        return {"places": places, "waiting": sum(seq > last for seq in places), "known_at": known_at}
    except MALFORMED as error:
        raise Refused(f"malformed or missing: {type(error).__name__}") from error


def cases(folder):
    trust_root, otherwise, count = (folder / "trust-root.txt").read_bytes(), [], 0
    for file in sorted(folder.glob("*.json")):
        try:
            check(file.read_bytes(), trust_root)
            came = "holds"
        except Refused as why:
            came = f"refused: {why}"
        print(f"{file.name}: {came}")
        count += 1
        otherwise += [f"{file.name} is {came}"] if not came.startswith(file.name.split("-")[0]) else []
    print("\n".join(otherwise) or f"PERIODS OK {count} come to what they must")
    return 1 if otherwise or not count else 0


if __name__ == "__main__":
    len(sys.argv) == 3 or sys.exit(__doc__)
    if sys.argv[1] == "--cases":
        sys.exit(cases(Path(sys.argv[2])))
    try:
        shown = check(*(Path(name).read_bytes() for name in sys.argv[1:]))
    except Refused as why:
        sys.exit(f"REFUSED: {why}")
    print(f"WHOLE: {len(shown['places'])} receipts, {shown['waiting']} of them wait for the ledger, as of {shown['known_at']}")
