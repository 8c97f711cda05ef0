#!/usr/bin/python3
"""make test-crash: each end killed once after each of its durable operations, plain, and with what was not synced undone.

crash.py [--side sender|receiver] [--mode plain|lost|mixed] [--at N[,N...]] [--sample K] [--jobs J] [--forget REGEX] [--top DIR]

A run puts files in in two waves, kills one end after operation N (powerloss.c), makes the power cut of its mode, starts it
again, and demands that in the end every file was delivered exactly once, that no number was lost or used twice, that ledger
and outbox agree with the disk, and that nothing unfinished lies about.  The other end lives on all the time, as it would.

  plain  kill -9: everything written is there
  lost   power cut: whatever was not synced is undone
  mixed  power cut: of what was not synced any part is there (seeded)
  again  as lost, and while the end recovers the power goes once or twice more

--sample K takes K points of each side and mode, the seed says which: of each sort of operation one, before a second of any; --forget "sync_dir out" makes these syncs
ineffective: then the test has to find what is lost or doubled by that, ends at the first find, and exits with 0 (the negative control).
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402
import powerloss  # noqa: E402

SIDES, MODES = ("sender", "receiver"), ("plain", "lost")
CHANNELS = ("eltax", "pittari", "bulk")
SENDER_CONF = """[sender]
keys = {keys}/sender.key
receiver = {keys}/receiver.pub
state = sender/state
folders = sender/out
[link]
destination = {address}
rate = 400M
loss = 1%
burst = 1ms
failure = 1e-6
repeat = 1s 1s 1s 1s 2s
[channel eltax]
content = any
quiet = 50ms
[channel pittari]
quiet = 50ms
[channel bulk]
quiet = 50ms
"""
RECEIVER_CONF = """[receiver]
keys = {keys}/receiver.key
inbox = receiver/inbox
state = receiver/state
[link]
listen = {address}
buffer = {buffer}
[peer outside]
key = {keys}/sender.pub
[channel eltax]
[channel pittari]
[channel bulk]
"""
PUT = """
import os, sys
top, names = sys.argv[1], sys.argv[2:]
folders = set()
for name in names:
    channel = name.split("/")[0]
    os.rename(f"{top}/staging/{name}", f"{top}/out/{name}")
    folders |= {f"{top}/out/{channel}", f"{top}/staging/{channel}"}
for folder in sorted(folders):
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
"""


def contents():
    """[{"channel/name": bytes}, ...]: the waves.  The same in every run."""
    rng = random.Random(1)
    first = {f"eltax/申告_{i}.csv": ("番号,税額\n" + "".join(f"{rng.randrange(10**9)},{rng.randrange(10**6)}\n" for _ in range(40 * i)))
             .encode() for i in (1, 2, 3)}
    first["pittari/申請.csv"] = "番号,氏名\n1,山田\n".encode() * 30
    first["pittari/命令.txt"] = b"\x7fELF\2\1\1" + bytes(100)  # a program: refused
    first["eltax/不揃い.csv"] = b"1,2\n3\n"  # its columns differ: held back in the zone, for this sender does not look
    first["bulk/図面.bin"] = rng.randbytes(3_000_000)
    second = {f"eltax/追加_{i}.csv": "".join(f"{rng.randrange(10**9)},{rng.randrange(10**6)}\n" for _ in range(40 * i)).encode() for i in range(5)}
    second["bulk/写真.bin"] = rng.randbytes(200_000)
    return first, second


WAVES = contents()
REFUSED = {"pittari/命令.txt"}
HELD = {"eltax/不揃い.csv"}
DIGEST = {name: hashlib.sha256(data).hexdigest() for wave in WAVES for name, data in wave.items()}


def sort(operation):
    """Operations that differ only in a number, an object or a file's name are of one sort."""
    return re.sub(r"/[^/ ]*[^\x00-\x7f][^/ ]*", "/NAME", re.sub(r"\b[0-9a-f]{16,}(-\d+)?|\d+", "#", operation))


class Broken(Exception):
    pass


def address(serial):
    """Of one pair on the loopback interface, which has 2^24 addresses: no two processes, and no two pairs of one, share any."""
    pid = os.getpid() & 0x3fffff
    return f"127.{1 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}:{20000 + serial % 12000}"


class Run:
    """One pair of ends on the loopback interface, one of them under the layer."""

    def __init__(self, top, keys, address, side, at, mode, seed, forget=None, heal=90):
        self.top, self.side, self.at, self.mode, self.seed, self.heal = top, side, at, mode, seed, heal
        self.daemon, self.put_upto, self.what = {}, 0, ""
        for d in ["receiver/inbox", "receiver/state", "sender/state"] + [f"sender/{w}/{c}" for c in CHANNELS for w in ("out", "staging")]:
            os.makedirs(self.path(d))
        for wave in WAVES:
            for name, data in wave.items():
                with open(self.path("sender/staging", name), "wb") as f:
                    f.write(data)
        values = {"keys": keys, "address": address, "buffer": "16M" if harness.LARGE else "200K"}
        for name, text in (("sender", SENDER_CONF), ("receiver", RECEIVER_CONF)):
            with open(self.path(name + ".conf"), "w") as f:
                f.write(text.format(**values))
        self.layer = powerloss.Layer(self.path(side), self.path("shared"), harness.program("tests/crash/powerloss.so"))
        self.layer.forget = forget

    def path(self, *parts):
        return os.path.join(self.top, *parts)

    def names(self, which):
        for base, _, names in os.walk(self.path(which)):
            for name in names:
                yield os.path.relpath(os.path.join(base, name), self.path(which))

    # --- the two ends ---
    def start(self, side, kill_at=0):
        env = self.layer.env(kill_at) if side == self.side else None
        with open(self.path(side + ".log"), "ab") as log:
            start = log.tell()
            # The layer kills from within, which no process of ours may: the sandbox is tested elsewhere.
            p = subprocess.Popen([harness.program(f"katamichi-{side}"), "-c", self.path(side + ".conf"), "--no-sandbox"], stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log, env=env, start_new_session=True)
        self.daemon[side] = p

        def ready():
            with open(self.path(side + ".log"), "rb") as f:
                f.seek(start)
                return b": ready" in f.read()
        self.until(20, lambda: [] if ready() or self.over() else [f"the {side} is not ready"])

    def over(self):
        """The end under the layer has done its last operation."""
        return self.layer.dead()

    def until(self, seconds, problems):
        """Wait for an empty list; a daemon that ends by itself is a failure."""
        end = time.monotonic() + seconds
        while True:
            found = problems()
            if not found:
                return
            for side, p in self.daemon.items():
                if p.poll() is not None and not (side == self.side and self.over()):
                    raise Broken(f"the {side} ended with {p.poll()}")
            if time.monotonic() > end:
                raise Broken("; ".join(found[:4]))
            time.sleep(0.02)

    def bury(self):
        """Killed: by the layer, as a group."""
        p = self.daemon.pop(self.side)
        try:
            os.killpg(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        p.wait()
        end = time.monotonic() + 10
        while time.monotonic() < end:  # its children, too
            try:
                os.killpg(p.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.005)
        raise Broken("processes outlive SIGKILL")

    def end(self):
        for p in self.daemon.values():
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            p.wait()
        self.layer.close()

    # --- what goes in ---
    def put(self, wave):
        """Put in as a careful program does, and again as much of it as a power cut undid."""
        there = set(self.names("sender/staging"))
        names = [n for n in WAVES[wave] if n in there]
        env = None
        if self.side == "sender":
            env = self.layer.env(self.layer.control.kill_at)
        if names:
            subprocess.run([sys.executable, "-B", "-c", PUT, self.path("sender"), *names], env=env, start_new_session=True, timeout=60)
        self.put_upto = wave

    # --- what has to come out ---
    def arrived(self):
        found = {}
        for name in self.names("receiver/inbox"):
            part = name.split("/")
            if len(part) == 4 and part[2] == "files":
                found.setdefault(f"{part[0]}/{part[3]}", []).append(self.path("receiver/inbox", name))
        return found

    def held(self):
        """What stands in the quarantine: [channel/name]."""
        parts = [name.split("/") for name in self.names("receiver/state/quarantine")]
        return [f"{p[0].split('-')[0]}/{p[2]}" for p in parts if len(p) == 3 and p[1] == "files"]

    def missing(self, waves):
        found, held = self.arrived(), self.held()
        bad = [f"{n} is not delivered" for w in range(waves) for n in WAVES[w] if n not in found and n not in REFUSED | HELD]
        bad += [f"{n} is not held" for w in range(waves) for n in WAVES[w] if n in HELD and n not in held]
        return bad + [f"{n} is not refused" for w in range(waves) for n in WAVES[w]
                      if n in REFUSED and not os.path.exists(self.path("sender/out", os.path.dirname(n), "refused", os.path.basename(n)))]

    def rows(self, database, sql):
        try:
            return harness.rows(self.path(database), sql)
        except sqlite3.OperationalError as e:
            raise Broken(f"{database}: {e}") from None

    def repeated(self):
        """Has everything been sent twice?"""
        rows = self.rows("sender/state/outbox.db", "SELECT channel, number, rounds FROM object WHERE rounds < 2")
        return [f"{c} {n} was sent {r} times" for c, n, r in rows]

    def unsettled(self):
        """What may still be under way, and has to end."""
        bad = self.missing(2) + self.repeated()
        for name in self.names("sender/out"):
            if "/refused/" not in name:
                bad.append(f"out/{name} is still there")
        for c in CHANNELS:
            bad += [f"out/{c}/.taken/{d} is still there" for d in os.listdir(self.path("sender/out", c, ".taken"))]
        bad += [f"work/{d} is still there" for d in os.listdir(self.path("receiver/state/work"))]
        bad += [f"an intent is left: {r[0]}" for r in self.rows("receiver/state/ledger/ledger.db", "SELECT dir FROM intent")]
        return bad

    def wrong(self):
        """What must never be."""
        bad = []
        for name, paths in self.arrived().items():
            if len(paths) != 1:
                bad.append(f"{name} is delivered {len(paths)} times")
            if name not in DIGEST or name in REFUSED | HELD:
                bad.append(f"{name} was not to be delivered")
            bad += [f"{p} has other bytes" for p in paths if harness.sha256_file(p) != DIGEST.get(name)]
        held = self.held()
        bad += [f"{n} is held {held.count(n)} times" for n in HELD if held.count(n) != 1]
        deliveries = sorted(f"{c}/{n}" for c in CHANNELS for n in os.listdir(self.path("receiver/inbox", c)))
        bad += [f"{d}: a fork" for d in deliveries if "fork" in d]
        refused = sorted(n for n in self.names("sender/out") if "/refused/" in n)
        want = sorted(x for n in REFUSED for x in (n.replace("/", "/refused/"), n.replace("/", "/refused/") + ".reason.txt"))
        if refused != want:
            bad.append(f"refused: {refused}")
        return bad + self.wrong_rows(deliveries)

    def wrong_rows(self, deliveries):
        bad, ledger, outbox = [], "receiver/state/ledger/ledger.db", "sender/state/outbox.db"
        if sorted(r[0] for r in self.rows(ledger, "SELECT dir FROM delivery")) != deliveries:
            bad.append("the table of deliveries is not what stands in the inbox")
        events = [r[0] for r in self.rows(ledger, "SELECT json_extract(entry, '$.event') FROM ledger")]
        if events.count("delivered") != len(deliveries):
            bad.append(f"{events.count('delivered')} ledger rows for {len(deliveries)} deliveries")
        bad += [f"a ledger row says {e}" for e in events if e in ("fork", "refused")]
        held = [r[0] for r in self.rows(ledger, "SELECT channel FROM quarantine WHERE kept = 'transfer'")]
        if events.count("quarantined") != len(HELD) or self.rows(ledger, "SELECT count(*) FROM quarantine") != [(len(HELD),)]:
            bad.append(f"{events.count('quarantined')} rows of what is held")
        for c, n, top in self.rows(outbox, "SELECT channel, count(*), max(number) FROM object GROUP BY channel"):
            if n != top or len([d for d in deliveries if d.startswith(c + "/")]) + held.count(c) != n:
                bad.append(f"channel {c}: {n} numbers up to {top}, {deliveries}")
        bad += [f"a kill was taken for a restored outbox: {r[0]}" for r in self.rows(outbox, "SELECT reason FROM generation")]
        kept = {r[0] for r in self.rows(outbox, "SELECT lower(hex(id)) FROM object WHERE state = 0")}
        objects = set(os.listdir(self.path("sender/state/objects")))
        bad += [f"objects/{o}" + (" is nobody's" if o in objects else " is missing") for o in kept ^ objects]
        done = harness.katamichi("ledger", "verify", "-c", self.path("receiver.conf"), ok=False)
        if done.returncode != 0:
            bad.append(f"katamichi ledger verify: {done.out}{done.err}")
        done = harness.katamichi("gaps", "--json", "-c", self.path("receiver.conf"), ok=False)
        if done.returncode != 1 or json.loads(done.out)["gaps"] or len(json.loads(done.out)["aside"]) != len(HELD):
            bad.append(f"katamichi gaps: {done.out}{done.err}")
        return bad

    # --- the scenario ---
    def first_life(self):
        """Until the end under the layer is dead, or there is nothing left to do."""
        for side in ("receiver", "sender"):
            self.start(side, self.at if side == self.side else 0)
            if self.over():
                return
        self.put(0)
        self.until(self.heal, lambda: [] if self.over() else self.missing(1))
        if not self.over():
            self.put(1)
        self.until(self.heal, lambda: [] if self.over() else self.unsettled())

    def second_life(self):
        self.bury()
        self.what = self.describe()
        self.layer.cut_power({"again": "lost"}.get(self.mode, self.mode), self.seed)
        if self.mode == "again":
            self.die_recovering()
        for side in ("receiver", "sender"):
            if side not in self.daemon:
                self.start(side)
        for wave in range(2):
            self.put(wave)
            self.until(self.heal, lambda upto=wave + 1: self.missing(upto))

    def describe(self):
        last = "nothing"
        for last in self.layer.operations():
            pass
        return last

    def die_recovering(self):
        """The power goes once more while the end puts itself in order."""
        rng = random.Random(self.seed + self.at)
        for _ in range(2):
            self.start(self.side, rng.randrange(1, 40))
            self.until(self.heal, lambda: [] if self.over() else self.missing(1) or self.unsettled())
            if not self.over():
                self.layer.freeze()
            self.bury()
            self.layer.cut_power("lost")

    def stop(self):
        """Both ends, by SIGTERM.  The last operations of the one under the layer are in its stop."""
        bad = []
        for side in ("sender", "receiver"):
            p = self.daemon[side]
            p.terminate()
            code = p.wait(20)
            if side == self.side and self.over():
                break
            del self.daemon[side]
            if code != 0:
                bad.append(f"the {side} stopped with {code}")
        return bad

    def finish(self):
        self.until(self.heal, self.unsettled)
        return self.wrong() + self.stop()

    def play(self):
        """True: it was killed and all is well."""
        self.first_life()
        bad = [] if self.over() else self.finish()
        killed = self.over()
        if killed:
            self.second_life()
            bad = self.finish()
        if bad:
            raise Broken("; ".join(bad[:4]))
        return killed

    def tails(self):
        text = ""
        for side in SIDES:
            with open(self.path(side + ".log"), errors="backslashreplace") as f:
                text += f"--- {side} ---\n" + "".join(f.readlines()[-25:])
        return text


class Suite:
    def __init__(self, options):
        self.o, self.lock, self.serial = options, threading.Lock(), 0
        self.top = os.path.realpath(options.top)
        shutil.rmtree(self.top, ignore_errors=True)
        os.makedirs(self.top)
        self.keys = os.path.join(self.top, "keys")
        os.mkdir(self.keys, 0o700)
        for who in SIDES:
            harness.katamichi("keygen", who, self.keys)
        self.failed, self.killed, self.missed = [], 0, 0

    def run(self, side, at, mode):
        """What was found: "" when all is well.  ops of a run that was not killed: self.ops."""
        with self.lock:
            self.serial += 1
            serial = self.serial
        top = os.path.join(self.top, f"{side}-{at}-{mode}")
        shutil.rmtree(top, ignore_errors=True)
        if self.o.forget and self.failed:
            return ""
        start = time.monotonic()
        one = Run(top, self.keys, address(serial), side, at, mode, self.o.seed, self.o.forget, self.o.heal)
        found, killed = "", False
        try:
            killed = one.play()
        except (Broken, AssertionError, OSError, subprocess.TimeoutExpired) as e:
            found = str(e) or repr(e)
        if at == 0 and not found:
            self.sorts = [sort(x) for x in one.layer.operations()]
        one.end()
        with self.lock:
            self.killed += killed
            self.missed += not killed and not found and at != 0
            line = f"{side:8} {mode:5} {at:5}  {one.what or ('everything' if at == 0 else 'not reached'):90.90} {time.monotonic() - start:4.1f} s"
            print(f"  {'FAIL' if found else 'ok':4} {line}", flush=True)
            if found:
                again = f"SIDE={side} MODE={mode} AT={at} SEED={self.o.seed}"
                print(f"       {found}\n       again: make test-crash {again}   (its files: {top})", flush=True)
                print("".join("       | " + x + "\n" for x in one.tails().splitlines()), flush=True)
                self.failed.append((side, at, mode, found))
        if not found:
            shutil.rmtree(top)
        return found

    def points(self, side):
        """All of a side's operations, counted in a run that nothing happens in."""
        if self.o.at:
            return self.o.at
        if self.run(side, 0, "plain"):
            return []
        print(f"the {side}: {len(self.sorts)} operations of {len(set(self.sorts))} sorts", flush=True)
        return list(range(1, len(self.sorts) + 1))

    def choose(self, points, rng):
        """A sample in which rare operations are not drowned by common ones."""
        if self.o.at or not self.o.sample:
            return points
        by_sort = {}
        for at in rng.sample(points, len(points)):
            by_sort.setdefault(self.sorts[at - 1], []).append(at)
        turns = rng.sample(sorted(by_sort.items()), len(by_sort))
        order = [group[i] for i in range(max(map(len, by_sort.values()))) for _, group in turns if i < len(group)]
        return order[:self.o.sample] if self.o.forget else sorted(order[:self.o.sample])

    def play(self):
        rng = random.Random(self.o.seed)
        todo = []
        for side in self.o.side:
            points = self.points(side)
            for mode in self.o.mode:
                todo += [(side, at, mode) for at in self.choose(points, rng)]
        with concurrent.futures.ThreadPoolExecutor(self.o.jobs) as pool:
            list(pool.map(lambda t: self.run(*t), todo))
        print(f"{self.killed} killed and in order again, {self.missed} over before their operation, {len(self.failed)} failed "
              f"(seed {self.o.seed})")
        if self.o.forget:
            return 0 if self.failed else 1
        return 1 if self.failed or not self.killed else 0


def options(argv):
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--side", action="append", choices=SIDES)
    p.add_argument("--mode", action="append", choices=("plain", "lost", "mixed", "again"))
    p.add_argument("--at", type=lambda t: [int(x) for x in t.split(",")])
    p.add_argument("--sample", type=int, default=0)
    p.add_argument("--jobs", type=int, default=4)
    p.add_argument("--seed", type=int, default=harness.SEED)
    p.add_argument("--forget", metavar="REGEX")
    p.add_argument("--heal", type=int, default=90, help="s after the restart in which everything has to be in order")
    p.add_argument("--top", default=os.path.join(harness.BUILD, "crash"))
    o = p.parse_args(argv)
    o.side, o.mode = o.side or SIDES, o.mode or MODES
    return o


if __name__ == "__main__":
    sys.exit(Suite(options(sys.argv[1:])).play())
