"""Disks that are full, have no inodes left, are read-only or broken: the service goes on, says so, loses nothing, heals alone.

Full disks are small file systems of their own (tmpfs); errors that no file system makes on demand come from tests/crash/powerloss.c.
"""
import errno
import json
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "crash"))
import harness  # noqa: E402
import powerloss  # noqa: E402
import samples  # noqa: E402

DISK = 64 << 20
CHANGES = [k for k in powerloss.KINDS if k not in ("read", "open", "unlink")]


@pytest.fixture
def small(request):
    """small(path, options): a file system of its own there."""
    if not harness.may_administer():
        pytest.skip("mounts need root")
    mounted = []

    def make(path, options=""):
        harness.run("mount", "-t", "tmpfs", "-o", f"size={DISK}{options}", "tmpfs", path)
        mounted.append(path)
    yield make
    harness.Process.end_all()
    for path in mounted:
        subprocess.run(["umount", "-l", path])


def fill(path):
    """All of it, as another program would: nothing is left, not even for root."""
    name = os.path.join(path, "filler")
    with open(name, "ab") as f:
        for size in (1 << 20, 4096):
            try:
                while True:
                    os.write(f.fileno(), bytes(size))
            except OSError as e:
                assert e.errno == errno.ENOSPC
    return name


def status(site, who):
    return json.loads(harness.katamichi("status", "--json", "-c", site.path(who + ".conf"), ok=False).out)


def trouble(site, who):
    found = status(site, who)
    return found["disk"] if who == "sender" else found["disk"].get("trouble", "")


def lives(site, pids):
    for p in site.daemons():
        assert p.poll() is None, p.tail()
    assert [p.pid for p in site.daemons()] == pids


def receiver_disk(site, small, options=""):
    """Inbox and state on one small file system."""
    zone = site.path("zone")
    os.mkdir(zone)
    small(zone, options)
    for name in ("inbox", "receiver-state"):
        os.mkdir(os.path.join(zone, name))
    path, configure = site.path, site.configure

    def there(*parts):
        return path("zone", *parts) if parts[0].split("/")[0] in ("inbox", "receiver-state") else path(*parts)

    def configured(**values):
        configure(**values)
        with open(path("receiver.conf"), "r+") as f:
            text = f.read().replace("inbox = inbox", "inbox = zone/inbox").replace("= receiver-state", "= zone/receiver-state")
            f.seek(0)
            f.write(text)
    site.path, site.configure = there, configured
    return zone


def sender_disk(site, small, options=""):
    small(site.path("sender-state"), options)
    return site.path("sender-state")


def crossing(site, name, count):
    site.put("eltax", name, samples.table(count))
    site.wait_delivered(60)


@pytest.mark.slow
def test_sender_disk_full(site, small):
    disk = sender_disk(site, small)
    site.start(repeat="2s 2s 4s")
    crossing(site, "前.csv", 3)
    pids = [p.pid for p in site.daemons()]
    filler = fill(disk)
    site.put("eltax", "中.csv", samples.table(4))
    harness.wait_until("the sender's word", lambda: "No space" in trouble(site, "sender"), 20, alive=site.daemons())
    harness.wait_until("the beat's word", lambda: "its disk takes nothing" in site.receiver.text(), 20, alive=site.daemons())
    harness.wait_until("the receiver's status", lambda: status(site, "receiver")["peers"][0]["disk_trouble"])
    time.sleep(12)  # longer than anything that is stored now and then
    lives(site, pids)
    assert "trying again in" not in site.sender.text(), "the database had no room of its own\n" + site.sender.tail()
    os.unlink(filler)
    site.wait_delivered(30)
    harness.wait_until("the end of the trouble", lambda: trouble(site, "sender") == "")
    harness.wait_until("the beat's word", lambda: "its disk is in order again" in site.receiver.text())
    crossing(site, "後.csv", 5)
    lives(site, pids)
    site.check_inbox()


@pytest.mark.slow
def test_receiver_disk_full(site, small):
    disk = receiver_disk(site, small)
    site.start(repeat="2s 2s 4s")
    crossing(site, "前.csv", 3)
    pids = [p.pid for p in site.daemons()]
    filler = fill(disk)
    site.put("eltax", "中.csv", samples.table(4))
    site.put_random("bulk", "大.bin", 3 << 20)
    harness.wait_until("the receiver's word", lambda: trouble(site, "receiver"), 20, alive=site.daemons())
    time.sleep(10)
    lives(site, pids)
    assert "trying again in" not in site.receiver.text(), "the ledger had no room of its own\n" + site.receiver.tail()
    assert [d[1] for d in site.deliveries()] == ["00000001"]
    os.unlink(filler)
    site.wait_delivered(40)
    harness.wait_until("the end of the trouble", lambda: trouble(site, "receiver") == "")
    lives(site, pids)
    site.check_inbox()


@pytest.mark.slow
def test_a_channel_leaves_room_for_the_others(site, small):
    """keep_free: this channel waits, complete and sealed, while another goes on; and goes by itself once there is room."""
    disk = receiver_disk(site, small)
    configure = site.configure

    def configured(**values):
        configure(**values)
        harness.edit(site.path("receiver.conf"), ("[channel bulk]", "[channel bulk]\nkeep_free = 32M"))
    site.configure = configured
    site.start(repeat="1h")
    room = os.statvfs(disk)
    with open(os.path.join(disk, "filler"), "wb") as f:
        os.posix_fallocate(f.fileno(), 0, room.f_bavail * room.f_frsize - (24 << 20))
    site.put_random("bulk", "大.bin", 3 << 20)
    harness.wait_until("it to be said", lambda: "keep_free" in site.receiver.text(), 30, alive=site.daemons())
    site.put("eltax", "中.csv", samples.table(4))
    harness.wait_until("the other channel", lambda: ("eltax", "中.csv".encode()) in site.arrived(), 20, alive=site.daemons())
    harness.wait_until("the word of it", lambda: trouble(site, "receiver"), alive=site.daemons())
    assert ("bulk", "大.bin".encode()) not in site.arrived()
    assert os.listdir(site.path("receiver-state/work")) == []
    os.unlink(os.path.join(disk, "filler"))
    site.wait_delivered(40)
    site.check_inbox()


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_no_inodes(site, small, who):
    disk = (sender_disk if who == "sender" else receiver_disk)(site, small, ",nr_inodes=2000")
    site.start(repeat="2s 2s 4s")
    crossing(site, "前.csv", 3)
    pids = [p.pid for p in site.daemons()]
    os.mkdir(os.path.join(disk, "filler"))
    for i in range(3000):
        try:
            os.close(os.open(os.path.join(disk, "filler", str(i)), os.O_CREAT | os.O_WRONLY))
        except OSError as e:
            assert e.errno == errno.ENOSPC
            break
    site.put("eltax", "中.csv", samples.table(4))
    harness.wait_until("its word", lambda: trouble(site, who), 30, alive=site.daemons())
    lives(site, pids)
    harness.remove(os.path.join(disk, "filler"))
    site.wait_delivered(40)
    harness.wait_until("the end of the trouble", lambda: trouble(site, who) == "")
    lives(site, pids)
    site.check_inbox()


def limit_file_size(daemon, size):
    for pid in daemon.processes():
        harness.run("prlimit", f"--pid={pid}", f"--fsize={size}:unlimited")


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_no_file_may_grow(site, who):
    """A limit laid on running processes (ulimit -f, LimitFSIZE=; a file system with small files does the same) is a disk that takes nothing."""
    site.start(repeat="2s 2s 4s")
    crossing(site, "前.csv", 3)
    pids = [p.pid for p in site.daemons()]
    daemon = site.sender if who == "sender" else site.receiver
    limit_file_size(daemon, 512 << 10)
    site.put_random("bulk", "大.bin", 3 << 20)
    site.put("eltax", "中.csv", samples.table(4))
    harness.wait_until("its word", lambda: "File too large" in daemon.text(), 20, alive=site.daemons())
    lives(site, pids)
    limit_file_size(daemon, "unlimited")
    site.wait_delivered(40)
    harness.wait_until("the end of the trouble", lambda: trouble(site, who) == "")
    lives(site, pids)
    site.check_inbox()


# Each takes 16 s: what a read-only file system does besides is in test-long.
@pytest.mark.slow
@pytest.mark.parametrize("error", [pytest.param("EROFS", marks=pytest.mark.long), "EIO", "ENOSPC"])
@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_no_change_is_taken(site, tmp_path, who, error):
    """Every call that changes the disk fails for a while - the database's, too."""
    trees = {"sender": "sender-state", "receiver": "receiver-state"}
    layer = powerloss.Layer(site.path(trees[who]), str(tmp_path / "shared"), harness.program("tests/crash/powerloss.so"))
    wrapper = ["env"] + [f"{k}={v}" for k, v in layer.env().items() if k in ("LD_PRELOAD", "KATAMICHI_POWERLOSS")]
    site.configure(repeat="2s 2s 4s")
    site.options = ["--no-sandbox"]  # the layer itself sends signals
    if who == "receiver":
        site.start_receiver(*wrapper)
        site.start_sender()
    else:
        site.start_receiver()
        site.start_sender(*wrapper)
    crossing(site, "前.csv", 3)
    pids = [p.pid for p in site.daemons()]
    daemon = site.sender if who == "sender" else site.receiver
    layer.fail(getattr(errno, error), CHANGES)
    site.put("eltax", "中.csv", samples.table(4))
    site.put_random("bulk", "大.bin", 3 << 20)
    harness.wait_until("its word", lambda: "trying again" in daemon.text(), 30, alive=site.daemons())
    time.sleep(8)
    lives(site, pids)
    assert layer.control.failed > 0 and len(daemon.text().splitlines()) < 200, daemon.tail()
    said = harness.katamichi("status", "-c", site.path(who + ".conf"), ok=False).out
    assert "disk" in said.lower() and ("see the log" in said or "waits" in said), said
    layer.heal()
    site.wait_delivered(60)
    lives(site, pids)
    crossing(site, "後.csv", 5)
    site.check_inbox()


@pytest.mark.parametrize("kind", ["open", "read"])
def test_sealed_object_cannot_be_read(site, tmp_path, kind):
    """A bad sector under a sealed object is no lost object: it is kept, tried again, and the trouble is told - log, status, beat."""
    layer = powerloss.Layer(site.path("sender-state"), str(tmp_path / "shared"), harness.program("tests/crash/powerloss.so"))
    wrapper = ["env"] + [f"{k}={v}" for k, v in layer.env().items() if k in ("LD_PRELOAD", "KATAMICHI_POWERLOSS")]
    site.configure(repeat="2s")
    site.options = ["--no-sandbox"]
    site.start_sender(*wrapper)
    site.put_random("bulk", "大.bin", 3 << 20)  # sent into nothing; what the receiver gets is a repeat
    harness.wait_until("round 1", lambda: "bulk 1: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    objects = [os.path.join(site.path("sender-state/objects"), n) for n in os.listdir(site.path("sender-state/objects"))]
    layer.fail(errno.EIO, [kind], only=max(objects, key=os.path.getsize))
    site.start_receiver()
    pids = [p.pid for p in site.daemons()]
    harness.wait_until("the log's word", lambda: "bulk 1: its sealed object cannot be read now: Input/output error" in site.sender.text(), 20,
                       alive=site.daemons())
    harness.wait_until("the status", lambda: "Input/output error" in trouble(site, "sender"))
    harness.wait_until("the beat's word", lambda: "its disk takes nothing" in site.receiver.text(), alive=site.daemons())
    site.put("eltax", "一.csv", samples.table(3))  # the others go on
    harness.wait_until("the other one", lambda: ("eltax", "一.csv".encode()) in site.arrived(), 20, alive=site.daemons())
    assert ("bulk", "大.bin".encode()) not in site.arrived() and layer.control.failed > 0
    layer.heal()
    site.wait_delivered(20)
    harness.wait_until("the end of the trouble", lambda: trouble(site, "sender") == "", 20)
    lives(site, pids)
    site.check_inbox()


def test_source_cannot_be_read(site, tmp_path):
    """A file whose disk gives EIO is set aside with the reason, whole, and crosses when it is put in again."""
    layer = powerloss.Layer(site.path("out"), str(tmp_path / "shared"), harness.program("tests/crash/powerloss.so"))
    wrapper = ["env"] + [f"{k}={v}" for k, v in layer.env().items() if k in ("LD_PRELOAD", "KATAMICHI_POWERLOSS")]
    site.configure(repeat="2s 2s 4s")
    site.options = ["--no-sandbox"]
    site.start_receiver()
    site.start_sender(*wrapper)
    layer.fail(errno.EIO, ["read"])
    site.put("eltax", "読.csv", samples.table(40))
    refused = site.path("out/eltax/refused/読.csv")
    harness.wait_until("its refusal", lambda: os.path.exists(refused), 20, alive=site.daemons())
    layer.heal()
    with open(refused + ".reason.txt") as f:
        assert "Input/output error" in f.read()
    del site.sent["eltax", "読.csv".encode()]
    os.rename(refused, site.path("staging/again"))
    site.put("eltax", "読.csv", site.path("staging/again"))
    site.wait_delivered()
    site.check_inbox()
