"""An outbox that was restored or cloned: a new generation where it is noticed, a fork at the receiver where it is not; nothing lost."""
import json
import os
import re
import shutil

import pytest

import harness
import samples


def restore(site, in_place):
    """Yesterday's backup comes back: as a restore does it, or (in_place) into the very same files."""
    if not in_place:
        harness.remove(site.path("sender-state"))
        shutil.copytree(site.path("backup"), site.path("sender-state"))
        return
    for name in ("outbox.db-wal", "outbox.db-shm"):  # a kill leaves them: with them nothing would be restored
        if os.path.exists(site.path("sender-state", name)):
            os.unlink(site.path("sender-state", name))
    for base, _, files in os.walk(site.path("backup")):
        for name in files:
            source = os.path.join(base, name)
            target = source.replace(site.path("backup"), site.path("sender-state"))
            with open(source, "rb") as a, open(target, "wb") as b:
                shutil.copyfileobj(a, b)


def backed_up(site, **values):
    """A transfer, and a backup of the sender's state behind it; the sender is stopped."""
    site.start(**values)
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    site.sender.stop()
    shutil.copytree(site.path("sender-state"), site.path("backup"))


def two_days(site, in_place, **values):
    """A transfer, a backup, another transfer; the backup comes back; a third transfer, under a number that was given."""
    backed_up(site, **values)
    site.start_sender()
    site.put("eltax", "二.csv", samples.table(4))
    site.wait_delivered()
    site.sender.stop()
    restore(site, in_place)


def wait_rows(site):
    """A directory stands in the inbox a moment before its row in the ledger."""
    harness.wait_until("all rows", lambda: len(events(site, "delivered", "fork")) == len(site.sent), alive=site.daemons())


def events(site, *names):
    return [r for r in site.ledger() if r["event"] in names and r.get("channel") == "eltax"]


def check_files(site):
    wait_rows(site)
    there = site.arrived()
    assert set(there) == set(site.sent) and all(len(p) == 1 for p in there.values())
    for key, paths in there.items():
        assert harness.sha256_file(paths[0]) == site.sent[key]


def test_restored_outbox_begins_anew(site):
    two_days(site, False)
    site.start_sender()
    assert "a new generation" in site.sender.text() and "moved, copied or restored" in site.sender.text()
    site.put("eltax", "三.csv", samples.table(5))
    site.wait_delivered()
    check_files(site)
    delivered = events(site, "delivered", "fork")
    assert [(r["event"], r["number"]) for r in delivered] == [("delivered", 1), ("delivered", 2), ("delivered", 1)]
    assert re.fullmatch(r"eltax/00000001\.g-[0-9a-f]{8}", delivered[2]["dir"])
    told = events(site, "generation")
    assert len(told) == 1 and told[0]["generation"] == delivered[2]["generation"] != delivered[0]["generation"] == told[0]["previous"]
    assert "ALARM" in site.receiver.text() and "new generation" in site.receiver.text()
    said = harness.wait_until("the status", lambda: re.search(r"generation +a new one of channel eltax, .*",
                              harness.katamichi("status", "-c", site.path("receiver.conf")).out, re.S) and
                              harness.katamichi("status", "-c", site.path("receiver.conf")).out, 10)
    for row in delivered[0], delivered[2]:
        assert f"eltax.g-{row['generation'][:8]} " in said, "each of them a row that can be told"
    # and from now on it runs on
    site.sender.stop()
    site.start_sender()
    site.put("eltax", "四.csv", samples.table(6))
    site.wait_delivered()
    check_files(site)
    assert events(site, "delivered")[-1]["number"] == 2 and len(events(site, "generation")) == 1


def test_restore_said_by_hand(site):
    two_days(site, True)
    harness.katamichi("restore", "-c", site.path("sender.conf"))
    site.start_sender()
    assert "a new generation" not in site.sender.text(), "it was begun by the command already"
    done = harness.katamichi("restore", "-c", site.path("sender.conf"), ok=False)
    assert done.returncode == 5 and "stop it first" in done.err
    site.put("eltax", "三.csv", samples.table(5))
    site.wait_delivered()
    check_files(site)
    assert events(site, "fork") == [] and len(events(site, "generation")) == 1


def test_a_kill_and_a_channel_less(site):
    """Killed with an object sealed and its row not yet written, and its channel taken out before the next start: no restored
    database, and the files go when the channel is back."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    site.sender.stop()
    site.put("pittari", "二.csv", samples.table(4))
    claim, sealed = site.path("out/pittari/.taken", "0123456789abcdef" * 2), site.path("sender-state/objects", "ef" * 16)
    os.mkdir(claim)
    os.rename(site.path("out/pittari/二.csv"), os.path.join(claim, "二.csv"))
    with open(sealed, "wb") as f:
        f.write(b"sealed")
    shutil.copy(site.path("sender.conf"), site.path("whole.conf"))
    harness.edit(site.path("sender.conf"), ("[channel pittari]\n", "[channel another]\n"))
    os.mkdir(site.path("out/another"))
    site.start_sender()
    assert "a new generation" not in site.sender.text() and not os.path.exists(site.path("sender-state/set-aside"))
    assert not os.path.exists(sealed) and os.path.exists(claim)
    site.sender.stop()
    shutil.copy(site.path("whole.conf"), site.path("sender.conf"))
    site.start_sender()
    site.wait_delivered()
    site.check_inbox()


def test_a_kill_and_a_disk_less(site):
    """The same, and the folder's disk is not mounted at the next start: said, no new generation, and the files go once it is back."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    site.sender.stop()
    site.put("pittari", "二.csv", samples.table(4))
    folder, sealed = site.path("out/pittari"), "ef" * 16
    claim = os.path.join(folder, ".taken", "0123456789abcdef" * 2)
    os.mkdir(claim)
    os.rename(os.path.join(folder, "二.csv"), os.path.join(claim, "二.csv"))
    with open(site.path("sender-state/objects", sealed), "wb") as f:
        f.write(b"sealed")
    os.rename(folder, folder + ".disk")
    os.mkdir(folder)  # where it is mounted
    site.start_sender()
    assert re.search("out/pittari: the folder of channel pittari is not as this sender left it .*mount it and start again", site.sender.text())
    assert "a new generation" not in site.sender.text() and os.path.exists(site.path("sender-state/set-aside", sealed))
    site.sender.stop()
    harness.remove(folder)
    os.rename(folder + ".disk", folder)
    site.start_sender()
    assert "a new generation" not in site.sender.text()
    assert re.search("channel pittari has another .taken than when this sender ran last", site.sender.text())  # which the mount hides
    site.wait_delivered()
    site.check_inbox()


@pytest.mark.parametrize("way", ("by hand", "another file", "in its place"))
def test_restore_keeps_what_the_backup_does_not_know(site, way):
    """A backup of the database alone comes back, and what came after it was never received: its sealed object is all there is."""
    backed_up(site)
    site.receiver.stop()
    site.start_sender()
    site.put("eltax", "二.csv", samples.table(4))
    harness.wait_until("number 2 to be sent into nothing", lambda: "eltax 2: sent, round 1" in site.sender.text(), 20)
    site.sender.stop()
    before = set(os.listdir(site.path("sender-state/objects")))
    new, = before - set(os.listdir(site.path("backup/objects")))
    with open(site.path("sender-state/objects", new), "rb") as f:
        sealed = f.read()
    for name in ("outbox.db", "outbox.db-wal", "outbox.db-shm"):
        if os.path.exists(site.path("sender-state", name)) and (way != "in its place" or name != "outbox.db"):
            os.unlink(site.path("sender-state", name))
        if os.path.exists(site.path("backup", name)):
            shutil.copy(site.path("backup", name), site.path("sender-state", name))
    if way == "by hand":
        out = harness.katamichi("restore", "-c", site.path("sender.conf")).out
        assert "1 sealed object is unknown to this database" in out and "/set-aside" in out, out
    site.start_receiver()
    site.start_sender()
    with open(site.path("sender-state/set-aside", new), "rb") as f:
        assert f.read() == sealed
    assert set(os.listdir(site.path("sender-state/objects"))) == before - {new}, "what it knows is where it was"
    opener = os.path.join(harness.TOP, "tools/independent/open-object.py")
    harness.run("/usr/bin/python3", opener, site.path("sender-state/set-aside", new), site.path("keys/receiver.key"), site.path("opened"))
    assert os.listdir(site.path("opened/files")) == ["二.csv"]
    assert ("unknown to this database" in site.sender.text()) == (way != "by hand")
    assert ("does not know sealed objects whose files are gone" in site.sender.text()) == (way == "in its place")
    site.sender.stop()
    assert "unknown" not in harness.katamichi("restore", "-c", site.path("sender.conf")).out
    assert os.listdir(site.path("sender-state/set-aside")) == [new]


def test_witness_knows_more(site):
    two_days(site, True, sender_more="witness = witness\n")
    site.start_sender()
    assert "it was restored from a backup" in site.sender.text()
    site.put("eltax", "三.csv", samples.table(5))
    site.wait_delivered()
    check_files(site)
    assert events(site, "fork") == [] and len(events(site, "generation")) == 1


def test_what_was_sent_is_not_sent_again(site):
    """Killed just after a transfer, its files not erased yet; the backup that comes back knows nothing of it."""
    backed_up(site)
    site.start_sender()
    site.put("eltax", "二.csv", samples.table(4))
    harness.wait_until("numbered", lambda: "eltax 2: " in site.sender.text(), alive=site.daemons())
    site.wait_delivered()
    site.sender.kill()
    restore(site, False)
    site.start_sender()
    assert "that an earlier run had taken" not in site.sender.text()
    assert os.listdir(site.path("out", "eltax", ".taken")) == []
    site.put("eltax", "三.csv", samples.table(5))
    site.wait_delivered()
    check_files(site)


def test_what_is_not_noticed_is_a_fork(site):
    """No witness, the very same files, nothing newer beside them: the sender cannot know.  The receiver does, and loses nothing."""
    two_days(site, True)
    for name in set(os.listdir(site.path("sender-state/objects"))) - set(os.listdir(site.path("backup/objects"))):
        os.unlink(site.path("sender-state/objects", name))
    site.start_sender()
    assert "a new generation" not in site.sender.text()
    site.put("eltax", "三.csv", samples.table(5))
    site.wait_delivered()
    check_files(site)
    forks = events(site, "fork")
    assert [r["number"] for r in forks] == [2] and re.fullmatch(r"eltax/00000002\.fork-[0-9a-f]{8}", forks[0]["dir"])
    assert "ALARM: a fork" in site.receiver.text()
    # in the status, as something to be done, and in the day's report
    said = harness.wait_until("the status", lambda: re.search(r"forks +1 numbers? came again.*" + re.escape(forks[0]["dir"]) + ".*was the sender's outbox cloned",
                              harness.katamichi("status", "-c", site.path("receiver.conf"), env={**os.environ, "COLUMNS": "400"}).out, re.S), 10)
    assert said
    report = json.loads(harness.katamichi("report", "-c", site.path("receiver.conf"), "--day", "today", "--json", ok=False).out)
    assert [r["entry"]["dir"] for r in report["rows"] if r["entry"]["event"] == "fork"] == [forks[0]["dir"]], report
    # the closing says which of the two is the sender's: the other number 2 is not known to it
    harness.katamichi("close", "-c", site.path("sender.conf"))
    harness.wait_until("the closing", lambda: events(site, "fork") and [r for r in site.ledger() if r["event"] == "closing"])
    done = harness.katamichi("closings", "-c", site.path("receiver.conf"), ok=False)
    assert done.returncode == 0 and re.search(r"eltax +1 +2 +2 +0 +0 +0", done.out), done.out


def test_two_senders_with_one_key(site):
    """A second machine with the same key, at the same time: nothing is lost or mixed up, and the receiver says what it sees."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    for path in ["sender-state2"] + ["out2/" + c for c in site.CHANNELS]:
        os.makedirs(site.path(path))
    with open(site.path("sender.conf")) as f:
        text = f.read().replace("state = sender-state", "state = sender-state2").replace("folders = out", "folders = out2")
    with open(site.path("second.conf"), "w") as f:
        f.write(text)
    argv = site.net.at("s") + [harness.program("katamichi-sender"), "-c", site.path("second.conf")]
    harness.Process("second", argv, site.path("second.log"), ready=r"\bready\b")
    site.put("eltax", "三.csv", samples.table(9))
    content = samples.table(7)
    with open(site.path("staging/二.csv"), "wb") as f:
        f.write(content)
    os.rename(site.path("staging/二.csv"), site.path("out2/eltax/二.csv"))
    site.sent["eltax", "二.csv".encode()] = harness.hashlib.sha256(content).hexdigest()
    site.wait_delivered()
    check_files(site)
    places = {os.path.basename(p): number for _, number, d in site.deliveries() for p in os.listdir(os.path.join(d, b"files"))}
    assert re.fullmatch(r"00000001\.g-[0-9a-f]{8}", places["二.csv".encode()]), places
    assert places["一.csv".encode()] == "00000001" and places["三.csv".encode()] == "00000002", places
    harness.wait_until("the alarm", lambda: re.search("ALARM: channel eltax: .* a new generation", site.receiver.text()))


def test_named_but_not_numbered(site):
    """An object that got its name where the disk then failed goes with the attempt: it does not pass for one that a backup lacks."""
    if not harness.may_administer():
        pytest.skip("strace of a confined process is for the host's root only")
    site.configure()
    site.start_receiver()
    objects = site.path("sender-state/objects")
    site.options = ["--no-sandbox"]
    site.start_sender("strace", "-f", "-qq", "-o", site.path("trace"), "-P", objects, "-e", "trace=fsync", "-e", "inject=fsync:error=ENOSPC:when=1")
    site.put("eltax", "a.csv", b"1,2\n")
    site.wait_delivered()
    assert "(INJECTED)" in open(site.path("trace"), encoding="ascii").read() and "trying again" in site.sender.text()
    site.sender.kill()
    assert len(os.listdir(objects)) == 1
    site.options = []
    site.start_sender()
    assert "new generation" not in site.sender.text()
    site.check_inbox()
