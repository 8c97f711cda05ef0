"""The diode box in emulation: two boards, each with one direction, between two hosts in network namespaces.

    sender's namespace                                             receiver's namespace
      eth1 (tap) ====> [ingress: GEM0  GEM1] ==fibre==> [egress: GEM1  GEM0] ====> eth1 (tap)

The fibre is a pair of datagram sockets in the file system. What the egress node would send back on it arrives at a socket that
this process holds (frames_on_fibre_back), and whoever likes may write to either node's end of it.

Addresses, neighbour entries and packet filters of both hosts are what `katamichi firmware-config` prints for the INI file from
which the images are made; nothing of that is set by hand here.
"""
import atexit
import configparser
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import frames
import harness

INI = os.path.join(harness.TOP, "tests/data/diode.ini")
WIRE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wire.py")

# What the receiver's kernel says by itself while no daemon listens is stopped before the device, as in an installation.
NO_ICMP = 'table ip zone { chain output { type filter hook output priority 0; oifname "eth1" meta l4proto icmp counter drop; }; }\n'


class Board:
    """How one board is emulated.  qemu: program and arguments; serials: what comes before the console; macs: register blocks of
    (host, fibre) in the order of the machine's network devices.  resets: does the emulator do what a board does when its program
    asks for a reset?"""

    def __init__(self, qemu, image, serials, macs, resets=True):
        self.qemu, self.image, self.serials, self.macs, self.resets = qemu, image, serials, macs, resets


BOARDS = {
    "zynq": Board(["qemu-system-arm", "-M", "xilinx-zynq-a9", "-m", "16M"], "-kernel", ["-serial", "null"], (0xE000B000, 0xE000C000)),
    "imx6ul": Board(["qemu-system-arm", "-M", "mcimx6ul-evk"], "-kernel", [], (0x02188000, 0x020B4000)),
    "icicle": Board(["qemu-system-riscv64", "-M", "microchip-icicle-kit", "-smp", "5", "-m", "1537M"], "-bios", [],
                    (0x20110000, 0x20112000), resets=False),
}
# NCR (offset 0): 4 = receive, 8 = transmit.
GEM_RECEIVE, GEM_TRANSMIT = 4, 8


def image(board, role, kind=""):
    path = harness.program(f"firmware/{board}-{role}{kind}.elf")
    assert os.path.exists(path), f"{path} is not there; make test-firmware makes it"
    return path


HEXADECIMAL = {"epoch", "image", "config", "register", "want", "got", "at"}


class Node(harness.Process):
    """One emulated board.  Its console only transmits: lines of a word and then key=value."""

    def __init__(self, box, role, board, kind="", trace=None):
        self.box, self.role, self.board = box, role, BOARDS[board]
        self.elf = image(board, role, kind)
        side = "sr"[role == "egress"]
        here = lambda name: os.path.join(box.dir, f"{role}-{name}")  # noqa: E731
        self.console, self.qtest_path = here("console"), here("qtest")
        for stale in (self.console, self.qtest_path, here("fibre")):
            if os.path.exists(stale):
                os.unlink(stale)
        remote = os.path.join(box.dir, "egress-fibre" if role == "ingress" else "back")
        argv = box.at(side) + box.run_by + self.board.qemu + ["-nodefaults", "-display", "none", self.board.image, self.elf] + self.board.serials + [
            "-chardev", f"file,id=c,path={self.console}", "-serial", "chardev:c",
            "-netdev", "tap,id=h,ifname=eth1,script=no,downscript=no", "-net", f"nic,netdev=h,macaddr={box.mac(role)}",
            "-netdev", f"dgram,id=l,local.type=unix,local.path={here('fibre')},remote.type=unix,remote.path={remote}",
            "-net", f"nic,netdev=l,macaddr=02:6b:6d:00:00:0{'ab'[role == 'egress']}",
            "-accel", "tcg", "-qtest", f"unix:{self.qtest_path},server=on,wait=off", "-qtest-log", "/dev/null"]
        if trace:
            argv += ["-trace", f"enable=memory_region_ops_write,file={trace}"]
        self._qtest = None
        super().__init__(f"{role} ({board})", argv, here("log"))

    def text(self):
        """The console, and behind it what the emulator itself had to say."""
        return self.said() + super().text()

    def said(self):
        try:
            with open(self.console, "rb") as f:
                return f.read().decode("ascii", "backslashreplace")
        except OSError:
            return ""

    def lines(self, word):
        """[{key: value}] of all whole lines that begin with word."""
        found = []
        for line in self.said().split("\n")[:-1]:
            parts = line.strip().split(" ")
            if parts[0] == word:
                pairs = [p.split("=", 1) for p in parts[1:]]
                found.append({k: int(v) if v.isdigit() and k not in HEXADECIMAL else v for k, v in pairs})
        return found

    def wait_line(self, word, count=1, seconds=15, **having):
        def there():
            found = [line for line in self.lines(word) if all(line.get(k) == v for k, v in having.items())]
            return found[count - 1] if len(found) >= count else None
        return harness.wait_until(f"line {count} of \"{word}\" {having} by {self.name}", there, seconds, alive=[self])

    def counts(self, seconds=15):
        """The counters, from a line that was begun after this call."""
        before = len(self.lines("count"))
        harness.wait_until(f"counters of {self.name}", lambda: len(self.lines("count")) > before + 1, seconds, alive=[self])
        return self.lines("count")[-1]

    def qtest(self, command):
        """One command of the emulator's test protocol: reads and writes memory and registers beside the running processor."""
        if self._qtest is None:
            self._qtest = socket.socket(socket.AF_UNIX)
            self._qtest.settimeout(10)
            self._qtest.connect(self.qtest_path)
        self._qtest.sendall(command.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += self._qtest.recv(4096)
        assert answer.startswith(b"OK"), f"qtest {command}: {answer}"
        return int(answer.split()[1], 16) if len(answer.split()) > 1 else None

    def stop(self, code=0, seconds=15):
        if self._qtest is not None:
            self._qtest.close()
            self._qtest = None
        super().stop(code, seconds)


class Box(harness.Net):
    """Both hosts and the box between; harness.Site takes it for a link."""

    def __init__(self, ini=INI):
        self.ini = ini
        self.conf = configparser.ConfigParser()
        self.conf.read(ini)
        self.ends = frames.Ends(self.conf)
        self.dir = tempfile.mkdtemp(prefix="km-box-", dir="/tmp")  # short: names of sockets have at most 107 bytes
        self.back = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.back.setblocking(False)
        self.back.bind(os.path.join(self.dir, "back"))
        self.nodes, self.fallen = [], ""
        self.run_by = []  # a command before the emulators'
        super().__init__(int(self.conf["link"]["mtu"]))
        assert self.real, "the box takes two network namespaces, with taps and packet filters in them"
        self.sender, self.receiver = (self.conf[who]["ip"] for who in ("sender", "receiver"))

    def mac(self, who):
        return self.conf[who]["mac"]

    def _make(self):
        atexit.register(self.close)
        for ns, who in zip(self.names, ("sender", "receiver")):
            harness.run("ip", "netns", "add", ns)
            harness.run("ip", "netns", "exec", ns, "sh", "-c",
                        "for i in all default; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done 2>/dev/null || true")
            harness.run("ip", "-n", ns, "link", "set", "lo", "up")
            harness.run("ip", "-n", ns, "tuntap", "add", "dev", "eth1", "mode", "tap")
            harness.run("ip", "-n", ns, "link", "set", "eth1", "address", self.mac(who), "mtu", str(self.mtu), "arp", "off",
                        "txqueuelen", "10000")
            harness.run("ip", "-n", ns, "addr", "add", self.conf[who]["ip"] + "/30", "dev", "eth1")
        told = [harness.katamichi("firmware-config", self.ini, option).out for option in ("--nft", "--neighbours")]
        tables = re.findall(r"^table .*?^}", told[0], re.M | re.S)
        entries = [line for line in told[1].splitlines() if line.startswith("ip ")]
        assert len(tables) == len(entries) == 2, told
        for ns, table, entry, more in zip(self.names, tables, entries, ("", NO_ICMP)):
            self._filter(ns, table + "\n" + more)
            harness.run("ip", "-n", ns, "link", "set", "eth1", "up")
            harness.run("ip", "-n", ns, *entry.split()[1:])
        return True

    # the box itself
    def start(self, ingress="zynq", egress="zynq", kind="", trace=""):
        """The egress node first, so that nothing is sent to a node that is not there.  trace: roles whose register writes are
        kept in trace_path()."""
        self.start_node("egress", egress, kind, trace)
        self.start_node("ingress", ingress, kind, trace)
        for n in (self.egress, self.ingress):
            n.wait_line("count", seconds=30)
        return self

    def start_node(self, role, board="zynq", kind="", trace=""):
        node = Node(self, role, board, kind, self.trace_path(role) if role in trace else None)
        self.nodes = [n for n in self.nodes if n.role != role] + [node]
        return node

    @property
    def ingress(self):
        return next(n for n in self.nodes if n.role == "ingress")

    @property
    def egress(self):
        return next(n for n in self.nodes if n.role == "egress")

    def counts(self):
        """The counters of the ingress and of the egress node, from lines that were begun after this call."""
        nodes = (self.ingress, self.egress)
        before = [len(n.lines("count")) for n in nodes]
        harness.wait_until("counters", lambda: all(len(n.lines("count")) > b + 1 for n, b in zip(nodes, before)), 15, alive=nodes)
        return tuple(n.lines("count")[-1] for n in nodes)

    def trace_path(self, role):
        return os.path.join(self.dir, f"{role}-trace")

    # wires
    def wire(self, side, what, raw, *more):
        """wire.py on that side's device, to its end."""
        text = "\n".join(f.hex() for f in raw).encode()
        done = subprocess.run(self.at(side) + [sys.executable, WIRE, what, "eth1", *map(str, more)], input=text, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout.decode()

    def fell(self, side):
        """That host is no longer ours: its packet filter lets everything out."""
        harness.run(*self.at(side), "nft", "delete", "table", "netdev", {"s": "katamichi_sender", "r": "katamichi_receiver"}[side])
        self.fallen += side

    def send(self, side, raw, rate=2000):
        """Frames from that host."""
        self.wire(side, "send", raw, rate)

    def light(self, role, raw):
        """Frames into that node's end of the fibre, from nowhere."""
        path = os.path.join(self.dir, f"{role}-fibre")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.settimeout(10)
            for frame in raw:
                s.sendto(frame, path)

    def frames_on_fibre_back(self):
        """Frames that the egress node has put on the fibre since the last call."""
        n = 0
        while True:
            try:
                self.back.recv(65536)
            except BlockingIOError:
                return n
            n += 1

    def _rules(self, side, table):
        out = harness.run(*self.at(side), "nft", "-j", "list", "table", "netdev", table).out
        found = {}
        for item in json.loads(out)["nftables"]:
            if "rule" in item:
                counted = sum(e["counter"]["packets"] for e in item["rule"]["expr"] if "counter" in e)
                found.setdefault(item["rule"]["chain"], []).append(counted)
        return found

    def received(self, side):
        """Frames that the device on that side has received, before any filter."""
        out = harness.run("ip", "-n", self.names["sr".index(side)], "-s", "-j", "link", "show", "dev", "eth1").out
        return json.loads(out)[0]["stats64"]["rx"]["packets"]

    def frames_back(self):
        """Frames toward the sender: on its device by the device's own count, by its packet filter's (while it has one), and on
        the fibre; and those that left the receiver's host."""
        back = self.received("s") + self.frames_on_fibre_back()
        if "s" not in self.fallen:
            back += sum(self._rules("s", "katamichi_sender")["in"])
        return back, 0 if "r" in self.fallen else sum(self._rules("r", "katamichi_receiver")["out"])

    def stop(self):
        for node in reversed(self.nodes):
            node.stop()

    def close(self):
        super().close()
        self.back.close()
        shutil.rmtree(self.dir, ignore_errors=True)
