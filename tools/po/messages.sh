#!/bin/bash
# messages.sh POT - collect what gettext is to translate, from the sources.  `make messages` merges it into ja.po.
# -k names the functions whose argument is a message; log_debug() is for us and stays English.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C
mapfile -t files < <(find common sender receiver tools -name '*.[ch]' -not -path '*/bench/*' | sort)
xgettext --language=C --from-code=UTF-8 --no-location --no-wrap --omit-header --foreign-user \
	-k -k_ -kN_ -kgettext -kngettext:1,2 -klog_error:1 -klog_warn:1 -klog_info:1 -klog_die:2 -kfault_at:3 \
	--flag=log_error:1:c-format --flag=log_warn:1:c-format --flag=log_info:1:c-format --flag=log_die:2:c-format \
	--flag=fault_at:3:c-format -o "$1" "${files[@]}"
