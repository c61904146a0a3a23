# Sourced by the lanes that need a running devnet. `start_devnet PORT` builds it, starts it with its data in "$work/data",
# and comes back when its journey has ended; it stops with the lane, which may use "$work" for its own, too.
work=$(mktemp -d)
devnet=
stop() {
  [ -z "$devnet" ] || kill "$devnet" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

start_devnet() { # PORT, unless PORT_BASE says another
  cargo build --release -p devnet
  "${CARGO_TARGET_DIR:-target}/release/devnet" --data "$work/data" --port-base "${PORT_BASE:-$1}" >"$work/devnet.log" 2>&1 &
  devnet=$!
  for _ in $(seq 120); do
    [ -s "$work/data/devnet.json" ] && return
    kill -0 "$devnet" 2>/dev/null || { cat "$work/devnet.log"; echo "devnet ended early"; exit 1; }
    sleep 1
  done
  cat "$work/devnet.log"
  echo "devnet wrote no devnet.json within 120 s"
  exit 1
}
