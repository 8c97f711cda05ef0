"""Silence is evidence: the sender lists what it numbered, the receiver says what of it is here."""
import json
import re

import pytest

import harness
import samples


def closings(site, *more):
    done = harness.katamichi("closings", "-c", site.path("receiver.conf"), *more, ok=False)
    return done.returncode, done.out


def close(site):
    return harness.katamichi("close", "-c", site.path("sender.conf")).out


def wait_closings(site, n):
    harness.wait_until(f"closing {n}", lambda: len([r for r in site.ledger() if r["event"] == "closing"]) >= n, 20, alive=site.daemons())


@pytest.mark.slow
def test_closing_names_what_is_missing(site):
    site.start(relay=True, repeat="10s")
    # nothing at all: said, too
    assert "closing 1 written" in close(site)
    wait_closings(site, 1)
    code, out = closings(site)
    assert code == 0 and re.search(r"eltax .* nothing new \(newest 0\)", out), out
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    site.relay.cut()
    site.put("eltax", "二.csv", samples.table(4))
    harness.wait_until("number 2 to be sent into nothing", lambda: "eltax 2: sent, round 1" in site.sender.text(), 20)
    harness.time.sleep(0.5)
    site.relay.join()
    assert re.search(r"eltax: up to 2", close(site))
    wait_closings(site, 2)
    code, out = closings(site, "--last", "1")
    assert code == 1 and re.search(r"eltax +1 +2 +1 +1 +0 +0  2$", out, re.M) and re.search(r"pittari .*nothing new", out), out
    # the entry of the ledger, made when it came
    entry = [r for r in site.ledger() if r["event"] == "closing"][-1]
    eltax = [c for c in entry["channels"] if c["channel"] == "eltax"][0]
    assert (eltax["first"], eltax["last"], eltax["missing"], eltax["missing_ranges"]) == (1, 2, 1, [[2, 2]]), entry
    assert entry["kind"] == "asked"
    # and the file itself, with every manifest's hash, signed by its manifest: no program of ours is needed
    path = site.closings()[-1]
    site.check_transfer("katamichi", 2, path.encode())
    with open(harness.glob.glob(path + "/files/*")[0]) as f:
        text = f.read()
    assert harness.sha256_file(harness.glob.glob(path + "/files/*")[0]) == entry["file"]
    manifest = harness.sha256_file(site.path("inbox/eltax/00000001/MANIFEST.json"))
    assert f"\n1 {manifest} " in text, text
    # it heals by its repeat, and then everything is there
    site.wait_delivered(30)
    harness.wait_until("its row in the ledger", lambda: closings(site)[0] == 0)
    assert re.search(r"eltax +1 +2 +2 +0 +0 +0", closings(site)[1])
    site.check_inbox()
    assert json.loads(closings(site, "--json")[1])[1]["channels"][0]["here"] == 2


def test_partly_received_has_its_number(site):
    """A closing tells which object has which number: what came in part is listed under its own."""
    site.start("--loss", "0.3", loss="1%", repeat="1h", rate="100M")
    site.put_random("bulk", "8MB.bin", 8 << 20)
    harness.wait_until("the end of the first round", lambda: "bulk 1: sent, round 1" in site.sender.text(), 20, alive=site.daemons())

    def gaps():
        return json.loads(harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--json", ok=False).out)["gaps"]

    found = harness.wait_until("the gap", gaps)
    assert [(g["channel"], g["first"]) for g in found] == [("bulk", 1)]
    for i in range(20):  # a small one may be lost, too: each closing says it anew only of what is new
        close(site)
        if [r for r in site.ledger() if r["event"] == "closing"]:
            break
        harness.time.sleep(0.3)

    def in_part():
        return [g for g in gaps() if g["why"] == "in part" and 0 < g["have"] < g["symbols"]]

    harness.wait_until("the reason", in_part, alive=site.daemons())
    text = harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).out
    assert re.search(r"bulk +1 .*has come in part \(\d", text), text


def gap_of(site, channel):
    found = json.loads(harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--json", ok=False).out)["gaps"]
    return ([g for g in found if g["channel"] == channel] or [{"why": "", "outlook": ""}])[0]


def test_lost_amid_kept_ones(site):
    """The beat says from which number on objects are kept; that one amid them is gone the closing says."""
    site.start(relay=True, repeat="3s 1h")
    site.relay.cut()
    for i in range(3):
        site.put("eltax", f"{i}.csv", samples.table(3 + i))
        harness.wait_until("it to be sent into nothing", lambda: f"eltax {i + 1}: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    (name,) = harness.rows(site.path("sender-state", "outbox.db"), "SELECT lower(hex(id)) FROM object WHERE channel = 'eltax' AND number = 2")
    harness.os.unlink(site.path("sender-state/objects", name[0]))
    harness.wait_until("it to be missed", lambda: "eltax 2: its sealed object is lost" in site.sender.text(), 20, alive=site.daemons())
    harness.wait_until("the others' repeats", lambda: site.sender.text().count("sent, round 2") == 2, 20, alive=site.daemons())
    site.relay.join()
    close(site)
    wait_closings(site, 1)

    def outlooks():
        found = json.loads(harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--json", ok=False).out)["gaps"]
        return [(g["first"], g["last"], g["outlook"]) for g in found]

    want = [(1, 1, "heals"), (2, 2, "lost"), (3, 3, "heals")]
    harness.wait_until("the outlooks", lambda: outlooks() == want, alive=site.daemons())
    del site.sent["eltax", b"1.csv"]
    done = harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--slip", "--json")
    slip = json.loads(done.out)[0]
    assert slip["numbers"] == "1, 3" and "keeps no more: 1, not asked for" in done.err, (slip, done.err)
    harness.katamichi("resend", "-c", site.path("sender.conf"), slip["code"], "--yes")
    site.wait_delivered(30)
    harness.wait_until("the one gap", lambda: outlooks() == [(2, 2, "lost")], alive=site.daemons())
    assert closings(site)[0] == 1
    harness.katamichi("settle", "-c", site.path("receiver.conf"), "--operator", "山田", "--reason", "紙で受領済み", "eltax", "2")
    close(site)
    wait_closings(site, 2)
    code, text = closings(site, "--json")
    assert code == 0 and [(c["missing"], c["settled"], c["here"]) for c in json.loads(text)[0]["channels"][:1]] == [(0, 1, 2)], text


def test_given_up_is_named(site, monkeypatch):
    """15 days after the last symbol of an object the receiver gives up what it has of it: said, recorded, and the number stays missing."""
    site.configure(repeat="1h", loss="1%", rate="100M", destination=site.net.relay)
    monkeypatch.setenv("KATAMICHI_TEST_SERVICE_SPEED", "200000")  # 15 days are 6.5 s
    site.start_receiver()
    monkeypatch.delenv("KATAMICHI_TEST_SERVICE_SPEED")
    site.relay = harness.Relay(site.net, site.path("relay.log"), site.net.relay, site.values["listen"], "--loss", "0.3")
    site.start_sender()
    site.put_random("bulk", "8MB.bin", 8 << 20)
    harness.wait_until("the end of the first round", lambda: "bulk 1: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    for i in range(20):  # small ones may be lost
        close(site)
        if gap_of(site, "bulk")["why"] == "in part":
            break
        harness.time.sleep(0.3)
    harness.wait_until("it to be given up", lambda: "what was there is given up" in site.receiver.text(), 20, alive=site.daemons())
    gap = harness.wait_until("the reason", lambda: [g for g in [gap_of(site, "bulk")] if g["why"] == "given up"], 20, alive=site.daemons())[0]
    assert (gap["first"], gap["last"], gap["outlook"]) == (1, 1, "heals") and "15 days" in gap["reason"], gap
    refused = [r for r in site.ledger() if r["event"] == "refused"]
    assert [r["reason"] for r in refused if r["object"] in site.receiver.text()] == [gap["reason"]], refused
    assert not harness.glob.glob(site.path("receiver-state/parts/*.data")) or harness.disk_use(site.path("receiver-state/parts")) < 4 << 20


def test_held_is_no_gap_without_a_reason(site):
    """An object that is here complete and waits says so beside its number: it is not "nothing of it has come"."""
    site.configure(repeat="1h")
    harness.edit(site.path("receiver.conf"), ("[channel bulk]", "[channel bulk]\nkeep_free = 1000T"))
    site.start_receiver()
    site.start_sender()
    site.put_random("bulk", "1.bin", 100000)
    harness.wait_until("it to be held", lambda: "keep_free" in site.receiver.text(), 20, alive=site.daemons())
    harness.wait_until("the gap", lambda: gap_of(site, "bulk")["why"], alive=site.daemons())
    assert gap_of(site, "bulk")["why"] == "not known", "no closing has named its object yet"
    close(site)
    wait_closings(site, 1)
    gap = harness.wait_until("the reason", lambda: [g for g in [gap_of(site, "bulk")] if g["why"] == "held"], alive=site.daemons())[0]
    assert gap["outlook"] == "held" and "keep_free" in gap["reason"], gap
    # also while it is tried again
    seen = []
    harness.wait_until("the next try", lambda: seen.append(gap_of(site, "bulk")["why"]) or site.receiver.text().count("is not delivered now") >= 2,
                       20, alive=site.daemons())
    for i in range(24):
        seen.append(gap_of(site, "bulk")["why"])
        harness.time.sleep(0.05)
    assert set(seen) == {"held"}, seen
    slip = harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--slip", ok=False)
    assert slip.returncode == 1 and "nothing is missing that a slip could ask for" in slip.out and "complete and held: 1, not asked for" in slip.err, slip
    out = harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).out
    assert re.search(r"bulk +1 .*is here complete, and held", out) and "complete and held: object" in out, out


def test_damaged_on_the_senders_disk(site):
    """It comes damaged every time: that it heals by itself is not promised."""
    site.configure(repeat="2s")
    site.start_sender()
    site.put("eltax", "一.csv", samples.table(3))
    harness.wait_until("its sending", lambda: "eltax 1: sent, round 1" in site.sender.text(), 20, alive=[site.sender])
    sealed, = harness.glob.glob(site.path("sender-state/objects/*"))
    with open(sealed, "r+b") as f:
        f.seek(300)
        byte = f.read(1)
        f.seek(300)
        f.write(bytes([byte[0] ^ 1]))
    site.start_receiver()
    harness.wait_until("it", lambda: "damaged" in site.receiver.text(), 20, alive=site.daemons())
    close(site)
    harness.wait_until("the reason", lambda: gap_of(site, "eltax")["why"] == "damaged", 20, alive=site.daemons())
    out = harness.katamichi("gaps", "-c", site.path("receiver.conf"), ok=False).out
    assert re.search(r"eltax +1 .*damaged each time, it is so on the sender's disk", out) and "comes by itself" not in out, out


def test_closing_that_has_not_come(site):
    """What it names no other closing names again: not all is here, as long as it is among those that are asked about."""
    site.start()
    close(site)
    wait_closings(site, 1)
    assert closings(site)[0] == 0
    site.receiver.stop()
    close(site)
    harness.wait_until("closing 2 to be sent into nothing", lambda: "katamichi 2: sent, round 1" in site.sender.text(), 20)
    site.start_receiver()
    harness.wait_until("word of it", lambda: gap_of(site, "katamichi")["why"], 20, alive=site.daemons())
    code, out = closings(site)
    assert code == 1 and "closings 2 to 2 of mihon have not come" in out, out
    close(site)
    wait_closings(site, 2)
    code, out = closings(site, "--json")
    assert code == 1 and [(c["number"], c["kind"]) for c in json.loads(out)] == [(1, "asked"), (3, "asked"), (2, "missing")]
    assert closings(site, "--last", "1")[0] == 0, "of the last one alone nothing is lacking"
    # those that came late stand where they belong
    slip = json.loads(harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--slip", "--json").out)[0]["code"]
    harness.katamichi("resend", "-c", site.path("sender.conf"), "--yes", slip)
    wait_closings(site, 3)
    code, out = closings(site, "--json")
    assert code == 0 and [c["number"] for c in json.loads(out)] == [1, 2, 3]


def test_no_closing_for_days(site):
    site.start()
    close(site)
    wait_closings(site, 1)
    site.stop()
    assert closings(site)[0] == 0
    day = harness.time.strftime("%Y-%m-%d", harness.time.gmtime(harness.time.time() - 3 * 86400))
    harness.run("sqlite3", site.path("receiver-state/ledger/ledger.db"),
                f"UPDATE ledger SET entry = substr(entry, 1, 7) || '{day}' || substr(entry, 18) WHERE seq = (SELECT max(seq) FROM closing)")
    code, out = closings(site)
    assert code == 1 and re.search(r"the newest came (7[0-9]|8[0-9]|9[0-6]) hours ago", out), out


def test_closing_that_was_touched(site):
    """What stands in the inbox is believed only if it is what was delivered."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    close(site)
    wait_closings(site, 1)
    site.stop()
    path = harness.glob.glob(site.closings()[0] + "/files/*")[0]
    with open(path, "a") as f:
        f.write("x")
    harness.run("sqlite3", site.path("receiver-state/ledger/ledger.db"), "DELETE FROM closing")  # as if it had not been compared
    site.start_receiver()
    harness.wait_until("its entry", lambda: [r for r in site.ledger() if r["event"] == "closing"][1:], 20, alive=[site.receiver])
    entry = [r for r in site.ledger() if r["event"] == "closing"][-1]
    assert entry["reason"] == "its file is not what was delivered"
    assert closings(site)[0] == 1


def test_closing_asked_for_while_stopped(site):
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    site.sender.stop()
    done = harness.katamichi("close", "-c", site.path("sender.conf"), ok=False)
    assert done.returncode == 1 and "does not run" in done.out
    site.start_sender()
    wait_closings(site, 1)
    harness.wait_until("its row in the ledger", lambda: closings(site)[0] == 0)
