"""What passes the box, and what becomes of everything else: each class of bad frame has its counter, and no counter but that one
moves."""
import sys
import time

import pytest

import frames
import harness

# No frame can reach these two: a node whose filter is closed never opens its ports, and its buffers hold any frame.
UNREACHABLE = {"closed", "room"}
ELSEWHERE = {"rate": "test_rate_limit", "src-port": "the sender's port is any port"}
INGRESS_ONLY = {"dst-mac", "src-mac", "ethertype", "ihl", "ip-len", "ip-sum", "fragment", "protocol", "src-ip", "dst-ip", "dst-port", "udp-len",
                "udp-sum"}


def whys(counts):
    """The filter's own counters among those of the line."""
    keys = list(counts)
    return keys[keys.index("pass"):keys.index("room") + 1]


def change(before, after):
    return {k: after[k] - before[k] for k in whys(after) if after[k] != before[k]}


def numbered(cases):
    """Class i of the table is sent i + 1 times over, so that no counter can stand for another: the frames, and what each counter
    has to say."""
    order = list(dict.fromkeys(name for name, _, _ in cases))
    out, want = [], {}
    for name, _, frame in cases:
        times = order.index(name) + 1
        out += [frame] * times
        want[name] = want.get(name, 0) + times
    return out, want


LISTEN = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
s.bind(("eth1", 3)); s.settimeout(float(sys.argv[1])); print("ready", flush=True)
try:
    while True:
        d, a = s.recvfrom(65536)
        if a[2] != 4: print(d.hex(), flush=True)
except TimeoutError:
    pass
"""


def listen(box, seconds=4):
    """Every frame on the receiver's device, in hexadecimal lines, until there is none for so long."""
    return harness.Process("listener", box.at("r") + [sys.executable, "-c", LISTEN, str(seconds)], f"{box.dir}/listener", ready="ready")


def heard(listener):
    listener.popen.wait(60)
    return [bytes.fromhex(line) for line in listener.text().split()[1:]]


def test_good_frames_and_nothing_of_their_headers(box):
    box.start()
    box.fell("s")  # its own filter would not let all of these out
    listener = listen(box)
    good = frames.good_ingress(box.ends)
    box.send("s", [f for _, f in good])
    want = [box.ends.delivered(f[42:]) for _, f in good]
    assert heard(listener) == want
    assert [c["pass"] for c in box.counts()] == [len(good)] * 2


def test_bad_frames_into_ingress(box):
    box.start()
    box.fell("s")
    cases = frames.bad_ingress(box.ends)
    out, want = numbered(cases)
    before, last = box.counts()
    # Between good ones, which must not suffer.
    good = box.ends.frame(frames.datagram(5))
    box.send("s", [good] + [f for bad in out for f in (bad, good)])
    after, behind = box.counts()
    assert change(before, after) == dict(want, **{"pass": len(out) + 1})
    # Of the bad ones nothing reached the fibre.
    assert change(last, behind) == {"pass": len(out) + 1}
    # No class was forgotten: a new one in why.h needs a frame here.
    reachable = {k for k in whys(before) if not k.startswith("link-")} - UNREACHABLE - set(ELSEWHERE) - {"pass"}
    assert set(want) == reachable


def test_bad_light_into_egress(box):
    """Garbage on the fibre: whoever can tap it can write to it."""
    box.start()
    listener = listen(box, 6)
    first = [frames.link_frame(frames.datagram(i), i) for i in (1, 2)]
    box.light("egress", first)
    before = box.egress.counts()
    cases = frames.bad_fibre(3)
    out, want = numbered(cases[:-5])
    out += [f for _, _, f in cases[-5:]]  # these take a sequence number each
    want.update({name: 1 for name, _, _ in cases[-5:]})
    box.light("egress", out)
    after_bad = box.egress.counts()
    assert change(before, after_bad) == want
    assert after_bad["sequence"] == 7 and after_bad["lost"] == 0
    box.light("egress", [frames.link_frame(frames.datagram(8), 8), frames.link_frame(frames.datagram(11), 11)])
    after = box.egress.counts()
    assert change(after_bad, after) == {"pass": 2} and after["lost"] == 2
    assert heard(listener) == [box.ends.delivered(frames.datagram(i)) for i in (1, 2, 8, 11)]
    reachable = set(whys(before)) - UNREACHABLE - set(ELSEWHERE) - INGRESS_ONLY - {"pass"}
    assert set(want) == reachable


def test_frames_beyond_the_mtu(box):
    """What the controller itself stops is not counted by the filter; either way nothing passes and the node goes on."""
    box.start()
    box.fell("s")
    harness.run("ip", "-n", box.names[0], "link", "set", "eth1", "mtu", "9000")
    host, fibre = frames.too_long(box.ends, 1)
    box.light("egress", [fibre])
    box.send("s", [host, box.ends.frame(frames.datagram(1))])
    for counts in box.counts():
        assert counts["pass"] == 1 and sum(counts[k] for k in whys(counts)) - counts["size"] == 1


def test_epoch_of_another_start(box):
    """The ingress node was started anew: its numbers begin again, and the egress node counts that instead of refusing it."""
    box.start()
    frame = lambda n, epoch: frames.link_frame(frames.datagram(n), n, epoch=epoch)  # noqa: E731
    before = box.egress.counts()
    box.light("egress", [frame(1, 5), frame(2, 5), frame(1, 6), frame(2, 6), frame(2, 6)])
    after = box.egress.counts()
    assert change(before, after) == {"pass": 4, "link-sequence": 1} and after["boots"] == 1 and after["epoch"] == "00000006"


@pytest.mark.parametrize("box", ["slow"], indirect=True)
def test_rate_limit(box):
    """Three times the configured 8 Mbit/s: the node passes a burst and then the rate, and counts the rest; bad frames cost
    nothing of it; afterwards it is as before."""
    box.start(kind="-slow")
    box.fell("s")
    wire_bits = (frames.DATAGRAM + 42 + 24) * 8  # with preamble, FCS and gap
    burst, rate = 8e6 * 0.1 / wire_bits, 8e6 / wire_bits  # frames, frames/s
    before = box.ingress.counts()
    begin = time.monotonic()
    good = box.ends.frame(frames.datagram(1))
    box.send("s", [good, frames.flipped(good, 700)] * 2000, 4000)
    took = time.monotonic() - begin
    after, behind = box.counts()
    got = change(before, after)
    assert set(got) == {"pass", "rate", "udp-sum"} and got["pass"] + got["rate"] == got["udp-sum"] == 2000
    assert burst + rate * 0.9 < got["pass"] < burst + rate * took * 1.02 + 2, (got, took)
    assert behind["pass"] == got["pass"] and behind["lost"] == 0, "what is refused leaves no gap"
    box.send("s", [good] * 10, 100)
    assert change(after, box.ingress.counts()) == {"pass": 10}
