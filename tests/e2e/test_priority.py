"""Who goes first: channels of a higher priority, and everybody in the end."""
import time

import pytest

import harness
import samples


@pytest.mark.slow
def test_high_priority_passes_a_bulk_transfer(site):
    """A link that is busy for ten seconds with a file of low priority: what comes in a channel of a higher one is there within a
    moment, and the large one goes on beside it."""
    site.start(rate="30M", repeat="1h", channel_more="priority = 9\n")
    site.put_random("bulk", "30MB.bin", 30 << 20)
    harness.wait_until("the start of the large one", lambda: "bulk 1: 1 file" in site.sender.text(), 20, alive=site.daemons())
    time.sleep(1)
    slowest = 0
    for i in range(5):
        start = time.monotonic()
        for channel in ("eltax", "pittari"):
            site.put(channel, f"{i}.csv", samples.table(20 + i))
        wanted = set(site.sent) - {("bulk", b"30MB.bin")}
        harness.wait_until("the small ones", lambda: wanted <= set(site.arrived()), 5, alive=site.daemons())
        slowest = max(slowest, time.monotonic() - start)
    assert ("bulk", b"30MB.bin") not in site.arrived(), "the link was not busy: nothing is shown"
    assert slowest < 2, f"{slowest:.2f} s behind a transfer of low priority"
    site.wait_delivered(60)
    site.check_inbox()
