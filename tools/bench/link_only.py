"""The two link processes alone: a sealed object in the sender's memory becomes one in the receiver's."""
import json
import os
import shutil
import tempfile

from measure import WIRE, buffer, datagram, harness, real_frames

REPAIR = 20  # of 1000 source symbols
CONF = """[sender]
keys = sender.key
receiver = receiver.pub
state = state
folders = out
[link]
destination = {destination}
mtu = {mtu}
rate = {rate}
[channel bulk]
"""


def run(options, mtu, rate, size, work, joins, memory):
    """Figures of one object of this size, in the form that crossing.py gives.  joins: the receiver's interface joins datagrams;
    memory: a folder of huge_memory.py."""
    top, net = tempfile.mkdtemp(prefix="km-bench-", dir=work), harness.Net(mtu)
    try:
        if not net.real:
            raise SystemExit("bench: network namespaces are not to be had (root?); without them there is no link to measure")
        real_frames(net, joins)
        conf, d = os.path.join(top, "sender.conf"), datagram(mtu)
        with open(conf, "w") as f:
            f.write(CONF.format(destination=f"{net.receiver}:5150", mtu=mtu, rate=rate))
        receiver = harness.Process("bench_link_receive", net.at("r") + [
            harness.program("tools/bench/bench_link_receive"), net.receiver, "5150", harness.program("katamichi-receiver-link"),
            str(d), str(options.bytes_of(buffer(options.buffer, rate))), str(size), memory], os.path.join(top, "receive.log"), ready="ready")
        sent = json.loads(harness.run(*net.at("s"), harness.program("tools/bench/bench_link_send"), conf,
                                      harness.program("katamichi-sender"), str(size), str(REPAIR), memory, timeout=120).out)
        receiver.popen.wait(60)
        got = json.loads(receiver.text().strip().splitlines()[-1])
    finally:
        harness.Process.end_all()
        net.close()
        shutil.rmtree(top, ignore_errors=True)
    seconds = max(sent["end"], got["at"]) - sent["start"] if got["complete"] else sent["end"] - sent["start"]
    on_link = sent["end"] - sent["start"]
    wire = sent["datagrams"] * (d + WIRE) * 8 / on_link
    if got["complete"] and got["sha256"] != sent["sha256"]:
        raise AssertionError("the object that came together is not the one that was sent")
    r = {"mtu": mtu, "rate": rate, "way": "gro" if joins else "plain",
         "bytes": size, "seconds": round(seconds, 4), "bit/s": round(size * 8 / seconds), "complete": got["complete"],
         "counters": {"datagrams": got["datagrams"], "sent": sent["datagrams"], "kernel_drops": got["kernel_drops"],
                      "refused": got["refused"], "repaired": got["repaired"]},
         "link": {"seconds": round(on_link, 3), "wire bit/s": round(wire), "of rate": round(wire / rate, 4),
                  "before": 0.0, "after": round(seconds - on_link, 3)}, "moments": {}, "processes": {}}
    for side, p in (("sender", sent), ("receiver", got)):
        r["processes"][side + ":link"] = {"user": p["user"], "system": p["system"], "peak": p["peak"]}
        r[side + " CPU s/GB"] = round((p["user"] + p["system"]) / size * 1e9, 3)
    return r
