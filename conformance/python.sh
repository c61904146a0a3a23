#!/usr/bin/env bash
# The independent verifier on the sample files, and on every change of every byte of them; on checkpoints of four
# validators; who may ask for what; on evidence bundles, and on more than two hundred that have something wrong; and on a
# real case with its evidence, if there is one. Arguments: a Python that has the package `cryptography`; the folder
# `case` of a devnet's data.
# The time of the sample files is NOW of tests/presentation/files.rs; a devnet writes that of its case beside it.
set -euo pipefail
python=${1:-python3}
case=${2:+$(realpath "$2")}
cd "$(dirname "$0")"
now=1800007200
"$python" -B verify.py vectors/presentation --now "$now"
"$python" -B mutate.py vectors/presentation --now "$now"
"$python" -B checkpoint.py vectors/checkpoint
"$python" -B period.py --cases vectors/period
# 100 000 questions, each decided by the code and by an oracle in Python.
XINFU_MATRIX=100000 cargo test --quiet --package conformance --test matrix -- --nocapture
trust=vectors/bundle/trust-root.txt
for name in waiting anchored full refused withdrawn; do
  "$python" -B bundle.py "vectors/bundle/$name.json" --trust "$trust"
done
"$python" -B mutate.py vectors/bundle/full.json --trust "$trust" --every 3
"$python" -B mutate.py vectors/bundle/anchored.json --trust "$trust" --every 11
"$python" -B mutate.py vectors/bundle/refused.json --trust "$trust" --every 23
"$python" -B mutate.py vectors/bundle/withdrawn.json --trust "$trust" --every 23
# The cases are made anew by the Rust test, whose check must come to the same.
(cd .. && cargo test --quiet -p conformance --test presentation bundle::)
"$python" -B bundles.py "${CARGO_TARGET_DIR:-../target}/tmp/bundles"
if [ -n "$case" ]; then
  now=$(cat "$case/now")
  "$python" -B verify.py "$case" --now "$now"
  # That changes are refused is shown at length above; here that the real files are no exception.
  "$python" -B mutate.py "$case" --now "$now" --every 19
  for name in evidence evidence-full evidence-withdrawn; do
    "$python" -B bundle.py "$case/../$name.json" --trust "$case/trust-root.txt"
    "$python" -B mutate.py "$case/../$name.json" --trust "$case/trust-root.txt" --every 101
  done
fi
