"""What a run costs: CPU and memory of each process, frames on the link, and when they crossed."""
import calendar
import ctypes
import ctypes.util
import os
import re
import select
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "e2e"))
import harness  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
WIRE = 28 + 14 + 24  # bytes on the wire beside a datagram's own: IPv4 and UDP, Ethernet, FCS with preamble and gap
ETHERNET = 28 + 14   # of these, what the interface counts
BUFFER_LEAST = 64 << 20
EVERY = 0.025        # s between two samples


def datagram(mtu):
    """The length of every datagram of a session (sender.conf, mtu)."""
    return ((mtu - 28 - 64) & ~63) + 64


def buffer(asked, rate):
    """Bytes of the receiver's socket buffer: as asked for, or as the receiver sizes itself, what 250 ms of the rate need."""
    return asked or f"{max(BUFFER_LEAST, rate // 8 // 4)}"


def label(pid):
    """sender:link, receiver:store ... or the program's own name."""
    words = harness.Process.command(pid).split()
    if not words:
        return None
    name = os.path.basename(words[0]).replace("katamichi-", "").replace("receiver-link", "receiver")
    return f"{name}:{words[words.index('--role') + 1]}" if "--role" in words else f"{name}:main"


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", "rb") as f:
        fields = f.read().rsplit(b")", 1)[1].split()
    return int(fields[11]) / TICK, int(fields[12]) / TICK


def peak_of(pid):
    with open(f"/proc/{pid}/status") as f:
        found = re.search(r"VmHWM:\s+(\d+) kB", f.read())
    return int(found.group(1)) * 1024 if found else 0


class Watch:
    """Samples the daemons' processes and the receiver's interface while something crosses.

    CPU seconds are differences between the start and the end of the watch, so starting up is not in them."""

    def __init__(self, daemons, interface="kmr"):
        self.pids = {pid: label(pid) for d in daemons for pid in d.processes()}
        self.dev = f"/proc/{daemons[-1].pid}/net/dev"
        self.interface = interface
        self.frames = []  # (time, packets, bytes)
        self.start_cpu = {pid: cpu_of(pid) for pid in self.pids}
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self._frames()
        self.thread.start()

    def _frames(self):
        with open(self.dev) as f:
            for line in f:
                name, _, rest = line.partition(":")
                if name.strip() == self.interface:
                    fields = rest.split()
                    self.frames.append((time.time(), int(fields[1]), int(fields[0])))

    def _run(self):
        while not self.ending.wait(EVERY):
            try:
                self._frames()
            except OSError:
                return

    def end(self):
        """{process: {user, system, peak}}, and the samples stop."""
        self.ending.set()
        self.thread.join()
        result = {}
        for pid, name in self.pids.items():
            user, system = cpu_of(pid)
            before = self.start_cpu[pid]
            result[name] = {"user": round(user - before[0], 3), "system": round(system - before[1], 3), "peak": peak_of(pid)}
        return result

    def busy(self, least=20):
        """First and last moment in which more than a trickle of datagrams crossed, and how many did: (t0, t1, packets, bytes)."""
        steps = [(b[0], a[0], b[1] - a[1], b[2] - a[2]) for a, b in zip(self.frames, self.frames[1:])]
        full = [s for s in steps if s[2] >= least]
        if not full:
            return None
        first, last = full[0][1], full[-1][0]
        inside = [s for s in steps if s[1] >= first and s[0] <= last]
        return first, last, sum(s[2] for s in inside), sum(s[3] for s in inside)


# --- the moment of publication ---
IN_MOVED_TO, IN_NONBLOCK, IN_CLOEXEC = 0x80, 0o4000, 0o2000000


class Inbox:
    """Says when a transfer is renamed into place: its directory's name, and the time at which that was read."""

    def __init__(self, *folders):
        self.libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
        self.fd = self.libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
        self.folder = {}
        for path in folders:
            os.makedirs(path, exist_ok=True)
            number = self.libc.inotify_add_watch(self.fd, os.fsencode(path), IN_MOVED_TO)
            if self.fd < 0 or number < 0:
                raise OSError(ctypes.get_errno(), "inotify", path)
            self.folder[number] = path

    def wait(self, seconds):
        """[(time, path of the transfer)]; empty when nothing came within these seconds."""
        if not select.select([self.fd], [], [], max(0, seconds))[0]:
            return []
        now, data, at, found = time.time(), os.read(self.fd, 1 << 16), 0, []
        while at < len(data):
            number, _, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16:at + 16 + length].rstrip(b"\0")
            found.append((now, os.path.join(self.folder[number], os.fsdecode(name))))
            at += 16 + length
        return found

    def close(self):
        os.close(self.fd)


# --- links ---
def real_frames(net, gro=False):
    """Datagrams cross one by one: otherwise a veth hands segmented ones over whole.  With gro the receiver's end joins them again, as
    a network card's driver does; a veth does so only while its peer has no TSO."""
    harness.run(*net.at("s"), "ethtool", "-K", "kms", "tx-udp-segmentation", "off")
    if gro:
        harness.run(*net.at("s"), "ethtool", "-K", "kms", "tso", "off")
        harness.run(*net.at("r"), "ethtool", "-K", "kmr", "gro", "on")


def log_time(process, pattern):
    """When the last line that matches was logged, seconds since 1970; None if there is none."""
    found = re.findall(r"^(\S+)Z \S+ \S+: .*(?:" + pattern + ")", process.text(), re.M)
    if not found:
        return None
    day, _, ms = found[-1].partition(".")
    return calendar.timegm(time.strptime(day, "%Y-%m-%dT%H:%M:%S")) + int(ms) / 1000


def machine():
    """What the figures depend on."""
    def first(path, pattern, default="unknown"):
        try:
            with open(path) as f:
                found = re.search(pattern, f.read(), re.M)
            return found.group(1) if found else default
        except OSError:
            return default
    mount = subprocess.run(["findmnt", "-no", "FSTYPE,OPTIONS", "-T", harness.BUILD], stdout=subprocess.PIPE, text=True).stdout.strip()
    return {"processor": first("/proc/cpuinfo", r"^model name\s*: (.*)$"), "cores": os.cpu_count(),
            "memory": int(first("/proc/meminfo", r"^MemTotal:\s+(\d+)", "0")) * 1024, "kernel": os.uname().release,
            "disk": mount, "load": os.getloadavg()[0], "seed": harness.SEED}


def busy_others():
    """Cores that other work takes just now: then the figures are not the machine's."""
    def sample():
        with open("/proc/stat") as f:
            v = [int(x) for x in f.readline().split()[1:]]
        return sum(v[:8]) - v[3] - v[4], sum(v[:8])
    a = sample()
    time.sleep(0.5)
    b = sample()
    return round((b[0] - a[0]) / max(1, b[1] - a[1]) * os.cpu_count(), 2)
