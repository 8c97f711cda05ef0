"""How even the real link process sends: achieved rate and bursts, from the receive time stamps of every datagram."""
import json
import os
import shutil
import tempfile

from link_only import CONF, REPAIR
from measure import WIRE, datagram, harness, real_frames

BURST = 300e-6  # s: sender.conf, pacing_burst
RATES = {10**6: 8, 10**7: 4, 10**8: 3, 10**9: 3, 3 * 10**9: 3}  # bit/s: seconds of sending
SECONDS_MORE = 3      # at the ceiling
ABOVE = 100 * 10**9   # bit/s: more than any sender here reaches, which shows what it does reach
CEILING = (0.95, 0.9, 0.85, 0.8)  # of that: the first that is held is the sender's ceiling
HELD = 0.01
BYTES_MAX = 2_000_000_000


def run(mtu, work, memory, say):
    """{rate: figures} for the fixed rates and the highest that this sender holds."""
    results = {}
    for rate, seconds in RATES.items():
        r = results[rate] = once(mtu, rate, work, memory, seconds)
        say(sentence(r))
    most = once(mtu, ABOVE, work, memory, SECONDS_MORE)["bit/s"]
    for share in CEILING:
        rate = int(most * share)
        r = dict(once(mtu, rate, work, memory, SECONDS_MORE), ceiling=round(most), share=share)
        say(f"{sentence(r)}; unpaced {most / 1e9:.2f} Gbit/s")
        if abs(r["error"]) <= HELD:
            break
    results[rate] = r
    return {str(rate): r for rate, r in results.items()}


def sentence(r):
    return (f"{r['rate'] / 1e6:8.0f} Mbit/s: {r['error'] * 100:+.2f} %, bursts at p99.9 {r['burst']['p99.9'] / 1e3:.1f} kB of {r['limit'] / 1e3:.1f} allowed, "
            f"CPU {r['sender CPU']:.2f}")


def once(mtu, rate, work, memory, seconds):
    """Send for some seconds at this rate."""
    top, net = tempfile.mkdtemp(prefix="km-bench-", dir=work), harness.Net(mtu)
    d = datagram(mtu)
    size = max(100 * d, min(BYTES_MAX, int(min(rate, 8e9) / 8 * seconds * (d - 64) / (d + WIRE) * 1000 / (1000 + REPAIR))))
    try:
        if not net.real:
            raise SystemExit("bench: network namespaces are not to be had (root?); without them there is no link to measure")
        real_frames(net)
        conf = os.path.join(top, "sender.conf")
        with open(conf, "w") as f:
            f.write(CONF.format(destination=f"{net.receiver}:5150", mtu=mtu, rate=rate))
        receiver = harness.Process("arrivals", net.at("r") + [
            harness.program("tools/bench/arrivals"), f"{net.receiver}:5150", "--rate", str(rate), "--extra", str(WIRE)],
            os.path.join(top, "arrivals.log"), ready="ready")
        sent = json.loads(harness.run(*net.at("s"), harness.program("tools/bench/bench_link_send"), conf,
                                      harness.program("katamichi-sender"), str(size), str(REPAIR), memory, timeout=120).out)
        receiver.popen.wait(30)
        if receiver.poll() != 0:
            raise AssertionError(receiver.tail(3))
        got = json.loads(receiver.text().strip().splitlines()[-1])
    finally:
        harness.Process.end_all()
        net.close()
        shutil.rmtree(top, ignore_errors=True)
    limit = max(got["one"], rate / 8 * BURST)
    got.update({"mtu": mtu, "rate": rate, "sent": sent["datagrams"], "error": round(got["bit/s"] / rate - 1, 5), "limit": round(limit),
                "of limit": round(got["burst"]["p99.9"] / limit, 4), "sender CPU": round((sent["user"] + sent["system"]) / got["seconds"], 3)})
    return got
