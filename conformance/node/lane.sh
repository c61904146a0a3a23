#!/usr/bin/env bash
# Runs third-party software against a running devnet: wallets (OpenID4VCI) and a presenter (OpenID4VP), none of them
# written by us. Needs Node.js and npm; installs the packages of package.json into a temporary folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
devnet=
stop() {
  [ -z "$devnet" ] || kill "$devnet" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

cp "$here"/*.mjs "$here/package.json" "$work/"
if [ -d "$root/../shared/interop" ]; then
  cp "$root/../shared/interop/wallet-preauth.mjs" "$work/"
else
  echo "SKIPPED the third-party wallet: ../shared/interop is not beside the project"
fi
(cd "$work" && npm install --no-package-lock --no-audit --no-fund --silent)

cd "$root"
cargo build --release -p devnet
"${CARGO_TARGET_DIR:-target}/release/devnet" --data "$work/data" --port-base "${PORT_BASE:-19440}" >"$work/devnet.log" 2>&1 &
devnet=$!
for _ in $(seq 120); do
  [ -s "$work/data/devnet.json" ] && break
  kill -0 "$devnet" 2>/dev/null || { cat "$work/devnet.log"; echo "devnet ended early"; exit 1; }
  sleep 1
done
[ -s "$work/data/devnet.json" ] || { cat "$work/devnet.log"; echo "devnet wrote no devnet.json within 120 s"; exit 1; }

authority=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).ca' "$work/data/devnet.json")
NODE_EXTRA_CA_CERTS=$authority node "$work/lane.mjs" "$work/data/devnet.json"
