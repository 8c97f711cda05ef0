"""A channel with a virus scanner: a real clamd, with a signature of the test's own.  What it finds is held back with the signature's
name; what it has not looked at is held, not passed, and goes on by itself when it has."""
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

import harness
from harness import katamichi, wait_until

# The test file that every scanner calls a virus; in two pieces, or a scanner would find it here.
EICAR = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
CLAMD_CONF = """LocalSocket {top}/clamd.ctl
DatabaseDirectory {top}/db
TemporaryDirectory {top}
Foreground yes
LogFile {top}/clamd.log
StreamMaxLength 1M
MaxFileSize 2M
AlertExceedsMax yes
"""


class Clamd:
    def __init__(self, top):
        self.top, self.popen = str(top), None
        os.makedirs(self.top + "/db")
        with open(self.top + "/db/own.ndb", "w", encoding="ascii") as f:
            f.write(f"Katamichi.Test.EICAR:0:*:{EICAR.hex()}\n")
        with open(self.top + "/clamd.conf", "w", encoding="ascii") as f:
            f.write(CLAMD_CONF.format(top=self.top))
        self.socket = self.top + "/clamd.ctl"

    def start(self):
        self.popen = subprocess.Popen([shutil.which("clamd", path="/usr/sbin:/usr/bin"), "-c", self.top + "/clamd.conf"],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("clamd", self.answers, 30)
        return self

    def answers(self):
        assert self.popen.poll() is None, open(self.top + "/clamd.log").read()
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(self.socket)
                s.sendall(b"zPING\0")
                return s.recv(100) == b"PONG\0"
            except OSError:
                return False

    def stop(self):
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()
            self.popen = None


@pytest.fixture
def clamd(tmp_path_factory):
    c = Clamd(tmp_path_factory.mktemp("clamd"))
    yield c
    c.stop()


def rows(site, event):
    return [r for r in site.ledger() if r["event"] == event and r.get("channel") == "eltax"]


def status(site):
    return json.loads(katamichi("status", "-c", site.path("receiver.conf"), "--json").out)


def start(site, path, more=""):
    site.start(sender_content="content = any\n", receiver_content=f"content = any\nantivirus = {path}\n{more}")


def test_found_and_clean(site, clamd):
    clamd.start()
    site.put("eltax", "1.txt", b"harmless\n")
    site.put("eltax", "2.txt", EICAR)
    site.put("eltax", "3.txt", b"")
    del site.sent["eltax", b"2.txt"]
    start(site, clamd.socket)
    row, = wait_until("the infected file in the quarantine", lambda: rows(site, "quarantined"), 30, alive=site.daemons())
    assert row["file"] == "2.txt" and "Katamichi.Test.EICAR" in row["reason"] and "antivirus" in row["checks"]
    site.wait_delivered(30)
    wait_until("the row", lambda: rows(site, "delivered"))
    row, = rows(site, "delivered")
    assert "antivirus" in row["checks"] and row["held"] == 1 and row["scanner"].startswith("ClamAV")
    # while the other channels have no scanner to wait for
    assert status(site)["antivirus"]["trouble"] == ""


def test_unreachable_is_held(site, clamd):
    """No scanner: nothing of its channel is delivered, everything of others is; then it comes, and all is delivered once."""
    start(site, clamd.socket)
    site.put("eltax", "1.txt", b"harmless\n")
    site.put("bulk", "2.txt", b"not looked at\n")
    wait_until("the other channel's file", lambda: any(c == "bulk" for c, _, _ in site.deliveries()), 20, alive=site.daemons())
    said = wait_until("the word in status", lambda: (lambda a: a if a["trouble"] else None)(status(site)["antivirus"]), 20)
    assert "does not answer" in said["trouble"] and said["held"] == 1
    assert "does not answer" in katamichi("status", "-c", site.path("receiver.conf")).out
    assert not [d for d in site.deliveries() if d[0] == "eltax"]
    site.receiver.stop()  # it is held through a restart (a kill of moments ago would leave it to the next round)
    site.start_receiver()
    assert not [d for d in site.deliveries() if d[0] == "eltax"]
    clamd.start()
    site.wait_delivered(30)
    wait_until("the row", lambda: rows(site, "delivered"))
    assert len(rows(site, "delivered")) == 1
    wait_until("no trouble any more", lambda: not status(site)["antivirus"]["trouble"])


def test_too_large_is_held(site, clamd):
    """Over the scanner's own limit: not passed; what is smaller goes on beside it.  With a larger limit it is delivered."""
    clamd.start()
    site.put("eltax", "large.bin", bytes(3 << 20))
    start(site, clamd.socket)
    wait_until("the word in status", lambda: "cannot be scanned" in status(site)["antivirus"]["trouble"], 20, alive=site.daemons())
    assert not site.deliveries()
    site.put("eltax", "small.txt", b"harmless\n")
    wait_until("the small one", lambda: ("eltax", b"small.txt") in site.arrived(), 20, alive=site.daemons())
    assert ("eltax", b"large.bin") not in site.arrived()
    clamd.stop()
    with open(clamd.top + "/clamd.conf", "w", encoding="ascii") as f:
        f.write(CLAMD_CONF.format(top=clamd.top).replace("1M", "20M").replace("2M", "20M"))
    clamd.start()
    site.wait_delivered(60)


@pytest.mark.parametrize("answer", [b"", b"stream: something ERROR\0", b"nonsense\0", None])
def test_no_answer_is_no_pass(site, tmp_path, answer):
    """Whoever sits behind the socket and says nothing of use: an end, an error, nonsense, silence."""
    path = str(tmp_path / "s")
    kept = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(8)

        def serve():
            while True:
                try:
                    c, _ = server.accept()
                except OSError:
                    return
                kept.append(c)
                if answer is not None:
                    c.recv(1 << 16)
                    c.sendall(answer)
                    c.close()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        site.put("eltax", "1.txt", b"harmless\n")
        start(site, path, "antivirus_timeout = 1s\n")
        wait_until("the word in status", lambda: status(site)["antivirus"]["trouble"], 20, alive=site.daemons())
        assert not site.deliveries() and not rows(site, "delivered") and not rows(site, "quarantined")
        server.shutdown(socket.SHUT_RDWR)
    for c in kept:
        c.close()
    assert harness.alive(site.receiver.pid)
