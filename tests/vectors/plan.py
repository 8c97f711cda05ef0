#!/usr/bin/env python3
"""Exact redundancy, for tests/unit/test_plan.c; prints tests/vectors/plan.txt.

Binomial tails with 60 digits, term by term, from the definition: a block of k
source and r repair symbols fails when more than r of k + r are lost. The loss
is the double that C reads from the same text. Lines:
    tail k r loss P      P[more than r of k + r lost]
    repair k loss failure r      smallest r with P <= failure * (1 - 1e-9)"""

from decimal import Decimal, getcontext

getcontext().prec = 60


def tail(k, r, loss):
    n, p = k + r, Decimal(loss)
    q = 1 - p
    term = q**n
    below = Decimal(0)
    for x in range(r + 1):
        below += term
        term = term * (n - x) / (x + 1) * p / q
    above = Decimal(0)
    for x in range(r + 1, n + 1):
        above += term
        if above and term < above * Decimal("1e-50") and x > n * p:
            break
        term = term * (n - x) / (x + 1) * p / q
    assert abs(below + above - 1) < Decimal("1e-45")
    return above


def repair(k, loss, failure):
    limit = Decimal(failure) * (1 - Decimal("1e-9"))
    low, high = -1, 8
    while tail(k, high, loss) > limit:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if tail(k, middle, loss) > limit:
            low = middle
        else:
            high = middle
    return high


print("# made by tests/vectors/plan.py")
for k in (1, 2, 3, 10, 72, 223, 711, 3236, 8523, 17023):
    for loss in ("0.0001", "0.001", "0.01", "0.1", "0.3"):
        for failure in ("0.01", "0.001", "1e-9", "2.5e-12", "1e-15"):
            r = repair(k, float(loss), float(failure))
            print("repair", k, loss, failure, r)
        for x in (0, r // 2, r, 2 * r + 1):
            p = tail(k, x, float(loss))
            if p > Decimal("1e-250"):
                print("tail", k, x, loss, "%.15e" % p)
