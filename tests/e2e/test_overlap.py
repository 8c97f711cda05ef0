"""A large object is opened while it arrives; consumers that stand still cost no datagram."""
import json
import os
import signal
import time

import pytest

import harness
import samples

SIZE = 100 << 20


def early(site):
    """Is something being built of an object that is not complete?"""
    return [d for d in os.listdir(site.path("receiver-state", "work")) if d.endswith("-early")]


def wait_early(site):
    def much():
        return any(harness.disk_use(site.path("receiver-state", "work", d)) > SIZE // 4 for d in early(site))
    harness.wait_until("a part of the large file below work/", much, 60, every=0.02, alive=site.daemons())
    assert site.deliveries() == []


def process(site, role):
    """The receiver's process of this role."""
    return next(p for p in harness.children(site.receiver.pid) if f"--role {role} " in harness.Process.command(p))


def counters(site):
    path, told = site.path("receiver-state", "status.json"), time.time() + 1.2  # link tells them once a second, and once a second they are written down
    harness.wait_until("the counters", lambda: os.path.getmtime(path) > told)
    with open(path) as f:
        return json.load(f)["link"]["counters"]


@pytest.mark.slow
def test_small_ones_pass(site):
    """The large one stays incomplete, more than the code repairs being lost; small ones are delivered meanwhile, and it later."""
    site.start(relay=True, rate="200M", burst="0s", repeat="5s 20s")
    site.put_random("bulk", "large.bin", SIZE)
    wait_early(site)
    site.relay.cut()
    time.sleep(0.7)
    site.relay.join()
    for i in range(20):
        site.put("eltax", f"小さい{i}.csv", samples.table(3))
        time.sleep(0.05)
    harness.wait_until("the small files", lambda: len(site.arrived()) >= 20, 30, alive=site.daemons())
    assert ("bulk", b"large.bin") not in site.arrived(), "it was to be incomplete; the test tests nothing"
    site.wait_delivered(120)
    site.check_inbox()
    harness.wait_until("an empty work/", lambda: os.listdir(site.path("receiver-state", "work")) == [])


@pytest.mark.slow
def test_killed_while_open(site):
    """Either the main process, or the one that looks at the contents, dies while an object that is not complete is open."""
    site.start(rate="300M", repeat="3s 10s")
    site.put_random("bulk", "large.bin", SIZE)
    wait_early(site)
    site.receiver.kill()
    assert site.deliveries() == []
    site.start_receiver()
    os.kill(process(site, "check"), signal.SIGKILL)
    site.receiver.popen.wait(15)
    assert site.receiver.poll() == 70, site.receiver.tail()
    site.start_receiver()
    site.wait_delivered(120)
    site.check_inbox()
    site.check_memory()


@pytest.mark.slow
def test_stalled_consumers(site):
    """open, check and store stand still for 200 ms each second: a backlog, and nothing lost on the link."""
    site.start(rate="400M", repeat="1h")
    stalled = [process(site, role) for role in ("open", "check", "store")]
    site.put_random("bulk", "large.bin", 2 * SIZE)
    end = time.time() + 60
    while len(site.arrived()) < 1 and time.time() < end:
        for pid in stalled:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.2)
        for pid in stalled:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.8)
    site.wait_delivered(10)  # by the only round there is
    site.check_inbox()
    c = counters(site)
    assert c["kernel_drops"] == 0 and c["repaired"] == 0, c
    site.check_one_way()
