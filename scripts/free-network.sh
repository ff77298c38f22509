#!/usr/bin/env bash
# Prints the first three numbers of a network of 254 addresses that this machine has no route into, such as 198.18.7: for engines that run
# beside its own. It is from the range that is set aside for tests of devices (RFC 2544), and random, as two may ask at once.
set -euo pipefail

for _ in {1..100}; do
  block="198.$((18 + RANDOM % 2)).$((RANDOM % 256))"
  if [ -z "$(ip -4 route show root "$block.0/24")" ]; then
    echo "$block"
    exit
  fi
done
echo "$(basename "$0"): no network of 198.18.0.0/15 is free; see \`ip route\`" >&2
exit 1
