"""The receiver's host says nothing on the link: with the rules of --harden-print, in every state and whatever is
sent at it, not one frame comes out; without them the same host talks, so the counter can count."""
import json
import os
import socket
import subprocess
import time

import pytest

import harness
import samples

COUNT = "table netdev seen { chain in { type filter hook ingress device \"kms\" priority -300; counter; }; }"
SENDER_MAC, RECEIVER_MAC = "02:6b:6d:00:00:01", "02:6b:6d:00:00:02"

# Sent raw by the sender's side: device, frames as hex.
RAW = """import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for f in sys.argv[2:]:
    s.send(bytes.fromhex(f))
"""
ARP_WHO_HAS = "ffffffffffff" "026b6d000001" "0806" "0001080006040001" "026b6d000001" "0a4d0001" "000000000000" "0a4d0002" + "00" * 18
IGMP_QUERY = ("01005e000001" "026b6d000001" "0800" "46c0002000004000010200000a4d0001e0000001" "94040000" "1164ee9b00000000" + "00" * 14)
IPV6_SOLICIT = ("3333ff000002" "026b6d000001" "86dd" "6000000000203aff" "fe80000000000000006b6dfffe000001" "ff0200000000000000000001ff000002"
                "8700000000000000" "fe80000000000000006b6dfffe000002" "0101026b6d000001")


class Talkative(harness.Net):
    """Two hosts as an installer would leave them: ARP on, IPv6 on, no filter; what reaches the sender's end is counted."""

    def _make(self):
        for ns in self.names:
            harness.run("ip", "netns", "add", ns)
            harness.run("ip", "-n", ns, "link", "set", "lo", "up")
        s, r = self.names
        harness.run("ip", "link", "add", "kms", "address", SENDER_MAC, "netns", s, "type", "veth",
                    "peer", "name", "kmr", "address", RECEIVER_MAC, "netns", r)
        harness.run("ip", "-n", s, "addr", "add", "10.77.0.1/30", "dev", "kms")
        harness.run("ip", "-n", r, "addr", "add", "10.77.0.2/30", "dev", "kmr")
        harness.run("ip", "netns", "exec", s, "ethtool", "-K", "kms", "tx-udp-segmentation", "off")
        self._filter(s, COUNT)
        harness.run("ip", "-n", s, "link", "set", "kms", "up")
        harness.run("ip", "-n", s, "neigh", "replace", "10.77.0.2", "lladdr", RECEIVER_MAC, "nud", "permanent", "dev", "kms")
        return True

    def up(self):
        harness.run("ip", "-n", self.names[1], "link", "set", "kmr", "up")

    def down(self):
        harness.run("ip", "-n", self.names[1], "link", "set", "kmr", "down")

    def came_back(self):
        """Frames seen at the sender's end, and frames that the receiver's driver says it sent."""
        out = harness.run("ip", "-n", self.names[1], "-s", "-j", "link", "show", "dev", "kmr").out
        return self._chain(), json.loads(out)[0]["stats64"]["tx"]["packets"]

    def _chain(self):
        out = harness.run(*self.at("s"), "nft", "-j", "list", "table", "netdev", "seen").out
        return sum(e["counter"]["packets"] for item in json.loads(out)["nftables"] if "rule" in item
                   for e in item["rule"]["expr"] if "counter" in e)

    def tried(self):
        out = harness.run(*self.at("r"), "nft", "-j", "list", "chain", "netdev", "katamichi", "out").out
        return sum(e["counter"]["packets"] for item in json.loads(out)["nftables"] if "rule" in item
                   for e in item["rule"]["expr"] if "counter" in e)

    def provoke(self):
        """What a host usually answers: ping, a closed port, a TCP connection, ARP, IGMP and neighbour queries."""
        at = self.at("s")
        subprocess.run(at + ["ping", "-c", "3", "-i", "0.2", "-W", "1", "10.77.0.2"], stdout=subprocess.DEVNULL, check=False)
        script = ("import socket\nu = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor p in (9, 5149, 5150, 53):\n"
                  "    for _ in range(3):\n        try:\n            u.sendto(b'x' * 40, ('10.77.0.2', p))\n        except OSError:\n            pass\n"
                  "t = socket.socket()\nt.settimeout(0.5)\ntry:\n    t.connect(('10.77.0.2', 5150))\nexcept OSError:\n    pass\n")
        harness.run(*at, harness.sys.executable, "-c", script)
        harness.run(*at, harness.sys.executable, "-c", RAW, "kms", ARP_WHO_HAS, IGMP_QUERY, IPV6_SOLICIT)
        time.sleep(0.5)

    def attempt(self):
        """The receiver's own host tries: ping, UDP, broadcast, a raw frame.  All as root."""
        at = self.at("r")
        subprocess.run(at + ["ping", "-c", "2", "-i", "0.2", "-W", "1", "10.77.0.1"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        script = ("import socket\nu = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nu.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n"
                  "for a in ('10.77.0.1', '10.77.0.3', '224.0.0.251'):\n    try:\n        u.sendto(b'x', (a, 5353))\n    except OSError:\n        pass\n")
        harness.run(*at, harness.sys.executable, "-c", script)
        harness.run(*at, harness.sys.executable, "-c", RAW, "kmr", "026b6d000001" "026b6d000002" "88b5" + "00" * 46,
                    ok=False)  # where it is dropped, the caller is told


@pytest.fixture
def talkative(tmp_path):
    if not harness.may_administer():
        pytest.skip("namespaces need root")
    net = Talkative()
    site = harness.Site(tmp_path, net)
    site.configure(receiver_link=f"sender = 10.77.0.1\nsender_mac = {SENDER_MAC}\n")
    yield site
    harness.Process.end_all()
    net.close()


def harden(site):
    script = harness.run(*site.net.at("r"), harness.program("katamichi-receiver"), "-c", site.path("receiver.conf"), "--harden-print").out
    with open(site.path("harden.sh"), "w") as f:
        f.write(script)
    harness.run(*site.net.at("r"), "sh", site.path("harden.sh"))
    return script


def test_positive_control(talkative):
    """Without the rules the host talks in every one of these ways; the counters see it."""
    net = talkative.net
    net.up()
    time.sleep(1.5)
    seen = [net.came_back()]
    net.provoke()
    seen.append(net.came_back())
    net.attempt()
    seen.append(net.came_back())
    for before, after in zip(seen, seen[1:]):
        assert after[0] > before[0] and after[1] > before[1], seen
    assert seen[0][0] > 0, "not even IPv6 said hello"


@pytest.mark.slow
def test_no_frame_in_any_state(talkative):
    site, net = talkative, talkative.net
    harden(site)
    net.up()  # start
    time.sleep(1.5)
    assert net.came_back() == (0, 0), "when the device came up"
    net.provoke()  # no receiver: the port is closed
    assert net.came_back() == (0, 0), "with the port closed"
    net.attempt()
    assert net.came_back() == (0, 0), "when the host itself tried"
    assert net.tried() > 0, "nothing was tried, so nothing was shown"
    site.start_receiver()
    site.start_sender()
    site.put("eltax", "表.csv", samples.table(50))
    site.put_random("bulk", "8MB.bin", 8 << 20)
    site.wait_delivered(60)
    assert net.came_back() == (0, 0), "while files crossed"
    net.provoke()
    assert net.came_back() == (0, 0), "with wrong traffic"
    site.receiver.kill()
    net.provoke()
    assert net.came_back() == (0, 0), "after a crash"
    site.start_receiver()
    site.receiver.stop()
    net.down()
    net.up()
    time.sleep(1.5)
    net.provoke()
    assert net.came_back() == (0, 0), "after the end"
    harden(site)  # again: the same rules, still in force
    net.attempt()
    assert net.came_back() == (0, 0)


def test_only_the_link_comes_in(talkative):
    """From other addresses or to other ports nothing reaches a program of the host."""
    site, net = talkative, talkative.net
    harden(site)
    net.up()
    listener = subprocess.Popen(net.at("r") + [harness.sys.executable, "-c", (
        "import socket, sys\na, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "a.bind(('10.77.0.2', 5150)); b.bind(('10.77.0.2', 5151)); a.settimeout(3); b.settimeout(0.5)\nprint('ready', flush=True)\n"
        "got = [a.recv(100)]\n"
        "for s in (a, b):\n    s.settimeout(0.5)\n    try:\n        got.append(s.recv(100))\n    except TimeoutError:\n        pass\n"
        "print(got, flush=True)\n")], stdout=subprocess.PIPE, text=True)
    assert listener.stdout.readline() == "ready\n"
    harness.run("ip", "-n", net.names[0], "addr", "add", "10.77.0.5/24", "dev", "kms")
    script = ("import socket\nfor here, port, text in (('10.77.0.5', 5150, b'another address'), ('10.77.0.1', 5151, b'another port'), "
              "('10.77.0.1', 5150, b'the link')):\n    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n    u.bind((here, 0))\n"
              "    u.sendto(text, ('10.77.0.2', port))\n")
    harness.run(*net.at("s"), harness.sys.executable, "-c", script)
    assert listener.communicate(timeout=10)[0] == "[b'the link']\n"


@pytest.mark.parametrize("line, code, word", [
    ("sender = nobody\n", 3, "10.77.0.1"),
    ("sender_mac = 02:00:00:00:00\n", 3, "02:00:00:00:00:01"),
    ("sender_mac = 02:00:00:00:00:0g\n", 3, "02:00:00:00:00:01"),
    ("interface = km;reboot\n", 3, "interface"),
    ("interface = all\n", 3, "interface"),
])
def test_bad_configuration(talkative, line, code, word):
    talkative.configure(receiver_link=line)
    p = subprocess.run([harness.program("katamichi-receiver"), "-c", talkative.path("receiver.conf"), "--harden-print"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert p.returncode == code and word in p.stdout and p.stdout.count("\n") == 1, p.stdout
