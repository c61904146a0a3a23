#!/usr/bin/env python3
"""The independent check of evidence on every bundle that tests/bundle/cases.rs makes: more than two hundred, with one thing
wrong in nearly all of them.

    bundles.py FOLDER

FOLDER is where the Rust test has written them: cases.json, an array of {"name", "file", "trust_root", "expected"}, and
the files. `expected` is what is shown of the holder (`signed`, `claimed`, `unproven`) and then, where the sharing was taken
back, of that (`withdrawn`, `notarised`, `acknowledged`), with commas between; or the code of the part that does not hold.
Status 0 when all come to that.
"""
import json, sys
from pathlib import Path
sys.dont_write_bytecode = True
import bundle


def found(data, trust_root):
    try:
        shown = dict(bundle.check(data, trust_root))
        return ", ".join([shown["holder"], *(name for name in ("withdrawn", "notarised", "acknowledged") if name in shown)])
    except bundle.Fails as why:
        return why.code
    except bundle.Refused as why:
        return f"refused without a code: {why}"


def main():
    folder = Path(sys.argv[1])
    cases = json.loads((folder / "cases.json").read_text())
    otherwise = []
    for case in cases:
        came = found((folder / case["file"]).read_bytes(), (folder / case["trust_root"]).read_bytes())
        if came != case["expected"]:
            otherwise.append(f"{case['name']}: {came}, not {case['expected']}")
    print("\n".join(otherwise) or f"BUNDLES OK {len(cases)} come to what they must")
    return 1 if otherwise else 0


if __name__ == "__main__":
    sys.exit(main())
