#!/usr/bin/env bash
# The independent verifier on the sample files, and on every change of every byte of them; on checkpoints of four
# validators; and on a real case, if there is one. Arguments: a Python that has the package `cryptography`; the folder `case` of a devnet's data.
# The time of the sample files is NOW of tests/presentation/files.rs; a devnet writes that of its case beside it.
set -euo pipefail
python=${1:-python3}
case=${2:+$(realpath "$2")}
cd "$(dirname "$0")"
now=1800007200
"$python" -B verify.py vectors/presentation --now "$now"
"$python" -B mutate.py vectors/presentation --now "$now"
"$python" -B checkpoint.py vectors/checkpoint
if [ -n "$case" ]; then
  now=$(cat "$case/now")
  "$python" -B verify.py "$case" --now "$now"
  # That changes are refused is shown at length above; here that the real files are no exception.
  "$python" -B mutate.py "$case" --now "$now" --every 19
fi
