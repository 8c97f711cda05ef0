#!/usr/bin/python3
"""make soak - the pair for a long time under what hurts it.

  soak.py [--only stall] [--minutes 10] [--mtu 9000] [--rate 3G]

Parts, each a function that feeds a pair (tools/bench/crossing.py) and judges the end; a further part is a line in PARTS:
  stall   at 80 % of what this machine carries without loss (measured first, unless --rate is given), the receiver's
          open, check and store processes are stopped for 200 ms every 5 s: nothing may be lost on the wire, since what waits for
          them waits on disk.  Everything put in has to be delivered, each file once, whole.
  kills   1,000 kills of either end, or of one of its processes, at random moments while 20,000 files go in (kills.py)
  outage  the receiver is away for 72 hours of the sender's service time (outage.py)
  million 1,000,000 files of 2 KB: memory, and what a file costs at the end (million.py)
Result: the last line of each part, and B/soak/soak.json.  Exit 1 if a part did not hold.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
import crossing  # noqa: E402
from bench import Bench, number  # noqa: E402
from kills import part_kills  # noqa: E402
from measure import WIRE, busy_others, datagram, harness, machine  # noqa: E402
from million import part_million  # noqa: E402
from outage import part_outage  # noqa: E402

SHARE = 0.8       # of the ceiling
CEILING_RUNS = 3  # of which it is the best
STALL, EVERY = 0.2, 5.0  # s
AHEAD = 5         # files on their way at once, so that the link is never without one
HASH_EACH = 10    # every so many a delivered file is hashed here as well; the receiver hashes each
QUIET_END = 120   # s for what is still on its way at the end


def options(argv):
    p = argparse.ArgumentParser(prog="make soak", description=__doc__.split("\n\n")[0], allow_abbrev=False)
    p.add_argument("--only", default=",".join(PARTS))
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--kills", type=int, default=1000)
    p.add_argument("--files", type=int, help="20,000 for kills, 1,000,000 for million")
    p.add_argument("--mtu", type=int, choices=(1500, 9000), default=1500)
    p.add_argument("--rate", type=number, help="bit/s to run at; without it SHARE of the highest lossless one")
    p.add_argument("--size", type=number, default=200_000_000, help="bytes of each file")
    p.add_argument("--buffer", default="64M", help="the receiver's socket buffer")
    p.add_argument("--dir", default=os.path.join(harness.BUILD, "soak", "work"), help="on the disk to use")
    o = p.parse_args(argv)
    o.only = o.only.replace(",", " ").split()
    if set(o.only) - set(PARTS) or o.minutes <= 0 or o.size < 1:
        p.error(f"parts are {','.join(PARTS)}; minutes and size are above 0")
    # What crossing.py and bench.py ask for.
    o.loss, o.burst, o.gro, o.start, o.runs, o.memory, o.digests = "1%", "0s", 0, None, CEILING_RUNS, "/dev/shm", {}
    o.digest = lambda path: o.digests[path]
    return o


def say(text):
    print(f"     {text}", flush=True)


def ceiling(o):
    """What crosses at the highest rate without loss, bit/s on the wire: of a rate above what the pair can do, only repeats, which
    nobody has to seal, would make use."""
    o.rate, rate = None, o.rate
    if rate:
        o.rate = rate
        return None
    bench = Bench(o)
    try:
        r = bench.large(o.mtu, o.dir, "random", o.size * 5)
    finally:
        bench.bar.finish()
    return min(r["rate"], r["link"]["wire bit/s"])


class Feed:
    """Keeps AHEAD files on their way; what was delivered goes back to where it came from, so that the disk does not fill."""

    def __init__(self, o, pair):
        self.o, self.pair = o, pair
        self.serial, self.waiting, self.delivered, self.hashed = 0, {}, 0, 0
        self.idle = []
        source = Bench(o).source(o.dir, "random", o.size)
        self.digest = o.digests[source]
        for i in range(AHEAD):
            path = pair.site.path("staging", f"spare{i}")
            shutil.copyfile(source, path)
            self.idle.append(path)

    def turn(self, more=True):
        while more and self.idle:
            name = f"f{self.serial:06}.bin"
            self.pair.put(self.idle.pop(), "bulk", name)
            self.waiting[name] = time.monotonic()
            self.serial += 1
        for _, path in self.pair.inbox.wait(0.05):
            self.take(path)

    def take(self, path):
        for name in os.listdir(os.path.join(path, "files")):
            arrived = os.path.join(path, "files", name)
            assert name in self.waiting, f"{name} was delivered twice, or never sent"
            assert os.path.getsize(arrived) == self.o.size, f"{name} has {os.path.getsize(arrived)} bytes"
            if self.delivered % HASH_EACH == 0:
                done = subprocess.run(["openssl", "dgst", "-sha256", "-r", arrived], stdout=subprocess.PIPE, timeout=120, check=True)
                assert done.stdout[:64] == self.digest, f"{name} is not what was sent"
                self.hashed += 1
            spare = self.pair.site.path("staging", "back-" + name)
            os.rename(arrived, spare)
            self.idle.append(spare)
            del self.waiting[name]
            self.delivered += 1


class Staller:
    """Stops these processes of the receiver for a moment, again and again."""

    def __init__(self, pair, roles):
        self.pids = [p for p in pair.site.receiver.processes() if any(f"--role {r}" in harness.Process.command(p) for r in roles)]
        assert len(self.pids) == len(roles), f"not all of {roles} are there"
        self.next, self.count = time.monotonic() + EVERY, 0

    def turn(self):
        if time.monotonic() < self.next:
            return
        try:
            for pid in self.pids:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(STALL)
        finally:
            for pid in self.pids:
                os.kill(pid, signal.SIGCONT)
        self.count += 1
        self.next += EVERY


def part_stall(o):
    top = ceiling(o)
    rate = o.rate or int(top * SHARE)
    say(f"{rate / 1e9:.2f} Gbit/s" + (f", {SHARE:.0%} of {top / 1e9:.2f}" if top else "") + f", MTU {o.mtu}, {o.minutes:g} minutes")
    with crossing.Pair(o, o.mtu, o.dir, rate, retention="20s") as pair:
        feed, staller = Feed(o, pair), Staller(pair, ("open", "check", "store"))
        watch, start = pair.watch(), time.monotonic()
        end, shown = start + o.minutes * 60, start
        while time.monotonic() < end or (feed.waiting and time.monotonic() < end + QUIET_END):
            over = time.monotonic() >= end
            feed.turn(not over)
            if not over:
                staller.turn()
            for p in pair.site.daemons():
                assert p.poll() is None, f"{p.name} ended with {p.poll()}\n{p.tail(5)}"
            if time.monotonic() - shown > 30:
                shown = time.monotonic()
                pair.demand_no_loss()
                say(f"{(shown - start) / 60:.1f} min: {feed.delivered} files, {feed.delivered * o.size * 8 / (shown - start) / 1e9:.2f} Gbit/s, "
                    f"{staller.count} stalls, no loss")
        seconds = time.monotonic() - start
        c, processes = pair.counters(), watch.end()
        harness.katamichi("ledger", "verify", "-c", pair.site.path("receiver.conf"))
    r = {"rate": rate, "ceiling": top, "mtu": o.mtu, "seconds": round(seconds, 1), "files": feed.delivered, "hashed here": feed.hashed,
         "bytes": feed.delivered * o.size, "bit/s": round(feed.delivered * o.size * 8 / seconds), "stalls": staller.count,
         "wire bit/s": round(c["datagrams"] * (datagram(o.mtu) + WIRE) * 8 / seconds), "missing": sorted(feed.waiting), "counters": c, "processes": processes}
    r["held"] = not feed.waiting and c["kernel_drops"] == 0 and c["repaired"] == 0 and c["refused"] == 0 and c["damaged"] == 0
    say(f"{'held' if r['held'] else 'DID NOT HOLD'}: {feed.delivered} files of {o.size / 1e6:g} MB at {r['bit/s'] / 1e9:.2f} Gbit/s, "
        f"{r['wire bit/s'] / 1e9:.2f} on the wire, {staller.count} stalls, "
        f"{len(feed.waiting)} missing, {c['kernel_drops']} dropped by the kernel, {c['repaired']} repaired, {c['refused']} refused")
    return r


PARTS = {"stall": part_stall, "kills": part_kills, "outage": part_outage, "million": part_million}


def main(argv):
    o = options(argv)
    if os.geteuid() != 0:
        raise SystemExit("soak: needs root, for network namespaces")
    harness.remove_stale()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is cleaned up
    os.makedirs(o.dir, exist_ok=True)
    os.makedirs(os.path.join(harness.BUILD, "soak"), exist_ok=True)
    results = {"machine": dict(machine(), others=busy_others())}
    try:
        for name in o.only:
            print(f"({name})", flush=True)
            try:
                results[name] = PARTS[name](o)
            except (AssertionError, crossing.Lost, OSError, subprocess.SubprocessError) as e:
                results[name] = {"held": False, "failed": str(e)}
                say(f"DID NOT HOLD: {e}")
    finally:
        harness.Process.end_all()
        shutil.rmtree(o.dir, ignore_errors=True)
        with open(os.path.join(harness.BUILD, "soak", "soak.json"), "w") as f:
            json.dump(results, f, indent=1)
            f.write("\n")
    return not all(results[name]["held"] for name in o.only)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
