#!/usr/bin/env bash
# The independent verifier on the sample files, and on every change of every byte of them. Argument: a Python that has
# the package `cryptography`. The time is NOW of tests/presentation/files.rs.
set -euo pipefail
cd "$(dirname "$0")"
python=${1:-python3}
now=1800007200
"$python" -B verify.py vectors/presentation --now "$now"
"$python" -B mutate.py vectors/presentation --now "$now"
