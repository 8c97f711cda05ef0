#!/bin/bash
# make install puts the programs where they find each other, and nothing elsewhere.
cd "$(dirname "$0")/../.." || exit 1
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
make --no-print-directory -s B="${B:-build}" CC="${CC:-gcc}" DESTDIR="$there" PREFIX=/opt/katamichi install >"$there/log" 2>&1 ||
	{ cat "$there/log"; exit 1; }
rm "$there/log"
for p in bin/katamichi sbin/katamichi-sender sbin/katamichi-receiver sbin/katamichi-receiver-link; do
	[ -x "$there/opt/katamichi/$p" ] || { echo "$p is not installed"; exit 1; }
done
"$there/opt/katamichi/bin/katamichi" --version >/dev/null || exit 1
