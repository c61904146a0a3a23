#!/usr/bin/env bash
# Drives in Chromium what a running devnet shows people: the ledger node's console (`console.mjs`), and the operators' pages
# of an issuer and a verifier (`operator.mjs`). Needs Node.js and Chromium, and no package. With a folder as argument, pictures
# of all pages are left there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
. "$here/devnet.sh"
start_devnet 19480
export NODE_EXTRA_CA_CERTS="$work/data/tls/ca.pem"
node "$here/console.mjs" "$work/data/devnet.json" "$@"
node "$here/operator.mjs" "$work/data/devnet.json" "${CARGO_TARGET_DIR:-target}/release/devnet" "$@"
