"""The receiver's record: whatever is done to it behind the receiver's back is found, and which row it was is said."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3

import pytest

import samples
from harness import copy_database, katamichi, wait_until


def rechain(db, first=1):
    """As whoever knows the chain would: all hashes from this row on computed anew."""
    before = db.execute("SELECT hash FROM ledger WHERE seq = ?", (first - 1,)).fetchone() if first > 1 else ("0" * 64,)
    before = before[0]
    for seq, entry in db.execute("SELECT seq, entry FROM ledger WHERE seq >= ? ORDER BY seq", (first,)).fetchall():
        before = hashlib.sha256(f"{before}\n{entry}\n".encode()).hexdigest()
        db.execute("UPDATE ledger SET hash = ? WHERE seq = ?", (before, seq))


def edit_and_rechain(db, row):
    db.execute("UPDATE ledger SET entry = replace(entry, 'eltax', 'other') WHERE seq = ?", (row,))
    rechain(db, row)


def cut(db, upto):
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("DELETE FROM ledger WHERE seq > ?", (upto,))
    db.execute("DELETE FROM delivery WHERE seq > ?", (upto,))


def cut_with_checkpoints(db, upto):
    cut(db, upto)
    db.execute("DELETE FROM checkpoint WHERE rows > ?", (upto,))


def forge_checkpoint(db):
    db.execute("UPDATE checkpoint SET signature = replace(signature, substr(signature, 1, 1), 'f') || ''")
    db.execute("UPDATE checkpoint SET signature = '0' || substr(signature, 2)")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A ledger of some rows, checkpoints of two moments kept elsewhere, an export, and an older copy.  {name: path}"""
    import harness
    net = harness.Net()
    site = harness.Site(tmp_path_factory.mktemp("ledger"), net)
    try:
        site.start()
        site.put("eltax", "1.csv", samples.table(3))
        site.wait_delivered()
        wait_until("a row", lambda: any(r.get("channel") == "eltax" for r in site.ledger()))
        conf = site.path("receiver.conf")
        made = {"conf": conf, "pub": site.path("keys/receiver.pub"), "site": site}

        def keep(name, text):
            made[name] = site.path(name)
            with open(made[name], "w", encoding="utf-8") as f:
                f.write(text)
        keep("early", katamichi("ledger", "checkpoint", "-c", conf).out)
        db = site.path("receiver-state/ledger/ledger.db")
        made["old"] = site.path("old.db")
        copy_database(db, made["old"])
        for i in range(2, 6):
            site.put("eltax", f"{i}.csv", samples.table(3 + i))
            site.wait_delivered()
            wait_until(f"row {i}", lambda n=i: len([r for r in site.ledger() if r.get("channel") == "eltax"]) >= n)
        site.sender.stop()
        keep("late", katamichi("ledger", "checkpoint", "-c", conf).out)
        keep("export", katamichi("ledger", "export", "-c", conf).out)
        site.receiver.stop()
        made["db"] = db
        made["rows"] = len(site.ledger())
        made["signed"] = int(open(made["late"]).read().split("rows ")[1].split()[0])
        yield made
    finally:
        harness.Process.end_all()
        net.close()


def verify(record, db, *more):
    done = katamichi("ledger", "verify", "--receiver", record["pub"], "--json", *more, db, ok=False)
    return done.returncode, json.loads(done.out) if done.out else done.err


def test_whole(record):
    code, said = verify(record, record["db"], "--checkpoint", record["early"], "--checkpoint", record["late"], "--export", record["export"])
    assert code == 0 and said["holds"] and said["rows"] == record["rows"] >= record["signed"] >= 6 and said["signed"] == record["signed"], said
    text = katamichi("ledger", "verify", "-c", record["conf"], "--checkpoint", record["late"]).out
    assert f"signed it up to row {record['signed']}" in text


# what is done; which rows may be named; what finds it: nothing but the database, a checkpoint, an export
CHANGES = {
    "a row edited": (lambda db: db.execute("UPDATE ledger SET entry = replace(entry, 'eltax', 'other') WHERE seq = 3"), [3], "chain"),
    "a hash edited": (lambda db: db.execute("UPDATE ledger SET hash = hash || ' ' WHERE seq = 4"), [4], "chain"),
    "a row deleted": (lambda db: db.execute("DELETE FROM ledger WHERE seq = 3"), [3], "chain"),
    "the first row deleted": (lambda db: db.execute("DELETE FROM ledger WHERE seq = 1"), [1], "chain"),
    "two rows exchanged": (lambda db: db.executescript("UPDATE ledger SET seq = -3 WHERE seq = 3; UPDATE ledger SET seq = 3 WHERE seq = 4;"
                                                       "UPDATE ledger SET seq = 4 WHERE seq = -3"), [3], "chain"),
    "a row put in": (lambda db: db.execute("INSERT INTO ledger SELECT max(seq) + 1, entry, hash FROM ledger"), None, "chain"),
    "the end cut off": (lambda db: cut(db, 3), [4], "checkpoint of its own"),
    "edited and chained anew": (lambda db: edit_and_rechain(db, 3), [1, 2, 3], "checkpoint of its own"),
    "a checkpoint forged": (forge_checkpoint, None, "checkpoint of its own"),
    "cut off with its checkpoints": (lambda db: cut_with_checkpoints(db, 3), [4], "checkpoint"),
    "chained anew, its checkpoints gone": (lambda db: (edit_and_rechain(db, 4), db.execute("DELETE FROM checkpoint")), [1, 2, 3, 4],
                                           "checkpoint"),
    "chained anew, to the row": (lambda db: (edit_and_rechain(db, 4), db.execute("DELETE FROM checkpoint")), [4], "export"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_changes(record, what, tmp_path):
    change, rows, finder = CHANGES[what]
    db = str(tmp_path / "ledger.db")
    copy_database(record["db"], db)
    with contextlib.closing(sqlite3.connect(db)) as copy:
        change(copy)
        copy.commit()
    alone, said = verify(record, db)
    if finder in ("chain", "checkpoint of its own"):
        assert alone == 1 and not said["holds"], said
    else:
        assert alone == 0, "nothing but what was kept elsewhere can find this"
        more = ["--export", record["export"]] if finder == "export" else ["--checkpoint", record["late"]]
        code, said = verify(record, db, *more)
        assert code == 1 and not said["holds"], said
    if rows is not None:
        assert said["bad"] in rows, said


def test_rollback(record):
    """An older copy in place of the ledger holds by itself; a checkpoint taken since then tells."""
    assert verify(record, record["old"], "--checkpoint", record["early"])[0] == 0
    code, said = verify(record, record["old"], "--checkpoint", record["late"])
    assert code == 1 and f"up to row {record['signed']}" in said["why"] and said["bad"] == said["rows"] + 1


def test_foreign_checkpoint(record, tmp_path):
    katamichi("keygen", "receiver", str(tmp_path))
    done = katamichi("ledger", "verify", "--receiver", str(tmp_path / "receiver.pub"), "--checkpoint", record["late"], record["db"], ok=False)
    assert done.returncode == 1 and "did not sign" in done.out
    assert katamichi("ledger", "verify", "--checkpoint", record["late"], record["db"], ok=False).returncode == 2
    with open(tmp_path / "x", "w", encoding="ascii") as f:
        f.write("nothing\n")
    assert katamichi("ledger", "verify", "--receiver", record["pub"], "--checkpoint", str(tmp_path / "x"), record["db"], ok=False).returncode == 6


def put_in_place(db, ledger):
    """Another ledger, or none, where the receiver's own was."""
    for end in ("", "-wal", "-shm"):
        if os.path.exists(db + end):
            os.unlink(db + end)
    if ledger:
        shutil.copy(ledger, db)


@pytest.mark.parametrize("left", ["old", None])
def test_set_back_while_stopped(record, left, tmp_path):
    """An older ledger, or none: the receiver itself does not sign less than it signed before, and everything that is asked says so."""
    site, db, conf = record["site"], record["db"], record["conf"]
    kept = str(tmp_path / "kept.db")
    shutil.copy(db, kept)
    put_in_place(db, left and record[left])
    site.start_receiver()
    try:
        wait_until("the alarm", lambda: "ALARM: the ledger's checkpoint is not signed" in site.receiver.text(), 20, alive=[site.receiver])
        done = katamichi("ledger", "checkpoint", "-c", conf, ok=False)
        assert done.returncode == 1 and "set back" in done.err
        status = json.loads(katamichi("status", "-c", conf, "--json").out)
        assert status["ledger"]["set_back"] == record["signed"]
        assert "set back" in [t["code"] for t in status["todo"]], "what to do is said, too"
        assert [r["signed"] for r in site.ledger() if r["event"] == "set-back"] == [record["signed"]], "once, for when it has outgrown that"
        assert "ALARM" in katamichi("status", "-c", conf).out
        for argv in (["ledger", "verify"], ["report", "--day", "today"], ["report", "--day", "today", "--html"]):
            done = katamichi(*argv, "-c", conf, ok=False)
            assert done.returncode == 1 and f"up to row {record['signed']}" in done.out, f"{argv}: {done.out}"
        doctor = json.loads(katamichi("doctor", "-c", conf, "--json", ok=False).out)
        assert f"up to row {record['signed']}" in json.dumps(doctor), "R16"
    finally:
        site.receiver.stop()
        put_in_place(db, kept)
    assert katamichi("ledger", "verify", "-c", conf).returncode == 0, "the right one is in its place again"


@pytest.mark.parametrize("running", [False, True], ids=["before the start", "while it runs"])
def test_a_running_receiver_notices(record, running, tmp_path, monkeypatch):
    """A row edited before the start; or later, with the chain computed anew, which only who wrote it last can know (here a day is a second)."""
    site, db, conf = record["site"], record["db"], record["conf"]
    kept = str(tmp_path / "kept.db")
    shutil.copy(db, kept)
    monkeypatch.setenv("KATAMICHI_TEST_SERVICE_SPEED", "86400")

    def change(how):
        with contextlib.closing(sqlite3.connect(db)) as d:
            how(d)
            d.commit()

    if not running:
        change(CHANGES["a row edited"][0])
    site.start_receiver()
    try:
        if running:
            def held():
                return json.loads(katamichi("status", "-c", conf, "--json", ok=False).out)["ledger"]
            wait_until("the first look", lambda: "bad" in held(), alive=[site.receiver])
            assert held()["bad"] is None and "ALARM" not in site.receiver.text()
            change(lambda d: edit_and_rechain(d, 3))
        wait_until("the alarm", lambda: "ALARM: row " in site.receiver.text(), 20, alive=[site.receiver])
        said = wait_until("the status", lambda: (lambda s: s["ledger"]["bad"] and s)(json.loads(katamichi("status", "-c", conf, "--json").out)))
        if running:
            assert "computed anew" in said["ledger"]["why"], said["ledger"]
        else:
            assert said["ledger"]["bad"] == 3 and "does not match its hash" in said["ledger"]["why"], said["ledger"]
        assert "ledger changed" in [t["code"] for t in said["todo"]]
        assert re.search("ALARM: row [0-9]+ ", katamichi("status", "-c", conf).out)
        assert site.receiver.text().count("ALARM: row ") == 1, "once, not every day"
    finally:
        site.receiver.stop()
        put_in_place(db, kept)
