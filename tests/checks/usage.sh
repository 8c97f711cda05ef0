#!/bin/bash
# Every program says what it is and refuses what it does not know, with the exit codes of common/host/exits.h.
cd "$(dirname "$0")/../.." || exit 1
status=0
expect() { # code, command...
	local want=$1 out got
	shift
	out=$("$@" 2>&1 </dev/null)
	got=$?
	[ "$got" -eq "$want" ] || { echo "$*: exit code $got, not $want: $out"; status=1; }
	[ -n "$out" ] || { echo "$*: says nothing"; status=1; }
}
for p in katamichi katamichi-sender katamichi-receiver; do
	expect 0 "${B:-build}/$p" --help
	expect 0 "${B:-build}/$p" --version
	expect 2 "${B:-build}/$p" --no-such-option
	expect 2 "${B:-build}/$p"
done
expect 2 "${B:-build}/katamichi" no-such-command
while read -r -a words; do # of one word or two
	expect 2 "${B:-build}/katamichi" "${words[@]}" --no-such-option
	expect 0 "${B:-build}/katamichi" "${words[@]}" --help
done < <("${B:-build}/katamichi" --help | sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p')
exit $status
