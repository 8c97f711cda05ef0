"""make soak ONLY=outage: the receiver is away for 72 hours, and nobody helps.

The processes are real, the hours are not: the sender's service time, which repeats and retention count, runs 1,800 times as
fast (KATAMICHI_TEST_SERVICE_SPEED; 72 hours are 144 s).  Files go in all the time.  The receiver dies by kill -9 in the middle of
a large one and is started again after 72 hours; repeats are the default ones.  Then everything has to arrive, each file once.
"""
import json
import os
import random
import time

from measure import harness

SPEED, HOURS = 1800, 72
HOUR = 3600_000   # ms
RECOVERY = 900    # s: 18 days of service, more than the retention
DEFAULT_REPEAT = "1m 10m 1h 6h 24h"


def service_hours(site):
    try:
        with open(site.path("sender-state/status.json")) as f:
            return json.load(f)["service_ms"] / HOUR
    except (OSError, ValueError):
        return 0.0


def feed_until(site, rng, hours):
    """A handful of files each hour of service."""
    fed = service_hours(site)
    while (now := service_hours(site)) < hours:
        while fed < now:
            fed += 1
            for _ in range(5):
                site.put(rng.choice(("eltax", "pittari", "bulk")), f"{len(site.sent)}.bin",
                         b"%d " % len(site.sent) + rng.randbytes(rng.choice((0, 300, 5000, 60_000))))
        time.sleep(0.02)
        assert site.sender.poll() is None, site.sender.tail()


def part_outage(o):
    rng = random.Random(harness.SEED)
    top = os.path.abspath(os.path.join(o.dir, "outage"))
    harness.remove(top)
    os.makedirs(top)
    net = harness.Net()
    os.environ["KATAMICHI_TEST_SERVICE_SPEED"] = str(SPEED)
    site = harness.Site(top, net)
    try:
        site.start(rate="100M", repeat=DEFAULT_REPEAT)
        feed_until(site, rng, 2)
        site.put_random("bulk", "in the middle.bin", 40 << 20)
        harness.wait_until("the middle", lambda: harness.disk_use(site.path("receiver-state")) > 8 << 20, 60, 0.01, alive=site.daemons())
        site.receiver.kill()
        gone = service_hours(site)
        feed_until(site, rng, gone + HOURS)
        missing = len(site.sent) - len(site.arrived())
        site.start_receiver()
        back = service_hours(site)
        site.wait_delivered(RECOVERY)
        whole = service_hours(site)
        harness.wait_until("no gap", lambda: harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).returncode == 0, 60)
        site.check_inbox()
        site.check_memory()
        assert ": erased" not in site.sender.text()
        site.stop()
    finally:
        del os.environ["KATAMICHI_TEST_SERVICE_SPEED"]
        harness.Process.end_all()
        net.close()
        harness.remove(top)
    print(f"outage: away for {back - gone:.0f} hours, {missing} of {len(site.sent)} files missing then; all delivered, each once, "
          f"{whole - back:.0f} hours after the return (seed {harness.SEED})", flush=True)
    return {"away h": back - gone, "missing": missing, "files": len(site.sent), "recovered h": whole - back, "held": True}
