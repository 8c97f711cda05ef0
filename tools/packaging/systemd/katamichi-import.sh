#!/bin/bash
# katamichi-import.sh -c receiver.conf DIR - an example of an importing system (katamichi-import.service): moves every
# delivery from the inbox into DIR, in the order of the ledger, each exactly once.  What was delivered apart because its number
# was there before (a fork, which somebody has to look at) goes into DIR/aside.
#
# `katamichi watch --json --after ROW --once' tells each delivery behind ROW of the ledger as a line of JSON with row,
# channel, number, dir, files, bytes.  The row of the last one that was dealt with is kept, so none is left out, and one
# that was moved is not there any more, so none is taken twice, wherever this is interrupted.  A program that keeps running
# reads the same lines without --once.
set -euo pipefail
config=$2 target=$3 note=${STATE_DIRECTORY:-/var/lib/katamichi-import}/row

value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$delivery"; }

katamichi watch -c "$config" --json --once --after "$(cat "$note" 2>/dev/null || echo 0)" | while read -r delivery; do
	dir=$(value dir) # channel and number make it up: nothing in it needs quoting
	case $(value event) in
	delivered | released) to=$target ;; # released: files that were in the quarantine
	fork) to=$target/aside ;;
	*) to='' ;; # stays in the quarantine
	esac
	if [ -n "$to" ] && [ -d "$dir" ]; then
		mkdir -p "$to"
		chmod -R g+rwX "$dir" # the group may remove it when it is done
		mv -T "$dir" "$to/$(value channel)-$(basename "$dir")"
	fi
	value row >"$note.new"
	mv "$note.new" "$note"
done
