#!/usr/bin/env python3
"""Changes every byte of the files of a check, one at a time, and demands that verify.py refuses.

    mutate.py FOLDER --now SECONDS [--every N]

Each byte is changed in three ways: its lowest bit, the bit that turns upper case into lower, and its highest bit.
`--every N` tries only each Nth byte, beginning at another one for each way. Which bytes are exempt, and why, stands in
docs/formats.md, "Bytes that may change". Status 0 when everything else was refused, 1 when something was accepted.
"""
import argparse, re, sys
from pathlib import Path
sys.dont_write_bytecode = True
from verify import FILES, Refused, check


def exempt(name, data):
    """The bytes of this file that nobody relies on."""
    if name != "evidence.json":
        return set()
    # When the verifier fetched a status list is its own note, like its clock.
    return {at for found in re.finditer(rb'"fetched_at":([0-9]+)', data) for at in range(*found.span(1))}


def accepts(files, now):
    try:
        check(files, now)
        return True
    except Refused:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--now", type=int, required=True)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    files = {name: (options.folder / name).read_bytes() for name in FILES}
    if not accepts(files, options.now):
        sys.exit("the unchanged files are refused")
    tried, accepted = 0, 0
    for name, data in files.items():
        skipped = exempt(name, data)
        for way, bit in enumerate((0x01, 0x20, 0x80)):
            for at in range(way % options.every, len(data), options.every):
                if at in skipped:
                    continue
                changed = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
                tried += 1
                if accepts({**files, name: changed}, options.now):
                    accepted += 1
                    print(f"ACCEPTED although byte {at} of {name} was changed by {bit:#04x}: ...{changed[at - 20 : at + 20]}...")
    print(f"{tried} changes, {accepted} accepted")
    return 1 if accepted else 0


if __name__ == "__main__":
    sys.exit(main())
