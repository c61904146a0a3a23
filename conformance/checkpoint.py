#!/usr/bin/env python3
"""The independent verifier on checkpoints of four validators: three of them certify, two do not.

    checkpoint.py FOLDER

FOLDER holds trust-root.txt, certified.txt, and notes that must be refused: with two cosignatures (two.txt), with one of
them twice (one-twice.txt), without the log's signature (unlogged.txt). Beyond these, every byte of certified.txt is
changed in three ways. Status 0 when only certified.txt is accepted.
"""
import sys
from pathlib import Path
sys.dont_write_bytecode = True
from verify import Refused, TrustRoot


def accepts(trust_root, note):
    try:
        TrustRoot(trust_root).certify(note.decode())
        return True
    except (Refused, ValueError, IndexError):
        return False


def main():
    folder = Path(sys.argv[1])
    trust_root = (folder / "trust-root.txt").read_text()
    read = lambda name: (folder / name).read_bytes()
    certified = read("certified.txt")
    wrong = [] if accepts(trust_root, certified) else ["certified.txt is refused"]
    wrong += [f"{name} is accepted" for name in ("two.txt", "one-twice.txt", "unlogged.txt") if accepts(trust_root, read(name))]
    changed = [certified[:at] + bytes([certified[at] ^ bit]) + certified[at + 1 :]
               for at in range(len(certified)) for bit in (1, 32, 128)]
    accepted = sum(accepts(trust_root, note) for note in changed)
    wrong += [f"{accepted} of {len(changed)} changes are accepted"] if accepted else []
    print("\n".join(wrong) or f"CHECKPOINT OK {len(changed)} changes refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
