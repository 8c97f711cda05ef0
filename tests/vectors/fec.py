#!/usr/bin/env python3
"""Test vectors of the erasure code, from PROTOCOL.md section 8 alone.

Prints tests/vectors/fec.txt. Each vector: a line "code k M len first count",
then k source symbols and the parity symbols first .. first+count-1 in
hexadecimal, one a line. Slow and simple on purpose."""

POLY = 0x1002D


def mul(a, b):
    r = 0
    while b:
        if b & 1:
            r ^= a
        a <<= 1
        if a >> 16:
            a ^= POLY
        b >>= 1
    return r


def inverse(a):
    r, e = 1, 65534
    while e:
        if e & 1:
            r = mul(r, a)
        a = mul(a, a)
        e >>= 1
    return r


def combine(basis, bits):
    r = 0
    for i, b in enumerate(basis):
        if bits >> i & 1:
            r ^= b
    return r


roots = {mul(e, e) ^ e: e for e in range(0, 65536, 2)}
points = [1]
while len(points) < 16:
    points.append(roots[points[-1]])
contents = points[:8] + [mul(points[8], p) for p in points[:8]]
element = [combine(contents, s) for s in range(65536)]
symbol = {e: s for s, e in enumerate(element)}


def w(j):
    return combine(points, j)


def log2_up(n):
    return (n - 1).bit_length()


def g(k, m, j, i):
    tk, tm = log2_up(k), log2_up(m)
    if tm <= tk:
        return mul(w(((1 << tm) + i) >> tm), inverse(w(((1 << tm) + i) ^ j)))
    return mul(w(((1 << tk) + j) >> tk), inverse(w(((1 << tk) + j) ^ i)))


def places(length):
    """(low, high) byte offsets of each element of a symbol"""
    for unit in range(0, length, 64):
        half = min(64, length - unit) // 2
        for i in range(half):
            yield unit + i, unit + half + i


def parity(k, m, source, j):
    out = bytearray(len(source[0]))
    coefficients = [g(k, m, j, i) for i in range(k)]
    for low, high in places(len(out)):
        e = 0
        for c, d in zip(coefficients, source):
            e ^= mul(c, element[d[low] | d[high] << 8])
        out[low], out[high] = symbol[e] & 255, symbol[e] >> 8
    return out


def vector(k, m, length, first, count):
    x = (k * 65537 + m) * 257 + length
    source = []
    for _ in range(k):
        d = bytearray()
        for _ in range(length):
            x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
            d.append(x >> 56)
        source.append(d)
    print("code", k, m, length, first, count)
    for d in source:
        print(d.hex())
    for j in range(first, first + count):
        print(parity(k, m, source, j).hex())


print("# made by tests/vectors/fec.py; PROTOCOL.md, section 8")
vector(1, 1, 2, 0, 1)
vector(1, 4, 6, 0, 4)
vector(2, 2, 64, 0, 2)
vector(3, 2, 10, 0, 2)
vector(3, 8, 70, 0, 8)
vector(5, 3, 128, 0, 3)
vector(9, 4096, 16, 4090, 6)
vector(223, 32, 2, 0, 32)
vector(300, 40, 4, 3, 9)
vector(700, 512, 2, 500, 12)
