"""kill -9 in the middle, restarts, and what a receiver knows that it has not."""
import json
import os
import re
import shutil
import signal
import time

import pytest

import harness
import samples

SIZE = 200 << 20


def wait_middle(site):
    """Until about a third of the big file has reached the receiver's disk."""
    harness.wait_until("the middle of the file", lambda: harness.disk_use(site.path("receiver-state")) > SIZE // 3, 60,
                       alive=[p for p in site.daemons() if p.poll() is None])
    assert site.deliveries() == []


@pytest.mark.slow
@pytest.mark.parametrize("daemon", ["sender", "receiver"])
def test_killed_in_mid_file(site, daemon):
    site.start("--loss", "0.01", rate="400M", repeat="3s 10s")
    site.put_random("bulk", "200MB.bin", SIZE)
    wait_middle(site)
    getattr(site, daemon).kill()
    time.sleep(0.5)
    assert site.deliveries() == []
    getattr(site, f"start_{daemon}")()
    site.wait_delivered(120)
    site.check_inbox()


@pytest.mark.slow
def test_sender_killed_while_sealing(site):
    """A large file is sent while it is sealed.  A kill then has used no number, and what was sent of that object is no one's."""
    site.start(rate="1G", repeat="3s 10s")
    site.put_random("bulk", "600MB.bin", 600 << 20)
    harness.wait_until("the first megabytes", lambda: harness.disk_use(site.path("receiver-state")) > 8 << 20, 60, 0.005,
                       alive=site.daemons())
    site.sender.kill()
    numbered = harness.rows(site.path("sender-state", "outbox.db"), "SELECT count(*) FROM object WHERE channel = 'bulk'")
    assert numbered == [(0,)], "sealed sooner than it was killed"
    assert site.deliveries() == []
    site.start_sender()
    site.wait_delivered(120)
    site.check_inbox()
    assert [(c, n) for c, n, _ in site.deliveries()] == [("bulk", "00000001")]


def start_with_stopped_store(site):
    """The receiver, its store process stopped before it has opened the ledger: as when that takes long."""
    argv = site.net.at("r") + [harness.program("katamichi-receiver"), "-c", site.path("receiver.conf")]
    for _ in range(20):
        site.receiver = harness.Process("receiver", argv, site.path("receiver.log"))
        store = harness.wait_until("store", lambda: [p for p in site.receiver.processes() if "--role store" in site.receiver.command(p)], 10, 0.001)
        os.kill(store[0], signal.SIGSTOP)
        time.sleep(0.2)
        if not re.search(r"\bready\b", site.receiver.text()):
            return store[0]
        site.receiver.kill()
    raise AssertionError("store was ready each time, before it could be stopped")


def test_slow_start_of_store(site):
    """What arrives while store is starting is not thrown away: it waits in the socket.  The repeats are an hour away."""
    site.configure(repeat="1h")
    store = start_with_stopped_store(site)
    site.start_sender()
    site.put_random("bulk", "large.bin", 9 << 20 if harness.LARGE else int(site.values["buffer"]) // 4)
    site.put("eltax", "一.csv", samples.table(3))
    for n in ("bulk 1", "eltax 1"):
        harness.wait_until(f"{n} to be sent", lambda: f"{n}: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    assert site.deliveries() == []
    os.kill(store, signal.SIGCONT)
    site.wait_delivered(20)
    site.check_inbox()


def test_hello_and_symbols_together(site):
    """Link stood still from before the session on: HELLO and symbols come out of the socket together.  The repeats are an hour away."""
    site.configure(repeat="1h")
    site.start_receiver()
    link, = [p for p in site.receiver.processes() if "receiver-link" in harness.Process.command(p)]
    os.kill(link, signal.SIGSTOP)
    site.start_sender()
    site.put("eltax", "一.csv", samples.table(3))
    harness.wait_until("it to be sent", lambda: "eltax 1: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    os.kill(link, signal.SIGCONT)
    site.wait_delivered(20)
    site.check_inbox()


def test_store_stops_for_a_while(site):
    """More objects than link has part files for, while store makes no new ones: they wait too."""
    objects = 300  # link keeps 192 at most
    site.start(repeat="1h", channel_more="batch_files = 1\n")
    store = [p for p in site.receiver.processes() if "--role store" in site.receiver.command(p)][0]
    os.kill(store, signal.SIGSTOP)
    for i in range(objects):
        site.put("eltax", f"{i}.csv", samples.table(1))
    harness.wait_until("all to be sent", lambda: len(re.findall(r"eltax \d+: sent, round 1", site.sender.text())) == objects, 60,
                       alive=site.daemons())
    os.kill(store, signal.SIGCONT)
    site.wait_delivered(30)


def test_one_process_killed(site):
    """A daemon that has lost a process does not go on with the rest: it says which, ends, and can be started again."""
    site.start()
    for who, start in ((site.receiver, site.start_receiver), (site.sender, site.start_sender)):
        for role in range(len(harness.children(who.pid))):
            who = site.receiver if who.name == "receiver" else site.sender
            family = sorted(harness.children(who.pid))
            os.kill(family[role], 9)
            who.popen.wait(15)
            assert who.poll() == 70, who.tail()
            harness.wait_until("the end of the others", lambda: not any(map(harness.alive, family)))
            start()
    site.put("eltax", "後で.csv", samples.table(3))
    site.wait_delivered()
    site.check_inbox()


def test_main_process_killed(site):
    """Children do not outlive their daemon."""
    site.start()
    for who in (site.sender, site.receiver):
        family = harness.children(who.pid)
        assert len(family) >= 3
        os.kill(who.pid, 9)
        who.popen.wait(5)
        harness.wait_until("the end of the children", lambda: not any(map(harness.alive, family)))
    site.start_receiver()
    site.start_sender()
    site.put("eltax", "後で.csv", samples.table(3))
    site.wait_delivered()
    site.check_inbox()


def test_receiver_absent_at_first(site):
    """A receiver that was off catches up alone."""
    site.configure(repeat="2s 2s 2s")
    site.start_sender()
    for i in range(3):
        site.put("eltax", f"留守_{i}.csv", samples.table(10 + i))
    time.sleep(2)
    site.start_receiver()
    site.wait_delivered(40)
    site.check_inbox()


def test_kill_storm(site):
    """Both ends killed again and again at odd moments: in the end everything is there, once."""
    site.start("--loss", "0.02", repeat="1s 1s 2s 2s 4s", rate="100M")
    rng = harness.random.Random(harness.SEED)
    for turn in range(6):
        for i in range(8):
            site.put("eltax", f"嵐_{turn}_{i}.csv", samples.table(5 + turn * 8 + i))
        site.put_random("bulk", f"{turn}.bin", (1 << 20) + turn)
        time.sleep(rng.uniform(0.05, 0.9))
        if turn % 2:
            site.sender.kill()
            site.start_sender()
        else:
            site.receiver.kill()
            site.start_receiver()
    site.wait_delivered(90)
    site.check_inbox()


def test_replayed_session(site):
    """A capture of everything the link carried, played again: nothing is delivered twice, no row is added."""
    capture = site.path("capture")
    site.start("--record", capture)
    for channel, name, content in samples.good():
        site.put(channel, name, content)
    site.wait_delivered()
    site.check_inbox()
    site.sender.stop()
    site.relay.finish()
    rows, before = len(site.ledger()), site.deliveries()

    def play():
        argv = site.net.at("s") + [harness.program("tests/tools/relay"), "--replay", capture, "--to", site.values["listen"]]
        assert '"out": 0' not in harness.run(*argv).out
        time.sleep(2)
        assert site.receiver.poll() is None
        assert site.deliveries() == before
        after = [r for r in site.ledger() if r["event"] in ("delivered", "fork", "quarantined")]
        assert len(after) == len([r for r in site.ledger()[:rows] if r["event"] in ("delivered", "fork", "quarantined")])
        site.check_inbox()

    play()
    site.receiver.stop()
    site.start_receiver()
    play()
    # and the living sender is still heard
    site.start_sender_to(site.values["listen"])
    site.put("eltax", "その後.csv", samples.table(3))
    site.wait_delivered()
    site.check_inbox()


@pytest.mark.slow
def test_gap_is_listed(site):
    """What could not be delivered is known on the receiver, by channel and number."""
    site.start(relay=True, repeat="8s")
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    done = harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False)
    assert done.returncode == 0, done.out + done.err
    site.relay.cut()
    site.put("eltax", "二.csv", samples.table(4))
    harness.wait_until("number 2 to be sent into nothing", lambda: re.search(r"eltax 2:", site.sender.text()), 20)
    time.sleep(1.5)
    site.relay.join()
    lost = site.sent.pop(("eltax", "二.csv".encode()))
    site.put("eltax", "三.csv", samples.table(5))
    site.wait_delivered()

    def gaps():
        found = harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False)
        return found if found.returncode == 1 else None

    listed = harness.wait_until("the gap to be listed", gaps, 20, alive=site.daemons())
    assert re.search(r"eltax +2 +mihon", listed.out) and not re.search(r"eltax +[13]\b", listed.out), listed.out
    status = harness.katamichi("status", "-c", site.path("receiver.conf"), ok=False)
    assert "eltax" in status.out
    # sent again, it heals
    site.sent["eltax", "二.csv".encode()] = lost
    site.wait_delivered(20)
    site.check_inbox()
    assert harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).returncode == 0


def test_gap_of_the_newest(site):
    """Even the last one of all is missed: the beat says how far the sender is."""
    site.start(relay=True, repeat="1h")
    site.put("pittari", "一.txt", b"1\n")
    site.wait_delivered()
    site.relay.cut()
    site.put("pittari", "二.txt", b"2\n")
    harness.wait_until("number 2 to be sent into nothing", lambda: re.search(r"pittari 2:", site.sender.text()), 20)
    time.sleep(1.5)
    site.relay.join()

    def gap():
        found = harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False)
        return found.returncode == 1 and re.search(r"pittari\W+0*2\b", found.out)

    harness.wait_until("the gap to be listed", gap, 20, alive=site.daemons())


def test_sender_never_says_delivered(site):
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    for more in ((), ("--json",)):
        done = harness.katamichi("status", "-c", site.path("sender.conf"), *more)
        assert "eltax" in done.out and not re.search("delivered|配達", done.out, re.I), done.out
    assert not re.search("delivered", site.sender.text(), re.I)


def test_receiver_slow_to_start(site):
    """Beats that arrive while the store still opens its ledger wait for it."""
    site.configure(repeat="2s 2s 4s")
    site.start_sender()
    argv = site.net.at("r") + [harness.program("katamichi-receiver"), "-c", site.path("receiver.conf")]
    site.receiver = harness.Process("receiver", argv, site.path("receiver.log"))
    store = harness.wait_until("the store process", lambda: sorted(harness.children(site.receiver.pid))[3:], every=0.0005)[0]
    os.kill(store, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(store, signal.SIGCONT)
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    site.check_inbox()


def test_folder_made_anew(site):
    """Somebody removes a channel's folder and makes another while the sender runs: it goes on with that one by itself."""
    site.start()
    site.put("eltax", "前.csv", samples.table(2))
    site.wait_delivered()
    folder = site.path("out/eltax")
    shutil.rmtree(folder)
    harness.wait_until("a line about it", lambda: "has lost its folder" in site.sender.text(), alive=site.daemons())
    site.put("pittari", "間.txt", b"x\n")
    site.wait_delivered()
    os.mkdir(folder)
    site.put("eltax", "後.csv", samples.table(3))
    site.wait_delivered(30)
    assert "is another than at the start" in site.sender.text()
    site.check_inbox()


def test_claims_of_a_channel_that_is_gone(site):
    """What was taken for a channel that is configured no more is not sent, which each start says; and is once it is configured again."""
    site.configure()
    site.start_receiver()
    site.start_sender()
    site.sender.kill()
    claim = site.path("out/pittari/.taken", "0123456789abcdef" * 2)
    os.mkdir(claim)
    site.put("eltax", "確保.txt", b"taken\n")
    os.rename(site.path("out/eltax/確保.txt"), os.path.join(claim, "確保.txt"))
    site.sent["pittari", "確保.txt".encode()] = site.sent.pop(("eltax", "確保.txt".encode()))
    harness.edit(site.path("sender.conf"), ("[channel pittari]\ncontent = any\n", ""))
    for _ in range(2):
        site.start_sender()
        assert re.search(r"out/pittari: .*taken and not sent", site.sender.text()), site.sender.tail()
        site.sender.stop()
    site.configure()
    site.start_sender()
    site.wait_delivered()
    site.check_inbox()


def test_last_number_of_a_channel_that_is_gone(site):
    """Lost on the way, and its channel is configured at the sender no more: that it is missing the receiver learns nevertheless."""
    site.start(repeat="1h")
    site.put("pittari", "一.txt", b"arrives\n")
    site.wait_delivered()
    site.receiver.stop()
    site.put("pittari", "二.txt", b"is lost\n")
    harness.wait_until("it to be sent", lambda: "pittari 2: sent, round 1" in site.sender.text(), 20, alive=[site.sender])
    site.sender.stop()
    harness.edit(site.path("sender.conf"), ("[channel pittari]\ncontent = any\n", ""))
    site.start_receiver()
    site.start_sender()

    def gaps():
        with open(site.path("receiver-state/status.json")) as f:
            return [c["gaps"] for c in json.load(f)["channels"] if c["channel"] == "pittari"]
    harness.wait_until("the gap to be known", lambda: gaps() == [[[2, 2]]], 20, alive=site.daemons())
