"""The real sender and the real receiver with the box between them: what is delivered is what was sent, and nothing came back."""
import pytest

import harness

RATE = "60M"  # bit/s: far below what the emulated boards carry, so that a busy machine loses nothing


def cross(site, box, size=2 << 20):
    site.start(rate=RATE, relay=False)
    site.put("eltax", "申告書.csv", "住民,税\n一,二\n".encode())
    site.put_random("bulk", "申請.bin", size)
    site.wait_delivered(60)
    site.check_inbox()


@pytest.mark.parametrize("ingress, egress", [("zynq", "zynq"), ("imx6ul", "zynq"), ("icicle", "icicle"), ("zynq", "imx6ul")])
def test_files_cross(box, site, ingress, egress):
    """Also between nodes that have neither processor nor controller in common: one fault is then not in both."""
    box.start(ingress, egress)
    cross(site, box)
    site.sender.stop()  # its heartbeat would go on while we count
    a, b = box.counts()
    assert a["pass"] == b["pass"] > 1000 and b["lost"] == b["boots"] == 0, (a, b)
    for counts in (a, b):
        keys = list(counts)
        dropped = {k: counts[k] for k in keys[keys.index("pass") + 1:keys.index("room") + 1] if counts[k]}
        assert dropped == {}, dropped  # a ring that is "full" for a moment holds the emulated wire up, and loses nothing
    # The pair's own protection does not notice the box: no datagram was lost, so no repair symbol was needed.
    assert box.received("r") == b["pass"]


def test_ingress_restarts_in_mid_transfer(box, site):
    """Power is cut from the ingress node while a file is on its way: the next round of sending brings the rest."""
    box.start()
    site.start(rate="20M", relay=False, repeat="5s 5s 5s")
    site.put_random("bulk", "長い.bin", 12 << 20)
    harness.wait_until("the file on its way", lambda: box.received("r") > 1000, 20)
    box.ingress.kill()
    box.start_node("ingress").wait_line("count")
    site.wait_delivered(60)
    site.check_inbox()
    assert box.egress.counts()["boots"] == 1
