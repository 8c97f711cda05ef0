"""Each port has one direction, for ever: by what the processor writes, by what the node itself reads back, and by what comes out
while everything is tried from the wrong side, in every state the box can be in."""
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

import box as box_module
import frames
import harness
import registers

BOARDS = list(box_module.BOARDS)
BACK_DOOR = {  # (offset, value) that would let the port work against its direction, by that direction
    "zynq": {"receive": (0x000, 0x1C), "transmit": (0x000, 0x1C)},
    "icicle": {"receive": (0x000, 0x1C), "transmit": (0x000, 0x1C)},
    "imx6ul": {"receive": (0x0C4, 0x04), "transmit": (0x180, 0x00900000)},  # TCR: the transmitter not stopped; RDSR: a ring
}


@pytest.mark.counter
def test_counters_of_frames_toward_the_sender_do_move(box):
    """Every other test here ends with "0 frames toward the sender".  This is the same count with a frame in it."""
    assert box.frames_back() == (0, 0)
    box.wire("s", "tap", [frames.link_frame(frames.datagram(1), 1)])
    assert box.frames_back()[0] == 2  # by the device's count and by the packet filter's
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"light", os.path.join(box.dir, "back"))
    assert box.frames_back()[0] == 3


@pytest.mark.parametrize("board", BOARDS)
def test_register_trace(box, board):
    """No write of the processor ever enabled the other direction: at the start, with frames good and bad, through a fault and a
    reset.  The trace does show the writes that enable the port's own direction, so it would show those."""
    box.start(board, board, trace=("ingress", "egress"))
    box.fell("s")
    out = [f for _, _, f in frames.bad_ingress(box.ends)] + [box.ends.frame(frames.datagram(i)) for i in range(1, 200)]
    box.send("s", out)
    assert [c["pass"] for c in box.counts()] == [199, 199]
    for node in (box.ingress, box.egress):
        break_direction(node, "fibre")
        after_fault(node)
        node.stop()
        forbidden, opened = registers.judge(board, node.role, box.trace_path(node.role))
        assert forbidden == [], f"{node.name}: {forbidden[:5]}"
        assert opened == {"host", "fibre"}, "an empty trace proves nothing"


def after_fault(node, times=1):
    """The node is back at work; where the emulator has no reset, it stays silent and shut."""
    if node.board.resets:
        assert node.wait_line("start", times + 1)["last"] == "direction"
        node.wait_line("count", len(node.lines("count")) + 1)
        return
    time.sleep(2.5)
    assert node.said().rstrip().splitlines()[-1].startswith("fault ") and ports_shut(node)


def ports_shut(node):
    enable = 0x24 if node.board is box_module.BOARDS["imx6ul"] else 0  # ECR, NCR
    return all(node.qtest(f"readl {base + enable:#x}") & 0x0E == 0 for base in node.board.macs)


def port_of(node, port):
    i = ("host", "fibre").index(port)
    return node.board.macs[i], registers.DIRECTIONS[node.role][i]


def break_direction(node, port):
    """What a bit error or an attacker would have done to the port's registers; the time until both ports are off, in s."""
    base, direction = port_of(node, port)
    name = next(n for n, b in box_module.BOARDS.items() if b is node.board)
    offset, value = BACK_DOOR[name][direction]
    begin = time.monotonic()
    node.qtest(f"writel {base + offset:#x} {value:#x}")
    harness.wait_until("both ports off", lambda: ports_shut(node), 3, every=0)
    return time.monotonic() - begin


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("role", ["ingress", "egress"])
@pytest.mark.parametrize("port", ["host", "fibre"])
def test_read_back_finds_a_changed_register(box, board, role, port):
    """A register that the program never writes so is written beside it: within some ms both ports are off, the node says why,
    is reset, and works again."""
    box.start(*[board if r == role else "zynq" for r in ("ingress", "egress")])
    node = getattr(box, role)
    took = break_direction(node, port)
    fault = node.wait_line("fault")
    base, direction = port_of(node, port)
    assert (fault["why"], fault["port"], int(fault["register"], 16)) == ("direction", port, BACK_DOOR[board][direction][0])
    assert took < 0.5, f"{took:.3f} s"  # 10 ms, and what a busy machine adds
    after_fault(node)
    if not node.board.resets:
        return
    box.send("s", [box.ends.frame(frames.datagram(i)) for i in (1, 2, 3)])
    assert [c["pass"] for c in box.counts()] == [3, 3]


class Light(threading.Thread):
    """Frames into the ingress node's end of the fibre, where nothing is to listen, for as long as it is not stopped."""

    def __init__(self, box):
        super().__init__(daemon=True)
        self.box, self.sent, self.ended = box, 0, False
        self.frames = [frames.link_frame(frames.datagram(i), i) for i in range(1, 9)] + [
            box.ends.frame(frames.datagram(1)), b"\xFF" * 60]
        self.start()

    def run(self):
        """A controller that does not receive takes nothing out of the socket, which is soon full: a try is a try."""
        path = os.path.join(self.box.dir, "ingress-fibre")
        while not self.ended:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.setblocking(False)
                try:
                    s.sendto(self.frames[self.sent % len(self.frames)], path)
                except OSError:
                    pass  # full, or the node is not there yet
            self.sent += 1
            time.sleep(0.003)

    def stop(self):
        self.ended = True
        self.join(30)


def reverse_frames(ends):
    """What a receiver's host could try: answers, broadcasts, link frames, the sender's own frames thrown back."""
    d = frames.datagram(1)
    swap = dict(src_ip=ends.receiver_ip, dst_ip=ends.sender_ip, src_port=ends.port, dst_port=40000)
    arp = b"\xFF" * 6 + ends.receiver_mac + bytes.fromhex("0806000108000604") + b"\0\1" + ends.receiver_mac + ends.receiver_ip + \
        b"\0" * 6 + ends.sender_ip
    return [
        ends.frame(d, dst=ends.egress_mac, src=ends.receiver_mac, **swap),
        ends.frame(d, dst=ends.sender_mac, src=ends.receiver_mac, **swap),
        ends.frame(d, dst=b"\xFF" * 6, src=ends.receiver_mac, **swap),
        ends.frame(d),
        ends.delivered(d),
        frames.link_frame(d, 1),
        frames.link_frame(d, 2, macs=frames.LINK_MACS[6:] + frames.LINK_MACS[:6]),
        arp.ljust(60, b"\0"),
    ]


@pytest.mark.parametrize("board", BOARDS)
def test_nothing_goes_back_in_any_state(box, board):
    """Frames from the receiver's host and light into the wrong end of the fibre, all the while: before the nodes run, while they
    start, while they work, in the fault, in the reset, and after."""
    box.fell("r")
    for_ever = box.at("r") + [sys.executable, box_module.WIRE, "flood", "eth1", "500"]
    log = os.path.join(box.dir, "flood")
    with open(log, "wb") as f:
        flood = subprocess.Popen(for_ever, stdin=subprocess.PIPE, stdout=f, stderr=f)
    flood.stdin.write("\n".join(f.hex() for f in reverse_frames(box.ends)).encode())
    flood.stdin.close()
    light = Light(box)
    done = []

    def state(name):
        """At least so much was tried since the last one."""
        with open(log) as f:
            back = int((f.read().split() or ["0"])[-1])
        done.append((name, back, light.sent))

    def tried():
        with open(log) as f:
            return int((f.read().split() or ["0"])[-1])

    try:
        harness.wait_until("the flood", lambda: tried() > 0, 10)
        state("before")
        box.start(board, board)
        state("start")
        box.send("s", [box.ends.frame(frames.datagram(i)) for i in range(1, 100)])
        assert box.egress.counts()["pass"] == 99  # forward it works, whatever comes from behind
        state("work")
        for node in (box.ingress, box.egress):
            for times, port in enumerate(("host", "fibre") if node.board.resets else ("host",), 1):
                break_direction(node, port)
                after_fault(node, times)
        state("fault, reset, after")
    finally:
        light.stop()
        flood.kill()
        flood.wait()
    for (_, a, b), (name, c, d) in zip(done, done[1:]):
        assert c - a >= 20 and d - b >= 10, f"too little was tried in state \"{name}\": {done}"
    assert box.received("s") == 0 and box.frames_on_fibre_back() == 0
    # What came into the egress node's host port was not even counted: nobody listens there.
    counts = box.egress.lines("count")[-1]
    assert counts["pass"] == (0 if box.egress.board.resets else 99) and sum(counts[k] for k in ("size", "link-mac", "link-type", "link-crc")) == 0


# --- the negative control: images that let every controller do both ---
@pytest.mark.parametrize("board", BOARDS)
def test_bidirectional_build_is_caught(box, board):
    """By the trace of its register writes, by its own read-back before it has passed a frame, and by the mock page."""
    egress = box.start_node("egress", board, "-bidirectional", "egress")
    ingress = box.start_node("ingress", board, "-bidirectional", "ingress")
    for node in (ingress, egress):
        # And again after the reset: it never comes to work.
        faults = [node.wait_line("fault", n, 20) for n in ((1, 2) if node.board.resets else (1,))]
        assert {f["why"] for f in faults} == {"direction"}
        assert sum(line["pass"] for line in node.lines("count")) == 0
        node.stop()
        forbidden, _ = registers.judge(board, node.role, box.trace_path(node.role))
        assert {port for port, _ in forbidden} == {"host", "fibre"}, f"{node.name}: the trace shows {forbidden[:5]}"
    mock = {"imx6ul": "enet"}.get(board, "gem")
    done = harness.run(harness.program(f"tests/unit/test_{mock}_bidirectional"), timeout=60)
    assert done.out.count("[       OK ]") + done.err.count("[       OK ]") >= 2
