"""Real daemons on a link that has one direction.

Two network namespaces and a veth pair stand for the two hosts and the fibre.  Everything that arrives at the sender's end
of the fibre is counted and dropped there, in the device's ingress hook, before any protocol sees it.  Where namespaces are
not to be had, everything runs on the loopback interface, and what would be a proof of direction is skipped.
"""
import atexit
import contextlib
import glob
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(TOP, os.environ.get("B", "build"))
LONG = os.environ.get("KATAMICHI_LONG") == "1"
SEED = int(os.environ.get("KATAMICHI_SEED") or random.SystemRandom().randrange(1, 2**31))
os.environ["KATAMICHI_SEED"] = str(SEED)  # of pytest's other processes, too
MEMORY_MAX = 256 << 20  # bytes, of each process


def large_buffers():
    """May we have socket buffers beyond the system's limit?  Otherwise tests go slower, or the kernel loses datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        except OSError:
            pass
        return s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 64 << 20


LARGE = large_buffers()
RATE, RATE_SMALL = "400M", "60M"  # bit/s; the second where buffers are small
SLOWER = 1 if LARGE else int(RATE[:-1]) / int(RATE_SMALL[:-1])  # how many times


def program(name):
    return os.path.join(BUILD, name)


def edit(path, *pairs, more=""):
    """Replace texts of a configuration, each of which has to be there, and put more behind it."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for old, new in pairs:
        assert old in text, (old, text)
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + more)


def wait_until(what, test, seconds=30, every=0.05, alive=()):
    """Return what test() returns once that is true; fail when it never is, or when a process of alive ends."""
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        for p in alive:
            if p.poll() is not None:
                raise AssertionError(f"{p.name} ended with {p.poll()} while waiting for {what}\n{p.tail()}")
        if time.monotonic() > end:
            logs = "\n".join(p.tail() for p in alive)
            raise AssertionError(f"{seconds} s passed without {what}\n{logs}")
        time.sleep(every)


def may_administer():
    """CAP_SYS_ADMIN: mounts, and network namespaces with names.  Root of a container has none."""
    with open("/proc/self/status") as f:
        return int(re.search(r"^CapEff:\s*(\w+)", f.read(), re.M)[1], 16) >> 21 & 1


def is_host_root():
    """Root of the host, who may give files away and ask for any buffer; not only of namespaces of somebody's own (run.py)."""
    with open("/proc/self/uid_map") as f:
        return may_administer() and sum(int(line.split()[2]) for line in f) > 1


def run(*argv, ok=True, **options):
    """Run a command to its end; text output.  With ok, exit 0 is demanded."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          timeout=options.pop("timeout", 60), **options)
    done.out = done.stdout.decode("utf-8", "backslashreplace")
    done.err = done.stderr.decode("utf-8", "backslashreplace")
    if ok and done.returncode != 0:
        raise AssertionError(f"{argv} -> {done.returncode}\n{done.out}{done.err}")
    return done


def katamichi(*argv, **options):
    return run(program("katamichi"), *argv, **options)


def rows(database, sql):
    """What a query finds in a daemon's database.

    Closed at once, and by name: "with sqlite3.connect()" ends a transaction, not the connection, which Python keeps in a cycle
    until its collector comes by.  Until then every further connection of this process shares its index (-shm), and where
    that file was made anew meanwhile, as after a power cut, it shows what was there before the cut."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as db:
        return db.execute(sql).fetchall()


def copy_database(database, copy):
    """What its journal holds included: a daemon that is told to stop may end before it has put that into the file."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as source, \
            contextlib.closing(sqlite3.connect(copy)) as to:
        source.backup(to)


# --- the link ---
FILTER_BACK = """table netdev katamichi {{
 chain back {{
  type filter hook ingress device "{dev}" priority 0
  counter drop
 }}
}}
"""
# What the receiver's host emits by itself (a port unreachable while no daemon listens) is stopped there and counted apart: it is
# not the daemon's, and an installation drops it the same way.
FILTER_ZONE = """table ip zone {{
 chain output {{
  type filter hook output priority 0
  oifname "{dev}" meta l4proto icmp counter drop
 }}
}}
table netdev zone {{
 chain leaving {{
  type filter hook egress device "{dev}" priority 0
  counter
 }}
}}
"""


# Where there is no link: an address for each of several processes of pytest.
LOOPBACK = f"127.0.{int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:]) + 1}.1"


class Net:
    """The two hosts.  two_ways is None on loopback: direction not tested."""
    serial = 0

    def __init__(self, mtu=1500):
        Net.serial += 1
        self.mtu = mtu
        self.names = [f"km-{os.getpid()}-{Net.serial}-{side}" for side in "sr"]
        self.real = os.environ.get("KATAMICHI_LOOPBACK") != "1" and self._make()
        self.sender = "10.77.0.1" if self.real else LOOPBACK
        self.receiver = "10.77.0.2" if self.real else LOOPBACK
        self.relay = "127.0.0.1:5151" if self.real else f"{LOOPBACK}:5151"

    def _make(self):
        if os.geteuid() != 0:
            return False
        atexit.register(self.close)
        try:
            for ns in self.names:
                run("ip", "netns", "add", ns)
                run("ip", "netns", "exec", ns, "sh", "-c",
                    "for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done 2>/dev/null || true")
                run("ip", "-n", ns, "link", "set", "lo", "up")
            s, r = self.names
            mac = {s: "02:6b:6d:00:00:01", r: "02:6b:6d:00:00:02"}
            run("ip", "link", "add", "kms", "address", mac[s], "netns", s, "type", "veth",
                "peer", "name", "kmr", "address", mac[r], "netns", r)
            for ns, dev, addr, peer, peer_mac in ((s, "kms", "10.77.0.1", "10.77.0.2", mac[r]),
                                                  (r, "kmr", "10.77.0.2", "10.77.0.1", mac[s])):
                run("ip", "-n", ns, "addr", "add", addr + "/30", "dev", dev)
                run("ip", "-n", ns, "link", "set", dev, "mtu", str(self.mtu), "arp", "off")
            # As on a wire: what the sender hands over in batches is cut into datagrams before it leaves.
            run("ip", "netns", "exec", s, "ethtool", "-K", "kms", "tx-udp-segmentation", "off")
            self._filter(s, FILTER_BACK.format(dev="kms"))
            self._filter(r, FILTER_ZONE.format(dev="kmr"))
            for ns, dev, addr, peer, peer_mac in ((s, "kms", "", "10.77.0.2", mac[r]), (r, "kmr", "", "10.77.0.1", mac[s])):
                run("ip", "-n", ns, "link", "set", dev, "up")
                run("ip", "-n", ns, "neigh", "replace", peer, "lladdr", peer_mac, "nud", "permanent", "dev", dev)
        except AssertionError as e:
            print(f"no namespaces: direction not tested ({e})", file=sys.stderr)
            self.close()
            return False
        return True

    def _filter(self, ns, text):
        path = f"/tmp/{ns}.nft"
        with open(path, "w") as f:
            f.write(text)
        try:
            run("ip", "netns", "exec", ns, "nft", "-f", path)
        finally:
            os.unlink(path)

    def at(self, side):
        """The prefix that runs a command on that host."""
        return ["ip", "netns", "exec", self.names["sr".index(side)]] if self.real else []

    def _count(self, side, table):
        out = run(*self.at(side), "nft", "-j", "list", "table", "netdev", table).out
        return sum(e["counter"]["packets"] for item in json.loads(out)["nftables"] if "rule" in item
                   for e in item["rule"]["expr"] if "counter" in e)

    def frames_back(self):
        """Frames that came to the sender's end, and frames that the receiver's host put on the link."""
        return (self._count("s", "katamichi"), self._count("r", "zone")) if self.real else (0, 0)

    def frames_arrived(self):
        out = run("ip", "-n", self.names[1], "-s", "-j", "link", "show", "dev", "kmr").out
        return json.loads(out)[0]["stats64"]["rx"]["packets"]

    def close(self):
        for ns in self.names:
            subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL)


def remove_stale():
    """Namespaces of runs that were killed."""
    for path in glob.glob("/run/netns/km-*-*-[sr]"):
        ns = os.path.basename(path)
        if not os.path.exists(f"/proc/{ns.split('-')[1]}"):
            subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL)


# --- processes ---
def children(pid):
    """All living descendants of pid, by their parents' numbers."""
    parent = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, "rb") as f:
                text = f.read()
        except OSError:
            continue
        rest = text[text.rindex(b")") + 2:].split()
        if rest[0] != b"Z":
            parent[int(stat.split("/")[2])] = int(rest[1])
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        more = [c for c, q in parent.items() if q == p]
        found += more
        todo += more
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rsplit(b")", 1)[1].split()[0] != b"Z"
    except OSError:
        return False


class Process:
    everyone = []

    def __init__(self, name, argv, log, ready=None):
        self.name, self.log = name, log
        self.log_start = os.path.getsize(log) if os.path.exists(log) else 0
        with open(log, "ab") as f:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        self.pid = self.popen.pid
        self.peak = {}
        Process.everyone.append(self)
        if ready:
            wait_until(f'"{ready}" of {name}', lambda: re.search(ready, self.text()), 20, alive=[self])

    def poll(self):
        return self.popen.poll()

    def text(self):
        with open(self.log, "rb") as f:
            f.seek(self.log_start)
            return f.read().decode("utf-8", "backslashreplace")

    def tail(self, lines=30):
        return f"--- {self.name} ({self.log}) ---\n" + "\n".join(self.text().splitlines()[-lines:])

    def processes(self):
        """The daemon and its children; not the tracer, where there is one."""
        return [p for p in [self.pid] + children(self.pid) if "katamichi" in self.command(p)]

    @staticmethod
    def command(pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                return f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            return ""

    def note_memory(self):
        """Highest resident set of each process so far, bytes: {command: peak}."""
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/status") as f:
                    peak = re.search(r"VmHWM:\s+(\d+) kB", f.read())
            except OSError:
                continue
            if peak:
                self.peak[f"{pid} {self.command(pid)}"] = int(peak.group(1)) * 1024
        return self.peak

    def stop(self, code=0, seconds=15):
        """SIGTERM; the exit code is demanded, and that no child stays."""
        if self.poll() is not None:
            return
        self.note_memory()
        family = children(self.pid)
        # A tracer does not hand the signal on.
        os.kill(family[0] if "strace" in self.command(self.pid) else self.pid, signal.SIGTERM)
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {seconds} s of SIGTERM\n{self.tail()}")
        assert code is None or self.poll() == code, f"{self.name} stopped with {self.poll()}\n{self.tail()}"
        wait_until(f"the end of {self.name}'s processes", lambda: not any(alive(p) for p in family))

    def kill(self):
        """kill -9 of the daemon and of all its processes, as when the power goes."""
        family = children(self.pid)
        for pid in [self.pid] + family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.popen.wait()
        wait_until(f"the end of {self.name}'s processes", lambda: not any(alive(p) for p in family))

    @classmethod
    def end_all(cls):
        for p in cls.everyone:
            if p.poll() is None:
                p.kill()
        cls.everyone.clear()


class Relay(Process):
    """The fault injector beside the sender (tests/tools/relay.c)."""

    def __init__(self, net, log, listen, to, *faults):
        argv = net.at("s") + [program("tests/tools/relay"), "--listen", listen, "--to", to, "--seed", str(SEED), *faults]
        super().__init__("relay", argv, log, ready="relay ready")

    def cut(self):
        os.kill(self.pid, signal.SIGUSR1)

    def join(self):
        os.kill(self.pid, signal.SIGUSR2)

    def finish(self):
        """Stop, and say what was done to the link."""
        self.stop()
        stats = json.loads(self.text().strip().splitlines()[-1])
        assert stats["overflow"] == 0, f"the relay itself lost datagrams: {stats}"
        return stats


# --- one sender, one receiver ---
SENDER_CONF = """[sender]
keys = keys/sender.key
receiver = keys/receiver.pub
{sender_more}state = sender-state
folders = out
[link]
destination = {destination}
mtu = {mtu}
rate = {rate}
loss = {loss}
burst = {burst}
failure = 1e-9
repeat = {repeat}
retention = {retention}
[channel eltax]
{sender_content}{channel_more}[channel pittari]
{sender_content}{channel_more}[channel bulk]
max_file = 4G
"""
RECEIVER_CONF = """[receiver]
keys = keys/receiver.key
{receiver_more}inbox = {far}inbox
state = {far}receiver-state
[link]
listen = {listen}
{receiver_link}buffer = {buffer}
[peer mihon]
key = keys/sender.pub
[channel eltax]
{receiver_content}[channel pittari]
{receiver_content}[channel bulk]
max_file = 4G
max_transfer = 8G
"""


class Site:
    """Everything of one test: directory, keys, link, daemons.  far: a directory for what the receiver writes, on another file system."""
    CHANNELS = ("eltax", "pittari", "bulk")

    def __init__(self, top, net, far=None):
        self.top, self.net, self.far = str(top), net, far and str(far)
        self.values = dict(sender_more="", receiver_more="", receiver_link="", channel_more="", sender_content="content = any\n",
                           receiver_content="content = any\n", mtu=net.mtu, rate=RATE, buffer="64M", loss="1%", burst="20ms",
                           repeat="1h", retention="14d", listen=f"{net.receiver}:5150", destination=f"{net.receiver}:5150")
        self.sender = self.receiver = self.relay = None
        self.options = []  # of both daemons: ["--no-sandbox"] where a test makes them do what they never would
        self.sent = {}  # (channel, name) -> sha256
        for d in ["keys", "inbox", "sender-state", "receiver-state", "staging"] + ["out/" + c for c in self.CHANNELS]:
            os.makedirs(self.path(d))
        os.chmod(self.path("keys"), 0o700)
        katamichi("keygen", "sender", self.path("keys"))
        katamichi("keygen", "receiver", self.path("keys"))

    def path(self, *parts):
        top = self.far if self.far and parts and parts[0] in ("inbox", "receiver-state") else self.top
        return os.path.join(top, *parts)

    def configure(self, **values):
        self.values.update(values)
        if not LARGE:
            with open("/proc/sys/net/core/rmem_max") as f:
                self.values.update(rate=RATE_SMALL, buffer=f.read().strip())
        for name, text in (("sender.conf", SENDER_CONF), ("receiver.conf", RECEIVER_CONF)):
            with open(self.path(name), "w") as f:
                f.write(text.format(far=self.far + "/" if self.far else "", **self.values))

    def start(self, *faults, relay=None, **values):
        """Receiver, then the relay if there are faults, then the sender."""
        relay = bool(faults) if relay is None else relay
        if relay:
            values["destination"] = self.net.relay
        self.configure(**values)
        self.start_receiver()
        if relay:
            self.relay = Relay(self.net, self.path("relay.log"), self.net.relay, self.values["listen"], *faults)
        self.start_sender()

    def start_receiver(self, *wrapper):
        argv = self.net.at("r") + list(wrapper) + [program("katamichi-receiver"), "-c", self.path("receiver.conf")] + self.options
        self.receiver = Process("receiver", argv, self.path("receiver.log"), ready=r"\bready\b")

    def start_sender(self, *wrapper):
        argv = self.net.at("s") + list(wrapper) + [program("katamichi-sender"), "-c", self.path("sender.conf")] + self.options
        self.sender = Process("sender", argv, self.path("sender.log"), ready=r"\bready\b")

    def start_sender_to(self, destination):
        self.configure(destination=destination)
        self.start_sender()

    def daemons(self):
        return [p for p in (self.sender, self.receiver) if p is not None]

    # what goes in
    def put(self, channel, name, content):
        """A finished file appears in the channel's folder.  content: bytes, or the path of a file to move there."""
        name = os.fsencode(name)
        staged = os.path.join(os.fsencode(self.path("staging")), b"%d" % len(self.sent))
        if isinstance(content, bytes):
            with open(staged, "wb") as f:
                f.write(content)
            digest = hashlib.sha256(content).hexdigest()
        else:
            os.rename(content, staged)
            digest = sha256_file(staged)
        os.rename(staged, os.path.join(os.fsencode(self.path("out", channel)), name))
        self.sent[channel, name] = digest

    def put_random(self, channel, name, size):
        """A file that no compressor makes smaller."""
        path = self.path("staging", "random")
        make_random(path, size)
        self.put(channel, name, path)

    # what comes out
    def deliveries(self):
        """Published transfers: [(channel, number, directory as bytes)]."""
        found = []
        for path in glob.glob(os.path.join(glob.escape(os.fsencode(self.path("inbox"))), b"*", b"*")):
            channel, number = path.split(b"/")[-2:]
            if channel != b"katamichi":  # closings are not what anybody put in
                found.append((channel.decode(), number.decode(), path))
        return sorted(found)

    def closings(self):
        """Closings that arrived: their directories, in the order of their numbers."""
        return sorted(glob.glob(os.path.join(glob.escape(self.path("inbox")), "katamichi", "*")))

    def arrived(self):
        """{(channel, name): [paths]} of every published payload file."""
        found = {}
        for channel, _, path in self.deliveries():
            files = os.path.join(path, b"files")
            for name in os.listdir(files):
                found.setdefault((channel, name), []).append(os.path.join(files, name))
        return found

    def wait_delivered(self, seconds=60, watch=None):
        def all_there():
            for p in self.daemons():
                p.note_memory()
            return set(self.arrived()) >= set(self.sent)
        try:
            wait_until("all files in the inbox", all_there, seconds, every=0.1, alive=watch or self.daemons())
        except AssertionError as e:
            missing = sorted(set(self.sent) - set(self.arrived()))
            raise AssertionError(f"{e}\nmissing: {missing[:20]} ({len(missing)})") from None

    def check_inbox(self):
        """What lies in the inbox is what was sent, each once, whole, and every proof beside it holds."""
        there = self.arrived()
        assert set(there) == set(self.sent), (set(self.sent) ^ set(there))
        for key, paths in there.items():
            assert len(paths) == 1, f"{key} was delivered {len(paths)} times"
            assert sha256_file(paths[0]) == self.sent[key], f"{key} is not what was sent"
        numbers = {}
        for channel, number, path in self.deliveries():
            assert re.fullmatch(r"\d{8,}", number), f"inbox/{channel}/{number}"
            numbers.setdefault(channel, []).append(int(number))
            self.check_transfer(channel, int(number), path)
        for channel, have in numbers.items():
            assert sorted(have) == list(range(1, len(have) + 1)), f"numbers of {channel}: {have}"
        self.check_ledger(sum(len(n) for n in numbers.values()))

    def check_transfer(self, channel, number, path):
        assert sorted(os.listdir(path)) == [b"MANIFEST.json", b"MANIFEST.json.sig", b"SHA256SUMS", b"files"]
        manifest, sums = os.path.join(path, b"MANIFEST.json"), os.path.join(path, b"SHA256SUMS")
        run("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", self.path("keys/sender-ed25519.pem"),
            "-sigfile", manifest + b".sig", "-in", manifest)
        run("sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS", cwd=path)
        katamichi("verify", path, "--sender", self.path("keys/sender.pub"))
        with open(manifest, "rb") as f:
            said = json.loads(f.read())
        assert said["channel"] == channel and said["number"] == number and said["@format"] == "katamichi-manifest-1"
        assert said["sha256sums"] == sha256_file(sums)
        assert len(said["files"]) == len(os.listdir(os.path.join(path, b"files")))

    def check_ledger(self, delivered):
        katamichi("ledger", "verify", "-c", self.path("receiver.conf"))
        def rows():
            return [r for r in self.ledger() if r["event"] == "delivered" and r["channel"] != "katamichi"]
        if self.receiver and self.receiver.poll() is None:  # a directory stands in the inbox a moment before its row
            wait_until(f"{delivered} rows", lambda: len(rows()) >= delivered)
        assert len(rows()) == delivered, rows()
        before = "0" * 64
        for entry, digest in self.ledger_rows:
            assert hashlib.sha256(f"{before}\n{entry}\n".encode()).hexdigest() == digest, "the chain is broken"
            before = digest

    def ledger(self):
        """The entries, read by a program that is not ours."""
        db = self.path("receiver-state/ledger/ledger.db")
        out = run("sqlite3", "-json", f"file:{db}?mode=ro", "SELECT seq, entry, hash FROM ledger ORDER BY seq").out
        rows = json.loads(out or "[]")
        assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))
        self.ledger_rows = [(r["entry"], r["hash"]) for r in rows]
        return [json.loads(r["entry"]) for r in rows]

    def check_nothing_published(self):
        assert self.deliveries() == []
        if os.path.exists(self.path("receiver-state/ledger/ledger.db")):
            assert not [r for r in self.ledger() if r["event"] == "delivered"]

    def check_memory(self):
        for p in self.daemons():
            for what, peak in p.note_memory().items():
                assert peak < MEMORY_MAX, f"{what}: {peak >> 20} MB resident"

    def check_one_way(self):
        back, left = self.net.frames_back()
        assert (back, left) == (0, 0), f"{back} frames came back, {left} left the receiver's host"

    def stop(self):
        for p in (self.sender, self.relay, self.receiver):
            if p is not None:
                p.stop()


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while True:
            block = f.read(1 << 20)
            if not block:
                return digest.hexdigest()
            digest.update(block)


def make_random(path, size):
    rng = random.Random(f"{SEED} {size}")
    with open(path, "wb") as f:
        while size > 0:
            f.write(rng.randbytes(min(size, 1 << 20)))
            size -= min(size, 1 << 20)


def disk_use(path):
    """Bytes that are really on disk below path."""
    total = 0
    for base, _, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(base, name)).st_blocks * 512
            except OSError:
                pass
    return total


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
