"""One run of both daemons: files go in, and it is measured until they are published."""
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from content import small, small_files
from measure import ETHERNET, WIRE, Inbox, Watch, buffer, datagram, harness, log_time, real_frames

TIME_MAX = 180  # s, of one crossing
SETTLE = 1.3    # s: counters are written down once a second


class Lost(Exception):
    """The receiver's kernel dropped datagrams, or files did not arrive: the rate was too high."""


class Pair:
    """Both daemons on a fresh link, in a directory of their own below `work`, which stays if `keep`; what the receiver writes
    below `options.far`, where that is a file system of its own.  Use with `with`."""

    def __init__(self, options, mtu, work, rate, keep=False, **values):
        self.values, self.keep = values, keep
        self.options, self.mtu, self.rate, self.work = options, mtu, rate, work

    def __enter__(self):
        o = self.options
        self.top = tempfile.mkdtemp(prefix="km-bench-", dir=self.work)
        # What lies in it is spread over the disk, as two hosts' would be; a file system that has no such attribute may refuse.
        subprocess.run(["chattr", "+T", self.top], stderr=subprocess.DEVNULL)
        self.net = harness.Net(self.mtu)
        try:
            if not self.net.real:
                raise SystemExit("bench: network namespaces are not to be had (root?); without them there is no link to measure")
            real_frames(self.net, o.gro)
            self.far = getattr(o, "far", None) and tempfile.mkdtemp(prefix="km-bench-", dir=o.far)
            self.site = harness.Site(self.top, self.net, self.far)
            self.inbox = Inbox(*(self.site.path("inbox", c) for c in self.site.CHANNELS))
            os.sync()
            self.site.start(mtu=self.mtu, rate=f"{self.rate}", loss=o.loss, burst=o.burst,
                            buffer=buffer(o.buffer, self.rate),
                            **{"receiver_link": f"rate = {self.rate}\n", **self.values})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for p in (getattr(self, "site", None) and self.site.daemons()) or []:
            if p.poll() is None:
                p.kill()
        harness.Process.everyone.clear()
        self.net.close()
        if hasattr(self, "inbox"):
            self.inbox.close()
        if not self.keep:
            for path in filter(None, (self.top, getattr(self, "far", None))):
                shutil.rmtree(path, ignore_errors=True)

    def watch(self):
        return Watch(self.site.daemons())

    def stage(self, source, name="staged"):
        """Move a finished file to where it can be renamed into a channel."""
        path = self.site.path("staging", name)
        shutil.move(source, path)
        return path

    def put(self, path, channel, name):
        """The rename, and its moment."""
        at = time.time()
        os.rename(path, self.site.path("out", channel, name))
        return at

    def wait(self, channel, names, seconds=TIME_MAX):
        """When the last of these files was published, and {name: (time, path)}."""
        missing, end, arrived = len(names), time.time() + seconds, []
        while missing > 0:
            for at, path in self.inbox.wait(min(1, end - time.time())):
                if os.path.basename(os.path.dirname(path)) == channel:
                    arrived.append((at, path, os.listdir(os.path.join(path, "files"))))
                    missing -= len(arrived[-1][2])
            for p in self.site.daemons():
                if p.poll() is not None:
                    raise Lost(f"{p.name} ended with {p.poll()}: {p.text().strip().splitlines()[-1:]}")
            self.demand_no_loss()
            if missing > 0 and time.time() > end:
                raise Lost(f"{missing} of {len(names)} files did not arrive within {seconds:.0f} s; {self.story()}")
        # Who is who is looked at when the clock has stopped: both processors are in use.
        found = {name: (at, os.path.join(path, "files", name)) for at, path, files in arrived for name in files}
        if len(found) != len(names) or set(found) != set(names):
            raise AssertionError(f"{len(names)} files were put in, and others arrived")
        return max(at for at, _, _ in arrived), found

    def status(self, side):
        try:
            with open(self.site.path(side + "-state", "status.json")) as f:
                return json.load(f)
        except (OSError, ValueError):
            return None

    def demand_no_loss(self):
        """Once the kernel dropped something the rate was too high, and there is nothing to wait for."""
        now = self.status("receiver")
        if now and now["link"]["counters"]["kernel_drops"]:
            raise Lost(f"the receiver's kernel dropped {now['link']['counters']['kernel_drops']} datagrams")

    def story(self):
        """For a run that failed: what the receiver counted, and the last words of both."""
        now = self.status("receiver")
        counted = {k: v for k, v in now["link"]["counters"].items() if v} if now else {}
        left = {d: sum(len(f) for _, _, f in os.walk(self.site.path("out", d))) for d in os.listdir(self.site.path("out"))}
        return f"receiver {counted}; left in the sender's folders {left}; " + "; ".join(p.text().strip().splitlines()[-1] for p in self.site.daemons() if p.text().strip())

    def counters(self):
        """What the receiver and the sender counted: after SETTLE, everything up to now is in it."""
        time.sleep(SETTLE)
        both = [self.status(side) for side in ("receiver", "sender")]
        c = both[0]["link"]["counters"]
        refused = sum(v for k, v in c.items() if k.startswith("refused_") or k.startswith("no_") or k == "not_written")
        return {"datagrams": c["datagrams"], "sent": both[1]["datagrams"], "kernel_drops": c["kernel_drops"], "refused": refused,
                "repaired": c["repaired"], "damaged": c["damaged"], "blocked": both[1]["blocked"],
                "frames_back": self.net.frames_back()[0]}


def describe(pair, watch_end, busy, size, start, end, c):
    """The figures of a run as they stand in the JSON."""
    d = datagram(pair.mtu)
    seconds = end - start
    r = {"mtu": pair.mtu, "rate": pair.rate, "bytes": size, "seconds": round(seconds, 4), "bit/s": round(size * 8 / seconds),
         "processes": watch_end, "counters": c}
    for side in ("sender", "receiver"):
        cpu = sum(p["user"] + p["system"] for name, p in watch_end.items() if name.startswith(side))
        r[f"{side} CPU s/GB"] = round(cpu / (size / 1e9), 3)
    if busy and busy[1] > busy[0]:
        first, last, packets, frame_bytes = busy
        wire = frame_bytes + packets * (WIRE - ETHERNET)
        r["link"] = {"seconds": round(last - first, 3), "wire bit/s": round(wire * 8 / (last - first)),
                     "of rate": round(wire * 8 / (last - first) / pair.rate, 4), "datagrams": packets,
                     "datagram bit/s": round(packets * d * 8 / (last - first)), "before": round(first - start, 3), "after": round(end - last, 3)}
    moments = {}
    for name, process, pattern in (("numbered", pair.site.sender, "numbered"), ("sent", pair.site.sender, r": sent, round 1"),
                                   ("delivered", pair.site.receiver, "delivered")):
        at = log_time(process, pattern)
        if at is not None:
            moments[name] = round(at - start, 3)
    r["moments"] = moments
    return r


def one_file(options, mtu, rate, work, source, size):
    """One large file from the rename to its publication; returns the figures.  The file is given back to `source`.  A small one
    before it is not counted: a service's session has begun long ago, and takes 0.3 s for that."""
    with Pair(options, mtu, work, rate) as pair:
        Small(pair).one(None)
        path = pair.stage(source)
        try:
            watch = pair.watch()
            start = pair.put(path, "bulk", "large.bin")
            end, found = pair.wait("bulk", ["large.bin"], min(TIME_MAX, 20 + size * 8 / rate * 3 + size / 50e6))
            c = pair.counters()
            processes, busy = watch.end(), watch.busy()
            arrived = found["large.bin"][1]
            if os.path.getsize(arrived) != size or subprocess.run(
                    ["openssl", "dgst", "-sha256", "-r", arrived], stdout=subprocess.PIPE, timeout=120).stdout[:64] != options.digest(source):
                raise AssertionError("what arrived is not what was sent")
            shutil.move(arrived, source)
        finally:
            if not os.path.exists(source):
                rescue(pair, source)
        return describe(pair, processes, busy, size, start, end, c)


def rescue(pair, source, name="staged"):
    """After a failed run the file still lies on the way, or is made anew next time."""
    for path in (pair.site.path("staging", name), pair.site.path("out", "bulk", "large.bin")):
        if os.path.exists(path):
            shutil.move(path, source)


@contextlib.contextmanager
def held(daemon, role):
    """One process of a daemon stands still meanwhile."""
    pid = next(p for p in daemon.processes() if f"--role {role}" in daemon.command(p))
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def many_files(options, mtu, rate, work, count, size, lying=False):
    """count small files, renamed one after the other; from the first rename to the last publication.  `lying`: from when all of
    them lie in the channel's folder, the spool being held until then.

    They stay in `work`: an ext4 without a journal does not use the inode of an erased file for some minutes, and looks at each of
    them again for every file that it makes, so that a run after one that was removed would be several times slower."""
    with Pair(options, mtu, work, rate, keep=True) as pair:
        folder = pair.site.path("staging")
        names = small_files(folder, count, size, harness.SEED)
        os.sync()
        watch = pair.watch()
        here, there = (os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in (folder, pair.site.path("out", "eltax")))
        with held(pair.site.sender, "spool") if lying else contextlib.nullcontext():
            start = time.time()
            for name in names:
                os.rename(name, name, src_dir_fd=here, dst_dir_fd=there)
            put = time.time() - start
        if lying:
            start += put
        os.close(here)
        os.close(there)
        end, found = pair.wait("eltax", names)
        c = pair.counters()
        processes, busy = watch.end(), watch.busy()
        r = describe(pair, processes, busy, count * size, start, end, c)
        r.update({"files": count, "files/s": round(count / (end - start)), "renaming took": round(put, 3),
                  "transfers": len({os.path.dirname(os.path.dirname(p)) for _, p in found.values()})})
        harness.katamichi("ledger", "verify", "-c", pair.site.path("receiver.conf"))
        return r


class Small:
    """Single files of 4 KB, each put in when the one before it was published."""

    def __init__(self, pair):
        self.pair, self.rng, self.serial = pair, random.Random(f"{harness.SEED} latency"), 0

    def one(self, bulk_done):
        """Seconds from rename to publication of one more; bulk_done(time, path) of a large one published meanwhile."""
        pair, name = self.pair, f"f{self.serial:05}"
        self.serial += 1
        path = pair.site.path("staging", name)
        with open(path, "wb") as f:
            f.write(small(self.rng, 4096))
        time.sleep(self.rng.uniform(0.002, 0.022))  # not in step with anything
        at, published = pair.put(path, "pittari", name), None
        while published is None:
            events = pair.inbox.wait(1)
            if not events:
                pair.demand_no_loss()
                if time.time() - at > 30:
                    raise Lost(f"a file of 4 KB did not arrive within 30 s; {pair.story()}")
            for t, p in events:
                if os.path.basename(os.path.dirname(p)) == "pittari":
                    published = t
                else:
                    bulk_done(t, p)
        return published - at


def latency(options, mtu, rate, work, count, bulk=None):
    """Seconds from rename to publication of `count` single 4 KB files; beside bulk transfers if one is given (path), which is put in
    again when it has arrived.  One before all is not counted: a session only begins with it."""
    with Pair(options, mtu, work, rate) as pair:
        files, taken, bulks = Small(pair), [], []
        size = os.path.getsize(bulk) if bulk else 0
        files.one(None)
        watch, staged = pair.watch(), pair.stage(bulk, "bulk") if bulk else None

        def put_bulk():
            bulks.append(-pair.put(staged, "bulk", f"large{len(bulks)}.bin"))

        def bulk_done(t, path):
            bulks[-1] += t
            os.rename(os.path.join(path, "files", f"large{len(bulks) - 1}.bin"), staged)
            if len(taken) < count:
                put_bulk()
        try:
            started = time.time()
            if bulk:
                put_bulk()
            while len(taken) < count and time.time() - started < TIME_MAX:
                taken.append(files.one(bulk_done))
            while bulk and bulks[-1] < 0:  # the last one is still on its way, or lost: small files arrive nevertheless
                files.one(bulk_done)
                pair.demand_no_loss()
                if time.time() - started > 2 * TIME_MAX:
                    raise Lost(f"a large file did not arrive; {pair.story()}")
        finally:
            if bulk:
                rescue(pair, bulk, "bulk")
        c, processes = pair.counters(), watch.end()
    taken.sort()
    r = {"mtu": mtu, "rate": rate, "files": len(taken), "processes": processes, "counters": c, "bulk bytes": size * len(bulks),
         "bytes": size * len(bulks) + 4096 * len(taken),
         "p50": round(taken[len(taken) // 2], 5), "p99": round(taken[min(len(taken) - 1, len(taken) * 99 // 100)], 5),
         "least": round(taken[0], 5), "most": round(taken[-1], 5)}
    if bulk:
        r["bulk seconds"] = [round(b, 3) for b in bulks]
    return r
