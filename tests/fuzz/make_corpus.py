#!/usr/bin/python3
"""Seeds of tests/fuzz/corpus/{receive,internal,hello,object,record,manifest,slip,content,closing}, from the test vectors and samples.  Running it again changes nothing."""
import hashlib
import os
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def vectors(name):
    out = {}
    with open(os.path.join(HERE, "..", "vectors", name + ".txt"), encoding="ascii") as f:
        for line in f:
            if not line.startswith("#"):
                key, value = line.rstrip("\n").split(" = ") if " = " in line and not line.endswith("= \n") else (line[:-3].strip(), "")
                out[key] = bytes.fromhex(value)
    return out


def seed(fuzzer, name, data):
    path = os.path.join(HERE, "corpus", fuzzer)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as f:
        f.write(data)


hello, beat, obj, manifest = vectors("hello"), vectors("beat"), vectors("object"), vectors("manifest")
seed("hello", "hello", hello["plain.hello"])
seed("hello", "hello-psk", hello["psk.hello"])
seed("hello", "beat", beat["one.datagram"])
body = (41).to_bytes(8, "big") + bytes(8) + b"\0\1\0\0" + b"eltax".ljust(32, b"\0") + bytes(16) + (7).to_bytes(8, "big") + \
    (1).to_bytes(8, "big")
seed("hello", "beat-body", (bytes(52) + body).ljust(256, b"\0"))
for name in ("gcm", "exact", "empty_last"):
    seed("object", name, b"\0" + obj[name + ".object"])
seed("object", "payload", b"\x40" + bytes(5000))
seed("object", "payload-border", b"\x7f" + bytes(4096 - 136))
seed("record", "whole", obj["records"])
seed("record", "one", obj["records"][-200:])
name = b"\0" * 7 + b"\4" + b"a"
seed("record", "small", b"\1\0\0\0\0\0\0\x09" + name + b"\2\0\0\0\0\0\0\4abcd" + b"\3\0\0\0\0\0\0\x20" + bytes(32) +
     b"\4\0\0\0\0\0\0\2{}" + b"\5\0\0\0\0\0\0\x40" + bytes(64))
seed("manifest", "one", manifest["one.manifest"])
seed("manifest", "two", manifest["two.manifest"])
seed("manifest", "brackets", b"[" * 2000)
slips = vectors("slip")
for i in range(4):
    seed("slip", "slip%d" % i, slips["slip%d.text" % i])
    seed("slip", "ranges%d" % i, slips["slip%d.ranges" % i])
samples = os.path.join(HERE, "..", "data", "samples")
for where, _, names in os.walk(samples):
    for name in names:
        with open(os.path.join(where, name), "rb") as f:
            data = f.read()
        kind = {"xml": 0, "csv": 1, "zip": 2, "pdf": 3, "jpg": 4, "png": 5}.get(name.rsplit(".", 1)[-1])
        if kind is not None and len(data) < 20000:
            seed("content", hashlib.sha256(data).hexdigest()[:12], bytes([kind]) + data)
seed("content", "png", b"\5\x89PNG\r\n\x1a\n" + b"".join(
    len(d).to_bytes(4, "big") + t + d + zlib.crc32(t + d).to_bytes(4, "big") for t, d in (
        (b"IHDR", bytes((0, 0, 0, 16, 0, 0, 0, 16, 8, 2, 0, 0, 0))), (b"IDAT", b"0123456789"), (b"IEND", b""))))
seed("content", "jpeg", b"\4" + bytes.fromhex("ffd8ffe000044a46ffc0000b080010001001011100ffda0008010100003f006162ff00ffd063ffd9"))
head = b"katamichi-closing-1 daily\nat 2026-11-21T15:00:00Z\nsender " + b"01" * 32 + b"\nreceiver " + b"02" * 32 + b"\n"
entry = b" " + b"04" * 32 + b" " + b"05" * 16 + b"\n"
channel = b"channel eltax " + b"03" * 16
seed("closing", "none", head + channel + b" 8 7 7\nend\n")
seed("closing", "two", head + channel + b" 1 2 9\n1" + entry + b"2" + entry + channel.replace(b"eltax", b"a") + b" 1 0 0\nend\n")
seed("closing", "gone", head + channel + b" 8 7 7\ngone 2 4\ngone 7 7\n" + channel.replace(b"eltax", b"a") + b" 1 0 0\nend\n")
seed("closing", "asked", head.replace(b"daily", b"asked") + b"end\n")
# fuzz_receive: what the sender does, changes, order of the datagrams, files.
files = b"\0" + b"\x0e" + "氏名,住所\n一,二\n".encode().ljust(126, b"a") + b"\x08" + b"<a/>".ljust(72) + b"\x20" + bytes(range(256))
for name, how, changes, order in (
        ("plain", 0, [], bytes(8)), ("checked", 1, [], bytes(8)), ("length-late", 2, [], bytes(8)), ("restart", 4, [], bytes(8)),
        ("unsigned", 8, [], bytes(8)), ("twice", 16, [], bytes(8)), ("lossy", 0, [], bytes((1, 3, 20, 5, 3, 0, 0, 0))),
        ("manifest", 0, [(0, 40, 1)], bytes(8)), ("record", 0, [(1, 9, 255)], bytes(8)), ("zstd", 0, [(2, 6, 64)], bytes(8)),
        ("sealed", 0, [(3, 300, 1)], bytes(8)), ("symbol", 0, [(4, 7 * 20, 1), (4, 1 + 7 * 40, 128)], bytes(8)),
        ("wire", 0, [(5, 3, 1), (5, 100, 255)], bytes(8))):
    seed("receive", name, bytes((how, len(changes))) + b"".join(bytes((a, b >> 8, b & 255, c)) for a, b, c in changes) + order + files)
# fuzz_internal: who speaks, then steps as its source says.
seed("internal", "ring", b"\0" + b"".join(bytes((1, 0, 0, 2, i >> 8, i & 255)) + (16).to_bytes(4, "little") + bytes(12) for i in range(0, 320, 32)))
seed("internal", "ring-pad", b"\0" + bytes((1, 0, 0x0f, 0xff, 0, 0)) + (0x3ff0).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(8))
seed("internal", "writer", b"\1" + b"".join(bytes((1, 0, 0, i, 0, 0, 40, 90)) + bytes(14) for i in range(40)))
def event(what, more, data=b""):
    return bytes((what, more)) + len(data).to_bytes(2, "big") + data
one = event(0, 8, b"a.csv") + event(1, 0, b"12345") + event(2, 0, b"12345")
seed("internal", "events", b"\2" + one + event(3, 0, b"{}") + event(4, 0, bytes(64)))
seed("internal", "events-bad", b"\2" + event(5, 0) + one + event(6, 0) + event(6, 200) + event(7, 1) + event(0, 7, b"../b"))
seed("internal", "events-order", b"\2" + event(1, 0, b"x") + event(2, 0) + event(4, 0, b"short") + event(0, 6, b"b") + event(0, 0, b"a") + event(3, 0, b"[" * 99))
seed("internal", "map", b"\3" + bytes((7, 0, 16, 0, 0, 2, 10, 0)) + b"\xff" * 120)
seed("internal", "map-long", b"\3" + bytes((7, 1, 255, 255, 11, 7, 255, 0)) + b"\x55" * 300)
seed("internal", "to-open", b"\4" + bytes(16) + hello["plain.hello"])
seed("internal", "to-open-peer", b"\4" + b"\xff" * 16 + beat["one.datagram"])
