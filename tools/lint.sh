#!/bin/bash
# lint.sh - static analysis of everything that ships: clang-tidy, cppcheck, gcc -fanalyzer, the images, shellcheck.
#
# Silent where nothing is found; every finding fails.  `lint.sh TOOL...` runs only those.
# shellcheck disable=SC2317 # the functions are called by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
mapfile -t sources < <(ls common/*/*.c sender/*.c receiver/*.c firmware/*.c tools/*.c 2>/dev/null)
mapfile -t scripts < <(ls tools/*.sh tools/independent/*.sh tools/packaging/*.sh tests/*.sh tests/checks/*.sh .ci/run 2>/dev/null)
read -ra libraries < <(pkg-config --cflags libxml-2.0)
flags=(-std=c11 -D_GNU_SOURCE -Icommon -I. -Ibuild '-DKM_VERSION="0"' "${libraries[@]}")
# Findings that were looked at and are wrong: the place, and why.
accepted=(
	'common/core/plan\.c:.*Division by zero'           # plan_group() has d >= 1 in all of its calls
	'receiver/intake\.c:.*null pointer.*.p.\)'         # j is in the list that p walks
	'receiver/decode\.c:.*(Memory leak|not initialized): p' # the pointer is stored through memcpy()
	'sender/sealer\.c:.*leak of .*sha256'              # the job holds it; sealer_drop() frees it
	'receiver/transfer\.c:.*leak of .*strdup'           # the list has them; transfer_end() frees it
	'tools/cmd_show\.c:.*leak of .*cd'                  # closed wherever it is one
	'tools/verify_notes\.c:.*leak of'                  # the notes have it; verify_notes_free() frees it
	'common/codec/gf16\.c:.*NULL .k.'                  # the last kernel, portable, is always present
)
status=0
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# SIMD files need their own flags (common/codec/kernels.mk), or they are empty.
# shellcheck disable=SC2016 # make's variables, not ours
flags_of() { sed -n "s|^CFLAGS_${1%.c} *:\{0,1\}= *||p" common/codec/kernels.mk 2>/dev/null | sed 's/\$([A-Z_]*)//g' | head -n 1; }
export -f flags_of

run_tidy() {
	# shellcheck disable=SC2016
	printf '%s\n' "${sources[@]}" | grep -v neon | xargs -P "$(nproc)" -I{} \
		bash -c 'clang-tidy --quiet {} -- "$@" $(flags_of {}) 2>/dev/null' - "${flags[@]}"
}
# varFuncNullUB: NULL ends a list of arguments here; in C on this system it is a pointer, ((void *)0).
run_cppcheck() {
	cppcheck --quiet -j "$(nproc)" --std=c11 --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
		'-Dlog_die(...)=exit(1)' '-Djson_array_foreach(a,i,v)=while((i)=0,(v)=json_array_get(a,i))' \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=varFuncNullUB -D_GNU_SOURCE -D__linux__ -D__x86_64__ \
		-Icommon -I. -Ibuild "${sources[@]}" 2>&1
}
run_analyzer() {
	# shellcheck disable=SC2016
	printf '%s\n' "${sources[@]}" | grep -v -e neon -e gfni | xargs -P "$(nproc)" -I{} \
		bash -c 'timeout 120 gcc "$@" $(flags_of {}) -O1 -fanalyzer -Werror -c -o /dev/null {} 2>&1' - "${flags[@]}"
}
# The images, by the compiler they are built with; the configuration header comes from make.
run_firmware() {
	local board f image=(-ffreestanding -std=c11 '-DKM_VERSION="0"' -isystem firmware/cpu/include -Icommon -I. -Ifirmware -Ibuild/cross/config)
	for board in zynq imx6ul; do
		for f in firmware/*.c firmware/node/*.c firmware/cpu/*.c firmware/board/"$board"/*.c firmware/driver/*.c; do
			case $board:$f in
			zynq:*/enet.c | zynq:*_imx.c | imx6ul:*/gem.c | imx6ul:*_cadence.c | imx6ul:*_a9.c | *_16550.c | *_mss.c) continue ;;
			esac
			timeout 120 arm-none-eabi-gcc "${image[@]}" "-Ifirmware/board/$board" -O1 -fanalyzer -Werror -c -o /dev/null "$f" 2>&1
		done
	done
	cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr --suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches -D__arm__ '-DKM_VERSION="0"' -Icommon -I. -Ifirmware -Ibuild/cross/config \
		-Ifirmware/board/zynq firmware/node/*.c firmware/driver/*.c firmware/cpu/*.c firmware/board/*/*.c 2>&1
}
run_shellcheck() { shellcheck "${scripts[@]}" 2>&1; }

for tool in "${@:-tidy cppcheck analyzer firmware shellcheck}"; do
	for t in $tool; do
		start=$SECONDS
		run_"$t" >"$log/$t"
		code=$?
		grep -E '(error|warning|style|performance|portability): |^In .* line' "$log/$t" >"$log/found"
		printf '%s\n' "${accepted[@]}" | grep -vE -f - "$log/found" >"$log/left"
		if [ -s "$log/left" ] || { [ $code -ne 0 ] && [ ! -s "$log/found" ]; }; then
			echo "  FAIL  $t   $((SECONDS - start)) s"
			if [ -s "$log/left" ]; then head -n 100 "$log/left"; else head -n 100 "$log/$t"; fi
			status=1
		else
			echo "  ok    $t   $((SECONDS - start)) s"
		fi
	done
done
exit $status
