#!/bin/bash
# common/core and the filter of the firmware call nothing but memcpy, memset, memcmp (beside each other).
cd "$(dirname "$0")/../.." || exit 1
mapfile -t objects < <(find "${B:-build}/common/core" "${B:-build}/firmware" -name '*.o' 2>/dev/null)
[ ${#objects[@]} -gt 0 ] || { echo "no objects of common/core"; exit 1; }
exec sh tests/unit/core_is_pure.sh "${objects[@]}"
