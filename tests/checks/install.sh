#!/bin/bash
# make install under a DESTDIR: everything is there and finds each other, units are as confined as promised, one end alone can
# be installed, what an operator wrote is left alone, and make uninstall takes away all but that.
cd "$(dirname "$0")/../.." || exit 1
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
status=0
wrong() { echo "$*"; status=1; }
run_make() { # destination, arguments
	local to=$1
	shift
	make --no-print-directory -s B="${B:-build}" CC="${CC:-gcc}" DESTDIR="$to" PREFIX=/opt/katamichi "$@" >"$there/log" 2>&1 ||
		{ cat "$there/log"; exit 1; }
}

root=$there/both top=$there/both/opt/katamichi
mkdir -p "$root/etc/katamichi"
echo '; mine' >"$root/etc/katamichi/sender.conf"
run_make "$root" install
for p in bin/katamichi sbin/katamichi-sender sbin/katamichi-receiver sbin/katamichi-receiver-link; do
	[ -x "$top/$p" ] || wrong "$p is not installed"
done
"$top/bin/katamichi" --version >/dev/null || wrong "the tool does not run where it was installed"
for f in lib/sysusers.d/katamichi.conf lib/tmpfiles.d/katamichi-sender.conf lib/tmpfiles.d/katamichi-receiver.conf \
	share/man/man1/katamichi.1 share/man/ja/man1/katamichi.1 share/man/man5/katamichi.conf.5 share/man/ja/man5/katamichi-ledger.5 share/man/man5/katamichi-doctor.conf.5 share/man/ja/man5/katamichi-doctor.conf.5 \
	share/man/man8/katamichi-sender.8 share/man/ja/man8/katamichi-receiver.8 share/man/man8/katamichi-receiver-link.8 share/doc/katamichi/README.ja.md \
	share/doc/katamichi/examples/sender.conf share/doc/katamichi/examples/receiver.conf; do
	[ -s "$top/$f" ] || wrong "$f is not installed"
done
[ "$(cat "$root/etc/katamichi/sender.conf")" = '; mine' ] || wrong "an existing sender.conf was overwritten"
"$top/bin/katamichi" config check --file-only "$root/etc/katamichi/receiver.conf" >"$there/log" || wrong "the example: $(cat "$there/log")"
"$top/bin/katamichi" config check --file-only "$top/share/doc/katamichi/examples/sender.conf" >"$there/log" || wrong "the example: $(cat "$there/log")"

# Units: with the paths of this PREFIX, and at most 2.0 of 10 exposed.
grep -rn '/usr/sbin/katamichi\|/usr/bin/katamichi' "$top/lib" && wrong "a unit names the program where it is not"
for u in sender receiver; do
	unit=$top/lib/systemd/system/katamichi-$u.service
	grep -q "^ExecStart=/opt/katamichi/sbin/katamichi-$u " "$unit" || wrong "$unit: another program"
	systemd-analyze security --offline=true --no-pager --threshold=20 "$unit" >"$there/log" 2>&1 ||
		wrong "$unit: $(tail -n 1 "$there/log")"
	grep -i 'unknown\|ignoring' "$there/log" && wrong "$unit: not all of it is understood"
done
# The measure measures: without its confinement a unit fails.
sed -n '/^\[Unit\]/,/^Group=/p' "$top/lib/systemd/system/katamichi-sender.service" >"$there/bare.service"
systemd-analyze security --offline=true --no-pager --threshold=20 "$there/bare.service" >/dev/null 2>&1 && wrong "a bare unit passes, too"

# The user and the folders, as systemd makes them from these files.
systemd-sysusers --root="$root" "$top/lib/sysusers.d/katamichi.conf" >"$there/log" 2>&1 || wrong "sysusers: $(cat "$there/log")"
grep -q '^katamichi:.*:/usr/sbin/nologin$' "$root/etc/passwd" || wrong "no user katamichi without a shell"
if [ "$(id -u)" -eq 0 ] && [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" -gt 1 ]; then # who may give folders away
	systemd-tmpfiles --root="$root" --create "$top"/lib/tmpfiles.d/*.conf >"$there/log" 2>&1 || wrong "tmpfiles: $(cat "$there/log")"
	for line in 'srv/katamichi/out/eltax 2770' 'srv/katamichi/inbox 2750' 'srv/katamichi/state 700' 'etc/katamichi 750'; do
		read -r path mode <<<"$line"
		[ "$(stat -c %a "$root/$path")" = "$mode" ] || wrong "$path has mode $(stat -c %a "$root/$path"), not $mode"
	done
fi

# One end alone.
run_make "$there/zone" install ROLE=receiver
[ -x "$there/zone/opt/katamichi/sbin/katamichi-receiver-link" ] || wrong "ROLE=receiver: no receiver"
find "$there/zone/opt" "$there/zone/etc" -name '*sender.service' -o -name 'katamichi-sender' -type f -o -name 'sender.conf' -path '*/etc/*' |
	grep . && wrong "ROLE=receiver installs a part of the sender"

# Away again.
run_make "$root" uninstall
left=$(find "$root/opt" -type f)
[ -z "$left" ] || wrong "make uninstall leaves $left"
[ -e "$root/etc/katamichi/sender.conf" ] || wrong "make uninstall took the configuration"
exit $status
