#!/usr/bin/python3
"""make bench - how fast the pair is, beside what this machine can do at all.

  bench.py [--only raw,pacing,a,b,c,d,e] [--mtu 1500,9000] [--size 2G] [--files 10000] [--rate 3G] ...

Two network namespaces, a veth pair, real frames across it, everything from the receiver dropped.  First the ceilings of
this run: datagrams and synced writes with no work on them.  Then (pacing) how exact the sender's rate is and how long its bursts;
(a) the link alone, memory to memory, on an interface that joins datagrams, as an ordinary host's does (GRO), and on one that does not; (b) one file that
does not compress, disk to disk; (c) Japanese XML; (d) many files of 4 KB; (e) latency of single files of 4 KB, idle and beside
a bulk transfer.  Each at the highest rate at which the receiver's kernel loses nothing, found by going down from --start unless
--rate is given.  tests/BENCH.md says what exactly is measured.  Results: B/bench/bench.json, bench.svg and the table.
"""
import argparse
import json
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
from content import random_file, xml_file
from measure import busy_others, datagram, harness, machine

PARTS = ("raw", "pacing", "a", "b", "c", "d", "e")
JOINED = "a-joined"  # (a) once more, with GRO
STEP = 0.8  # from one rate to the next lower one
TRIES = 14
START = {1500: 8_000_000_000, 9000: 16_000_000_000}


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
    p.add_argument("--count", type=int, default=300, help="files of (e)")
    p.add_argument("--rate", type=number, help="bit/s on the wire; without it the highest lossless one is looked for")
    p.add_argument("--start", type=number, help="where that search begins")
    p.add_argument("--loss", default="1%")
    p.add_argument("--burst", default="0s", help="guarantee asked of the sender (sender.conf, burst)")
    p.add_argument("--buffer", default="", help="the receiver's socket buffer; without it what 250 ms of the rate need, as the receiver sizes itself "
                   "((a): 64M)")
    p.add_argument("--gro", type=int, choices=(0, 1), help="1: generic receive offload on the receiver's interface; without it (a) is measured both ways, "
                   "the others with none")
    p.add_argument("--dir", default=os.path.join(harness.BUILD, "bench", "work"), help="on the disk to measure")
    p.add_argument("--memory", default="/dev/shm", help="a tmpfs")
    o = p.parse_args(argv)
    o.only = o.only.replace(",", " ").split()
    o.mtus = [int(m) for m in o.mtu.replace(",", " ").split()]
    if set(o.only) - set(PARTS) or set(o.mtus) - {1500, 9000} or min(o.size, o.files, o.count) < 1:
        p.error(f"parts are {','.join(PARTS)}, MTUs 1500,9000; sizes and counts are at least 1")
    o.digests = {}
    o.bytes_of = number
    o.digest = lambda path: o.digests[path]
    return o


# --- ceilings ---
def raw_write(o, folder, size):
    bulk = json.loads(harness.run(harness.program("tools/bench/raw_write"), folder, "bulk", str(size), timeout=300).out)
    ways = [bulk["bytes"] / bulk[w] for w in ("buffered", "direct") if bulk[w] > 0]
    return {"bytes": bulk["bytes"], "buffered B/s": round(ways[0]), "direct B/s": round(ways[-1]) if len(ways) > 1 else None,
            "best B/s": round(max(ways))}


def raw_fsync(folder):
    """One file of 4 KB, written and synced: fsync_us_p50, fsync_us_p99."""
    return json.loads(harness.run(harness.program("tools/bench/raw_write"), folder, "small", "200", timeout=300).out)


BATCH = 2048  # files: sender.conf, batch_files


def raw_files(o, folder):
    """What a plain program does with the files of (d) here: the head of raw_files.c says what that is."""
    r = json.loads(harness.run(harness.program("tools/bench/raw_files"), folder, str(o.files), str(BATCH), timeout=300).out)
    return dict(r, **{"files/s": round(r["files"] / r["seconds"])})


WAYS = {"plain": [], "gro": ["--gro"], "uring": ["--uring"]}  # of receiving plain datagrams


def raw_link_once(mtu, size, way, rate):
    net = harness.Net(mtu)
    try:
        if not net.real:
            raise SystemExit("bench: network namespaces are not to be had (root?); without them there is no link to measure")
        crossing.real_frames(net, way == "gro")
        program, d = harness.program("tools/bench/raw_link"), datagram(mtu)
        log = os.path.join(harness.BUILD, "bench", "raw_link.log")
        if os.path.exists(log):
            os.unlink(log)
        receiver = harness.Process("raw_link", net.at("r") + [program, "receive", f"{net.receiver}:5150"] + WAYS[way], log, ready="ready")
        sent = json.loads(harness.run(*net.at("s"), program, "send", f"{net.receiver}:5150", "--size", str(d), "--bytes", str(size),
                                      "--segments", str(65507 // d), "--rate", str(rate), timeout=120).out)
        receiver.popen.wait(30)
        got = json.loads(receiver.text().strip().splitlines()[-1])
        return {"rate": rate, "sent": sent["datagrams"], "received": got["datagrams"], "kernel_drops": got["kernel_drops"],
                "bit/s": round(got["bytes"] * 8 / got["seconds"]), "seconds": got["seconds"],
                "sender CPU s/GB": round(sent["cpu"] / sent["bytes"] * 1e9, 3), "receiver CPU s/GB": round(got["cpu"] / got["bytes"] * 1e9, 3)}
    finally:
        harness.Process.end_all()
        net.close()


def raw_link(mtu, size, way):
    """The highest rate of plain datagrams that loses none: unpaced, or else paced ever slower."""
    rate = 0
    for _ in range(8):
        r = raw_link_once(mtu, size, way, rate)
        if r["received"] == r["sent"]:
            return r
        rate = int(r["bit/s"] * (0.97 if rate == 0 else 0.9))
    return r


# --- the search for a rate ---
def lossless(r):
    c = r["counters"]
    return c["kernel_drops"] == 0 and c["refused"] == 0 and r.get("complete", True)


def at_best_rate(o, mtu, say, try_one, probe=None, kind="pair"):
    """try_one(rate) at the highest rate without loss; probe, a smaller run, looks for it first."""
    if o.rate:
        return try_one(o.rate)
    # The pair is not faster than its link alone was, in the same run.
    rate = o.found.get((kind, mtu)) or o.start or o.found.get(("link", mtu)) or START[mtu]
    unexplained = 0
    for _ in range(TRIES):
        for attempt in ([probe] if probe and (kind, mtu) not in o.found else []) + [try_one]:
            try:
                r = attempt(rate)
            except crossing.Lost as e:
                say(f"at {rate / 1e9:.2f} Gbit/s: {e}")
                r = None
                break
            if not lossless(r):
                drops = r["counters"]["kernel_drops"]
                say(f"at {rate / 1e9:.2f} Gbit/s: {drops} datagrams dropped by the kernel, {r['counters']['refused']} not kept")
                unexplained += drops == 0
                r = None
                break
        if r is not None:
            o.found[kind, mtu] = rate
            return r
        if unexplained == 3:
            raise AssertionError("not everything was kept, though the kernel dropped nothing: a slower rate is no remedy")
        rate = int(rate * STEP)
        o.found.pop((kind, mtu), None)
    raise AssertionError("no rate without loss was found")


# --- parts ---
def parts_of(o):
    """Those that are asked for, in order."""
    return [p for part in PARTS if part in o.only for p in ((part, JOINED) if part == "a" and o.gro is None else (part,))]


class Bench:
    def __init__(self, o, steps=0):
        self.o, self.results = o, {}
        o.found = {}
        self.bar = bar.Bar(steps)

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

    def large(self, mtu, folder, kind, size):
        def run(n):
            def at(rate):
                return crossing.one_file(self.o, mtu, rate, folder, self.source(folder, kind, n), n)
            return at
        return at_best_rate(self.o, mtu, self.say, run(size), run(max(1, size // 8)))

    def part_raw(self, mtu):
        if "write" not in self.results:
            self.results["write"] = raw_write(self.o, self.o.dir, self.o.size)
        ways = {way: raw_link(mtu, self.o.size * 2, way) for way in WAYS}
        return {**ways, "best bit/s": max(w["bit/s"] for w in ways.values())}

    def part_pacing(self, mtu):
        return {"rates": pacing.run(mtu, self.o.memory, self.say)}

    def part_a(self, mtu):
        return self.link(mtu, bool(self.o.gro), "link")

    def part_joined(self, mtu):
        return self.link(mtu, True, "link that joins")

    def link(self, mtu, joins, kind):
        def run(size):
            return lambda rate: link_only.run(self.o, mtu, rate, size, self.o.memory, joins)
        return at_best_rate(self.o, mtu, self.say, run(self.o.size), run(max(1, self.o.size // 8)), kind)

    def part_b(self, mtu):
        return self.large(mtu, self.o.dir, "random", self.o.size)

    def part_c(self, mtu):
        return self.large(mtu, self.o.dir, "xml", self.o.size)

    def part_d(self, mtu):
        return at_best_rate(self.o, mtu, self.say, lambda rate: crossing.many_files(self.o, mtu, rate, self.o.dir, self.o.files, 4096))

    def part_e(self, mtu):
        def run(bulk):
            return lambda rate: crossing.latency(self.o, mtu, rate, self.o.dir, self.o.count,
                                                 self.source(self.o.dir, "random", self.o.size) if bulk else None)
        fsync = raw_fsync(self.o.dir)
        return {"fsync": fsync, "idle": at_best_rate(self.o, mtu, self.say, run(False)), "bulk": at_best_rate(self.o, mtu, self.say, run(True))}

    def run(self):
        for part in parts_of(self.o):
            for mtu in self.o.mtus:
                began = time.monotonic()
                self.bar.print(f"({part}) MTU {mtu}")
                self.bar.step(f"({part}) MTU {mtu}")
                try:
                    r = self.part_joined(mtu) if part == JOINED else getattr(self, "part_" + part)(mtu)
                except (AssertionError, crossing.Lost, OSError, subprocess.SubprocessError) as e:
                    r = {"failed": str(e)}
                    self.say(f"failed: {e}")
                r["took"] = round(time.monotonic() - began, 1)
                self.results.setdefault(part, {})[str(mtu)] = r
                with self.bar.away():
                    report.line(part, mtu, r)
        if "d" in self.o.only:  # last, for it leaves many erased files behind (crossing.py, many_files)
            self.results["files"] = raw_files(self.o, self.o.dir)
            self.say(f"a plain program with the files of (d): {self.results['files']['files/s']} files/s")
        return self.results


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
    bench = Bench(o, len(parts_of(o)) * len(o.mtus))
    try:
        bench.run()
    finally:
        bench.bar.finish()
        harness.Process.end_all()
        for path in (o.dir, os.path.join(o.memory, f"km-bench-{os.getpid()}")):
            shutil.rmtree(path, ignore_errors=True)
    report.write(os.path.join(harness.BUILD, "bench"), "bench", facts, bench.results)
    return any("failed" in r for part in parts_of(o) for r in bench.results.get(part, {}).values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
