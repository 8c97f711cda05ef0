"""make soak ONLY=million [FILES=1000000]: very many files of 2 KB, and nothing that grows with their number.

What a file costs is the processor time of all processes of both ends, and the time that passes, for each 10,000 files.  Of the
last 20,000 it may be 1.3 times that of the second 10,000 (the first ones warm up), and no process may ever hold 256 MB.  In the
end every file is there once, one in a hundred is compared byte by byte, and ledger and gaps are in order.
"""
import os
import random
import time

from measure import harness

SIZE = 2048        # bytes of each file
SLICE = 10_000     # files of one figure
AHEAD = 30_000     # files put in and not delivered yet
GROWTH_MAX = 1.3
STALLED = 300      # s without a delivery
TICK = os.sysconf("SC_CLK_TCK")


def content(i):
    """Begins with a digit: one random file in 65,536 begins like a script, and is refused."""
    return random.Random(f"{harness.SEED} {i}").randbytes(SIZE - 10).join((b"%08d:" % i, b"\n"))


def spent(site):
    """Processor time of both daemons' processes so far, s."""
    total = 0
    for p in site.daemons():
        for pid in p.processes():
            with open(f"/proc/{pid}/stat", "rb") as f:
                fields = f.read().rsplit(b")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICK


class Delivered:
    """How many files the ledger says were delivered; it is read on from where it was."""

    def __init__(self, site):
        self.path, self.seq, self.files = site.path("receiver-state/ledger/ledger.db"), 0, 0

    def count(self):
        for seq, files in harness.rows(self.path, "SELECT seq, json_extract(entry, '$.files') FROM ledger WHERE "
                                       f"seq > {self.seq} AND json_extract(entry, '$.event') = 'delivered' ORDER BY seq"):
            self.seq, self.files = seq, self.files + files
        return self.files


def feed(site, files):
    """Put them in, never more than AHEAD at once: [(files delivered, processor seconds, moment), ...] at each SLICE."""
    delivered, put, marks = Delivered(site), 0, [(0, spent(site), time.monotonic())]
    moved = shown = time.monotonic()
    staged = site.path("staging", "next")
    while delivered.files < files:
        before = delivered.files
        while put < files and put < delivered.files + AHEAD and time.monotonic() < shown + 30:
            for put in range(put, min(put + 200, files)):
                with open(staged, "wb") as f:
                    f.write(content(put))
                os.rename(staged, site.path("out/eltax", f"{put:07}.bin"))
            put += 1
            if delivered.count() >= marks[-1][0] + SLICE:
                marks.append((delivered.files, spent(site), time.monotonic()))
        now = time.monotonic()
        if delivered.count() >= min(marks[-1][0] + SLICE, files):
            marks.append((delivered.files, spent(site), now))
        if delivered.files > before:
            moved = now
        if now - shown > 30:
            shown = now
            site.check_memory()
            last = " %.0f us of processor time each, %.0f us apart" % tuple(cost(marks, -2, -1)) if len(marks) > 1 else ""
            print(f"  {delivered.files} of {files} delivered, {delivered.files / (now - marks[0][2]):.0f} a second;{last}", flush=True)
        for p in site.daemons():
            assert p.poll() is None, f"{p.name} ended with {p.poll()}\n{p.tail(5)}"
        assert now - moved < STALLED, f"no delivery for {STALLED} s; {delivered.files} of {files}"
        time.sleep(0.05)
    return marks


def check(site, files):
    """Every file once; every hundredth is what was put in."""
    seen = bytearray(files)
    for base, _, names in os.walk(site.path("inbox/eltax")):
        if os.path.basename(base) != "files":
            continue
        for name in names:
            i = int(name[:-4])
            assert not seen[i], f"{name} was delivered twice"
            seen[i] = 1
            if i % 100 == 0:
                with open(os.path.join(base, name), "rb") as f:
                    assert f.read() == content(i), f"{name} is not what was put in"
    assert all(seen), f"{files - sum(seen)} files are missing"
    harness.katamichi("gaps", "-c", site.path("receiver.conf"))
    harness.katamichi("ledger", "verify", "-c", site.path("receiver.conf"), timeout=600)


def cost(marks, first, last):
    """Of a file between two marks: (processor time, time), us."""
    a, b = marks[first], marks[last]
    return [1e6 * (b[k] - a[k]) / (b[0] - a[0]) for k in (1, 2)]


def part_million(o):
    files = o.files or 1_000_000
    assert files >= 5 * SLICE, f"fewer than {5 * SLICE} files show no growth"
    top = os.path.abspath(os.path.join(o.dir, "million"))
    harness.remove(top)
    os.makedirs(top)
    net = harness.Net()
    site = harness.Site(top, net)
    try:
        site.start()
        marks = feed(site, files)
        early, late, seconds = cost(marks, 1, 2), cost(marks, -3, -1), marks[-1][2] - marks[0][2]
        for p in site.daemons():
            p.note_memory()
        peak = max(max(p.peak.values()) for p in site.daemons())
        check(site, files)
        site.check_memory()
        site.stop()
    finally:
        harness.Process.end_all()
        net.close()
        harness.remove(top)
    growth = [b / a for a, b in zip(early, late)]
    held = growth[0] <= GROWTH_MAX
    print(f"million: {files} files of {SIZE} bytes in {seconds:.0f} s, each delivered once; a file costs {early[0]:.0f} us of processor time at "
          f"{SLICE}, {late[0]:.0f} at {files} ({growth[0]:.2f} times; {early[1]:.0f} and {late[1]:.0f} us pass, {growth[1]:.2f}); "
          f"the largest process held {peak >> 20} MB", flush=True)
    return {"files": files, "seconds": round(seconds), "cost us": {"early": early, "late": late}, "growth": growth, "peak": peak,
            "marks": marks[::max(1, len(marks) // 100)], "held": held}
