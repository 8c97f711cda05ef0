#!/usr/bin/python3
"""make bench-peers - the pair beside udpcast and NORM, in one run on one link.

  bench_peers.py [--only b,d] [--size 1G] [--files 10000] [--rate 1G] [--start 8G]

(b) one file that does not compress, from memory to memory (tmpfs at both ends); (d) many files of 4 KB, which the others take as a
tar archive.  MTU 1500: udpcast's packets are not larger.  Nothing comes back, no loss is injected; each is driven at the highest
rate at which the file arrives whole, found from --start downwards, with a socket buffer as large as katamichi's.  UFTP is left out: its receivers have to register and to report,
so it does not work without a return path.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import crossing
import report
from bench import STEP, TRIES, Bench, number
from content import small_files
from measure import busy_others, harness, machine, real_frames

MTU = 1500
PORT = "6003"
TIME_MAX = 60
LOOK = 0.4  # s after the sender's start: by then udpcast's receiver has made its buffer
FEC = "8x8/128"  # udpcast: 8 repair packets for each 128, 8 groups interleaved; NORM: the same share (norm_peer.cc)


def ended(process, seconds):
    """Wait for a process of ours: its exit code (None: not in time, and it was ended) and CPU seconds, its children's included."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, used.ru_utime + used.ru_stime
        time.sleep(0.002)
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for pid in harness.children(process.pid) + [process.pid]:
            try:
                os.kill(pid, signum)
            except ProcessLookupError:
                pass
        time.sleep(0.2)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = -9
    return None, used.ru_utime + used.ru_stime


class Link:
    """A fresh link and a directory in memory.  Socket buffers are as large as they are asked for (force_buffer.c)."""
    buffer = None  # bytes of the receivers' as the kernel counts them, last seen

    def __init__(self, memory):
        self.net = harness.Net(MTU)
        self.top = tempfile.mkdtemp(prefix="km-peers-", dir=memory)
        if not self.net.real:
            raise SystemExit("bench-peers: network namespaces are not to be had (root?)")
        real_frames(self.net)
        self.out = os.path.join(self.top, "out")
        os.mkdir(self.out)

    def start(self, side, argv, output=None):
        force = "LD_PRELOAD=" + os.path.abspath(harness.program("tools/bench/force_buffer.so"))
        return subprocess.Popen(self.net.at(side) + ["env", force] + argv, stdin=subprocess.DEVNULL, stdout=output or subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def note_buffer(self):
        """Of the largest socket that listens at the receiver's end."""
        shown = subprocess.run(self.net.at("r") + ["ss", "-Huamn"], stdout=subprocess.PIPE, text=True, check=True).stdout
        Link.buffer = max([int(b) for b in re.findall(r"\brb(\d+)", shown)] or [0])

    def close(self):
        self.net.close()
        shutil.rmtree(self.top, ignore_errors=True)


def exchange(link, receive, send, ready=None):
    """Start the receiver, then the sender; seconds from the sender's start until the receiver has ended, CPU of both, success."""
    receiver = link.start("r", receive, subprocess.PIPE)
    if ready:
        receiver.stdout.readline()
    else:
        time.sleep(0.3)
    start = time.time()
    sender = link.start("s", send)
    time.sleep(LOOK)
    link.note_buffer()
    code, received = ended(receiver, TIME_MAX)
    seconds = time.time() - start
    sender_code, sent = ended(sender, 10 if code == 0 else 0.1)
    return seconds, sent, received, code == 0 and sender_code == 0


def udpcast(link, path, rate, fec, into=None):
    """One file, or with `into` a folder by tar at both ends."""
    common = ["--nokbd", "--no-progress", "--portbase", "9000"]
    receive = ["udp-receiver", "--interface", "kmr", "--nosync", "--start-timeout", "8", "--receive-timeout", "3", "--rcvbuf", "64M"] + common
    # The control packets by unicast, too: without a return path there is nobody to find.
    send = ["udp-sender", "--interface", "kms", "--async", "--max-bitrate", f"{rate // 1000}k", "--autostart", "1", "--rexmit-hello-interval", "20",
            "--mcast-data-address", link.net.receiver, "--mcast-rdv-address", link.net.receiver] + common + (["--fec", FEC] if fec else [])
    if into:
        shell = lambda line: ["sh", "-c", line]  # noqa: E731
        return exchange(link, shell(" ".join(receive) + f" 2>/dev/null | tar -C {into} -xf -"),
                        shell(f"tar -C {path} -cf - . | " + " ".join(send) + " 2>/dev/null"))
    return exchange(link, receive + ["--file", os.path.join(link.out, "file")], send + ["--file", path])


def norm(link, path, rate, into=None):
    peer, spool = harness.program("tools/bench/norm_peer"), os.path.join(link.top, "norm")
    os.mkdir(spool)
    receive = [peer, "receive", link.net.receiver, PORT, spool, str(TIME_MAX - 5)]
    send = [peer, "send", link.net.receiver, PORT, str(rate)]
    if into:
        archive = os.path.join(link.top, "archive.tar")
        return exchange(link, ["sh", "-c", " ".join(receive) + f" && tar -C {into} -xf {spool}/*"],
                        ["sh", "-c", f"tar -C {path} -cf {archive} . && " + " ".join(send + [archive])], ready="ready")
    r = exchange(link, receive, send + [path], ready="ready")
    for name in os.listdir(spool):
        os.rename(os.path.join(spool, name), os.path.join(link.out, "file"))
    return r


PEERS = {
    "udpcast, no repair": lambda link, path, rate, into=None: udpcast(link, path, rate, False, into),
    f"udpcast, FEC {FEC}": lambda link, path, rate, into=None: udpcast(link, path, rate, True, into),
    "NORM, FEC 8/128": norm,
}


def same(a, b):
    return os.path.exists(b) and subprocess.run(["cmp", "-s", a, b]).returncode == 0


def at_best_rate(peer, o, once):
    """The fastest of the rates that bring everything; the search goes on for one step, since a slower pace may be the faster run."""
    rate, best = o.rate or o.start, None
    for _ in range(1 if o.rate else TRIES):
        seconds, sent, received, good = once(PEERS[peer], rate)
        if good and (best is None or seconds < best["seconds"]):
            best = {"rate": rate, "seconds": round(seconds, 3), "sender CPU s": round(sent, 3), "receiver CPU s": round(received, 3),
                    "buffer": Link.buffer}
        elif best:
            break
        print(f"     {peer} at {rate / 1e9:.2f} Gbit/s: {f'{seconds:.2f} s' if good else 'not whole'}", flush=True)
        rate = int(rate * STEP)
    return best or {"failed": "no rate was found at which everything arrived"}


def part_b(o, bench):
    source = bench.source(o.dir, "random", o.size)

    def once(peer, rate):
        link = Link(o.dir)
        try:
            seconds, sent, received, good = peer(link, source, rate)
            return seconds, sent, received, good and same(source, os.path.join(link.out, "file"))
        finally:
            link.close()
    results = {}
    ours = bench.large(MTU, o.dir, "random", o.size)
    results["katamichi"] = {"rate": ours["rate"], "seconds": ours["seconds"], "sender CPU s": ours["sender CPU s/GB"] * o.size / 1e9,
                            "receiver CPU s": ours["receiver CPU s/GB"] * o.size / 1e9, "kernel_drops": ours["counters"]["kernel_drops"]}
    for name in PEERS:
        results[name] = at_best_rate(name, o, once)
    for r in results.values():
        if "failed" not in r:
            r["value"] = round(o.size * 8 / r["seconds"] / 1e9, 3)
            for side in ("sender", "receiver"):
                r[side + " CPU"] = round(r[side + " CPU s"] / o.size * 1e9, 2)
    return results, "Gbit/s", "s/GB"


def part_d(o, bench):
    folder = tempfile.mkdtemp(prefix="km-peers-src-", dir=o.dir)
    names = small_files(folder, o.files, 4096, harness.SEED)

    def once(peer, rate):
        link = Link(o.dir)
        try:
            seconds, sent, received, good = peer(link, folder, rate, link.out)
            good = good and set(os.listdir(link.out)) == set(names) and all(
                same(os.path.join(folder, n), os.path.join(link.out, n)) for n in names[::max(1, len(names) // 50)])
            return seconds, sent, received, good
        finally:
            link.close()
    results = {}
    ours = crossing.many_files(o, MTU, o.rate or bench.o.found.get(("pair", MTU)) or 1_000_000_000, o.dir, o.files, 4096)
    size = o.files * 4096 / 1e9
    results["katamichi"] = {"rate": ours["rate"], "seconds": ours["seconds"], "sender CPU s": ours["sender CPU s/GB"] * size,
                            "receiver CPU s": ours["receiver CPU s/GB"] * size, "kernel_drops": ours["counters"]["kernel_drops"]}
    for name in PEERS:
        results[name] = at_best_rate(name, o, once)
    for r in results.values():
        if "failed" not in r:
            r["value"] = round(o.files / r["seconds"])
            for side in ("sender", "receiver"):
                r[side + " CPU"] = round(r[side + " CPU s"] / o.files * 10000, 2)
    return results, "files/s", "s/10,000"


TITLE = {"b": "one file, memory to memory, MTU 1500", "d": "files of 4 KB on tmpfs, MTU 1500"}


def table(part, results, unit, cpu):
    ours = results["katamichi"]
    body = []
    for name, r in results.items():
        if "failed" in r:
            body.append((name, r["failed"], "", "", "", "", ""))
            continue
        used, mine = (x.get("sender CPU", 0) + x.get("receiver CPU", 0) for x in (r, ours))
        body.append((name, f"{r['value']} {unit}", f"{r['rate'] / 1e9:.2f}", f"{r['seconds']:.2f}", f"{r['sender CPU']} + {r['receiver CPU']}",
                     f"{ours['value'] / r['value']:.2f}" if r["value"] else "", f"{mine / used:.2f}" if used else ""))
    return f"({part}) {TITLE[part]}\n\n" + report.table(
        ["what", "measured", "rate, Gbit/s", "seconds", f"CPU {cpu}, sender + receiver", "katamichi is x times", "at y times its CPU"], body)


def main(argv):
    p = argparse.ArgumentParser(prog="make bench-peers", description=__doc__.split("\n\n")[0], allow_abbrev=False)
    p.add_argument("--only", default="b,d")
    p.add_argument("--mtu", choices=["1500"], default="1500")
    p.add_argument("--size", type=number, default=1_000_000_000)
    p.add_argument("--files", type=int, default=10000)
    p.add_argument("--rate", type=number)
    p.add_argument("--start", type=number, default=5_000_000_000)
    p.add_argument("--loss", default="1%")
    p.add_argument("--burst", default="0s")
    p.add_argument("--buffer", default="64M")
    p.add_argument("--memory", default="/dev/shm")
    o = p.parse_args(argv)
    if os.geteuid() != 0:
        raise SystemExit("bench-peers: needs root, for network namespaces")
    harness.remove_stale()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    o.gro, o.digests, o.dir = 0, {}, tempfile.mkdtemp(prefix="km-peers-", dir=o.memory)
    o.digest = o.digests.get
    bench, facts, results = Bench(o), dict(machine(), others=busy_others()), {}
    if facts["others"] > 0.2:
        print(f"bench-peers: other work takes {facts['others']} of {facts['cores']} cores now; the figures will be lower than the machine's", flush=True)
    texts = []
    try:
        for part, run in (("b", part_b), ("d", part_d)):
            if part in o.only.replace(",", " ").split():
                print(f"({part}) {TITLE[part]}", flush=True)
                found, unit, cpu = run(o, bench)
                results[part] = found
                texts.append(table(part, found, unit, cpu))
    finally:
        harness.Process.end_all()
        shutil.rmtree(o.dir, ignore_errors=True)
    facts["buffers"] = sorted({r["buffer"] for part in results.values() for r in part.values() if "buffer" in r})
    texts.append(f"Socket buffer of the receiver: katamichi {o.buffer}, the others as much (force_buffer.c), which the kernel counts as "
                 + " or ".join(f"{b / 1e6:.1f} MB" for b in facts["buffers"]) + ".")
    texts.append("UFTP is not here: its receivers register with the sender and report to it, which a link without a return path does not let them.")
    report.write_peers(os.path.join(harness.BUILD, "bench"), facts, results, "\n\n".join(texts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
