#!/bin/bash
# deps.sh GROUP... - install what a target needs, and nothing that is there.
#
#   build  compiler and libraries       test   unit and end-to-end tests
#   demo   what `make demo` runs        lint   static analysis
#   clang  the second compiler          fuzz   libFuzzer; afl: AFL++
#   bench  benchmarks of the pair       fec    benchmarks of the erasure code
#   monitoring  Prometheus and rsyslog, for the rules, the dashboard and the log
#   peers  others to compare with       firmware  cross-compilers
#
# The list of a group is names of Debian 12 packages.  dpkg is asked first, so a
# second run says nothing, needs no network and no rights.
set -euo pipefail

# AES-GCM where libcrypto's is slow (common/codec/crypto_gcm.h); there is no such package for other processors.
vectors() {
	[ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ] || echo libipsec-mb-dev
}

group() {
	case $1 in
	build) echo gcc libc6-dev make pkg-config binutils libseccomp-dev libsodium-dev libssl-dev libzstd-dev libsqlite3-dev \
		libinih-dev libjansson-dev zlib1g-dev libxml2-dev libqrencode-dev libpng-dev libutf8proc-dev gettext libc-l10n "$(vectors)" ;;
	test) echo python3 python3-pytest python3-pytest-xdist libcmocka-dev iproute2 ethtool nftables strace openssl zstd sqlite3 procps clamav-daemon \
		iputils-ping tshark tcpdump systemd mandoc zsh python3-cryptography "$(group firmware)" qemu-system-arm qemu-system-misc ;;
	demo) echo iproute2 ethtool nftables openssl python3 procps ;;
	monitoring) echo python3 python3-pytest iproute2 nftables ethtool prometheus systemd rsyslog ;;
	lint) echo clang clang-tidy cppcheck shellcheck ;;
	clang) echo clang ;;
	fuzz) echo clang libclang-rt-14-dev ;;
	afl) echo afl++ ;;
	bench) echo liburing-dev python3 iproute2 nftables ethtool openssl util-linux procps ;;
	peers) echo udpcast libnorm-dev g++ tar ;;
	fec) echo libisal-dev ;;
	firmware) echo gcc-arm-none-eabi gcc-riscv64-unknown-elf python3 ;;
	*)
		echo "deps.sh: no group \"$1\" (build, test, demo, lint, clang, fuzz, afl, bench, peers, fec, firmware, monitoring)" >&2
		exit 2
		;;
	esac
}

[ $# -gt 0 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
wanted=()
for g in "$@"; do
	list=$(group "$g")
	for p in $list; do wanted+=("$p"); done
done

missing=()
if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: this is not Debian; install these, or what corresponds to them, and run the target's commands" \
		"by hand: ${wanted[*]}" >&2
	exit 5
fi
for p in "${wanted[@]}"; do
	state=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$state" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps.sh: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
		exit 5
	fi
	as_root=(sudo)
fi
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing ${missing[*]}"
# The lists may be absent or old: then once more with new ones.
if ! apt install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null; then
	if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
		tail -n 5 "$log" >&2
		echo "deps.sh: apt-get could not install ${missing[*]} (its last words are above)" >&2
		exit 5
	fi
fi
