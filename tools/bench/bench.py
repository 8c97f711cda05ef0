#!/usr/bin/python3
"""make bench - how fast the pair is, beside what this machine can do at all.

  bench.py [--only raw,pacing,a,b,c,d,e] [--mtu 1500,9000] [--size 2G] [--files 10000] [--rate 3G] ...

Two network namespaces, a veth pair, real frames across it, everything from the receiver dropped.  First the ceilings of
this run: datagrams and synced writes with no work on them, measured again later beside what is compared with them.  Then (pacing)
how exact the sender's rate is and how long its bursts; (a) the link alone, memory to memory, on an interface that joins datagrams, as
an ordinary host's does (GRO), and on one that does not; (b) one file that does not compress, disk to disk; (c) Japanese XML; (d) many
files of 4 KB; (e) latency of single files of 4 KB, idle and beside a bulk transfer, at the rate that (b) carried at its best: a link is
set to what its two ends can do.  Of each the best of several runs that lost nothing, at rates that search.py looks for unless --rate is
given.  tests/BENCH.md says what exactly is
measured.  Results: B/bench/bench.json, bench.svg and the table.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

import bar
import crossing
import link_only
import pacing
import report
from ceilings import WAYS, Ceilings, raw_fsync
from content import random_file, xml_file
from huge_memory import HugeMemory
from measure import busy_others, harness, machine
from search import RUNS, Search, carried, tidy

PARTS = ("raw", "pacing", "a", "b", "c", "d", "e")
JOINED = "a-joined"  # (a) once more, with GRO
START = {"link": {1500: 7_000_000_000, 9000: 18_000_000_000}, "link that joins": {1500: 9_000_000_000, 9000: 18_000_000_000},
         "pair": {1500: 4_000_000_000, 9000: 6_000_000_000}, "small": {1500: 4_000_000_000, 9000: 4_000_000_000},
         "latency": {1500: 3_000_000_000, 9000: 3_500_000_000}}  # bit/s
LATENCY_RUNS = 2
FILES_AGAIN = 3  # of the plain program with small files


def number(text):
    """500M, 2G, 4K: powers of ten as in rates; 2GiB and so on is not needed here."""
    factor = {"K": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:].upper(), 1)
    return int(float(text[:-1] if factor > 1 else text) * factor)


def options(argv):
    p = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n\n")[0], allow_abbrev=False)
    p.add_argument("--only", default=",".join(PARTS), help="parts: " + ",".join(PARTS))
    p.add_argument("--mtu", default="1500,9000")
    p.add_argument("--size", type=number, default=2_000_000_000, help="bytes of (a), (b), (c) and the raw ceilings")
    p.add_argument("--files", type=int, default=10000, help="files of (d)")
    p.add_argument("--count", type=int, default=300, help="files of (e), half as many beside bulk")
    p.add_argument("--rate", type=number, help="bit/s on the wire; without it the best is looked for")
    p.add_argument("--start", type=number, help="where that search begins")
    p.add_argument("--runs", type=int, help=f"runs without loss of which the best counts; without it {RUNS}, or 1 at a given rate")
    p.add_argument("--loss", default="1%")
    p.add_argument("--burst", default="0s", help="guarantee asked of the sender (sender.conf, burst)")
    p.add_argument("--buffer", default="", help="the receiver's socket buffer; without it what 250 ms of the rate need, as the receiver sizes itself")
    p.add_argument("--gro", type=int, choices=(0, 1), help="1: generic receive offload on the receiver's interface; without it (a) is measured both ways, "
                   "the others with none")
    p.add_argument("--dir", default=os.path.join(harness.BUILD, "bench", "work"), help="on the disk to measure")
    p.add_argument("--memory", default="/dev/shm", help="a tmpfs")
    o = p.parse_args(argv)
    o.only = o.only.replace(",", " ").split()
    o.mtus = [int(m) for m in o.mtu.replace(",", " ").split()]
    if set(o.only) - set(PARTS) or set(o.mtus) - {1500, 9000} or min(o.size, o.files, o.count, o.runs or 1) < 1:
        p.error(f"parts are {','.join(PARTS)}, MTUs 1500,9000; sizes and counts are at least 1")
    o.digests = {}
    o.bytes_of = number
    o.digest = lambda path: o.digests[path]
    return o


# --- parts ---
def parts_of(o):
    """Those that are asked for, in order."""
    return [p for part in PARTS if part in o.only for p in ((part, JOINED) if part == "a" and o.gro is None else (part,))]


class Bench:
    def __init__(self, o, steps=0):
        self.o, self.results, self.found, self.memory = o, {}, {}, None
        self.ceilings = Ceilings(o, self.results)
        self.bar = bar.Bar(steps)

    def huge(self):
        """Of pacing and (a), which come one after the other."""
        self.memory = self.memory or HugeMemory()
        return self.memory.path()

    def release(self):
        if self.memory:
            self.memory.close()
        self.memory = None

    def say(self, text):
        self.bar.print(f"     {text}")

    def source(self, folder, kind, size):
        """A file of this kind and size in this folder, made once."""
        path = os.path.join(folder, f"source-{kind}-{size}")
        if not os.path.exists(path):
            {"random": random_file, "xml": xml_file}[kind](path, size, harness.SEED)
        if path not in self.o.digests:
            self.o.digests[path] = subprocess.run(["openssl", "dgst", "-sha256", "-r", path], stdout=subprocess.PIPE, check=True).stdout[:64]
        return path

    def best(self, mtu, run, kind="pair", value=lambda r: r["bit/s"], unit=report.gbit, down=False, runs=RUNS, **more):
        """The best of several runs: at --rate, or at the rates that search.py chooses."""
        def say(rate, r):
            self.say(f"at {rate / 1e9:.3g} Gbit/s: {r if isinstance(r, str) else report.told(r, unit(abs(value(r))))}")

        def shown(rate):
            self.bar.detail(f"at {rate / 1e9:.3g} Gbit/s")
            return run(rate)
        s = Search(shown, value, say, self.o.runs or (1 if self.o.rate else runs), **more)
        if self.o.rate:
            return s.only(self.o.rate)
        r = (s.down if down else s.widely)(self.o.start or self.found.get((kind, mtu)) or START[kind][mtu])
        self.found[kind, mtu] = r["rate"]
        return r

    def large(self, mtu, folder, kind, size, **more):
        return self.best(mtu, lambda rate: crossing.one_file(self.o, mtu, rate, folder, self.source(folder, kind, size), size), **more)

    def part_raw(self, mtu):
        for way in WAYS:
            self.ceilings.link(mtu, way)
        return self.results["raw"][str(mtu)]

    def part_pacing(self, mtu):
        return {"rates": pacing.run(mtu, self.o.memory, self.huge(), self.say)}

    def part_a(self, mtu):
        return self.link(mtu, bool(self.o.gro), "link")

    def part_joined(self, mtu):
        return self.link(mtu, True, "link that joins")

    def link(self, mtu, joins, kind):
        return self.best(mtu, lambda rate: link_only.run(self.o, mtu, rate, self.o.size, self.o.memory, joins, self.huge()), kind,
                         beside=lambda: self.ceilings.link(mtu, "gro" if joins else "plain"))

    def part_b(self, mtu):
        """The fastest of those that keep their processor time within its floor; where none does, the fastest."""
        r = self.large(mtu, self.o.dir, "random", self.o.size, beside=self.ceilings.write,
                       rank=lambda r: (max(report.cpu(r)[0]) <= report.CPU_MAX, r["bit/s"]))
        self.found["latency", mtu] = tidy(carried(r))
        return r

    def part_c(self, mtu):
        return self.large(mtu, self.o.dir, "xml", self.o.size)

    def part_d(self, mtu):
        return self.best(mtu, lambda rate: crossing.many_files(self.o, mtu, rate, self.o.dir, self.o.files, 4096), "small",
                         lambda r: r["files/s"], lambda v: f"{v} files/s")

    def part_e(self, mtu):
        def once(count, bulk):
            return self.best(mtu, lambda rate: crossing.latency(self.o, mtu, rate, self.o.dir, count, bulk()), "latency",
                             lambda r: -r["p99"], lambda v: f"p99 {v * 1000:.1f} ms", down=True, runs=LATENCY_RUNS)
        fsync = raw_fsync(self.o.dir)
        return {"fsync": fsync, "idle": once(self.o.count, lambda: None),  # a run that failed may have lost the large file: asked for each time
                "bulk": once(max(1, self.o.count // 2), lambda: self.source(self.o.dir, "random", self.o.size))}

    def part(self, part, mtu):
        try:
            return self.part_joined(mtu) if part == JOINED else getattr(self, "part_" + part)(mtu)
        except (AssertionError, crossing.Lost, OSError, subprocess.SubprocessError) as e:
            self.say(f"failed: {e}")
            return {"failed": str(e)}

    def run(self):
        for part in parts_of(self.o):
            if part not in ("pacing", "a", JOINED):
                self.release()
            for mtu in self.o.mtus:
                began = time.monotonic()
                self.bar.print(f"({part[0] if part == JOINED else part}) {report.WHAT[part]}, MTU {mtu}")
                self.bar.step(f"({part}) MTU {mtu}")
                r = self.part(part, mtu)
                r["took"] = round(time.monotonic() - began, 1)
                self.results.setdefault(part, {})[str(mtu)] = r
                with self.bar.away():
                    report.line(part, mtu, r)
        if "d" in self.o.only:  # last, for it leaves many erased files behind (crossing.py, many_files)
            for _ in range(FILES_AGAIN):
                self.ceilings.files()
            self.say(f"a plain program with the files of (d): {self.results['files']['files/s']} files/s")


def main(argv):
    o = options(argv)
    if os.geteuid() != 0:
        raise SystemExit("bench: needs root, for network namespaces")
    harness.remove_stale()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is cleaned up
    for path in (o.dir, os.path.join(harness.BUILD, "bench")):
        os.makedirs(path, exist_ok=True)
    facts = dict(machine(), others=busy_others(), options={k: v for k, v in vars(o).items() if isinstance(v, (int, str, list, type(None)))})
    if facts["others"] > 0.2:
        print(f"bench: other work takes {facts['others']} of {facts['cores']} cores now; the figures will be lower than the machine's", flush=True)
    print("bench: some 15 minutes for all parts; Ctrl-C ends it with the table of what was measured until then", flush=True)
    bench, stopped = Bench(o, len(parts_of(o)) * len(o.mtus)), False
    try:
        bench.run()
    except KeyboardInterrupt:  # what is there is still told
        stopped = True
    finally:
        bench.bar.finish()
        harness.Process.end_all()
        for path in (o.dir, os.path.join(o.memory, f"km-bench-{os.getpid()}")):
            shutil.rmtree(path, ignore_errors=True)
    report.write(os.path.join(harness.BUILD, "bench"), "bench", facts, bench.results)
    return 130 if stopped else any("failed" in r for part in parts_of(o) for r in bench.results.get(part, {}).values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
