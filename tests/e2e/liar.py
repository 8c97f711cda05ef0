"""A sender that lies: it holds a pinned sender's keys and says whatever it likes (PROTOCOL.md, from its text alone).

For tests of the receiver.  The real sender must not run beside it under the same keys, except where a test wants that.
"""
import base64
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.poly1305 import Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HELLO, SYMBOL, BEAT = 1, 2, 3
STORED = bytes.fromhex("28b52ffd0039")  # a zstd frame that has raw blocks only (section 5.6)


def sha256(data):
    return hashlib.sha256(data).digest()


def hkdf(ikm, salt, info, n):
    prk = hmac.new(salt or bytes(32), ikm, "sha256").digest()
    out, t, i = b"", b"", 1
    while len(out) < n:
        t = hmac.new(prk, t + info + bytes([i]), "sha256").digest()
        out, i = out + t, i + 1
    return out[:n]


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


def read_key(path):
    with open(path, encoding="ascii") as f:
        return dict(re.findall(r"^(\w+) = (\S+)$", f.read(), re.M))


def u48(v):
    return struct.pack(">Q", v)[2:]


class Party:
    """Of a key file: a sender's secret one, or a receiver's public one."""

    def __init__(self, path):
        k = read_key(path)
        one, two = base64.b64decode(k["ed25519"]), base64.b64decode(k["x25519"])
        if path.endswith(".pub"):
            self.sign_public, self.public = one, two
        else:
            self.key, self.secret = Ed25519PrivateKey.from_private_bytes(one), two
            self.sign_public, self.public = raw_public(self.key), raw_public(X25519PrivateKey.from_private_bytes(two))
        role = bytes([1 if k["role"] == "sender" else 2])
        self.fingerprint = sha256(b"katamichi v1 party\0" + role + self.sign_public + self.public)
        self.id = self.fingerprint[:8]

    def sign(self, context, message):
        return self.key.sign(b"\0" + context + b"\0" + message)


# --- contents (sections 5 to 7) ---
def stored(data):
    """A zstd frame of raw blocks."""
    out, step = STORED, 128 << 10
    for at in range(0, max(len(data), 1), step):
        part = data[at:at + step]
        out += struct.pack("<I", len(part) << 3 | (at + step >= len(data)))[:3] + part
    return out


def runs(pieces):
    """A zstd frame of pieces: bytes, or (byte, how many) in blocks of 128 KiB that are four bytes each."""
    out, blocks = STORED[:5] + b"\x68", []  # window 8 MiB
    for p in pieces:
        if isinstance(p, tuple):
            byte, n = p
            while n > 0:
                blocks.append((1, min(n, 128 << 10), bytes([byte])))
                n -= 128 << 10
        else:
            blocks += [(0, len(p[at:at + (128 << 10)]), p[at:at + (128 << 10)]) for at in range(0, len(p), 128 << 10)]
    for i, (kind, n, body) in enumerate(blocks):
        out += struct.pack("<I", n << 3 | kind << 1 | (i + 1 == len(blocks)))[:3] + body
    return out


def record(kind, body):
    return bytes([kind, 0, 0, 0]) + struct.pack(">I", len(body)) + body


def extension(name):
    stem, dot, last = name.rpartition(b".")
    ok = stem and dot and 1 <= len(last) <= 8 and last.isalnum() and last.isascii()
    return last.decode().lower() if ok else ""


def sums(files):
    out = b""
    for name, data in files:
        out += b"\\" if b"\\" in name else b""
        out += hashlib.sha256(data).hexdigest().encode() + b"  files/" + name.replace(b"\\", b"\\\\") + b"\n"
    return out


def json_text(o):
    return json.dumps(o, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class Liar:
    def __init__(self, site, length=1472, lane=0, keys="keys/sender.key", psk=b""):
        self.me, self.to = Party(site.path(keys)), Party(site.path("keys/receiver.pub"))
        self.n, self.lane, self.psk = length, lane, psk
        self.epoch = int(time.time())
        self.hello_key = hkdf(dh(self.me.secret, self.to.public) + psk, b"", b"katamichi v1 hello key" + self.me.fingerprint +
                              self.to.fingerprint, 32)
        self.address = (site.net.receiver, 5150)
        self.site = site
        self.socket = self.open_socket()
        self.counter = 0
        self.generation = os.urandom(16)
        self.previous = {}

    def open_socket(self):
        """In the sender's namespace, where there is one."""
        if not self.site.net.real:
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with open("/proc/self/ns/net") as here, open("/run/netns/" + self.site.net.names[0]) as there:
            setns(there.fileno())
            try:
                return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            finally:
                setns(here.fileno())

    def put(self, datagram):
        self.socket.sendto(datagram, self.address)

    # --- the session (sections 3, 4) ---
    def head(self, kind, mlog=0, pn=0):
        return struct.pack(">HBBHBBI", 0x6B6D, 1, kind, self.n, self.lane, mlog, self.epoch) + u48(pn)

    def make_hello(self):
        """A new session: the datagram, and its keys."""
        ephemeral = X25519PrivateKey.generate()
        d = self.head(HELLO) + bytes(2) + self.me.id + self.to.id + (hkdf(self.psk, b"", b"katamichi v1 psk id", 8) if self.psk else bytes(8))
        d += struct.pack(">Q", int(time.time() * 1000)) + raw_public(ephemeral)
        secrets = hkdf(ephemeral.exchange(X25519PublicKey.from_public_bytes(self.to.public)) + dh(self.me.secret, self.to.public) + self.psk,
                       sha256(d), b"katamichi v1 session", 64)
        d += self.me.sign(b"katamichi v1 hello", d)
        d += bytes(self.n - 16 - len(d))
        return d + hmac.new(self.hello_key, d, "sha256").digest()[:16], secrets[:32], secrets[32:]

    def session(self, epoch=None):
        self.epoch = self.epoch + 1 if epoch is None else epoch
        self.pn = 0
        self.hello, self.tag_key, self.beat_key = self.make_hello()
        self.put(self.hello)
        time.sleep(0.3)

    def tagged(self, kind, rest, mlog=0, pn=None):
        if pn is None:
            self.pn += 1
            pn = self.pn
        d = self.head(kind, mlog, pn) + rest
        d += bytes(self.n - 16 - len(d))
        state = struct.pack("<QQ", pn, 0)
        once = Cipher(algorithms.ChaCha20(self.tag_key, state), mode=None).encryptor().update(bytes(32))
        return d + Poly1305.generate_tag(once, d)

    def symbol(self, object_id, length, kfull, block, symbol, data=b"", mlog=0):
        self.put(self.tagged(SYMBOL, struct.pack(">H", kfull) + object_id + u48(length) + struct.pack(">IH", block, symbol) + data, mlog))

    def beat(self, *entries, flags=0, time_ms=None, counter=None):
        """entries: (channel, generation, newest, oldest)."""
        self.counter = self.counter + 1 if counter is None else counter
        body = struct.pack(">QQHH", self.counter, int(time.time() * 1000) if time_ms is None else time_ms, len(entries), flags)
        for channel, generation, newest, oldest in entries:
            body += channel.encode().ljust(32, b"\0") + generation + struct.pack(">QQ", newest, oldest)
        body += bytes(self.n - 84 - 64 - len(body))
        body += self.me.sign(b"katamichi v1 beat", self.me.id + body)
        salt = os.urandom(32)
        key = hkdf(self.beat_key, salt, b"katamichi v1 beat", 32)
        self.put(self.tagged(BEAT, bytes(2) + salt + ChaCha20Poly1305(key).encrypt(bytes(12), body, None)))

    # --- objects ---
    def manifest(self, files, channel, number, previous=None, **other):
        if previous is None:
            previous = self.previous.get((channel, number), bytes(32) if number == 1 else os.urandom(32))
        rows = []
        for name, data in files:
            row = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "type": extension(name)}
            try:
                row["name"] = name.decode()
            except UnicodeDecodeError:
                row["name_b64"] = base64.b64encode(name).decode()
            rows.append(row)
        m = {"@format": "katamichi-manifest-1", "channel": channel, "checks": [], "created": "2026-11-21T02:26:03Z", "files": rows,
             "generation": self.generation.hex(), "number": number, "previous": previous.hex(), "receiver": self.to.fingerprint.hex(),
             "sender": self.me.fingerprint.hex(), "sha256sums": hashlib.sha256(sums(files)).hexdigest()}
        m.update(other)
        text = json_text(m)
        self.previous[channel, number + 1] = sha256(text)
        return text

    def records(self, files, manifest, signature=None):
        out = b""
        for name, data in files:
            out += record(1, struct.pack(">Q", len(data)) + name)
            for at in range(0, len(data), 1 << 20):
                out += record(2, data[at:at + (1 << 20)])
            out += record(3, sha256(data))
        for at in range(0, len(manifest), 1 << 20):
            out += record(4, manifest[at:at + (1 << 20)])
        return out + record(5, self.me.key.sign(manifest) if signature is None else signature)

    def seal(self, object_id, frame, channel, segment_log=16, created_ms=1):
        """frame: the zstd frame."""
        ephemeral = X25519PrivateKey.generate()
        object_key = os.urandom(32)
        clear = b"KATAMOB1" + struct.pack(">HBBI", 2, segment_log, 1, 0) + object_id + raw_public(ephemeral)
        clear += hkdf(self.psk, b"", b"katamichi v1 psk id", 8) if self.psk else bytes(8)
        wrap = hkdf(ephemeral.exchange(X25519PublicKey.from_public_bytes(self.to.public)) + self.psk, sha256(clear),
                    b"katamichi v1 wrap" + self.to.fingerprint, 32)
        clear += self.to.id + ChaCha20Poly1305(wrap).encrypt(bytes(12), object_key, self.to.id)
        payload_key = ChaCha20Poly1305(hkdf(object_key, sha256(clear), b"katamichi v1 payload", 32))
        inner = self.me.id + self.generation + struct.pack(">Q", created_ms) + channel.encode().ljust(32, b"\0") + bytes(8)
        inner += self.me.sign(b"katamichi v1 object", sha256(clear) + inner)
        payload, out, size = inner + frame, clear, 1 << segment_log
        for i, at in enumerate(range(0, len(payload), size)):
            last = at + size >= len(payload)
            out += payload_key.encrypt(bytes([last, 0, 0, 0]) + struct.pack(">Q", i), payload[at:at + size], None)
        return out

    def send(self, object_id, sealed, kfull=None, only=None, mlog=0, pace=None):
        """All source symbols of a sealed object."""
        s = self.n - 64
        total = -(-len(sealed) // s)
        kfull = kfull or min(total, 4096)
        for i in range(total):
            if only is None or only(i):
                self.symbol(object_id, len(sealed), kfull, i // kfull, i % kfull, sealed[i * s:(i + 1) * s].ljust(s, b"\0"), mlog)
                if pace and i % pace == 0:
                    time.sleep(0.001)

    def transfer(self, channel, number, files, object_id=None, compress=stored, manifest=None, pace=64, **options):
        """An object as an honest sender would make it, but for what options change."""
        object_id = object_id or os.urandom(16)
        manifest = manifest or self.manifest(files, channel, number)
        self.send(object_id, self.seal(object_id, compress(self.records(files, manifest)), channel, **options), pace=pace)
        return object_id


def setns(fd):
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")
