"""tools/wireshark/katamichi.lua on a captured transfer: every datagram is named, the fields are those that the
programs mean, and what is malformed is marked."""
import os
import signal
import subprocess
import time

import harness
import samples

LUA = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "wireshark", "katamichi.lua")


def tshark(pcap, *fields, where="katamichi"):
    out = harness.run("tshark", "-X", f"lua_script:{LUA}", "-r", pcap, "-Y", where, "-T", "fields", "-E", "separator=\t",
                      *[a for f in fields for a in ("-e", f)], timeout=120)
    assert "lua" not in out.err.lower().replace("running as user", ""), out.err
    return [line.split("\t") for line in out.out.splitlines()]


def capture(site, path):
    p = subprocess.Popen(site.net.at("r") + ["tcpdump", "-i", "kmr", "-w", path, "-U", "-Z", "root", "--immediate-mode"],
                         stderr=subprocess.PIPE, text=True)
    assert any("listening" in line for line in p.stderr)
    return p


def test_captured_transfer(site):
    pcap = site.path("link.pcap")
    tcpdump = capture(site, pcap)
    try:
        site.start()
        site.put("eltax", "表.csv", samples.table(500))
        site.wait_delivered()
        time.sleep(1.5)  # for a beat
        script = ("import socket\nu = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                  f"for d in ({b'km' + bytes([1, 9]) + bytes(300)!r}, {b'km' + bytes([1, 2, 9, 9]) + bytes(300)!r}, b'another protocol'):\n"
                  "    u.sendto(d, ('10.77.0.2', 5150))\n")
        harness.run(*site.net.at("s"), harness.sys.executable, "-c", script)
        time.sleep(0.3)
    finally:
        tcpdump.send_signal(signal.SIGINT)
        tcpdump.communicate(timeout=10)
    kinds = [k for k, in tshark(pcap, "katamichi.kind", where="katamichi && !katamichi.malformed")]
    assert set(kinds) == {"1", "2", "3"}, set(kinds)
    assert len(tshark(pcap, "frame.number", where="katamichi.malformed")) == 2
    assert len(tshark(pcap, "frame.number", where="udp && !katamichi")) == 1
    symbols = tshark(pcap, "katamichi.object", "katamichi.object_length", "katamichi.kfull", "katamichi.block", "katamichi.symbol",
                     "katamichi.parity", "katamichi.pn", "katamichi.epoch", where="katamichi.kind == 2 && !katamichi.malformed")
    (object_id,) = {s[0] for s in symbols}
    assert f"object {object_id.replace(':', '')}" in site.sender.text()
    source = {int(s[4]) for s in symbols if s[5] in ("0", "False")}
    repair = {int(s[4]) for s in symbols if s[5] in ("1", "True")}
    assert source == set(range(max(source) + 1)) and min(repair) == max(source) + 1
    numbers = [int(s[6]) for s in symbols]
    assert numbers == sorted(set(numbers)), "packet numbers grow and come once"
    assert {s[7] for s in symbols} == {harness.re.search(r"epoch (\d+)", site.sender.text()).group(1)}
