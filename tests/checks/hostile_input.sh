#!/bin/bash
# Each test that tests/HOSTILE.md names exists, and each fuzzer is named there.
cd "$(dirname "$0")/.." || exit 1
status=0
# shellcheck disable=SC2016 # the backticks are the document's
mapfile -t named < <(grep -oE '`[a-z0-9_]+/[a-z0-9_]+\.(c|py)::[A-Za-z0-9_]+`' HOSTILE.md | tr -d '`' | sort -u)
[ ${#named[@]} -gt 60 ] || { echo "only ${#named[@]} tests are named"; exit 1; }
for n in "${named[@]}"; do
	grep -qE "\b${n##*::}\b *\(" "${n%%::*}" 2>/dev/null || { echo "HOSTILE.md names $n, which is not there"; status=1; }
done
for f in fuzz/fuzz_*.c; do
	case $f in fuzz/fuzz_filter.c) continue ;; esac # the diode's own
	grep -qF "\`$f::" HOSTILE.md || { echo "HOSTILE.md does not name $f"; status=1; }
done
exit $status
