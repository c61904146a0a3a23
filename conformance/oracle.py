#!/usr/bin/env python3
"""A naive oracle, written from docs/who-may-ask.md alone: who may ask for what, and by which code it is refused.

    oracle.py CASES [--plant]

CASES has one JSON object a line: a `story`, what happened on a ledger, block by block, and what each act came to; then the
cases on it. A case is who asks what at the end of which block, what an official said over it, who acts, and the verdicts
that the Rust code reached. The oracle says for each line what it should have been. Prints how often each outcome came, and
ends with status 1 if one line differs, or if an outcome never came, so that nothing was shown about it.

With --plant, verdicts are made wrong in as many lines as there are outcomes, and each of these lines must be found.
"""
import collections, copy, gc, json, re, sys
MAX_AGE, LEEWAY = 3600, 30  # of the cases' policy, in seconds


# ---- What holds on the ledger ----
class Ledger:
    def __init__(self):
        self.grants, self.duties, self.gone = [], [], {}

    def act(self, act, time):
        """Why an act is refused; None if it is done."""
        by, to = act["by"], act.get("to")
        if by in self.gone:
            return {"deactivated": "registry.did.deactivated", "expelled": "registry.sender.not_member"}[self.gone[by]]
        return getattr(self, act["act"].replace("-", "_"))(act, by, to, time)

    def accredit(self, act, by, to, time):
        if to in self.gone:
            return {"deactivated": "registry.did.deactivated", "expelled": "registry.accreditation.subject"}[self.gone[to]]
        under = None
        if by != "authority":
            own = [grant for grant in self.grants if grant["to"] == by and grant["delegable"] and holds(grant)]
            if not own:
                return "registry.accreditation.not_entitled"
            wide = [grant for grant in own if is_within(act, grant)]
            if not wide:
                return "registry.accreditation.beyond_own"
            under = wide[0]["n"]
        self.grants.append({**act, "under": under, "begun": act["from"] <= time, "ended": None})

    def end_accreditation(self, act, by, to, time):
        (grant,) = [grant for grant in self.grants if grant["n"] == act["of"]]
        if by not in (grant["by"], grant["to"], "authority"):
            return "registry.accreditation.end_not_entitled"
        if grant["ended"]:
            return "registry.accreditation.ended"
        self.end(grant, "ended")

    def end(self, grant, how):
        grant["ended"] = grant["ended"] or how
        for below in self.grants:
            if below["under"] == grant["n"]:
                self.end(below, "chain")

    def delegate(self, act, by, to, time):
        duty = {**act, "begun": False, "ended": None}
        if act["from"] <= time:
            self.begin(duty)
        self.duties.append(duty)

    def begin(self, duty):
        for other in self.duties:
            if other["duty"] == duty["duty"] and holds(other):
                other["ended"] = "replaced"
        duty["begun"] = True

    def end_delegation(self, act, by, to, time):
        (duty,) = [duty for duty in self.duties if duty["n"] == act["of"]]
        if duty["ended"]:
            return "registry.delegation.ended"
        duty["ended"] = "ended"

    def deactivate(self, act, by, to, time):
        self.leave(by, "deactivated")

    def expel(self, act, by, to, time):
        self.leave(to, "expelled")

    def leave(self, who, how):
        # A DID that is deactivated stays so, whoever is expelled.
        self.gone.setdefault(who, how)
        for grant in self.grants:
            if grant["to"] == who and not grant["ended"]:
                self.end(grant, how)

    def end_block(self, time):
        given = [(kind, one) for kind, those in (("grant", self.grants), ("duty", self.duties)) for one in those]
        due = [(one["from"], one["n"], "begins", kind, one) for kind, one in given if not one["begun"]]
        due += [(one["until"], one["n"], "lapses", kind, one) for kind, one in given]
        for at, _, what, kind, one in sorted(due, key=lambda due: due[:3]):
            if at > time or one["ended"]:
                continue
            if what == "lapses":
                self.end(one, "lapsed") if kind == "grant" else one.update(ended="lapsed")
            elif kind == "grant":
                one["begun"] = True
            else:
                self.begin(one)


def holds(given):
    return given["begun"] and not given["ended"]


def is_within(narrow, wide):
    return (narrow["role"] == wide["role"] and set(narrow["types"]) <= set(wide["types"])
            and all(covers(wide["claims"], path) for path in narrow["claims"])
            and set(narrow["purposes"]) <= set(wide["purposes"])
            and wide["from"] <= narrow["from"] and narrow["until"] <= wide["until"])


def covers(given, path):
    names = []
    for step in path:
        if not isinstance(step, str):
            break
        names.append(step)
    return any(names[: len(begin)] == begin for begin in given)


# ---- Who may ask ----
def evidence(case):
    if case["age"] < -LEEWAY:
        return "verdict.evidence.from_the_future"
    return "verdict.evidence.stale" if case["age"] > MAX_AGE + LEEWAY else None


def service(case, ledger):
    if evidence(case):
        return evidence(case)
    held = [grant for grant in ledger.grants if grant["to"] == "asker" and holds(grant) and grant["role"] == "verifier"]
    if ledger.gone.get("asker") == "deactivated":
        held = []
    purpose = case["question"]["purpose"]
    for query in case["question"]["queries"]:
        found = []
        for vct in query["types"]:
            of_type = [grant for grant in held if vct in grant["types"]]
            of_claims = [grant for grant in of_type if all(covers(grant["claims"], path) for path in query["claims"])]
            fit = [grant for grant in of_claims if purpose in grant["purposes"] or purpose is None and not grant["purposes"]]
            found.append(2 if not of_type else 3 if not of_claims else 4 if not fit else 5)
        if min(found) < 5:
            return {2: "verdict.asker.type", 3: "verdict.asker.claims", 4: "verdict.asker.purpose"}[min(found)]
    return None


def word(case, ledger):
    said, question = case["word"], case["question"]
    if said is None:
        return "duty.missing"
    sound = (said["form"] == "sound" and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", said["duty"])
             and re.fullmatch(r"[!-~]{1,64}", said["purpose"]) and 1 <= len(said["basis"]) <= 256 and said["basis"].strip()
             and not re.search(r"[\x00-\x1f\x7f-\x9f]", said["basis"]) and 0 <= said["retention_days"] <= 36_525
             and said["receiver"] == said["for"])
    if not sound:
        return "duty.malformed"
    if said["for"] != "asker":
        return "duty.department"
    if evidence(case):
        return evidence(case)
    to_key = [duty for duty in ledger.duties if (duty["duty"], duty["key"]) == (said["duty"], said["key"])]
    if not to_key:
        return "duty.unknown"
    now = [duty for duty in to_key if holds(duty)]
    if not now:
        return "duty.ended" if to_key[-1]["ended"] else "duty.not_yet"
    (duty,) = now
    if said["signed_by"] != said["key"]:
        return "duty.signature"
    objects = {"none": not said["holder_signs"], "over this word": said["holder_signs"], "over another word": False}
    if said["differs"] or said["purpose"] != question["purpose"] or not objects[case["objects"]]:
        return "duty.other_request"
    for query in question["queries"]:
        if duty["role"] != "verifier" or not set(query["types"]) <= set(duty["types"]):
            return "duty.type"
        if not all(covers(duty["claims"], path) for path in query["claims"]):
            return "duty.claims"
    if said["purpose"] not in duty["purposes"]:
        return "duty.purpose"
    return "duty.case" if duty["case_required"] and not said["case"] else None


def acts(case, ledger):
    """Before the request leaves: the word, and who acts."""
    refused = word(case, ledger)
    if refused:
        return refused
    said = case["word"]
    (duty,) = [duty for duty in ledger.duties if duty["duty"] == said["duty"] and holds(duty)]
    return None if duty["holder"] == case["acts"] else "duty.holder"


def verdict(case, ledger):
    """Of a good credential shown in answer."""
    told = [service(case, ledger), word(case, ledger)]
    if case["question"]["client"] != "asker":
        told[0] = "verdict.asker.unknown"
    told = [code for code in told if code]
    return next((code for code in told if not code.startswith("verdict.evidence.")), told[0] if told else None)


QUESTIONS = {"service": service, "word": word, "acts": acts, "verdict": verdict}
BY_EVIDENCE = ["verdict.evidence.from_the_future", "verdict.evidence.stale"]
BY_SERVICE = [f"verdict.asker.{name}" for name in ("type", "claims", "purpose")]
BY_WORD = [f"duty.{name}" for name in "missing malformed department unknown ended not_yet signature other_request type claims "
           "purpose case".split()]
BY_LEDGER = ["registry.did.deactivated", "registry.sender.not_member", "registry.delegation.ended"] + [
    f"registry.accreditation.{name}" for name in "subject not_entitled beyond_own end_not_entitled ended".split()]
# Every outcome that must come, by question.
OUTCOMES = {"service": [None, *BY_EVIDENCE, *BY_SERVICE], "word": [None, *BY_EVIDENCE, *BY_WORD],
            "acts": [None, *BY_EVIDENCE, *BY_WORD, "duty.holder"],
            "verdict": [None, *BY_EVIDENCE, *BY_SERVICE, *BY_WORD, "verdict.asker.unknown"],
            "act": [None, *BY_LEDGER],
            "ending": [None, "lapsed", "ended", "chain", "deactivated", "expelled", "replaced"]}


def judge(lines):
    """How often each outcome came, and the lines that differ: their numbers, and what should have been."""
    counts, wrong, ledgers = collections.Counter(), [], []
    for number, line in enumerate(lines, 1):
        if "story" in line:
            ledger, ledgers = Ledger(), []
            for block in line["story"]:
                for act in block["acts"]:
                    expected = ledger.act(act, block["time"])
                    counts["act", expected] += 1
                    if expected != act["refused"]:
                        wrong.append((number, f"act {act['n']}: {act['refused']}, and the oracle says {expected}"))
                ledger.end_block(block["time"])
                ledgers.append(copy.deepcopy(ledger))
            counts.update(("ending", given["ended"]) for given in ledger.grants + ledger.duties)
            continue
        for question, said in line["verdicts"].items():
            expected = QUESTIONS[question](line, ledgers[line["block"]])
            counts[question, expected] += 1
            if expected != said:
                wrong.append((number, f"{question}: {said}, and the oracle says {expected}"))
    return counts, wrong


def plant(lines, counts):
    """Makes wrong, for each outcome of each question, the verdict of one line that has it; the numbers of these lines."""
    left = {outcome for outcome in counts if outcome[0] in QUESTIONS}
    planted = set()
    for number, line in enumerate(lines, 1):
        for question, said in line.get("verdicts", {}).items():
            if (question, said) in left and number not in planted:
                left.remove((question, said))
                planted.add(number)
                line["verdicts"][question] = "duty.ended" if said is None else None
    return planted


def main():
    planting = sys.argv[2:] == ["--plant"] or len(sys.argv) != 2 and sys.exit(__doc__)
    gc.disable()  # nothing here is garbage before the end
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    counts, wrong = judge(lines)
    if planting:
        planted = plant(lines, counts)
        found = {number for number, _ in judge(lines)[1]}
        print(f"PLANTED {len(planted)} wrong verdicts, FOUND {len(found)}")
        return 0 if planted and found == planted else 1
    for question, outcomes in OUTCOMES.items():
        print(f"{question}: " + ", ".join(f"{outcome or 'allowed'} {counts[question, outcome]}" for outcome in outcomes))
    for number, difference in wrong[:20]:
        print(f"DIFFERS line {number}: {difference}")
    never = [f"{question} {outcome}" for question, outcomes in OUTCOMES.items() for outcome in outcomes
             if not counts[question, outcome]]
    print(*(f"NEVER CAME {outcome}" for outcome in never), sep="\n", end="\n" if never else "")
    print(f"{sum('verdicts' in line for line in lines)} cases, {len(wrong)} verdicts differ, {len(never)} outcomes never came")
    return 1 if wrong or never else 0


if __name__ == "__main__":
    sys.exit(main())
