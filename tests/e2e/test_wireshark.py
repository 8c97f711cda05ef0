"""tools/wireshark/katamichi.lua on a captured transfer: every datagram is named, the fields are those that the
programs mean, and what is malformed is marked."""
import os
import signal
import struct
import subprocess
import time

import pytest

import harness
import samples

LUA = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "wireshark", "katamichi.lua")


def tshark(pcap, *fields, where="katamichi"):
    out = harness.run("tshark", "-X", f"lua_script:{LUA}", "-r", pcap, "-Y", where, "-T", "fields", "-E", "separator=\t",
                      *[a for f in fields for a in ("-e", f)], timeout=120)
    assert "lua" not in out.err.lower().replace("running as user", ""), out.err
    return [line.split("\t") for line in out.out.splitlines()]


def capture(site, path):
    if not harness.is_host_root():
        pytest.skip("tcpdump does not run in a namespace of one's own")
    p = subprocess.Popen(site.net.at("r") + ["tcpdump", "-i", "kmr", "-w", path, "-U", "-Z", "root", "--immediate-mode"],
                         stderr=subprocess.PIPE, text=True)
    assert any("listening" in line for line in p.stderr)
    return p


def datagram(kind, mlog=0, pn=0, at18=0, length=0):
    """A head of 18 bytes and zeros, 300 in all; a symbol has the object's length at 36."""
    d = b"km" + struct.pack(">BBHBBI", 1, kind, 300, 0, mlog, 7) + pn.to_bytes(6, "big") + struct.pack(">H", at18)
    return (d + bytes(16) + length.to_bytes(6, "big")).ljust(300, b"\0")


def test_what_contradicts_the_protocol(tmp_path):
    """Each row is one datagram, and what is said of it; nothing of a good one."""
    rows = [
        (datagram(1), ""),
        (datagram(3, pn=5), ""),
        (datagram(1, at18=1), "reserved bytes"),
        (datagram(3, pn=6, at18=0x100), "reserved bytes"),
        (datagram(2, mlog=15, pn=7, at18=32768, length=1 << 20), ""),
        (datagram(2, mlog=15, pn=8, at18=32769, length=1 << 20), "more symbols in a block"),
        (datagram(2, mlog=2, pn=9, at18=65533, length=1 << 20), "more symbols in a block"),
        (datagram(2, mlog=2, pn=10, at18=0, length=1 << 20), "no source symbols"),
        (datagram(3, pn=0), "out of its range"),
        (datagram(1, mlog=1), "out of its range"),
    ]
    pcap = tmp_path / "made.pcap"
    with open(pcap, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
        for d, _ in rows:
            packet = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, 28 + len(d), 0, 0, 64, 17, 0, bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2]),
                                 5150, 5150, 8 + len(d), 0) + d
            f.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    said = tshark(str(pcap), "frame.number", "_ws.expert.message")
    assert len(said) == len(rows)
    for (d, wanted), (number, *message) in zip(rows, said):
        assert (wanted in message[0]) if wanted else not message[0], (number, wanted, message)


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


def test_one_new_beat_a_second(site):
    """However many transfers are numbered: a beat that is new has a salt of its own (PROTOCOL 4.6)."""
    pcap = site.path("beats.pcap")
    tcpdump = capture(site, pcap)
    try:
        site.start(channel_more="batch_files = 1\n")
        for i in range(60):
            site.put("eltax", f"{i}.csv", samples.table(3))
            time.sleep(0.05)
        site.wait_delivered()
    finally:
        tcpdump.send_signal(signal.SIGINT)
        tcpdump.communicate(timeout=10)
    beats = tshark(pcap, "frame.time_epoch", "katamichi.salt", where="katamichi.kind == 3")
    first = {}
    for at, salt in beats:
        first.setdefault(salt, float(at))
    times = sorted(first.values())
    assert len(times) >= 3 and len(site.deliveries()) >= 20, (len(times), len(site.deliveries()))
    assert len(times) <= times[-1] - times[0] + 2, times
