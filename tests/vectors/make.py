#!/usr/bin/python3
"""Test vectors for common/PROTOCOL.md, computed from its text alone.

Shares no code with the programs: the standard library and python3-cryptography
only.  Writes party.txt, hello.txt, frame.txt, beat.txt, object.txt,
manifest.txt, chain.txt and checkpoint.txt beside itself; running it again changes nothing.
"""
import base64
import hashlib
import hmac
import json
import os
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.poly1305 import Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = os.path.dirname(os.path.abspath(__file__))
SENDER, RECEIVER = 1, 2


def sha256(data):
    return hashlib.sha256(data).digest()


def some(name, n=32):
    """n bytes that look random and never change."""
    return hashlib.shake_256(b"katamichi vector " + name.encode()).digest(n)


def hkdf(ikm, salt, info, n):
    """RFC 5869, from hmac alone."""
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


class Party:
    """Section 2."""

    def __init__(self, name, role):
        self.name, self.role = name, role
        self.seed, self.secret = some(name + " ed25519"), some(name + " x25519")
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.sign_public = raw_public(self.key)
        self.public = raw_public(X25519PrivateKey.from_private_bytes(self.secret))
        self.fingerprint = sha256(b"katamichi v1 party\0" + bytes([role]) + self.sign_public + self.public)
        self.id = self.fingerprint[:8]

    def sign(self, context, message):
        """Section 1.3."""
        return self.key.sign(b"\0" + context + b"\0" + message)

    def lines(self):
        return [(self.name + "." + k, v) for k, v in (
            ("role", bytes([self.role])), ("ed25519_seed", self.seed), ("ed25519_public", self.sign_public),
            ("x25519_secret", self.secret), ("x25519_public", self.public), ("fingerprint", self.fingerprint),
            ("id", self.id))]


def psk_id(psk):
    return hkdf(psk, b"", b"katamichi v1 psk id", 8) if psk else bytes(8)


def write(name, about, lines):
    with open(os.path.join(HERE, name), "w", encoding="ascii") as f:
        f.write("# %s\n# Written by make.py; do not edit.\n" % about)
        for key, value in lines:
            f.write("%s = %s\n" % (key, value.hex()))


sender, receiver, recovery = Party("sender", SENDER), Party("receiver", RECEIVER), Party("recovery", RECEIVER)
stranger = Party("stranger", SENDER)
PSK = some("psk")


# --- sections 3 and 4 ---
def u16(v):
    return struct.pack(">H", v)


def u32(v):
    return struct.pack(">I", v)


def u48(v):
    return struct.pack(">Q", v)[2:]


def u64(v):
    return struct.pack(">Q", v)


def head(kind, n, lane, mlog, epoch, pn):
    return u16(0x6B6D) + bytes([1, kind]) + u16(n) + bytes([lane, mlog]) + u32(epoch) + u48(pn)


def once_key(tag_key, pn):
    """Block number pn of the original ChaCha20: words 12, 13 the counter, 14, 15 the nonce."""
    state = struct.pack("<QQ", pn, 0)
    return Cipher(algorithms.ChaCha20(tag_key, state), mode=None).encryptor().update(bytes(64))[:32]


def tagged(tag_key, pn, d):
    return d + Poly1305.generate_tag(once_key(tag_key, pn), d)


def hello(n, psk, ephemeral):
    key = hkdf(dh(sender.secret, receiver.public) + psk, b"",
               b"katamichi v1 hello key" + sender.fingerprint + receiver.fingerprint, 32)
    d = head(1, n, 3, 0, 1795228000, 0) + u16(0) + sender.id + receiver.id + psk_id(psk) + u64(1795228000123)
    d += raw_public(X25519PrivateKey.from_private_bytes(ephemeral))
    assert len(d) == 84
    secrets = hkdf(dh(ephemeral, receiver.public) + dh(sender.secret, receiver.public) + psk, sha256(d),
                   b"katamichi v1 session", 64)
    d += sender.sign(b"katamichi v1 hello", d)
    d += bytes(n - 16 - len(d))
    d += hmac.new(key, d, "sha256").digest()[:16]
    return key, d, secrets[:32], secrets[32:]


def hello_lines():
    out = []
    for name, n, psk in (("plain", 256, b""), ("psk", 1472, PSK)):
        ephemeral = some(name + " session ephemeral")
        key, d, tag_key, beat_key = hello(n, psk, ephemeral)
        out += [(name + ".psk", psk), (name + ".ephemeral_secret", ephemeral), (name + ".hello_key", key),
                (name + ".hello", d), (name + ".tag_key", tag_key), (name + ".beat_key", beat_key)]
    return out


def frame_lines():
    key = some("tag key")
    out = [("tag_key", key)]
    for i, (n, pn, mlog, kfull, length, block, symbol) in enumerate((
            (256, 1, 0, 1, 100, 0, 0), (1472, 0x1_0000_0001, 9, 3236, 10_000_000_000, 2194, 3000),
            (8960, 0xFFFF_FFFF_FFFF, 15, 1024, 0, 7, 1024 + 32767))):
        d = head(2, n, i, mlog, 1795228000 + i, pn) + u16(kfull) + some("object id", 16) + u48(length) + u32(block)
        d += u16(symbol) + some("symbol %d" % i, n - 64)
        name = "symbol%d." % i
        out += [(name + "pn", u64(pn)), (name + "once", once_key(key, pn)), (name + "datagram", tagged(key, pn, d))]
    return out


def beat(n, beat_key, salt, counter, time, entries):
    body = u64(counter) + u64(time) + u16(len(entries)) + u16(0)
    for channel, generation, newest, oldest in entries:
        body += channel.encode().ljust(32, b"\0") + generation + u64(newest) + u64(oldest)
    body += bytes(n - 84 - 64 - len(body))
    body += sender.sign(b"katamichi v1 beat", sender.id + body)
    key = hkdf(beat_key, salt, b"katamichi v1 beat", 32)
    return u16(0) + salt + ChaCha20Poly1305(key).encrypt(bytes(12), body, None)


def beat_lines():
    key, salt = some("beat key"), some("salt")
    few = [("eltax", some("generation", 16), 7, 1)]
    many = [("c%02d-%s" % (i, "x" * 28), some("generation", 16), 1 << i, 0) for i in range(20)]
    out = [("beat_key", key), ("salt", salt), ("generation", some("generation", 16))]
    for name, n, entries in (("none", 256, []), ("one", 256, few), ("full", 1472, many)):
        d = beat(n, key, salt, 41, 1795228000123, entries)
        assert len(d) == n - 18 - 16
        out.append((name + ".sealed", d))
        tag_key = some("tag key")
        out.append((name + ".datagram", tagged(tag_key, 9, head(3, n, 0, 0, 1795228000, 9) + d)))
    return out


# --- section 7 ---
NAMES = [
    "a.csv".encode(), b"a\"b.txt", "給与支払報告書.csv".encode(), "髙﨑.XML".encode(), "が.pdf".encode(), "か\u3099.pdf".encode(),
    "表示能力ソ十.csv".encode("cp932"), b"noextension", b"\x83\x5c.tar.gz",
]


def is_utf8(name):
    try:
        name.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def ext(name):
    stem, dot, last = name.rpartition(b".")
    ok = stem and dot and 1 <= len(last) <= 8 and last.isalnum() and last.isascii()
    return last.decode().lower() if ok else ""


def sums(files):
    out = b""
    for name, data in files:
        if b"\\" in name:
            out += b"\\"
        out += hashlib.sha256(data).hexdigest().encode() + b"  files/" + name.replace(b"\\", b"\\\\") + b"\n"
    return out


def manifest(files, channel, generation, number, previous, checks):
    rows = []
    for name, data in files:
        row = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "type": ext(name)}
        if is_utf8(name):
            row["name"] = name.decode()
        else:
            row["name_b64"] = base64.b64encode(name).decode()
        rows.append(row)
    m = {"@format": "katamichi-manifest-1", "channel": channel, "checks": checks, "created": "2026-11-21T02:26:03Z",
         "files": rows, "generation": generation.hex(), "number": number, "previous": previous.hex(),
         "receiver": receiver.fingerprint.hex(), "sender": sender.fingerprint.hex(),
         "sha256sums": hashlib.sha256(sums(files)).hexdigest()}
    return json.dumps(m, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


FILES = sorted((name, some("file %d" % i, 250 * i)) for i, name in enumerate(NAMES))


def manifest_lines():
    generation = some("generation", 16)
    one = manifest(FILES, "eltax", generation, 1, bytes(32), ["name", "size"])
    two = manifest(FILES[:1], "pittari", generation, 2**63 - 1, sha256(one), [])
    out = [("generation", generation), ("created", u64(1795227963))]
    for i, (name, data) in enumerate(FILES):
        out += [("file%d.name" % i, name), ("file%d.size" % i, u64(len(data))), ("file%d.sha256" % i, sha256(data))]
    for name, m, files in (("one", one, FILES), ("two", two, FILES[:1])):
        out += [(name + ".sums", sums(files)), (name + ".manifest", m), (name + ".signature", sender.key.sign(m))]
    return out


# --- sections 5 and 6 ---
def record(kind, body):
    return bytes([kind, 0, 0, 0]) + u32(len(body)) + body


def records(files, m):
    out = b""
    for name, data in files:
        out += record(1, u64(len(data)) + name)
        for at in range(0, len(data), 300):
            out += record(2, data[at:at + 300])
        out += record(3, sha256(data))
    for at in range(0, len(m), 1000):
        out += record(4, m[at:at + 1000])
    return out + record(5, sender.key.sign(m))


def zstd_stored(data):
    """One frame of raw blocks, as section 5.6 has them."""
    out = b"\x28\xB5\x2F\xFD" + b"\x00\x39"
    cut = [data[i:i + 100000] for i in range(0, len(data), 100000)] or [b""]
    for i, block in enumerate(cut):
        last = i == len(cut) - 1
        out += struct.pack("<I", len(block) << 3 | 0 << 1 | last)[:3] + block
    return out


def seal(suite, log, recipients, psk, frame, name, channel="eltax", by=sender, empty_last=False):
    object_id, generation, r = some(name + " id", 16), some("generation", 16), some(name + " r")
    keys = hkdf(r + by.secret, object_id, b"katamichi v1 seal" + generation, 64)
    ephemeral, object_key = keys[:32], keys[32:]
    aead = AESGCM if suite == 1 else ChaCha20Poly1305
    h = b"KATAMOB1" + u16(suite) + bytes([log, len(recipients)]) + u32(0) + object_id
    h += raw_public(X25519PrivateKey.from_private_bytes(ephemeral)) + psk_id(psk)
    assert len(h) == 72
    fixed = h
    for to in recipients:
        wrap = hkdf(dh(ephemeral, to.public) + psk, sha256(fixed), b"katamichi v1 wrap" + to.fingerprint, 32)
        h += to.id + aead(wrap).encrypt(bytes(12), object_key, to.id)
    inner = by.id + generation + u64(1795228000123) + channel.encode().ljust(32, b"\0") + bytes(8)
    inner += by.sign(b"katamichi v1 object", sha256(h) + inner)
    assert len(inner) == 136
    payload, size = inner + frame, 1 << log
    cut = [payload[i:i + size] for i in range(0, len(payload), size)]
    if empty_last:
        cut.append(b"")
    key = aead(hkdf(object_key, sha256(h), b"katamichi v1 payload", 32))
    out = h
    for i, part in enumerate(cut):
        out += key.encrypt(bytes([i == len(cut) - 1, 0, 0, 0]) + u64(i), part, None)
    return [(name + ".r", r), (name + ".id", object_id), (name + ".psk", psk), (name + ".frame", frame),
            (name + ".object", out)]


def object_lines():
    m = manifest(FILES, "eltax", some("generation", 16), 1, bytes(32), ["name", "size"])
    frame = zstd_stored(records(FILES, m))
    exact = some("a full segment", 4096 - 136)
    out = [("generation", some("generation", 16)), ("manifest", m), ("records", records(FILES, m))]
    out += seal(1, 12, [receiver], b"", frame, "gcm")
    out += seal(2, 12, [recovery, receiver], PSK, frame, "chacha")
    out += seal(1, 20, [receiver], b"", frame, "one_segment")
    out += seal(1, 12, [receiver], b"", exact, "exact")
    out += seal(1, 12, [receiver], b"", exact, "empty_last", empty_last=True)
    out += seal(1, 12, [receiver], b"", frame, "stranger", by=stranger)
    return out


# --- section 9 ---
def chain_lines():
    out, prev = [], "0" * 64
    for i, entry in enumerate((
            {"at": "2026-11-21T02:26:03Z", "event": "opened"},
            {"at": "2026-11-21T02:27:00Z", "event": "quarantined", "reason": "名前 \"x\"", "files": 1, "bytes": 0},
            {})):
        text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        prev = hashlib.sha256(prev.encode() + b"\n" + text.encode() + b"\n").hexdigest()
        out += [("entry%d" % i, text.encode()), ("hash%d" % i, prev.encode())]
    return out


def checkpoint_lines():
    text = ("katamichi-checkpoint-1\nat 2026-11-21T02:26:03Z\nreceiver %s\nrows 3\nhash %s\n"
            % (receiver.fingerprint.hex(), chain_lines()[-1][1].decode())).encode()
    signature = receiver.sign(b"katamichi v1 checkpoint", text)
    return [("text", text + b"signature " + signature.hex().encode() + b"\n")]


write("party.txt", "Section 2: parties and the pre-shared key.",
      sender.lines() + receiver.lines() + recovery.lines() + stranger.lines() + [("psk", PSK), ("psk_id", psk_id(PSK))])
write("hello.txt", "Section 4.1 to 4.3: HELLO from sender to receiver (party.txt), lane 3, epoch 1795228000.", hello_lines())
write("frame.txt", "Sections 3.2 and 4.4: SYMBOL datagrams with their tags.", frame_lines())
write("beat.txt", "Section 4.6: BEAT, counter 41, its sealed part and a whole datagram.", beat_lines())
write("object.txt", "Sections 5 and 6: sealed objects; r is the randomness of 5.3.", object_lines())
write("manifest.txt", "Section 7: manifests of nine files and of one.", manifest_lines())
write("chain.txt", "Section 9.1: three rows of a ledger.", chain_lines())
write("checkpoint.txt", "Section 9.5: a checkpoint of the ledger of chain.txt, by the receiver of party.txt.", checkpoint_lines())
