#!/bin/bash
# lint.sh - static analysis of everything that ships: clang-tidy, cppcheck, gcc -fanalyzer, shellcheck.
#
# Silent where nothing is found; every finding fails.  `lint.sh TOOL...` runs only those.
# shellcheck disable=SC2317 # the functions are called by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
mapfile -t sources < <(ls common/*/*.c sender/*.c receiver/*.c firmware/*.c tools/*.c 2>/dev/null)
mapfile -t scripts < <(ls tools/*.sh tests/*.sh tests/checks/*.sh .ci/run 2>/dev/null)
flags=(-std=c11 -D_GNU_SOURCE -Icommon -I. '-DKM_VERSION="0"')
status=0
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# SIMD files need their own flags (common/codec/kernels.mk), or they are empty.
flags_of() { sed -n "s|^CFLAGS_${1%.c} *:\{0,1\}= *||p" common/codec/kernels.mk 2>/dev/null | sed 's/\$([A-Z_]*)//g' | head -n 1; }
export -f flags_of

run_tidy() {
	# shellcheck disable=SC2016
	printf '%s\n' "${sources[@]}" | grep -v neon | xargs -P "$(nproc)" -I{} \
		bash -c 'clang-tidy --quiet {} -- "$@" $(flags_of {}) 2>/dev/null' - "${flags[@]}"
}
run_cppcheck() {
	cppcheck --quiet -j "$(nproc)" --std=c11 --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
		'-Dlog_die(...)=exit(1)' \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE -D__linux__ -D__x86_64__ \
		-Icommon -I. "${sources[@]}" 2>&1
}
run_analyzer() {
	# shellcheck disable=SC2016
	printf '%s\n' "${sources[@]}" | grep -v -e neon -e gfni | xargs -P "$(nproc)" -I{} \
		bash -c 'timeout 120 gcc "$@" $(flags_of {}) -O1 -fanalyzer -Werror -c -o /dev/null {} 2>&1' - "${flags[@]}"
}
run_shellcheck() { shellcheck "${scripts[@]}" 2>&1; }

for tool in "${@:-tidy cppcheck analyzer shellcheck}"; do
	for t in $tool; do
		start=$SECONDS
		if run_"$t" >"$log/$t"; then
			echo "  ok    $t   $((SECONDS - start)) s"
		else
			echo "  FAIL  $t   $((SECONDS - start)) s"
			grep -E '(error|warning|style|performance|portability|note \(information\)):|^In .* line' "$log/$t" | head -n 100
			status=1
		fi
	done
done
exit $status
