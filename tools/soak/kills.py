"""make soak ONLY=kills: one end or the other killed at random moments, again and again, while files go in.

Half of the kills end a whole daemon, half one of its processes (the others have to follow by themselves).  In the end every
file is delivered exactly once, and ledger, manifests and signatures hold.  KATAMICHI_SEED repeats the order, not the moments.
"""
import os
import random
import time

from measure import harness

RECOVERY = 600  # s for the last of it, once both ends stay alive


def kill_one(site, rng):
    """Which end it was; it runs again."""
    side = rng.choice(("sender", "receiver"))
    daemon = getattr(site, side)
    family = harness.children(daemon.pid)
    if rng.random() < 0.5 or not family:
        daemon.kill()
    else:
        os.kill(rng.choice(family), 9)
        daemon.popen.wait(30)
        harness.wait_until("the end of the others", lambda: not any(map(harness.alive, family)), 20)
    getattr(site, "start_" + side)()
    return side


def part_kills(o):
    rng, files = random.Random(harness.SEED), o.files or 20_000
    top = os.path.abspath(os.path.join(o.dir, "kills"))
    harness.remove(top)
    os.makedirs(top)
    net = harness.Net()
    site = harness.Site(top, net)
    counts, begun = {"sender": 0, "receiver": 0}, time.monotonic()
    try:
        site.start(repeat="1s 2s 4s 8s 16s 32s")
        for turn in range(o.kills):
            for i in range(turn * files // o.kills, (turn + 1) * files // o.kills):
                site.put(rng.choice(("eltax", "bulk")), f"{i}.bin", b"%d " % i + rng.randbytes(rng.choice((0, 200, 2000, 20_000))))
            time.sleep(rng.uniform(0, 0.4))
            counts[kill_one(site, rng)] += 1
            if turn % 50 == 49:
                print(f"  {turn + 1} kills, {len(site.sent)} files put in, {len(site.arrived())} delivered, "
                      f"{time.monotonic() - begun:.0f} s", flush=True)
        site.wait_delivered(RECOVERY)
        seconds = time.monotonic() - begun
        site.check_inbox()
        site.check_memory()
        site.stop()
    finally:
        harness.Process.end_all()
        net.close()
    harness.remove(top)
    print(f"kills: {counts['sender']} of the sender, {counts['receiver']} of the receiver; {files} files, each delivered once; "
          f"{seconds:.0f} s (seed {harness.SEED})", flush=True)
    return {"kills": counts, "files": files, "seconds": round(seconds), "held": True}
