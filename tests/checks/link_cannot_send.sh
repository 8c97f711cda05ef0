#!/bin/bash
# The receiver's network process has no call that sends, connects or makes a socket.
cd "$(dirname "$0")/../.." || exit 1
program=${B:-build}/katamichi-receiver-link
calls=$(nm -u "$program") || exit 1
# Without this the check would pass for a program that has no calls at all, or none that nm can show.
grep -qE ' (recvmmsg|recvmsg|recvfrom|recv|__recvfrom_chk|__recv_chk)@' <<<"$calls" ||
	{ echo "$program: no receiving call seen; is it the right program?"; exit 1; }
bad=$(grep -oE ' _*(send|sendto|sendmsg|sendmmsg|sendfile|sendfile64|connect|socket|socketpair|splice|vmsplice|tee|syscall|io_uring[a-z_]*|dlopen|dlsym|exec[vlpe]*|system|popen)@' <<<"$calls")
[ -z "$bad" ] || { echo "$program calls:"; echo "$bad"; exit 1; }
# libcrypto could (BIO_*, HTTP); what is called of it computes over memory.
grep -qE ' EVP_MAC_final@' <<<"$calls" || { echo "$program: no tag is verified by libcrypto?"; exit 1; }
bad=$(grep -oE ' [A-Za-z0-9_]+@+OPENSSL' <<<"$calls" | grep -vE ' (EVP_(MAC|MD|CIPHER|Digest|Encrypt|Decrypt)[A-Za-z0-9_]*|OPENSSL_init_crypto)@')
[ -z "$bad" ] || { echo "$program calls of libcrypto:"; echo "$bad"; exit 1; }
