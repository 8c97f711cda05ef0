"""Clocks that are wrong by ten years, either way, on either side: nothing is lost or doubled, and it is said."""
import contextlib
import json
import os
import re
import sqlite3
import struct

import pytest

import harness
import samples

YEARS = 10 * 365 * 86400


class Wall:
    """The wall clock of the daemons that are started after this (tests/wall/wall.c)."""

    def __init__(self, site, monkeypatch, name):
        self.path = site.path(name)
        self.set(0)
        self.monkeypatch = monkeypatch

    def set(self, seconds):
        mode = "r+b" if os.path.exists(self.path) else "wb"
        with open(self.path, mode) as f:
            f.write(struct.pack("=q", seconds))

    def on(self, start):
        self.monkeypatch.setenv("LD_PRELOAD", harness.program("tests/wall/wall.so"))
        self.monkeypatch.setenv("KATAMICHI_WALL", self.path)
        got = start()
        self.monkeypatch.delenv("LD_PRELOAD")
        return got


@pytest.mark.slow
def test_ten_years_either_way(site, monkeypatch):
    site.configure(repeat="3s")  # what is sent before a new receiver has had a HELLO comes in the next round
    zone, outside = Wall(site, monkeypatch, "wall-receiver"), Wall(site, monkeypatch, "wall-sender")
    zone.on(site.start_receiver)
    outside.on(site.start_sender)
    n = 0

    def cross():
        nonlocal n
        for channel in ("eltax", "pittari"):
            site.put(channel, f"{n}.csv", samples.table(3 + n))
        n += 1
        site.wait_delivered(30)

    cross()
    for s, r in ((YEARS, 0), (YEARS, -YEARS), (-YEARS, -YEARS), (0, YEARS), (-YEARS, YEARS), (0, 0)):
        outside.set(s)
        zone.set(r)
        harness.time.sleep(1.2)
        cross()
        # a new session, and a start of each side, under that clock
        site.sender.stop()
        outside.on(site.start_sender)
        cross()
        site.receiver.stop()
        zone.on(site.start_receiver)
        cross()
    site.check_inbox()
    assert harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).returncode == 0
    jumps = [int(r["jump"]) for r in site.ledger() if r["event"] == "clock"]
    status = harness.wait_until("the status", lambda: [t for t in json.loads(harness.katamichi("status", "-c", site.path("receiver.conf"), "--json").out)["todo"]
                                                        if t["code"] == "clock"], 10)
    assert status and re.search(r"clock +it jumped by [+-]\d+ s, ", harness.katamichi("status", "-c", site.path("receiver.conf")).out)
    assert any(abs(j + YEARS) < 60 for j in jumps) and any(abs(j - 2 * YEARS) < 60 for j in jumps), jumps
    with open(site.path("sender.log")) as f:
        text = f.read()
    assert re.search(r"the clock of this machine jumped by 31\d{7} s", text) and re.search(r"jumped by -63\d{7} s", text)
    assert not [r for r in site.ledger() if r["event"] in ("fork", "generation", "quarantined")]


def test_outside_a_keys_validity(site, monkeypatch):
    """A clock ten years ahead: what comes is held sealed, said, and opened as soon as the clock is right; or the pin."""
    site.configure(repeat="6s")
    harness.edit(site.path("receiver.conf"), ("key = keys/sender.pub", "key = keys/sender.pub\nvalid_from = 2020-01-01\nvalid_until = 2029-12-31"))
    zone = Wall(site, monkeypatch, "wall-receiver")
    zone.on(site.start_receiver)
    zone.set(YEARS)
    site.start_sender()
    harness.wait_until("the session to be reported", lambda: "what it sends is held sealed" in site.receiver.text(), 20, alive=site.daemons())
    site.put("eltax", "一.csv", samples.table(3))
    site.put_random("bulk", "10MB.bin", 10 << 20)  # large enough to be opened while it arrives
    harness.wait_until("it to be said", lambda: "what it sends is held sealed" in site.receiver.text(), 20, alive=site.daemons())
    harness.wait_until("both to be complete", lambda: json.loads(harness.katamichi("status", "-c", site.path("receiver.conf"), "--json").out)
                       ["waiting"] == 2, 20, alive=site.daemons())
    status = json.loads(harness.katamichi("status", "-c", site.path("receiver.conf"), "--json").out)
    assert "its key is not valid now" in harness.katamichi("status", "-c", site.path("receiver.conf")).out
    said = zone.on(lambda: harness.katamichi("status", "-c", site.path("receiver.conf")).out)
    assert re.search(r"mihon \d+ days old \(not valid any more\)", said), said
    assert [h["why"] for h in status["held"]] == ["its sender's key is not valid now"] * 2 and status["disk"]["trouble"] == "", status
    assert "complete and held: object" in harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).out
    site.receiver.stop()
    zone.on(site.start_receiver)
    harness.time.sleep(2)
    ledger = site.path("receiver-state/ledger/ledger.db")
    assert harness.rows(ledger, "SELECT count(*) FROM stream") == [(0,)], "what a beat says under a key that is not valid is no evidence"
    assert site.deliveries() == [] and not [r for r in site.ledger() if r["event"] == "refused"]
    zone.set(-YEARS)
    said = zone.on(lambda: harness.katamichi("status", "-c", site.path("receiver.conf")).out)
    assert "mihon (age not known) (valid for " in said and "-" not in re.search("^keys.*", said, re.M).group(), said
    zone.set(0)
    site.wait_delivered(30)
    harness.wait_until("the beats to count", lambda: len(harness.rows(ledger, "SELECT * FROM stream")) >= 2, alive=site.daemons())
    site.check_inbox()


def test_the_last_row_is_damaged(site):
    """Nothing is to be had of its time: the receiver starts, its audit says which row it is, and deliveries go on."""
    site.start(repeat="3s")  # of what comes before the new receiver has had a HELLO
    site.put("eltax", "a.csv", samples.table(3))
    site.wait_delivered()
    site.receiver.stop()
    with contextlib.closing(sqlite3.connect(site.path("receiver-state/ledger/ledger.db"), isolation_level=None)) as db:
        row = db.execute("SELECT max(seq) FROM ledger").fetchone()[0]
        db.execute("UPDATE ledger SET entry = '{\"at\":' WHERE seq = ?", (row,))
    site.start_receiver()
    site.put("eltax", "b.csv", samples.table(3))
    harness.wait_until("the next delivery", lambda: "eltax 2: delivered" in site.receiver.text(), 30, alive=site.daemons())
    harness.wait_until("the audit", lambda: re.search(rf"row {row} of the ledger does not match", site.receiver.text()), 30, alive=site.daemons())
    done = harness.katamichi("list", "-c", site.path("receiver.conf"), ok=False)
    assert done.returncode == 6 and "eltax/00000002" in done.out and f"row {row} " in done.err, done.err
