"""How even the real link process sends: achieved rate and bursts, from the receive time stamps of every datagram."""
import json
import os
import shutil
import tempfile

from link_only import CONF, REPAIR
from measure import WIRE, datagram, harness, real_frames

BURST = 300e-6  # s: sender.conf, pacing_burst
SECONDS = {10**6: 10, 10**7: 5, 10**8: 4}  # by rate, of sending; faster: LATER
LATER = 3
BYTES_MAX = 2_500_000_000


def once(mtu, rate, work, seconds=None, peak=False):
    """Send for some seconds at this rate.  With peak a rate too high is no failure: that is how the ceiling is found."""
    top, net = tempfile.mkdtemp(prefix="km-bench-", dir=work), harness.Net(mtu)
    d = datagram(mtu)
    seconds = seconds or SECONDS.get(rate, LATER)
    size = max(100 * d, min(BYTES_MAX, int(rate / 8 * seconds * (d - 64) / (d + WIRE) * 1000 / (1000 + REPAIR))))
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
                                      harness.program("katamichi-sender"), str(size), str(REPAIR), timeout=120).out)
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
