#!/bin/bash
# fuzz.sh SECONDS - every fuzzer for so long, beginning with its corpus; what it finds stands in build/fuzz/found.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-60}
status=0
mkdir -p build/fuzz/found
for source in tests/fuzz/fuzz_*.c; do
	[ -e "$source" ] || { echo "no fuzzers"; exit 1; }
	name=$(basename "$source" .c)
	corpus=tests/fuzz/corpus/${name#fuzz_}
	# New inputs go to the first directory, which is not the project's.
	mkdir -p "build/fuzz/grown/$name"
	dirs=("build/fuzz/grown/$name")
	[ -d "$corpus" ] && dirs+=("$corpus")
	if "build/fuzz/tests/fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/found/$name-" "${dirs[@]}" >"build/fuzz/$name.log" 2>&1; then
		echo "  ok    $name   $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") runs"
	else
		echo "  FAIL  $name"
		tail -n 40 "build/fuzz/$name.log"
		status=1
	fi
done
exit $status
