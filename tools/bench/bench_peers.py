#!/usr/bin/python3
"""make bench-peers - the pair beside udpcast and NORM, in one run on one link.

  bench_peers.py [--only b,d] [--size 1G] [--files 10000] [--rate 1G] [--start 8G]

(b) one file that does not compress, from memory to memory; (d) many files of 4 KB.  Each end has a tmpfs of its own, as two hosts would.

  katamichi                 files as they are: each is checked, sealed, numbered, synced at both ends and published with a manifest
  katamichi, put in         (d) the same, the renames that put them into its folder within the time: of all others the files lie there
  udpcast, NORM             (d) one tar archive, made and unpacked within the time and CPU that count; nothing is synced or encrypted
  NORM, a file an object    (d) files as they are, each an object that carries its name, with one repair symbol for its few

MTU 1500: udpcast's packets are not larger.  Nothing comes back, no loss is injected; each, katamichi as the others, is driven
at the best rate at which everything arrives, found from --start downwards, with a socket buffer as large as katamichi's, and then
twice more by turns; its fastest run counts.  The memory that the runs use is there before (kept_memory.py).  UFTP is left out: its
receivers have to register and to report, so it does not work without a return path.
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
from bench import Bench, number
from content import small_files
from kept_memory import KeptMemory
from measure import busy_others, harness, machine, real_frames
from search import lossless

MTU = 1500
PORT = "6003"
TIME_MAX = 60
STEP = 0.8  # from one rate to the next lower one
TRIES = 14
ROUNDS = 2  # of everybody, after the search for a rate
COPIES = 4  # of what crosses, at most, that a run has in memory at once: sealed, gathered, published, and one more
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

    def __init__(self, memory, far):
        self.net = harness.Net(MTU)
        self.top, self.far = (tempfile.mkdtemp(prefix="km-peers-", dir=d) for d in (memory, far))
        if not self.net.real:
            raise SystemExit("bench-peers: network namespaces are not to be had (root?)")
        real_frames(self.net)
        self.out = os.path.join(self.far, "out")
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
        for path in (self.top, self.far):
            shutil.rmtree(path, ignore_errors=True)


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


def norm_ends(link, rate, folder, count):
    """Command lines of both, the sender's without what it sends."""
    peer = harness.program("tools/bench/norm_peer")
    return [peer, "receive", link.net.receiver, PORT, folder, str(TIME_MAX - 5), str(count)], [peer, "send", link.net.receiver, PORT, str(rate)]


def norm_objects(link, path, rate, into):
    receive, send = norm_ends(link, rate, into, len(os.listdir(path)))
    return exchange(link, receive, send + [path], ready="ready")


def norm(link, path, rate, into=None):
    spool = os.path.join(link.far, "norm")
    os.mkdir(spool)
    receive, send = norm_ends(link, rate, spool, 1)
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
    "NORM, a file an object": norm_objects,
}


OURS = "katamichi"
PUT_IN = "katamichi, put in"
ONLY_D = {"NORM, a file an object"}


def same(a, b):
    return os.path.exists(b) and subprocess.run(["cmp", "-s", a, b]).returncode == 0


def own_memory(top, name):
    """A tmpfs: two hosts do not wait for each other's renames, which one file system has one lock for."""
    path = os.path.join(top, name)
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "katamichi", path], check=True)
    return path


def better(new, best):
    return new if best is None or (new is not None and new["seconds"] < best["seconds"]) else best


def search(name, o, once):
    """The fastest of the rates that bring everything, from above to the first that is slower: a slower pace may be the faster run."""
    rate, best = o.rate or o.start, None
    for _ in range(1 if o.rate else TRIES):
        r = once(name, rate)
        if best and r and better(r, best) is best:
            break
        best, rate = better(r, best), int(rate * STEP)
    return best


def compare(o, who, once):
    """{name: its fastest run}.  Each looks for its rate, and then all run ROUNDS times more, by turns: of a machine whose speed
    changes by the minute nobody gets only the good or only the bad ones."""
    best = {name: search(name, o, once) for name in who}
    for _ in range(ROUNDS):
        for name in who:
            if best[name]:
                best[name] = better(once(name, best[name]["rate"]), best[name])
    return {name: r or {"failed": "no rate was found at which everything arrived"} for name, r in best.items()}


def said(name, rate, r):
    print(f"     {name} at {rate / 1e9:.2f} Gbit/s: {'%.2f s' % r['seconds'] if r else 'not whole'}", flush=True)
    return r


def of_a_peer(o, name, rate, path, whole, into=False):
    """One run on a link of its own; None if not everything arrived: whole(link) looks."""
    link = Link(o.dir, o.far)
    try:
        seconds, sent, received, good = PEERS[name](link, path, rate, *([link.out] if into else []))
        if not good or not whole(link):
            return None
        return {"rate": rate, "seconds": round(seconds, 3), "sender CPU s": round(sent, 3), "receiver CPU s": round(received, 3), "buffer": Link.buffer}
    finally:
        link.close()


def of_ours(run, size):
    try:
        r = run()
    except crossing.Lost:
        return None
    if not lossless(r):
        return None
    return {"rate": r["rate"], "seconds": r["seconds"], "sender CPU s": r["sender CPU s/GB"] * size / 1e9,
            "receiver CPU s": r["receiver CPU s/GB"] * size / 1e9}


def part_b(o, bench):
    def once(name, rate):
        source = bench.source(o.dir, "random", o.size)
        if name == OURS:
            return said(name, rate, of_ours(lambda: crossing.one_file(o, MTU, rate, o.dir, source, o.size), o.size))
        return said(name, rate, of_a_peer(o, name, rate, source, lambda link: same(source, os.path.join(link.out, "file"))))
    results = compare(o, [OURS, *(p for p in PEERS if p not in ONLY_D)], once)
    for r in results.values():
        if "failed" not in r:
            r["value"] = round(o.size * 8 / r["seconds"] / 1e9, 3)
            for side in ("sender", "receiver"):
                r[side + " CPU"] = round(r[side + " CPU s"] / o.size * 1e9, 2)
    return results, "Gbit/s", "s/GB"


def part_d(o, _bench):
    folder, size = tempfile.mkdtemp(prefix="km-peers-src-", dir=o.dir), o.files * 4096
    names = small_files(folder, o.files, 4096, harness.SEED)

    def whole(link):
        return set(os.listdir(link.out)) == set(names) and all(
            same(os.path.join(folder, n), os.path.join(link.out, n)) for n in names[::max(1, len(names) // 50)])

    def once(name, rate):
        if name in (OURS, PUT_IN):
            return said(name, rate, of_ours(lambda: crossing.many_files(o, MTU, rate, o.dir, o.files, 4096, lying=name == OURS), size))
        return said(name, rate, of_a_peer(o, name, rate, folder, whole, into=True))
    results = compare(o, [OURS, PUT_IN, *PEERS], once)
    for r in results.values():
        if "failed" not in r:
            r["value"] = round(o.files / r["seconds"])
            for side in ("sender", "receiver"):
                r[side + " CPU"] = round(r[side + " CPU s"] / o.files * 10000, 2)
    return results, "files/s", "s/10,000"


TITLE = {"b": "one file, memory to memory, MTU 1500", "d": "files of 4 KB on tmpfs, MTU 1500"}


def table(part, results, unit, cpu):
    ours, body = results[OURS], []
    for name, r in results.items():
        if "failed" in r:
            body.append((name, r["failed"], "", "", "", "", ""))
            continue
        times = used = ""
        if "failed" not in ours:
            times = f"{ours['value'] / r['value']:.2f}"
            used = f"{(ours['sender CPU'] + ours['receiver CPU']) / (r['sender CPU'] + r['receiver CPU']):.2f}"
        body.append((name, f"{r['value']} {unit}", f"{r['rate'] / 1e9:.2f}", f"{r['seconds']:.2f}", f"{r['sender CPU']} + {r['receiver CPU']}",
                     times, used))
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
    p.add_argument("--memory", default="/dev/shm", help="where the two tmpfs are mounted")
    o = p.parse_args(argv)
    if os.geteuid() != 0:
        raise SystemExit("bench-peers: needs root, for network namespaces")
    harness.remove_stale()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    o.gro, o.digests, top = 0, {}, tempfile.mkdtemp(prefix="km-peers-", dir=o.memory)
    o.dir, o.far = own_memory(top, "sender"), own_memory(top, "receiver")
    o.digest = o.digests.get
    bench, facts, results = Bench(o), dict(machine(), others=busy_others()), {}
    if facts["others"] > 0.2:
        print(f"bench-peers: other work takes {facts['others']} of {facts['cores']} cores now; the figures will be lower than the machine's", flush=True)
    texts, kept = [], None
    try:
        kept = KeptMemory(o.dir, COPIES * max(o.size, o.files * 8192))
        for part, run in (("b", part_b), ("d", part_d)):
            if part in o.only.replace(",", " ").split():
                print(f"({part}) {TITLE[part]}", flush=True)
                found, unit, cpu = run(o, bench)
                results[part] = found
                texts.append(table(part, found, unit, cpu))
    finally:
        if kept:
            kept.close()
        harness.Process.end_all()
        for path in (o.dir, o.far):
            subprocess.run(["umount", "-l", path], check=True)
        shutil.rmtree(top, ignore_errors=True)
    facts["buffers"] = sorted({r["buffer"] for part in results.values() for r in part.values() if "buffer" in r})
    texts.append(f"Socket buffer of the receiver: katamichi {o.buffer}, the others as much (force_buffer.c), which the kernel counts as "
                 + " or ".join(f"{b / 1e6:.1f} MB" for b in facts["buffers"]) + ".")
    texts.append("UFTP is not here: its receivers register with the sender and report to it, which a link without a return path does not let them.")
    report.write_peers(os.path.join(harness.BUILD, "bench"), facts, results, "\n\n".join(texts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
