#!/bin/sh
# neon.sh - the erasure code's unit test on AArch64, under qemu-user: the NEON
# kernel against the definition, the other kernels being absent there.
# Exit codes: 0 passed, 1 failed, 77 skipped (no cross compiler or no qemu).
set -eu
cd "$(dirname "$0")/../.."
cc=aarch64-linux-gnu-gcc
qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
if ! command -v $cc >/dev/null || [ -z "$qemu" ]; then
	echo "neon: skipped, needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user"
	exit 77
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Static, so that no AArch64 libraries are looked for.
$cc -std=c11 -D_GNU_SOURCE -O3 -Wall -Wextra -Wconversion -Wshadow -Werror \
	-static -pthread -DPLAIN_TESTS -I. -o "$out/test_fec" tests/unit/test_fec.c \
	common/codec/fec*.c common/codec/gf16*.c
KATAMICHI_PATTERNS=${KATAMICHI_PATTERNS:-2} "$qemu" "$out/test_fec" >"$out/log" || {
	cat "$out/log"
	exit 1
}
cat "$out/log"
grep -q 'kernel neon: same bytes' "$out/log"
