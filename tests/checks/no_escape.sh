#!/bin/bash
# The hook that tries to break out (tests/escape) is in no program of ours; where it belongs, this check sees it.
cd "$(dirname "$0")/../.." || exit 1
b=${B:-build}
for p in katamichi katamichi-sender katamichi-receiver katamichi-receiver-link; do
	nm "$b/$p" 2>/dev/null | grep -q escape_run && { echo "$p: has the hook"; exit 1; }
	grep -qa KATAMICHI_ESCAPE "$b/$p" && { echo "$p: knows the hook's variable"; exit 1; }
done
[ -e "$b/escape/katamichi-sender" ] || { echo "no build with the hook"; exit 77; }
for p in katamichi-sender katamichi-receiver katamichi-receiver-link; do
	grep -qa KATAMICHI_ESCAPE "$b/escape/$p" || { echo "escape/$p: has no hook"; exit 1; }
done
