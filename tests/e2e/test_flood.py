"""Whoever holds the fibre may send at the full rate of the link: what is valid arrives all the same, and memory stays flat."""
import json
import os
import re
import time

import pytest

import harness

SECONDS = 30 if harness.LONG else 5
RATE = 20e6  # bytes/s of garbage: 160 Mbit/s, where 200 are configured
VALID = "16M"  # bit/s of the sender: a tenth
ROUND = 0.002  # s

# Shaped as our own, with the session's lane, epoch and length, so that the receiver has to compute the tag to refuse it; and,
# less often, everything else that ends in another counter.
FLOOD = """
import random, socket, struct, sys, time
rng = random.Random({seed})
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
s.connect(("{receiver}", 5150))
N, EPOCH = {n}, {epoch}
def shaped(kind, epoch=EPOCH, n=N, pn=None):
    d = bytearray(rng.randbytes(n))
    struct.pack_into(">HBBHBBIHI", d, 0, 0x6B6D, 1, kind, n, 0, rng.randrange(8) if kind == 2 else 0, epoch, 0,
                     0 if kind == 1 else rng.randrange(1, 1 << 20) if pn is None else pn)
    return bytes(d)
pool = [shaped(2) for _ in range(600)] + [shaped(3) for _ in range(60)] + [shaped(1) for _ in range(60)] + \\
    [shaped(2, EPOCH + 9) for _ in range(60)] + [rng.randbytes(N) for _ in range(60)] + [shaped(2, pn=(1 << 32) - 1) for _ in range(20)] + \\
    [shaped(2, n=N - 64) for _ in range(20)] + [b"", b"x"]
rng.shuffle(pool)
each = int({rate} * {every} / N)
sent, i, start = 0, 0, time.monotonic()
while (now := time.monotonic() - start) < {seconds}:
    due = int(now / {every}) + 1
    if i < due:
        for k in range(each):
            try:
                s.send(pool[(i * each + k) % len(pool)])
                sent += 1
            except OSError:
                pass
        i += 1
    else:
        time.sleep({every} / 4)
print("sent", sent, time.monotonic() - start, flush=True)
"""


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) << 10


def counters(site):
    with open(site.path("receiver-state/status.json")) as f:
        return json.load(f)["link"]["counters"]


def test_valid_traffic_in_a_flood(site):
    if not harness.LARGE:
        pytest.skip("the socket buffer is too small for this rate")
    site.start(rate=VALID, repeat="5s 5s 5s", loss="5%")
    site.put_random("bulk", "前.bin", 1 << 20)  # buffers are touched once
    site.wait_delivered()
    link = [p for p in site.receiver.processes() if b"receiver-link" in os.fsencode(os.path.realpath(f"/proc/{p}/exe"))]
    epoch, n = re.search(r"epoch (\d+), datagrams of (\d+)", site.sender.text()).groups()
    everyone = site.receiver.processes()
    script = FLOOD.format(seed=harness.SEED, receiver=site.net.receiver, n=n, epoch=epoch, rate=RATE, every=ROUND, seconds=SECONDS)
    before = counters(site)
    flood = harness.Process("flood", site.net.at("s") + [harness.sys.executable, "-c", script], site.path("flood.log"))
    time.sleep(1)
    first = {p: resident(p) for p in everyone}
    for i in range(SECONDS):
        site.put_random("eltax", f"申告_{i}.bin", 200000 + i)
    flood.popen.wait(SECONDS + 30)
    during = [name for (_, name) in site.arrived()]
    last = {p: resident(p) for p in everyone}
    site.wait_delivered(30)  # what is left of it, by the sender's own repeats if need be
    site.check_inbox()
    sent, took = (float(x) for x in re.search(r"sent (\d+) ([\d.]+)", flood.text()).groups())
    after = harness.wait_until("the counters", lambda: (lambda c: c if c["datagrams"] > before["datagrams"] + sent / 2 else None)(counters(site)))
    print(f"{sent * int(n) * 8 / took / 1e6:.0f} Mbit/s of garbage, {len(during)} files meanwhile")
    if sent * int(n) / took < 0.5 * RATE:
        pytest.skip("this machine cannot make such a flood beside everything else")
    # It was the tag that refused them, not the length; nothing of it was taken.
    assert after["refused_tag"] - before["refused_tag"] > sent / 2, after
    assert len(during) > SECONDS // 2, "nothing valid was delivered while the flood lasted"
    for p in everyone:
        assert last[p] < first[p] + (8 << 20), f"{harness.Process.command(p)}: {first[p] >> 20} MB, then {last[p] >> 20} MB"
    assert len(link) == 1
