#!/bin/bash
# Position-independent, read-only relocations bound at start, no executable stack, no search path of our own.
cd "$(dirname "$0")/../.." || exit 1
status=0
for p in katamichi katamichi-sender katamichi-receiver katamichi-receiver-link; do
	f=${B:-build}/$p
	headers=$(readelf -hldW "$f") || exit 1
	grep -q 'Type: *DYN' <<<"$headers" || { echo "$p: not position-independent"; status=1; }
	grep -q GNU_RELRO <<<"$headers" || { echo "$p: no RELRO"; status=1; }
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$headers" || { echo "$p: not bound at start"; status=1; }
	grep -q 'GNU_STACK.*RWE' <<<"$headers" && { echo "$p: executable stack"; status=1; }
	grep -qE 'RPATH|RUNPATH' <<<"$headers" && { echo "$p: has a search path"; status=1; }
done
exit $status
