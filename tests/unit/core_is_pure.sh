#!/bin/sh
# core_is_pure.sh OBJECT...: common/core needs nothing of a C library but what
# every compiler may call by itself, so that the firmware can link it.
# Exit 0, or 1 after printing each object and what else it asks for.
# (Built with -fno-stack-protector and without _FORTIFY_SOURCE, as the firmware is.)
set -eu
[ $# -gt 0 ] || { echo "usage: $0 OBJECT..." >&2; exit 2; }
defined=$(nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }')
bad=0
for o in "$@"; do
	for s in $(nm -u "$o" | awk '{ print $NF }'); do
		case $s in
		memcpy | memset | memcmp) continue ;;
		__asan_* | __ubsan_* | _GLOBAL_OFFSET_TABLE_) continue ;; # the sanitizers' own build
		esac
		if ! printf '%s\n' "$defined" | grep -qxF -e "$s"; then # another object of the core
			echo "$o: needs $s"
			bad=1
		fi
	done
done
exit $bad
