#!/bin/bash
# No message is untranslated: what the sources say, collected anew, stands in every catalogue, translated and not only
# guessed (fuzzy), with the same directives.  `make messages' shows what is to be done.
cd "$(dirname "$0")/../.." || exit 1
command -v msgcmp >/dev/null || exit 77
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
tools/po/messages.sh "$there/katamichi.pot" 2>"$there/log" || { cat "$there/log"; exit 1; }
status=0
for po in tools/po/*.po; do
	msgcmp "$po" "$there/katamichi.pot" || status=1
	msgfmt --check -o /dev/null "$po" || status=1
done
exit $status
