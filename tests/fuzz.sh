#!/bin/bash
# fuzz.sh SECONDS [JOBS] - every fuzzer for so long, JOBS (two) at a time, each beginning with its corpus; what one finds stands in build/fuzz/found.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export seconds=${1:-60}
jobs=${2:-2}

one() {
	local name=$1 corpus=tests/fuzz/corpus/${1#fuzz_} runs
	# New inputs go to the first directory, which is not the project's.
	local dirs=("build/fuzz/grown/$name")
	mkdir -p "${dirs[0]}"
	[ -d "$corpus" ] && dirs+=("$corpus")
	if "build/fuzz/tests/fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/found/$name-" "${dirs[@]}" >"build/fuzz/$name.log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")
		printf '  ok    %-20s %12d runs\n' "$name" "$runs"
	else
		printf '  FAIL  %s\n' "$name"
		tail -n 40 "build/fuzz/$name.log" | sed 's/^/        | /'
	fi
}
export -f one

mkdir -p build/fuzz/found
# Files that a fuzzer makes belong into memory: it is their content that is looked at, not the disk.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
for source in tests/fuzz/fuzz_*.c; do
	[ -e "$source" ] || { echo "no fuzzers"; exit 1; }
	basename "$source" .c
done | xargs -P "$jobs" -I {} bash -c 'one {}' | tee build/fuzz/result
awk '$1 == "ok" { ok++; runs += $3 } $1 == "FAIL" { bad++ }
	END { printf "%d fuzzers clean, %d not, %.0f runs, %s s each\n", ok, bad, runs, ENVIRON["seconds"]; exit bad > 0 || ok == 0 }' build/fuzz/result
