#!/usr/bin/env bash
# Runs third-party software against a running devnet: wallets (OpenID4VCI) and a presenter (OpenID4VP), none of them
# written by us. Needs Node.js and npm; installs the packages of package.json into a temporary folder. Before, the check that
# browsers run, on every bundle of evidence and every period export that the Rust tests make; after, on the devnet's own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/devnet.sh"

check="$root/ledger-node/src/console/check.js"
shared="${CARGO_TARGET_DIR:-$root/target}/tmp"
(cd "$root" && cargo test --quiet -p conformance --test presentation bundle:: && cargo test --quiet -p conformance --test period)
node --no-warnings "$here/bundles.mjs" "$check" "$shared/bundles"
node --no-warnings "$here/periods.mjs" "$check" "$shared/periods"

cp "$here"/*.mjs "$here/package.json" "$work/"
if [ -d "$root/../shared/interop" ]; then
  cp "$root/../shared/interop/wallet-preauth.mjs" "$work/"
else
  echo "SKIPPED the third-party wallet: ../shared/interop is not beside the project"
fi
(cd "$work" && npm install --no-package-lock --no-audit --no-fund --silent)

cd "$root"
start_devnet 19440
authority=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).ca' "$work/data/devnet.json")
NODE_EXTRA_CA_CERTS=$authority node "$work/lane.mjs" "$work/data/devnet.json"
if [ -s "$work/data/evidence-full.json" ]; then
  trust="$work/data/trust-root.policy"
  node --no-warnings "$here/bundles.mjs" "$check" "$shared/bundles" "$work/data/evidence.json" "$trust" \
    "$work/data/evidence-full.json" "$trust" "$work/data/evidence-withdrawn.json" "$trust"
  node --no-warnings "$here/periods.mjs" "$check" "$shared/periods" "$work/data/period.json" "$trust"
else
  echo "SKIPPED the devnet's own evidence: its journey has written none"
fi
