"""Days without a receiver, in seconds: the sender's service time is made to run faster (KATAMICHI_TEST_SERVICE_SPEED)."""
import contextlib
import json
import re
import sqlite3

import pytest

import harness
import samples

HOUR = 3600_000  # ms


def service_ms(site):
    try:
        with open(site.path("sender-state/status.json")) as f:
            return json.load(f)["service_ms"]
    except (OSError, ValueError):
        return 0


def wait_service(site, hours):
    harness.wait_until(f"{hours} hours of service", lambda: service_ms(site) >= hours * HOUR, 60, alive=[site.sender])


@pytest.mark.slow
def test_receiver_off_for_three_days(site, monkeypatch):
    """Default repeats and retention; it comes back and has everything in the end, with nobody's help."""
    monkeypatch.setenv("KATAMICHI_TEST_SERVICE_SPEED", "20000")  # a day is 4.3 s
    site.configure(repeat="1m 10m 1h 6h 24h")
    site.start_sender()
    for day in range(3):
        for i in range(5):
            site.put("eltax", f"{day}日目_{i}.csv", samples.table(10 + day * 5 + i))
        site.put_random("bulk", f"{day}.bin", (1 << 20) + day)
        wait_service(site, 24 * (day + 1))
    assert "round 4" in site.sender.text(), "it did not repeat into the void"
    site.start_receiver()
    site.wait_delivered(60)
    harness.wait_until("no gap", lambda: harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).returncode == 0, 30)
    site.check_inbox()
    assert ": erased" not in site.sender.text()
    # the days were closed, and say that all of it is there
    days = [r for r in site.ledger() if r["event"] == "closing" and r["kind"] == "daily"]
    assert len(days) >= 2 and harness.katamichi("closings", "-c", site.path("receiver.conf"), "--last", "0").returncode == 0


@pytest.mark.slow
def test_longer_than_the_retention(site, monkeypatch):
    """What the sender does not keep any more is a named gap, never silence; and the slip says that it has to be put in again."""
    monkeypatch.setenv("KATAMICHI_TEST_SERVICE_SPEED", "20000")
    site.configure(repeat="1m 10m 1h 6h 24h")
    harness.edit(site.path("sender.conf"), ("retention = 14d", "retention = 2d"))
    site.start_sender()
    site.put("eltax", "一.csv", samples.table(3))
    harness.wait_until("its end", lambda: re.search(r"eltax 1: erased, its retention has passed", site.sender.text()), 60, alive=[site.sender])
    # the database is told of the time that passes once a moment, and a moment is hours here
    harness.wait_until("two days of service to be kept", lambda: service_ms(site) >= 48 * HOUR, 20, alive=[site.sender])
    rows = harness.run("sqlite3", f"file:{site.path('sender-state/outbox.db')}?mode=ro", "SELECT number, state FROM object WHERE "
                       "channel = 'eltax'").out
    assert rows == "1|1\n", "the row stays, and says that it was erased"
    del site.sent["eltax", "一.csv".encode()]
    site.start_receiver()
    site.put("eltax", "二.csv", samples.table(4))
    site.wait_delivered(30)

    def lost_gap():
        out = harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--json", ok=False).out
        return [g for g in json.loads(out)["gaps"] if (g["channel"], g["first"], g["last"], g["outlook"]) == ("eltax", 1, 1, "lost")]

    harness.wait_until("the gap, named", lost_gap, 20, alive=site.daemons())
    slips = ("gaps", "-c", site.path("receiver.conf"), "--slip", "--channel", "eltax", "--json")
    done = harness.katamichi(*slips, ok=False)
    assert done.returncode == 1 and json.loads(done.out) == [] and "keeps no more: 1, not asked for" in done.err, done

    # one that was printed while it was kept, and is carried late
    site.receiver.stop()
    harness.run("sqlite3", site.path("receiver-state/ledger/ledger.db"), "UPDATE stream SET oldest = 1 WHERE channel = 'eltax'")
    code = json.loads(harness.katamichi(*slips).out)[0]["code"]
    site.start_receiver()
    done = harness.katamichi("resend", "-c", site.path("sender.conf"), code, "--yes", ok=False)
    assert done.returncode == 1 and "not kept        transfers: 1" in done.out, done.out

    # nobody has to live with it for ever: who settled it, and why, is in the ledger
    harness.wait_until("the gap, lost again", lost_gap, 20, alive=site.daemons())
    settle = ["settle", "-c", site.path("receiver.conf"), "--operator", "山田", "--reason", "紙で受領済み", "eltax", "1-99"]
    done = harness.katamichi(*settle)
    assert "eltax: settled" in done.out and lost_gap() == []
    row, = [r for r in site.ledger() if r["event"] == "settled"]
    assert (row["channel"], row["first"], row["last"], row["numbers"], row["operator"], row["reason"]) == ("eltax", 1, 1, 1, "山田", "紙で受領済み")
    assert harness.katamichi(*settle, ok=False).returncode == 1, "once"
    with contextlib.closing(sqlite3.connect(site.path("receiver-state/ledger/ledger.db"))) as db, db:  # a login that is no text
        db.execute("INSERT INTO settle_request(sender, channel, generation, first, last, operator, reason, login, at)"
                   " SELECT sender, channel, generation, first, last, operator, reason, x'ff', at FROM settle_request")
        db.execute("INSERT INTO gap SELECT sender, channel, generation, first, last, 0 FROM settle_request LIMIT 1")
    harness.wait_until("the second row", lambda: [r["login"] for r in site.ledger() if r["event"] == "settled"][1:] == ["\\xff"], 10,
                       alive=[site.receiver])
    assert harness.katamichi("ledger", "verify", "-c", site.path("receiver.conf")).returncode == 0


@pytest.mark.slow
def test_limit_of_a_channel(site, monkeypatch):
    """What is over outbox_max waits in its claim, is said, and goes by itself when the retention of others has passed."""
    monkeypatch.setenv("KATAMICHI_TEST_SERVICE_SPEED", "2000")  # four hours are 7.2 s
    site.configure(repeat="1h")
    harness.edit(site.path("sender.conf"), ("retention = 14d", "retention = 4h"))
    harness.edit(site.path("sender.conf"), ("[channel bulk]", "[channel bulk]\noutbox_max = 1M"))
    site.start_receiver()
    site.start_sender()
    site.put_random("bulk", "1.bin", 700 << 10)
    site.wait_delivered(20)
    site.put_random("bulk", "2.bin", 701 << 10)
    site.put("eltax", "一.csv", samples.table(3))  # another channel has its own
    harness.wait_until("it to be said", lambda: "outbox_max" in site.sender.text(), alive=site.daemons())
    harness.wait_until("the other channel", lambda: ("eltax", "一.csv".encode()) in site.arrived(), alive=site.daemons())
    assert ("bulk", b"2.bin") not in site.arrived() and "bulk 2:" not in site.sender.text()
    todo = harness.wait_until("what to do", lambda: json.loads(harness.katamichi("status", "-c", site.path("sender.conf"), "--json").out)["todo"],
                              5, alive=site.daemons())
    assert [t["code"] for t in todo] == ["channel full"], todo
    site.wait_delivered(40)
    site.check_inbox()
    text = site.sender.text()
    assert text.index("bulk 1: erased") < text.index("bulk 2: 1 file")


def test_age_of_a_batch(site):
    """Taking files out of a folder ends after batch_age, and what was taken by then goes; otherwise all that is ready is one transfer."""
    site.configure()
    harness.edit(site.path("sender.conf"), ("[channel bulk]", "[channel bulk]\nbatch_age = 1ms"))
    harness.edit(site.path("sender.conf"), ("[channel eltax]", "[channel eltax]\nbatch_age = 1h"))
    for i in range(600):
        for channel in ("eltax", "bulk"):
            site.put(channel, f"{i}.csv", b"a,b\n%d,2\n" % i)
    site.start_receiver()
    site.start_sender()
    site.wait_delivered(60)
    numbers = [channel for channel, _, _ in site.deliveries()]
    assert numbers.count("eltax") == 1 and 1 < numbers.count("bulk") < 600, numbers
