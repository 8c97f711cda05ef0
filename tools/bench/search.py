"""The best of several runs that lost nothing.

At which rate a machine does best has to be found: above what it carries datagrams are dropped, far below the rate itself is the
limit.  So first down from a start in coarse steps (up, where the start was all used) while a lower rate could still do better, then
finer steps beside the best one, then the best one again: what a run reaches varies by a third from minute to minute on a shared
machine, and a single bad minute must not settle a figure.  All of it is told: how many runs, how many lost something, from where to
where they came.
"""
import time

import crossing
from measure import WIRE, datagram

COARSE, FINE = 0.7, 0.85  # from one rate to the next lower one
RUNS = 6        # lossless ones
RUNS_MAX = 16   # with those that lost something
SECONDS = 75    # after which no further one begins, once one was lossless
USED = 0.9      # of a rate: more might be had at a higher one
WORSE = 0.9     # of the best: lower rates are not looked at any more
UNEXPLAINED = 3 # runs that lost something although the kernel dropped nothing: a lower rate is no remedy


def lossless(r):
    c = r["counters"]
    return c["kernel_drops"] == 0 and c["refused"] == 0 and r.get("complete", True)


def tidy(rate):
    """Three digits, so that a run can be made again by its rate."""
    return int(float(f"{rate:.2e}"))


def carried(r):
    """bit/s on the wire over all of the run's time: a rate below it could not have done as well."""
    return r["counters"]["sent"] * (datagram(r["mtu"]) + WIRE) * 8 / r["seconds"]


class Search:
    """run(rate) gives figures or raises Lost; value(r): more is better; rank(r): which is best, where it is not the value alone;
    say(rate, figures or what was lost); beside(): measured again after every other run."""

    def __init__(self, run, value, say, runs=RUNS, seconds=SECONDS, rank=None, beside=None):
        self.run, self.value, self.say, self.runs, self.rank, self.beside = run, value, say, runs, rank or value, beside
        self.end, self.best, self.each, self.unexplained = time.monotonic() + seconds, None, [], 0

    def good(self):
        return [t for t in self.each if t["value"] is not None]

    def more(self):
        good = len(self.good())
        return good < self.runs and len(self.each) < RUNS_MAX and (good == 0 or time.monotonic() < self.end)

    def at(self, rate):
        """One run; None if it lost something."""
        try:
            r = self.run(rate)
            lost = "" if lossless(r) else f"{r['counters']['kernel_drops']} datagrams dropped by the kernel, {r['counters']['refused']} not kept"
            self.unexplained += bool(lost) and r["counters"]["kernel_drops"] == 0
        except crossing.Lost as e:
            r, lost = None, str(e)
        if self.unexplained == UNEXPLAINED:
            raise AssertionError("not everything was kept, though the kernel dropped nothing: a slower rate is no remedy")
        self.each.append({"rate": rate, "value": None if lost else self.value(r), "lost": lost or None,
                          "CPU s/GB": None if lost else [r[side + " CPU s/GB"] for side in ("sender", "receiver") if side + " CPU s/GB" in r]})
        if lost:
            self.say(rate, lost)
            return None
        self.say(rate, r)
        if self.best is None or self.rank(r) > self.rank(self.best):
            self.best = r
        if self.beside and len(self.good()) % 2:
            self.beside()
        return r

    def coarse(self, start):
        rate = start
        while self.more():
            r = self.at(tidy(rate))
            if r is None or carried(r) < USED * rate:
                break
            rate /= COARSE
        rate = start * COARSE
        while self.more() and (self.best is None or carried(self.best) < rate):
            r = self.at(tidy(rate))
            if r and self.value(r) < WORSE * self.value(self.best):
                break
            rate *= COARSE

    def fine(self):
        while self.more():
            rate, tried = self.best["rate"], {t["rate"] for t in self.each}
            beside = [r for r in (tidy(rate / FINE), tidy(rate * FINE)) if r not in tried]
            self.at(beside[0] if beside else rate)

    def widely(self, start):
        """At all rates that could be best."""
        self.coarse(start)
        if self.best:
            self.fine()
        return self.told()

    def down(self, start):
        """At the first rate from here downwards that loses nothing: of figures that a lower rate only makes worse, or that hardly depend on it."""
        while self.more():
            if self.at(tidy(start)) is None and self.best is None:
                start *= COARSE
        return self.told()

    def only(self, rate):
        for _ in range(self.runs):
            self.at(rate)
        return self.told()

    def told(self):
        """The best run, with what else was tried."""
        if self.best is None:
            raise AssertionError("no run without loss; the last one: " + self.each[-1]["lost"])
        values = [t["value"] for t in self.good()]
        return dict(self.best, tried={"runs": len(values), "lost": len(self.each) - len(values), "from": min(values), "to": max(values),
                                      "each": self.each})
