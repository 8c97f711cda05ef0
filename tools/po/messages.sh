#!/bin/bash
# messages.sh POT             collect what gettext is to translate (`make messages` merges it into ja.po)
# messages.sh --reasons FILE  the sentences with directives that are kept in English, as strings of C (host/reason.h)
#
# -k names the functions whose argument is a message; log_debug() is for us and stays English.  A whole sentence
# that a function returns, or puts into *why or *what, is a message as well: so it is marked on the way here, and the
# code of common/core and common/codec need not know of gettext.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C
reasons=(-kcontent_say:2 -ktransfer_refuse:2 -kfail:2 -kexpect:3 -kstring:4 -khex:4 -kinteger:3 -krefused_row:4 -kwhy_not:4 -kanswer:4 -kfound:3 -kreason_put:3 -kwait_for_better:3)
options=(--language=C --from-code=UTF-8 --no-location --no-wrap --foreign-user -k "${reasons[@]}"
	--flag=content_say:2:c-format --flag=transfer_refuse:2:c-format --flag=fail:2:c-format --flag=answer:4:c-format --flag=found:3:c-format --flag=reason_put:3:c-format --flag=wait_for_better:3:c-format)

if [ "$1" = --reasons ]; then
	: >"$2"
	command -v xgettext >/dev/null || exit 0
	find common sender receiver tools/ledger_against.c -name '*.c' | sort | xargs xgettext "${options[@]}" -kN_ --omit-header -o - | sed -n '/%/s/^msgid \(".*"\)$/\1,/p' >"$2"
	exit
fi
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
find common sender receiver tools -name '*.[ch]' -not -path '*/bench/*' | sort >"$tree/list"
while read -r file; do
	mkdir -p "$tree/src/${file%/*}"
	sed -E 's/((why|what) = |return )("[^"%]* [^"%]*")/\1N_(\3)/g' "$file" >"$tree/src/$file"
done <"$tree/list"
pot=$(realpath -m "$1")
cd "$tree/src"
xgettext "${options[@]}" -kgettext -k_ -kN_ -kngettext:1,2 -klog_error:1 -klog_warn:1 -klog_info:1 -klog_die:2 -kfault_at:3 \
	--flag=log_error:1:c-format --flag=log_warn:1:c-format --flag=log_info:1:c-format --flag=log_die:2:c-format \
	--flag=fault_at:3:c-format -f "$tree/list" -o "$pot"
# No date: what did not change is the same file.  The encoding is what the sources have.
sed -i -e '/^"POT-Creation-Date/d' -e 's/charset=CHARSET/charset=UTF-8/' "$pot"
