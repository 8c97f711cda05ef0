"""The instruments themselves: a relay that repeats itself, and a counter that moves."""
import os
import sys
import time

import pytest

import harness

for part in ("bench", "soak"):
    sys.path.append(os.path.join(harness.TOP, "tools", part))

SEND = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(%d):
    s.sendto(i.to_bytes(4, "big") * 300, (%r, 5151))
    if i %% 50 == 49: time.sleep(0.002)
"""
RECEIVE = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
s.bind(("%s", 5150)); s.settimeout(20); print("ready", flush=True)  # whoever sends is yet to be started
try:
    while True:
        d = s.recv(2000)
        s.settimeout(1.5)
        print(int.from_bytes(d[:4], "big"), "whole" if d == d[:4] * 300 else "broken", flush=False)
except TimeoutError:
    sys.exit(0)
"""


def pass_through(net, tmp_path, n, *faults):
    """Send n datagrams through a relay with these faults: what arrived, and the relay's account."""
    end = harness.Process("end", net.at("r") + [sys.executable, "-c", RECEIVE % net.receiver],
                          str(tmp_path / f"end-{time.monotonic_ns()}.log"), ready="ready")
    relay = harness.Relay(net, str(tmp_path / f"relay-{time.monotonic_ns()}.log"), net.relay, f"{net.receiver}:5150", *faults)
    harness.run(*net.at("s"), sys.executable, "-c", SEND % (n, net.relay.split(":")[0]))
    end.popen.wait(20)
    return [line.split() for line in end.text().splitlines()[1:]], relay.finish()


def test_clean_relay(net, tmp_path):
    got, stats = pass_through(net, tmp_path, 3000)
    assert [int(n) for n, _ in got] == list(range(3000)) and all(w == "whole" for _, w in got)
    assert stats["out"] == stats["in"] == 3000
    assert net.frames_back() == (0, 0)


def test_same_faults_again(net, tmp_path):
    faults = ["--loss", "0.1", "--corrupt", "0.05"]
    one, stats = pass_through(net, tmp_path, 2000, *faults)
    two, again = pass_through(net, tmp_path, 2000, *faults)
    assert one == two and stats == again
    assert 120 < stats["lost"] < 280 and stats["out"] == 2000 - stats["lost"]
    assert stats["corrupted"] == sum(1 for _, w in one if w == "broken") > 0


def test_order_and_copies(net, tmp_path):
    got, stats = pass_through(net, tmp_path, 2000, "--reorder", "0.1", "--duplicate", "0.1")
    numbers = [int(n) for n, _ in got]
    assert set(numbers) == set(range(2000)) and numbers != sorted(numbers)
    assert len(numbers) == 2000 + stats["duplicated"] > 2000 and stats["reordered"] > 0


def test_hole(net, tmp_path):
    got, stats = pass_through(net, tmp_path, 5000, "--hole", "20:50")
    assert stats["hole"] > 0 and len(got) == 5000 - stats["hole"]


def test_replay_brings_the_same(net, tmp_path):
    capture = str(tmp_path / "capture")
    got, _ = pass_through(net, tmp_path, 500, "--record", capture)
    end = harness.Process("end", net.at("r") + [sys.executable, "-c", RECEIVE % net.receiver], str(tmp_path / "end.log"), ready="ready")
    harness.run(*net.at("s"), harness.program("tests/tools/relay"), "--replay", capture, "--to", f"{net.receiver}:5150")
    end.popen.wait(20)
    assert [line.split() for line in end.text().splitlines()[1:]] == got


def test_one_frame_back_is_seen(net):
    """Without this, "0 frames came back" would prove nothing."""
    if not net.real:
        pytest.skip("direction not tested")
    assert net.frames_back() == (0, 0)
    harness.run(*net.at("r"), sys.executable, os.path.join(harness.TOP, "tests/e2e/frame.py"), "kmr")
    assert net.frames_back() == (1, 1)


def test_what_the_long_runs_share():
    """The soak looks for its ceiling with the bench's means, and has options of its own: both can be had."""
    import bench
    import soak
    o = soak.options(["--only", "stall", "--mtu", "1500"])
    assert bench.Bench(o).o is o and o.mtu == 1500
    assert bench.options(["--mtu", "1500,9000"]).mtus == [1500, 9000]
