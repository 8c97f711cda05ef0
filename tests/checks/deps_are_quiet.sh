#!/bin/bash
# A second run of deps.sh says nothing and asks nobody.
cd "$(dirname "$0")/../.." || exit 1
out=$(env -i PATH="$PATH" http_proxy=http://127.0.0.1:9 tools/deps.sh build test 2>&1) || { echo "$out"; exit 1; }
[ -z "$out" ] || { echo "said: $out"; exit 1; }
tools/deps.sh no-such-group >/dev/null 2>&1
[ $? -eq 2 ] || { echo "an unknown group is not refused"; exit 1; }
