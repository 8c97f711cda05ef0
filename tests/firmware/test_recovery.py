"""A node that hangs is reset by its own watchdog, and the transfer that was on its way arrives without anybody's help."""
import re

import pytest

import box as box_module
import frames
import harness


def symbol(elf, name):
    """The address of a function in an image."""
    out = harness.run("readelf", "-sW", elf).out
    return int(re.search(rf"^\s*\d+: ([0-9a-f]+)\s+\d+ FUNC\s+\w+\s+\w+\s+\S+ {name}$", out, re.M).group(1), 16)


def hang(node):
    """The processor runs in a circle in the next turn of its loop, as after a bit error in the code: `b .` in the function that asks
    the controller for a frame."""
    node.qtest(f"writel {symbol(node.elf, 'mac_receive') & ~1:#x} 0xeafffffe")


@pytest.mark.parametrize("role", ["ingress", "egress"])
def test_watchdog_resets_and_the_transfer_goes_on(box, site, role):
    box.start(**{"ingress": "zynq", "egress": "zynq", role: "imx6ul"})
    site.start(rate="20M", relay=False, repeat="4s 4s 4s 4s")
    site.put_random("bulk", "長い.bin", 12 << 20)
    harness.wait_until("the file on its way", lambda: box.received("r") > 1000, 20)
    assert site.deliveries() == []
    node, other = getattr(box, role), box.egress if role == "ingress" else box.ingress
    hang(node)
    again = node.wait_line("start", 2, seconds=10)
    assert again["last"] == "reset" and again["boot"] == 2, again  # no word before it: nothing was running that could have said one
    assert node.lines("fault") == []
    site.wait_delivered(60)
    site.check_inbox()
    assert len(other.lines("start")) == 1, "the other node was not concerned"
    if role == "ingress":  # the egress node saw a new epoch, and no gap in it
        counts = box.egress.counts()
        assert counts["boots"] == 1 and counts["link-sequence"] == 0, counts


def test_without_a_hang_the_watchdog_is_quiet(box):
    """5 s at work and 5 times what makes a node hungry: no reset."""
    box.start("imx6ul", "imx6ul")
    for _ in range(5):
        box.send("s", [box.ends.frame(frames.datagram(i)) for i in range(1, 500)])
        box.ingress.wait_line("count", len(box.ingress.lines("count")) + 1)
    assert len(box.ingress.lines("start")) == len(box.egress.lines("start")) == 1
    assert box.egress.counts()["pass"] == 5 * 499


def damage(node, path):
    """A copy of the node's image with one bit of its constants turned."""
    with open(node, "rb") as f:
        data = bytearray(f.read())
    at = data.index(b"link-sequence")
    data[at] ^= 1
    with open(path, "wb") as f:
        f.write(data)


@pytest.mark.parametrize("board", list(box_module.BOARDS))
def test_damaged_image_never_opens_its_ports(box, board, monkeypatch):
    """One bit of the image is wrong: the self-test finds it before the ports are opened, and says so."""
    bad = f"{box.dir}/bad.elf"
    damage(box_module.image(board, "egress"), bad)
    monkeypatch.setattr(box_module, "image", lambda *_: bad)
    node = box.start_node("egress", board)
    fault = node.wait_line("fault")
    assert fault["why"] == "image", fault
    box.light("egress", [frames.link_frame(frames.datagram(i), i) for i in range(1, 6)])
    assert all(node.qtest(f"readl {base + (0x24 if board == 'imx6ul' else 0):#x}") & 0x0E == 0 for base in node.board.macs)
    harness.time.sleep(1)
    assert node.lines("count") == [] and box.received("r") == 0
