#!/usr/bin/env bash
# A ledger of four nodes, each in a network namespace of its own, whose network is cut 2|2, 3|1 and one way under load:
#
#   conformance/partitions.sh PROGRAM [option of `devnet faults`…]
#
# PROGRAM is a `devnet` built with --features simplex. Needs root and `ip` (iproute2), nothing else; whatever happens, the
# namespaces are gone afterwards, and with them everything that ran in them. `devnet/src/faults/network.rs` cuts and mends.
#
#   xinfu-PID-hub: bridge 10.77.0.254 ── eth0 10.77.0.1 (xinfu-PID-0), 10.77.0.2 (xinfu-PID-1), …
set -euo pipefail

program=$(realpath "$1")
shift
prefix="xinfu-$$-"
hub="${prefix}hub"
nodes=4
data=$(mktemp -d)

clean_up() {
  local place namespace
  for namespace in "$hub" $(for place in $(seq 0 $((nodes - 1))); do echo "$prefix$place"; done); do
    # Whoever is still in it would keep it: a node that is paused notices nothing.
    ip netns pids "$namespace" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    ip netns del "$namespace" 2>/dev/null || true
  done
  rm -rf "$data"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

ip netns add "$hub"
ip -n "$hub" link set lo up
ip -n "$hub" link add bridge0 type bridge
ip -n "$hub" address add 10.77.0.254/24 dev bridge0
ip -n "$hub" link set bridge0 up
for place in $(seq 0 $((nodes - 1))); do
  node="$prefix$place"
  ip netns add "$node"
  ip -n "$node" link set lo up
  ip -n "$hub" link add "port$place" type veth peer name eth0 netns "$node"
  ip -n "$hub" link set "port$place" master bridge0 up
  ip -n "$node" address add "10.77.0.$((place + 1))/24" dev eth0
  ip -n "$node" link set eth0 up
done

ip netns exec "$hub" "$program" --data "$data" --json faults --namespaces "$prefix" "$@"
