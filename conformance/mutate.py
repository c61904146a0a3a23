#!/usr/bin/env python3
"""Changes every byte of the files of a check, one at a time, and demands that verify.py or bundle.py refuses.

    mutate.py FOLDER --now SECONDS [--every N]        a presentation
    mutate.py BUNDLE --trust ROOT [--every N]         an evidence bundle

Each byte is changed in three ways: its lowest bit, the bit that turns upper case into lower, and its highest bit. In a
bundle the digest at its end is made anew for each change, as a forger would. `--every N` tries only each Nth byte,
beginning at another one for each way; `--every 3` so tries each byte once. Which bytes are exempt, and why, stands in
docs/formats.md, "Bytes that may change". Status 0 when everything else was refused, 1 when something was accepted.
"""
import argparse, re, sys
from pathlib import Path
sys.dont_write_bytecode = True
import bundle, verify
from verify import Refused


def presentation(folder, now):
    """The files by name, and the check of them."""
    return {name: (folder / name).read_bytes() for name in verify.FILES}, lambda files: verify.check(files, now)


def evidence(file, trust):
    """The bundle without its digest, the trust root, and the check of both."""
    said, digest = file.read_bytes().split(b',"sha256":"')

    def check(files):
        sealed = files["bundle"] + b',"sha256":"' + verify.unb64(verify.sha(files["bundle"])).encode() + b'"}\n'
        return bundle.check(sealed, files["trust root"])

    return {"bundle": said, "trust root": trust.read_bytes()}, check


def exempt(name, data, shown):
    """The bytes of this file that nobody relies on."""
    if name == "evidence.json":
        # When the verifier fetched a status list is its own note, like its clock.
        pattern = rb'"fetched_at":([0-9]+)'
    elif name == "bundle" and ("holder", "claimed") in shown:
        # The key that checks these signatures stands in the credential, which is not there.
        pattern = rb'"key_bindings":\[([^]]*)\]'
    elif name == "bundle" and ("holder", "unproven") in shown:
        # The service refused the answer: nothing is said of where its credentials stand on the ledger.
        pattern = rb'"anchors":({.*})}'
    else:
        return set()
    return {at for found in re.finditer(pattern, data) for at in range(*found.span(1))}


def accepts(check, files):
    try:
        check(files)
        return True
    except Refused:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    about = parser.add_mutually_exclusive_group(required=True)
    about.add_argument("--now", type=int)
    about.add_argument("--trust", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    files, check = evidence(options.path, options.trust) if options.trust else presentation(options.path, options.now)
    try:
        shown = check(files) or []
    except Refused as why:
        sys.exit(f"the unchanged files are refused: {why}")
    tried, accepted = 0, 0
    for name, data in files.items():
        skipped = exempt(name, data, shown)
        for way, bit in enumerate((0x01, 0x20, 0x80)):
            for at in range(way % options.every, len(data), options.every):
                if at in skipped:
                    continue
                changed = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
                tried += 1
                if accepts(check, {**files, name: changed}):
                    accepted += 1
                    print(f"ACCEPTED although byte {at} of {name} was changed by {bit:#04x}: ...{changed[at - 20 : at + 20]}...")
    print(f"{tried} changes, {accepted} accepted")
    return 1 if accepted else 0


if __name__ == "__main__":
    sys.exit(main())
