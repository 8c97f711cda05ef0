"""What this machine can do at all, with no work on the bytes: the figures are told as shares of it.

Measured again beside the runs that are compared with it; the best of all counts, so that nothing looks better for a bad minute.
"""
import json
import os

import crossing
from measure import datagram, harness

WAYS = {"plain": [], "gro": ["--gro"], "uring": ["--uring"]}  # of receiving plain datagrams
SLOWER = (0.97, 0.9, 0.9, 0.9, 0.9)  # from one rate of datagrams to the next lower one
FASTER = 1.05  # than the best so far, when it is measured again
BATCH = 1024   # files: sender.conf, batch_files


class Best:
    """The largest of several measurements, and how many and from where to where they were."""

    def __init__(self, key):
        self.key, self.best, self.all = key, None, []

    def add(self, r):
        self.all.append(r[self.key])
        if self.best is None or r[self.key] > self.best[self.key]:
            self.best = r
        return r

    def told(self):
        return dict(self.best, tried={"runs": len(self.all), "from": min(self.all), "to": max(self.all)})


def raw_write(folder, size, ways):
    """ways: bulk (both), or direct (only past the page cache)."""
    r = json.loads(harness.run(harness.program("tools/bench/raw_write"), folder, ways, str(size), timeout=300).out)
    speed = {f"{way} B/s": round(r["bytes"] / r[way]) if r[way] > 0 else None for way in ("buffered", "direct")}
    return {"bytes": r["bytes"], **speed, "best B/s": max(v or 0 for v in speed.values())}


def raw_fsync(folder):
    """One file of 4 KB, written and synced: fsync_us_p50, fsync_us_p99."""
    return json.loads(harness.run(harness.program("tools/bench/raw_write"), folder, "small", "200", timeout=300).out)


def raw_files(folder, count):
    """What a plain program does with the files of (d) here: the head of raw_files.c says what that is."""
    r = json.loads(harness.run(harness.program("tools/bench/raw_files"), folder, str(count), str(BATCH), timeout=300).out)
    return dict(r, **{"files/s": round(r["files"] / r["seconds"])})


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


class Ceilings:
    """All of a run, kept in `results`: write, files, raw[MTU][way]."""

    def __init__(self, o, results):
        self.o, self.results, self.found = o, results, {}

    def keep(self, name, key, r):
        best = self.found.setdefault(name, Best(key))
        best.add(r)
        return best.told()

    def write(self):
        """Both ways at first, then the faster only: the page cache is several times slower where memory is dear."""
        known = self.found.get("write")
        direct = known and known.best["best B/s"] == known.best["direct B/s"]
        r = raw_write(self.o.dir, self.o.size, "direct" if direct else "bulk")
        if direct:
            r["buffered B/s"] = known.best["buffered B/s"]
        self.results["write"] = self.keep("write", "best B/s", r)

    def files(self):
        self.results["files"] = self.keep("files", "files/s", raw_files(self.o.dir, self.o.files))

    def link(self, mtu, way):
        """The highest rate of datagrams that loses none: unpaced, or else paced ever slower."""
        known = self.found.get((mtu, way))
        rate = int(known.best["rate"] * FASTER) if known else 0
        for share in SLOWER:
            r = raw_link_once(mtu, self.o.size * 2, way, rate)
            if r["received"] == r["sent"]:
                break
            rate = int((rate or r["bit/s"]) * share)
        else:
            return
        self.results.setdefault("raw", {}).setdefault(str(mtu), {})[way] = self.keep((mtu, way), "bit/s", r)
