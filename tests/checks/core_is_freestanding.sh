#!/bin/bash
# common/core and the filter of the firmware call nothing but memcpy, memset, memcmp (beside each other).
cd "$(dirname "$0")/../.." || exit 1
objects=$(find "${B:-build}/common/core" "${B:-build}/firmware" -name '*.o' 2>/dev/null)
[ -n "$objects" ] || { echo "no objects of common/core"; exit 1; }
# shellcheck disable=SC2086
own=$(nm --defined-only $objects | awk 'NF == 3 { print $3 }' | sort -u)
# shellcheck disable=SC2086
bad=$(nm -u $objects | awk '$1 == "U" { print $2 }' | sort -u | grep -vxE 'memcpy|memset|memcmp|_GLOBAL_OFFSET_TABLE_' |
	grep -vxF "$own")
[ -z "$bad" ] || { echo "called from freestanding code:"; echo "$bad"; exit 1; }
