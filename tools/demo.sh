#!/bin/bash
# demo.sh - files leave one program and arrive in another over a link that has no way back.
#
# `make demo` runs it after building.  Two network namespaces stand for the two hosts, a veth pair for the fibre.  At
# the sender's end of the fibre a filter counts and drops everything that comes from the receiver; at the receiver's end another
# drops 2 % of all datagrams at random.  Without the right to make namespaces everything runs on the loopback interface, and
# the direction is not tested.
#
# KATAMICHI_LOOPBACK=1 asks for loopback; KEEP=1 leaves the directory for a look.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8
BUILD=$PWD/${B:-build}
DROP=2 # percent
PORT=5150
WAIT=40 # seconds for the files to cross

# Somebody who is not root may still have namespaces of their own: then go on as root of those.
if [ "$(id -u)" -ne 0 ] && [ -z "${KATAMICHI_INNER:-}" ] && [ "${KATAMICHI_LOOPBACK:-}" != 1 ] &&
	unshare --user --map-root-user --mount --net sh -c 'mount -t tmpfs none /run && mkdir /run/netns' 2>/dev/null; then
	# shellcheck disable=SC2016 # $0 is the inner shell's
	KATAMICHI_INNER=1 exec unshare --user --map-root-user --mount --net sh -c 'mount -t tmpfs none /run && exec "$0"' "$0"
fi

bold='' green='' red='' plain=''
[ -t 1 ] && bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
began=$(date +%s%N)
work=$(mktemp -d "${TMPDIR:-/tmp}/katamichi-demo.XXXXXX") || exit 1
sender_ns=kmdemo-$$-s receiver_ns=kmdemo-$$-r
sender_pid='' receiver_pid='' relay_pid='' step=0

step() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}
note() { printf '   %s\n' "$*"; }
good() { printf '   %sok%s  %s\n' "$green" "$plain" "$*"; }

end_process() { # pid: TERM, and KILL if that is not enough
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null || return 0
	for _ in $(seq 60); do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

clean_up() {
	trap '' INT TERM
	end_process "$sender_pid"
	end_process "$relay_pid"
	end_process "$receiver_pid"
	[ "$real" = yes ] && { ip netns del "$sender_ns"; ip netns del "$receiver_ns"; } 2>/dev/null
	if [ "${KEEP:-}" = 1 ]; then echo "Left for you: $work"; else rm -rf "$work"; fi
}
real=no
trap clean_up EXIT
trap 'echo; echo "Stopped; nothing is left behind."; exit 130' INT TERM

fail() {
	printf '\n%sThe demo failed:%s %s\n' "$red" "$plain" "$*" >&2
	for log in sender receiver; do
		[ -s "$work/$log.log" ] || continue
		echo "--- last words of the $log ---" >&2
		tail -n 15 "$work/$log.log" >&2
	done
	exit 1
}

make_link() {
	local ns mac_s=02:6b:6d:00:00:01 mac_r=02:6b:6d:00:00:02
	for ns in "$sender_ns" "$receiver_ns"; do
		ip netns add "$ns" || return 1
		# Neither end says anything of its own: no IPv6, no ARP.
		ip netns exec "$ns" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
			echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null
		ip -n "$ns" link set lo up || return 1
	done
	ip link add kms address $mac_s netns "$sender_ns" type veth peer name kmr address $mac_r netns "$receiver_ns" || return 1
	ip -n "$sender_ns" addr add 10.77.0.1/30 dev kms && ip -n "$receiver_ns" addr add 10.77.0.2/30 dev kmr || return 1
	ip -n "$sender_ns" link set kms arp off && ip -n "$receiver_ns" link set kmr arp off || return 1
	ip netns exec "$sender_ns" nft -f - <<-END || return 1
		table netdev oneway {
			chain back {
				type filter hook ingress device "kms" priority 0
				counter drop
			}
		}
	END
	ip netns exec "$receiver_ns" nft -f - <<-END || return 1
		table netdev weather {
			chain arriving {
				type filter hook ingress device "kmr" priority 0
				counter
				numgen random mod 100 < $DROP counter drop
			}
		}
	END
	# As on a wire: the sender's batches are cut into datagrams before they leave, so that each is dropped by itself.
	ip netns exec "$sender_ns" ethtool -K kms tx-udp-segmentation off >/dev/null || return 1
	ip -n "$sender_ns" link set kms up && ip -n "$receiver_ns" link set kmr up || return 1
	ip -n "$sender_ns" neigh replace 10.77.0.2 lladdr $mac_r nud permanent dev kms || return 1
	ip -n "$receiver_ns" neigh replace 10.77.0.1 lladdr $mac_s nud permanent dev kmr
}

# The packet counters of a table, one a line.
counters() { ip netns exec "$1" nft list table netdev "$2" | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }
frames_back() { counters "$sender_ns" oneway; }

wait_ready() { # name pid
	for _ in $(seq 100); do
		grep -qw ready "$work/$1.log" && return 0
		kill -0 "$2" 2>/dev/null || fail "the $1 did not start"
		sleep 0.1
	done
	fail "the $1 was not ready within 10 seconds"
}

show_files() { /usr/bin/python3 -B tests/e2e/samples.py --list "$@"; }
plural() { if [ "$1" -eq 1 ]; then echo "1 $2"; else echo "$1 $2s"; fi; }

# ---------------------------------------------------------------------------------------------------------------
printf '%skatamichi%s  片道: files go in, nothing comes out\n' "$bold" "$plain"

step "Two hosts and one fibre"
if [ "${KATAMICHI_LOOPBACK:-}" != 1 ] && [ "$(id -u)" -eq 0 ]; then
	if make_link 2>"$work/link.err"; then
		real=yes
	else
		ip netns del "$sender_ns" 2>/dev/null
		ip netns del "$receiver_ns" 2>/dev/null
		note "no namespaces here: $(tail -n 1 "$work/link.err")"
	fi
fi
if [ $real = yes ]; then
	destination=10.77.0.2:$PORT listen=10.77.0.2:$PORT
	at_sender=(ip netns exec "$sender_ns") at_receiver=(ip netns exec "$receiver_ns")
	note "sender  10.77.0.1  ──── UDP, one way ───▶  10.77.0.2  receiver"
	note "at the sender's end a filter counts and drops every frame that comes from the receiver"
	note "at the receiver's end $DROP % of the datagrams are dropped at random"
else
	destination=127.0.0.1:$((PORT + 1)) listen=127.0.0.1:$PORT
	at_sender=() at_receiver=()
	note "no namespaces, so both ends use the loopback interface: ${bold}direction not tested${plain}"
	note "a relay between the two drops $DROP % of the datagrams at random"
fi

# Only the true root may have socket buffers beyond the system's limit; others go slower.
rate=200M buffer=64M
if [ "$(id -u)" -ne 0 ] || [ -n "${KATAMICHI_INNER:-}" ]; then
	rate=40M buffer=$(cat /proc/sys/net/core/rmem_max)
fi

step "Keys: each end makes its own, and gets the other's public half by hand"
mkdir -p "$work"/{sender,receiver,inbox} "$work"/state-{sender,receiver} "$work"/out/{eltax,pittari} "$work/samples"
chmod 700 "$work"/sender "$work"/receiver
"$BUILD/katamichi" keygen sender "$work/sender" >"$work/keygen.log" 2>&1 || fail "keygen: $(cat "$work/keygen.log")"
"$BUILD/katamichi" keygen receiver "$work/receiver" >>"$work/keygen.log" 2>&1 || fail "keygen: $(cat "$work/keygen.log")"
cp "$work/sender/sender.pub" "$work/sender/sender-ed25519.pem" "$work/receiver/"
cp "$work/receiver/receiver.pub" "$work/sender/"
sed -n 's/^ *\(fingerprint .*\)/\1/p' "$work/keygen.log" | while read -r line; do note "$line"; done
cat >"$work/sender/sender.conf" <<END
[sender]
keys = sender.key
receiver = receiver.pub
state = ../state-sender
folders = ../out
[link]
destination = $destination
rate = $rate
loss = $DROP%
burst = 20ms
failure = 1e-9
[channel eltax]
[channel pittari]
END
cat >"$work/receiver/receiver.conf" <<END
[receiver]
keys = receiver.key
inbox = ../inbox
state = ../state-receiver
[link]
listen = $listen
buffer = $buffer
[peer mihon]
key = sender.pub
[channel eltax]
[channel pittari]
END

step "Two daemons"
"${at_receiver[@]}" "$BUILD/katamichi-receiver" -c "$work/receiver/receiver.conf" >"$work/receiver.log" 2>&1 &
receiver_pid=$!
wait_ready receiver $receiver_pid
if [ $real = no ]; then
	"$BUILD/tests/tools/relay" --listen "$destination" --to "$listen" --loss 0.0$DROP --seed $$ >"$work/relay.log" 2>&1 &
	relay_pid=$!
fi
"${at_sender[@]}" "$BUILD/katamichi-sender" -c "$work/sender/sender.conf" >"$work/sender.log" 2>&1 &
sender_pid=$!
wait_ready sender $sender_pid
processes() { # of a daemon: its children's roles
	local names
	names=$(ps -o args= --ppid "$1" | sed -n 's/.*--role \([a-z]*\).*/\1/p' | paste -sd ' ')
	echo "${names:-?}"
}
note "receiver: processes $(processes $receiver_pid)"
note "sender:   processes $(processes $sender_pid)"

step "Files are put into the sender's folders"
/usr/bin/python3 -B tests/e2e/samples.py "$work/samples" || fail "the samples could not be written"
sent=$(find "$work/samples" -type f | wc -l)
for channel in eltax pittari; do
	note "$channel:"
	show_files "$work/samples/$channel" sizes | sed 's/^/     /'
done
crossing=$(date +%s%N)
for channel in eltax pittari; do
	# Copied beside it, then renamed in: so a file is never seen half-written.
	if ! cp -r "$work/samples/$channel" "$work/staging" || ! find "$work/staging" -type f -exec mv -t "$work/out/$channel" {} + ||
		! rmdir "$work/staging"; then
		fail "the files could not be put into $work/out/$channel"
	fi
done

step "They cross"
last=-1
while :; do
	arrived=$(find "$work"/inbox/*/*/files -type f 2>/dev/null | wc -l)
	if [ "$arrived" -ne "$last" ]; then
		last=$arrived
		bar=$(printf '%*s' $((arrived * 30 / sent)) '' | tr ' ' '#')
		line=$(printf '   [%-30s] %d of %d files' "$bar" "$arrived" "$sent")
		if [ -t 1 ]; then printf '\r%s' "$line"; else echo "$line"; fi
	fi
	[ "$arrived" -lt "$sent" ] || break
	kill -0 $sender_pid 2>/dev/null || fail "the sender ended"
	kill -0 $receiver_pid 2>/dev/null || fail "the receiver ended"
	[ $((($(date +%s%N) - crossing) / 1000000000)) -lt $WAIT ] ||
		fail "after $WAIT seconds $arrived of $sent files have arrived"
	sleep 0.1
done
took=$((($(date +%s%N) - crossing) / 1000000))
[ -t 1 ] && echo
if [ $real = yes ]; then
	{ read -r came; read -r dropped; } < <(counters "$receiver_ns" weather)
	note "$came datagrams came, $dropped of them were dropped on the way; everything arrived in $((took / 1000)).$((took % 1000 / 100)) s"
else
	note "everything arrived in $((took / 1000)).$((took % 1000 / 100)) s"
fi

step "The inbox of the receiver, checked with openssl and sha256sum alone"
transfers=0 files=0
for dir in "$work"/inbox/*/*/; do
	dir=${dir%/}
	openssl pkeyutl -verify -rawin -pubin -inkey "$work/receiver/sender-ed25519.pem" -sigfile "$dir/MANIFEST.json.sig" \
		-in "$dir/MANIFEST.json" >"$work/openssl.log" 2>&1 || fail "$dir: $(cat "$work/openssl.log")"
	transfers=$((transfers + 1))
	good "${dir#"$work/"}/MANIFEST.json   signature verified (openssl pkeyutl -verify -rawin)"
	(cd "$dir" && sha256sum --strict -c SHA256SUMS) >"$work/sums.log" 2>&1 || fail "$dir: $(cat "$work/sums.log")"
	checked=$(grep -c ': OK$' "$work/sums.log")
	there=$(find "$dir/files" -type f | wc -l)
	[ "$checked" -eq "$there" ] || fail "$dir has $there files but SHA256SUMS names $checked"
	files=$((files + checked))
	show_files "$dir/files" | while IFS= read -r name; do good "    $name"; done
	"$BUILD/katamichi" verify "$dir" --sender "$work/receiver/sender.pub" >"$work/verify.log" 2>&1 ||
		fail "katamichi verify $dir: $(cat "$work/verify.log")"
done
[ "$files" -eq "$sent" ] || fail "$files files were checked, $sent were sent"
for channel in eltax pittari; do
	for path in "$work/samples/$channel"/*; do
		found=("$work/inbox/$channel"/*/files/"${path##*/}")
		cmp -s "$path" "${found[0]}" || fail "$channel: ${path##*/} is not what was sent"
	done
done
good "all $files files: the same bytes under the same names as on the sender"
"$BUILD/katamichi" ledger verify -c "$work/receiver/receiver.conf" >"$work/ledger.log" 2>&1 || fail "ledger: $(cat "$work/ledger.log")"
good "the receiver's ledger: its chain verifies"
"$BUILD/katamichi" gaps -c "$work/receiver/receiver.conf" >"$work/gaps.log" 2>&1 || fail "gaps: $(cat "$work/gaps.log")"
good "nothing is missing"

step "One way"
if [ $real = yes ]; then
	back=$(frames_back)
	[ "$back" -eq 0 ] || fail "$back frames came from the receiver"
	good "the filter has counted $back frames from the receiver's processes"
	ip netns exec "$receiver_ns" /usr/bin/python3 -B tests/e2e/frame.py kmr || fail "the deliberate frame could not be sent"
	after=$(frames_back)
	[ "$after" -eq 1 ] || fail "one deliberate frame was sent from the receiver's host, and the filter counted $after"
	good "one deliberate frame from there, and the filter says $after (dropped, too): it does count"
else
	note "direction not tested (no namespaces)"
fi

step "Stop"
kill -TERM $sender_pid && wait $sender_pid
code_sender=$?
sender_pid=''
kill -TERM $receiver_pid && wait $receiver_pid
code_receiver=$?
receiver_pid=''
[ $code_sender -eq 0 ] || fail "the sender ended with $code_sender"
[ $code_receiver -eq 0 ] || fail "the receiver ended with $code_receiver"
good "both daemons ended as asked"

total=$((($(date +%s%N) - began) / 1000000000))
cat <<END

${bold}In short${plain}
   $(plural "$files" file) in $(plural "$transfers" transfer) crossed a link that lost $DROP % of what it carried, in $((took / 1000)).$((took % 1000 / 100)) s.
   Each arrived whole, under its own name, with a manifest that openssl verifies.
END
if [ $real = yes ]; then
	echo "   Not one frame came back from the receiver."
else
	echo "   Direction not tested: for that, run it where network namespaces may be made."
fi
echo "   ${green}Everything worked${plain} ($total s)."
