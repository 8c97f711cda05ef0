#!/bin/sh
# check-transfer.sh DIR SENDER.pem - is a delivered transfer what the sender signed?  No program of katamichi is used.
#
# DIR is CHANNEL/NUMBER of the receiver's inbox, SENDER.pem the sender's sender-ed25519.pem, which you compared by its
# fingerprint.  The signature covers MANIFEST.json, which holds the hash of SHA256SUMS, which holds the hash of every file.
# Exit codes: 0 all of it holds, 1 it does not (said on standard error), 2 usage.
if [ $# -ne 2 ] || [ ! -d "$1" ] || [ ! -r "$2" ]; then
	sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
pem=$(realpath "$2") && cd "$1" || exit 2
no() { echo "$1" >&2; exit 1; }

openssl pkeyutl -verify -rawin -pubin -inkey "$pem" -in MANIFEST.json -sigfile MANIFEST.json.sig >/dev/null 2>&1 ||
	no "MANIFEST.json: the signature is not that of $pem"
sums=$(sha256sum SHA256SUMS | cut -c 1-64)
grep -q "\"sha256sums\":\"$sums\"}\$" MANIFEST.json || no "SHA256SUMS is not the one of the manifest"
sha256sum --strict --quiet -c SHA256SUMS >&2 || no "a file is not what the sender sent"
[ "$(find files ! -type d -printf x | wc -c)" -eq "$(wc -l <SHA256SUMS)" ] || no "files/ holds something that the sender did not send"
[ -z "$(find files ! -type d ! -type f -printf x)" ] || no "files/ holds a link or a device"
echo "signature and $(wc -l <SHA256SUMS) files hold"
