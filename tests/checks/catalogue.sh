#!/bin/bash
# No message is untranslated: what the sources say, collected anew, stands in every catalogue, translated and not only
# guessed (fuzzy), with the same directives; and nothing stands there that no source says.  `make messages' shows what is to be done.
cd "$(dirname "$0")/../.." || exit 1
command -v msgcmp >/dev/null || exit 77
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
tools/po/messages.sh "$there/katamichi.pot" 2>"$there/log" || { cat "$there/log"; exit 1; }
status=0
for po in tools/po/*.po; do
	msgcmp "$po" "$there/katamichi.pot" 2>"$there/log" || status=1
	[ ! -s "$there/log" ] || status=1 # a warning: what is translated and not said
	cat "$there/log"
	msgfmt --check -o /dev/null "$po" || status=1
done
exit $status
