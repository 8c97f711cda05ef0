#!/bin/bash
# Position-independent, read-only relocations bound at start, no executable stack, no segment that is both writable and
# executable, no search path of our own; stack protector, checked library calls, and CET where the processor family has it.
cd "$(dirname "$0")/../.." || exit 1
status=0
bad() { echo "$1: $2"; status=1; }
for p in katamichi katamichi-sender katamichi-receiver katamichi-receiver-link; do
	f=${B:-build}/$p
	headers=$(readelf -hldW "$f") || exit 1
	calls=$(nm -u "$f") || exit 1
	grep -q 'Type: *DYN' <<<"$headers" || bad "$p" "not position-independent"
	grep -q GNU_RELRO <<<"$headers" || bad "$p" "no RELRO"
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' <<<"$headers" || bad "$p" "not bound at start"
	grep -q 'GNU_STACK.*RWE' <<<"$headers" && bad "$p" "executable stack"
	grep -qE '^ +LOAD.* RWE' <<<"$headers" && bad "$p" "a segment that can be written and executed"
	grep -qE 'RPATH|RUNPATH' <<<"$headers" && bad "$p" "has a search path"
	grep -q '__stack_chk_fail' <<<"$calls" || bad "$p" "no stack protector"
	# A sanitizer's build does without: its own checks are stricter.
	grep -qE '__(memcpy|snprintf|vsnprintf|fprintf|printf|read|pread|realpath|fdelt)_chk' <<<"$calls" ||
		grep -q __asan <<<"$calls" || bad "$p" "no checked library calls"
	# CET needs a mark at each place that is jumped to; Debian's own start files have none, so the program as a whole is
	# not called by that name, but all of what is ours has it.
	if grep -q 'Machine: .*X86-64' <<<"$headers"; then
		marks=$(objdump -d --no-show-raw-insn "$f" | grep -c endbr64)
		[ "$marks" -gt 100 ] || bad "$p" "compiled without CET ($marks marks)"
	fi
done
# Each object of ours on x86 says that it is ready for it.
mapfile -t objects < <(find "${B:-build}"/{common,sender,receiver,tools} -name '*.o' 2>/dev/null)
[ ${#objects[@]} -gt 50 ] || bad objects "only ${#objects[@]} found"
if [ "$(uname -m)" = x86_64 ]; then
	without=$(for o in "${objects[@]}"; do readelf -nW "$o" | grep -q 'x86 feature: IBT, SHSTK' || echo "$o"; done)
	[ -z "$without" ] || bad "no CET" "$without"
fi
exit $status
