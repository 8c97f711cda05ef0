#!/usr/bin/python3
"""Resend slips, from PROTOCOL.md, section 11, alone; prints tests/vectors/slip.txt.

The check symbols are computed by polynomial division over GF(32), not by the table of BIP 350."""
import hashlib

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# g(x) = x^6 + 29x^5 + 22x^4 + 20x^3 + 21x^2 + 29x + 18 over GF(32) = GF(2)[a]/(a^5 + a^3 + 1)
GENERATOR = [29, 22, 20, 21, 29, 18]


def times(a, b):
    out = 0
    for i in range(5):
        if b >> i & 1:
            out ^= a << i
    for i in (9, 8, 7, 6, 5):
        if out >> i & 1:
            out ^= 0b101001 << (i - 5)
    return out


def remainder(symbols):
    """(x^len + message) mod g: the leading one is BIP 173's initial value."""
    r = [0, 0, 0, 0, 0, 1]
    for s in symbols:
        top, r = r[0], r[1:] + [s]
        r = [a ^ times(top, g) for a, g in zip(r, GENERATOR)]
    return r


def number(v):
    digits = []
    while True:
        digits.insert(0, v & 15)
        v >>= 4
        if not v:
            break
    return [d | 16 for d in digits[:-1]] + digits[-1:]


def slip(sender, receiver, generation, channel, day, ranges):
    hashed = hashlib.sha256(b"katamichi v1 slip\0" + sender + receiver + generation + channel.ljust(32, b"\0")).digest()
    ref = int.from_bytes(hashed[:4], "big") >> 7
    v = [1] + [ref >> s & 31 for s in (20, 15, 10, 5, 0)] + [day >> s & 31 for s in (10, 5, 0)]
    free = 1
    for first, last in ranges:
        v += number(first - free) + number(last - first)
        free = last + 2
    good = [0x2BC830A3 >> s & 31 for s in (25, 20, 15, 10, 5, 0)]
    v += [a ^ b for a, b in zip(remainder(v + [0] * 6), good)]
    text = "".join(ALPHABET[x] for x in v)
    return "-".join(text[i:i + 4] for i in range(0, len(text), 4))


cases = [
    (b"eltax", 324, [(1, 1)]),
    (b"pittari", 0, [(2, 2), (4, 17), (1000, 1000)]),
    (b"a" * 32, 32767, [(2**62 - 1, 2**62 - 1)]),
    (b"update", 5000, [(i, i) for i in range(1, 75, 2)]),
]
print("# Section 11: slips; ranges are pairs of u64, day a u16, text and channel ASCII. Made by slip.py.")
for i, (channel, day, ranges) in enumerate(cases):
    who = [hashlib.sha256(b"%d %s" % (i, w)).digest() for w in (b"sender", b"receiver", b"generation")]
    text = slip(who[0], who[1], who[2][:16], channel, day, ranges)
    fields = {"sender": who[0], "receiver": who[1], "generation": who[2][:16], "channel": channel, "day": day.to_bytes(2, "big"),
              "ranges": b"".join(n.to_bytes(8, "big") for r in ranges for n in r), "text": text.encode()}
    for name, value in fields.items():
        print(f"slip{i}.{name} = {value.hex()}")
