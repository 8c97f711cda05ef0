#!/usr/bin/python3
"""open-object.py OBJECT RECEIVER.key DIR - opens a sealed object without a program of katamichi.

For the day on which the programs are not to be had and the data is: OBJECT is a file of the sender's STATE/objects, RECEIVER.key
the secret key of the receiver (or of the recovery key) that it was sealed to, DIR is made.  Needs python3-cryptography and zstd.
What is in DIR then is what the receiver would have delivered; check-transfer.sh says whether the sender signed it.
common/PROTOCOL.md, sections 2, 5, 6 and 7.  Exit codes: 0 opened, 1 not for this key or damaged, 2 usage."""
import base64
import configparser
import hashlib
import hmac
import os
import struct
import subprocess
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def hkdf(ikm, salt, info):
    """RFC 5869, 32 bytes."""
    return hmac.new(hmac.new(salt, ikm, "sha256").digest(), info + b"\1", "sha256").digest()


def public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def payload(sealed, key_file, psk=b""):
    """Sections 5.2 to 5.5: the decrypted payload."""
    ini = configparser.ConfigParser()
    ini.read(key_file)
    mine = {k: base64.b64decode(v) for k, v in ini["katamichi secret key"].items() if k in ("ed25519", "x25519")}
    secret = X25519PrivateKey.from_private_bytes(mine["x25519"])
    fingerprint = hashlib.sha256(b"katamichi v1 party\0\2" + public(Ed25519PrivateKey.from_private_bytes(mine["ed25519"]))
                                 + public(secret)).digest()
    magic, suite, log, wraps = struct.unpack(">8sHBB", sealed[:12])
    header = sealed[:72 + 56 * wraps]
    if magic != b"KATAMOB1" or suite not in (1, 2):
        raise ValueError("this is no sealed object")
    aead = AESGCM if suite == 1 else ChaCha20Poly1305
    shared = secret.exchange(X25519PublicKey.from_public_bytes(header[32:64]))
    for i in range(wraps):
        wrap = header[72 + 56 * i:128 + 56 * i]
        if wrap[:8] == fingerprint[:8]:
            key = hkdf(shared + psk, hashlib.sha256(header[:72]).digest(), b"katamichi v1 wrap" + fingerprint)
            key = aead(key).decrypt(bytes(12), wrap[8:], wrap[:8])
            break
    else:
        raise ValueError("it was sealed to another key")
    opener, out, size = aead(hkdf(key, hashlib.sha256(header).digest(), b"katamichi v1 payload")), [], (1 << log) + 16
    body = sealed[len(header):]
    count = max(1, -(-len(body) // size))
    for i in range(count):
        out.append(opener.decrypt(bytes([i == count - 1, 0, 0, 0]) + struct.pack(">Q", i), body[i * size:(i + 1) * size], None))
    return b"".join(out)


def records(data):
    """Section 6.1."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack(">B3xI", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + length]
        at += 8 + length


def put(directory, sealed, key_file):
    os.makedirs(os.path.join(directory, b"files"))
    done = subprocess.run(["zstd", "-dcq"], input=payload(sealed, key_file)[136:], stdout=subprocess.PIPE, check=True)
    manifest, sums, name, content = b"", b"", None, []
    for kind, data in records(done.stdout):
        if kind == 1:
            name, content = data[8:], []
            if b"/" in name or name.startswith(b"."):
                raise ValueError("a file name that no sender may give")
        elif kind == 2:
            content.append(data)
        elif kind == 3:
            with open(os.path.join(directory, b"files", name), "xb") as f:
                f.write(b"".join(content))
            mark = b"\\" if b"\\" in name else b""
            sums += mark + data.hex().encode() + b"  files/" + name.replace(b"\\", b"\\\\") + b"\n"
        elif kind == 4:
            manifest += data
        elif kind == 5:
            for path, text in ((b"MANIFEST.json", manifest), (b"MANIFEST.json.sig", data), (b"SHA256SUMS", sums)):
                with open(os.path.join(directory, path), "xb") as f:
                    f.write(text)


if len(sys.argv) != 4:
    sys.exit(print(__doc__, file=sys.stderr) or 2)
try:
    with open(sys.argv[1], "rb") as f:
        put(os.fsencode(sys.argv[3]), f.read(), sys.argv[2])
except (ValueError, InvalidTag, struct.error, subprocess.CalledProcessError) as e:
    print(f"{sys.argv[1]}: {e or 'it was damaged or changed'}", file=sys.stderr)
    sys.exit(1)
