"""What did not arrive is asked for on paper: katamichi gaps --slip here, katamichi resend there."""
import json
import re
import struct

import harness
import samples


def gaps(site, *more):
    done = harness.katamichi("gaps", "-c", site.path("receiver.conf"), *more, ok=False)
    return done.returncode, done.out


def lose(site, *puts):
    """These are sent into nothing; then the link is there again."""
    site.relay.cut()
    for n, (channel, name, content) in puts:
        site.put(channel, name, content)
        harness.wait_until(f"{channel} {n} to be sent into nothing", lambda: re.search(rf"{channel} {n}: sent, round 1", site.sender.text()),
                           20)
    harness.time.sleep(0.5)
    site.relay.join()


def resend(site, *words):
    done = harness.katamichi("resend", "-c", site.path("sender.conf"), *words, ok=False)
    return done.returncode, done.out + done.err


def sender_slips(site):
    out = harness.run("sqlite3", "-json", f"file:{site.path('sender-state/outbox.db')}?mode=ro", "SELECT code, numbers, objects, gone FROM slip").out
    return json.loads(out or "[]")


def test_slip_heals_the_gap(site):
    """Repeats are an hour away; the slip has the missing ones, and only them, sent at once."""
    site.start(relay=True, repeat="1h")
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    harness.wait_until("nothing to ask for", lambda: gaps(site, "--slip")[0] == 1)
    lose(site, (2, ("eltax", "二.csv", samples.table(4))), (3, ("eltax", "三.csv", samples.table(5))))
    site.put("eltax", "四.csv", samples.table(6))
    harness.wait_until("the gap", lambda: re.search(r"eltax +2-3 +mihon", gaps(site)[1]), 20, alive=site.daemons())
    harness.wait_until("the file after it", lambda: len(site.deliveries()) == 2, 20, alive=site.daemons())
    assert "nothing of it has come" in gaps(site)[1]

    code, out = gaps(site, "--slip", "--png", site.path("slip.png"), "--page", site.path("slip.html"))
    assert code == 0, out
    slip = re.search(r"^    ([0-9A-HJKMNP-TV-Z-]+)$", out, re.M).group(1)
    assert "numbers 2-3" in out and "█" in out and f"picture: {site.path('slip.png')}" in out, out
    with open(site.path("slip.png"), "rb") as f:
        head = f.read(24)
    width, height = struct.unpack(">II", head[16:])
    assert head[:8] == b"\x89PNG\r\n\x1a\n" and width == height >= (21 + 8) * 8
    with open(site.path("slip.html"), encoding="utf-8") as f:
        page = f.read()
    assert slip in page and "再送票" in page and "http" not in page, "a page that needs the network is of no use in the zone"
    assert json.loads(gaps(site, "--slip", "--json")[1])[0]["code"] == slip

    # mistyped: nothing happens
    wrong = slip[:6] + ("3" if slip[6] != "3" else "4") + slip[7:]
    code, said = resend(site, wrong, "--yes")
    assert code == 1 and "mistyped" in said, said
    # shown, but nobody said yes
    code, said = resend(site, *slip.lower().split("-"))
    assert code == 1 and "numbers 2-3" in said and "transfers: 2, files: 2" in said, said
    # typed with a Japanese input method on: all full-width, hyphens and blanks, too
    code, said = resend(site, slip.replace("-", "\u3000", 1).translate({i: i + 0xfee0 for i in range(0x21, 0x7f)}))
    assert code == 1 and "numbers 2-3" in said, said
    code, said = resend(site, slip[:6] + "あいう")
    assert code == 1 and said.rstrip().endswith('at "あい"'), "no part of a character"
    assert resend(site, "--list") == (0, "no slip was carried out here\n")
    assert sender_slips(site) == [] and len(site.deliveries()) == 2
    # done
    code, said = resend(site, slip, "--yes")
    assert code == 0, said
    site.wait_delivered(20)
    site.check_inbox()
    harness.wait_until("no gap", lambda: gaps(site)[0] == 0)
    rows = sender_slips(site)
    assert len(rows) == 1 and rows[0]["code"] == slip and (rows[0]["objects"], rows[0]["gone"]) == (2, 0), rows
    assert [r["code"] for r in json.loads(resend(site, "--list", "--json")[1])] == [slip]
    assert re.search(rf"eltax +2-3 +2 +0 +{slip}$", resend(site, "--list")[1], re.M), resend(site, "--list")
    harness.wait_until("the slip's entry", lambda: [r for r in site.ledger() if r["event"] == "slip"])
    printed = [r for r in site.ledger() if r["event"] == "slip"]
    assert [(r["code"], r["numbers"], r["channel"]) for r in printed] == [(slip, "2-3", "eltax")], "printed twice, recorded once"
    assert site.sender.text().count("eltax 1: sent") == 1, "what had arrived was sent again"


def stopped_after_a_beat(site):
    """One file was delivered, and a beat told the receiver of every channel: its database, to be changed."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    state = site.path("receiver-state/ledger/ledger.db")
    harness.wait_until("a beat", lambda: "4" in harness.run("sqlite3", state, "SELECT count(*) FROM stream").out)
    site.stop()
    return state


def test_only_what_the_sender_keeps(site):
    """A stretch of which the sender keeps the newer part only, and, cut by reasons, many stretches that are one."""
    state = stopped_after_a_beat(site)
    harness.run("sqlite3", state, "INSERT INTO gap SELECT sender, channel, generation, 5, 600, 0 FROM stream WHERE channel = 'eltax';"
                "UPDATE stream SET oldest = 100 WHERE channel = 'eltax';"
                "WITH RECURSIVE n(i) AS (SELECT 90 UNION ALL SELECT i + 1 FROM n WHERE i < 590) INSERT INTO catalogue(sender, channel, generation,"
                " number, object, manifest) SELECT sender, channel, generation, i, printf('%032x', i), '' FROM stream, n WHERE channel = 'eltax';"
                "INSERT INTO trouble(sender, id, reason, at, times) SELECT sender, printf('%032x', i), 'torn ' || i, 0, 1 FROM stream,"
                " (SELECT number AS i FROM catalogue WHERE number % 2) WHERE channel = 'eltax'")
    code, out = gaps(site, "--slip", "--json")
    assert code == 0 and [s["numbers"] for s in json.loads(out)] == ["100-600"], out
    done = harness.katamichi("gaps", "-c", site.path("receiver.conf"), "--slip")
    assert "keeps no more: 95, not asked for" in done.err, done.err


def test_slip_of_another_site(site):
    """A slip is bound to its sender, receiver and channel."""
    state = stopped_after_a_beat(site)
    for channel, first, last in (("eltax", 5, 6), ("pittari", 1, 1)):
        harness.run("sqlite3", state, f"INSERT INTO gap SELECT sender, channel, generation, {first}, {last}, 0 FROM stream "
                    f"WHERE channel = '{channel}'; UPDATE stream SET oldest = 1")
    slips = {s["channel"]: s["code"] for s in json.loads(gaps(site, "--slip", "--json")[1])}
    assert set(slips) == {"eltax", "pittari"}
    assert [s["channel"] for s in json.loads(gaps(site, "--slip", "--channel", "pittari", "--json")[1])] == ["pittari"]
    code, said = resend(site, slips["eltax"], "--yes")
    assert code == 1 and "never numbered  2 (the newest is 1)" in said, said
    code, said = resend(site, slips["pittari"], "--yes")  # nothing was ever numbered in this channel
    assert code == 1 and "not for this sender" in said, said
    assert sender_slips(site) == []
    # not running: the slips get their entries at the next start
    assert not [r for r in site.ledger() if r["event"] == "slip"]
    site.start_receiver()
    harness.wait_until("the slips in the ledger", lambda: len([r for r in site.ledger() if r["event"] == "slip"]) == 2)
