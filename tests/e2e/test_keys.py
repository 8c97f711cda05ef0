"""Keys change while everything runs on: rotation of either end, revocation, recovery, an epoch that has to be forgotten; and no secret
is anywhere but in its file."""
import base64
import datetime
import json
import os
import shutil
import struct

import pytest

import samples
from harness import edit, katamichi, may_administer, run, wait_until

DAY = datetime.timedelta(days=1)


def deliver(site, name):
    site.put("eltax", name, samples.table(3))
    site.wait_delivered(30)


def rows(site, event):
    return [r for r in site.ledger() if r["event"] == event]


def rotate(site, side):
    out = katamichi("key", "rotate", "-c", site.path(side + ".conf")).out
    name = f"{side}-{datetime.datetime.now(datetime.timezone.utc):%Y%m%d}"
    assert name in out and os.path.exists(site.path("keys", name + ".key"))
    again = katamichi("key", "rotate", "-c", site.path(side + ".conf"), ok=False)
    assert again.returncode == 4, "a key was overwritten"
    return name, out


def decide(site, *argv, code=0):
    done = katamichi(*argv[:2], "-c", site.path("receiver.conf"), "--operator", "山田", "--reason", "試験", *argv[2:], ok=False)
    assert done.returncode == code, done.out + done.err
    return done.out


def test_receiver_key(site):
    """First the receiver, then the sender: nothing is lost between, and the tool says when the old key may go."""
    site.start()
    deliver(site, "1.csv")
    with open(site.path("checkpoint"), "w") as f:
        f.write(katamichi("ledger", "checkpoint", "-c", site.path("receiver.conf")).out)
    name, said = rotate(site, "receiver")
    assert "[retired receiver]" in said
    site.receiver.stop()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    edit(site.path("receiver.conf"), ("keys/receiver.key", f"keys/{name}.key"),
         more=f"[retired receiver]\nkey = keys/receiver.key\nsince = {today - 20 * DAY}\n")
    site.start_receiver()
    # what is sent before the next HELLO comes only with the repeat
    wait_until("the session", lambda: "session of epoch" in site.receiver.text())
    deliver(site, "2.csv")  # to the old key, by a session with the old key
    row, = json.loads(katamichi("key", "retired", "-c", site.path("receiver.conf"), "--json").out)
    assert row["name"] == "receiver" and row["used"] == str(today) and row["from"] == str(today + 15 * DAY) and not row["may_go"], row
    site.sender.stop()
    edit(site.path("sender.conf"), ("keys/receiver.pub", f"keys/{name}.pub"))
    site.start_sender()
    deliver(site, "3.csv")
    assert katamichi("gaps", "-c", site.path("receiver.conf")).returncode == 0
    # without the old key nothing of it opens any more
    site.receiver.stop()
    # but its public half says what it signed, and is believed for as long as it is called retired
    verify = ("ledger", "verify", "-c", site.path("receiver.conf"), "--checkpoint", site.path("checkpoint"))
    assert "as the receiver signed it up to row 2" in katamichi(*verify).out
    edit(site.path("receiver.conf"), ("key = keys/receiver.key", "key = keys/receiver.pub"))
    assert "as the receiver signed it up to row 2" in katamichi(*verify).out
    edit(site.path("receiver.conf"), ("[retired receiver]\nkey = keys/receiver.pub", ";"), (f"since = {today - 20 * DAY}", ";"))
    assert katamichi(*verify, ok=False).returncode == 1
    assert katamichi(*verify, "--receiver", site.path("keys/receiver.pub")).returncode == 0
    edit(site.path("receiver.conf"), more=f"[retired receiver]\nkey = keys/receiver.key\nsince = {today - 20 * DAY}\n")
    shutil.move(site.path("keys/receiver.key"), site.path("gone.key"))
    done = run(*site.net.at("r"), os.path.join(os.path.dirname(site.receiver.popen.args[-3]), "katamichi-receiver"), "-c",
               site.path("receiver.conf"), "--check", ok=False)
    assert done.returncode == 4 and "receiver.key" in done.err


def test_sender_key(site):
    """Both keys pinned for a while; the new one begins a generation of its own, and nothing is missing."""
    site.start()
    deliver(site, "1.csv")
    deliver(site, "2.csv")
    name, said = rotate(site, "sender")
    assert f"[peer {name}]" in said
    site.receiver.stop()
    edit(site.path("receiver.conf"), more=f"[peer {name}]\nkey = keys/{name}.pub\n")
    site.start_receiver()
    site.sender.stop()
    edit(site.path("sender.conf"), ("keys/sender.key", f"keys/{name}.key"))
    site.start_sender()
    deliver(site, "3.csv")
    wait_until("the row", lambda: len([r for r in rows(site, "delivered") if r["channel"] == "eltax"]) >= 3)
    made = [(r["sender"], r["generation"], r["number"]) for r in rows(site, "delivered") if r["channel"] == "eltax"]
    assert [n for _, _, n in made] == [1, 2, 1] and made[0][0] != made[2][0] and made[0][1] != made[2][1]
    assert not rows(site, "fork") and katamichi("gaps", "-c", site.path("receiver.conf")).returncode == 0


def refused_by_name(site):
    wait_until("a HELLO refused by name", lambda: "peer mihon: ALARM: a HELLO under its key, which was revoked" in site.receiver.text(), 30,
               alive=site.daemons())


def test_revoked(site):
    site.configure()
    edit(site.path("receiver.conf"), ("[channel pittari]", "[channel pittari]\nkeep_free = 1000T"))
    site.start_receiver()
    site.start_sender()
    deliver(site, "1.csv")
    site.put("pittari", "held.csv", samples.table(3))  # complete, and not delivered yet
    wait_until("it to be held", lambda: "keep_free" in site.receiver.text(), 20, alive=site.daemons())
    assert "revoked" in decide(site, "key", "revoke", "mihon")
    row, = rows(site, "revoked")
    assert row["operator"] == "山田" and row["reason"] == "試験" and row["login"]
    # its session ends at once: nothing of it is taken any more, and its next HELLO is refused
    site.put("eltax", "2.csv", samples.table(3))
    wait_until("it to be sent", lambda: "eltax 2: sent, round 1" in site.sender.text(), 20, alive=site.daemons())
    refused_by_name(site)
    row, = wait_until("the refusal of what was here", lambda: [r for r in rows(site, "refused") if "revoked" in r["reason"]], 20,
                      alive=site.daemons())
    counters = json.loads(katamichi("status", "-c", site.path("receiver.conf"), "--json", ok=False).out)["link"]["counters"]
    assert counters["refused_epoch"] > 0 and counters["objects"] == 2, counters
    site.receiver.stop()
    site.start_receiver()  # for good
    refused_by_name(site)
    assert ("eltax", b"2.csv") not in site.arrived() and ("pittari", b"held.csv") not in site.arrived()
    decide(site, "key", "revoke", "nobody", code=3)


def test_reset_epoch(site):
    """A sender whose clock was ahead once: refused as old, by name, until an operator has the number forgotten."""
    site.start(repeat="1s 2s 4s 8s 16s")
    deliver(site, "1.csv")
    site.stop()
    with open(site.path("receiver-state/epochs"), "r+b") as f:
        row = f.read(16)
        f.seek(0)
        f.write(row[:12] + struct.pack(">I", 4000000000))
    site.start_receiver()
    site.start_sender()
    wait_until("the alarm", lambda: "epoch 4000000000 was accepted before" in site.receiver.text(), 20, alive=site.daemons())
    site.put("eltax", "2.csv", samples.table(3))
    assert "4000000000" in decide(site, "link", "reset-epoch", "mihon", "--lane", "0")
    row, = rows(site, "epoch-reset")
    assert row["was"] == 4000000000 and row["operator"] == "山田"
    site.wait_delivered(30)


def test_recovery(site):
    """The zone's machine is gone, its key with it: what the sender still keeps opens with the recovery key."""
    katamichi("keygen", "receiver", site.path("keys"), "--name", "recovery")
    site.configure(sender_more="recovery = keys/recovery.pub\n", repeat="1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 2s 4s 8s 8s")
    site.start_sender()  # into nothing
    site.put("eltax", "1.csv", samples.table(3))
    wait_until("it to be sealed", lambda: not os.path.exists(site.path("out/eltax/1.csv")) and os.listdir(site.path("sender-state/objects")), 20,
               alive=[site.sender])
    site.sender.stop()
    os.unlink(site.path("keys/receiver.key"))
    katamichi("keygen", "receiver", site.path("keys"), "--name", "new")
    edit(site.path("sender.conf"), ("keys/receiver.pub", "keys/new.pub"))
    edit(site.path("receiver.conf"), ("keys/receiver.key", "keys/new.key"),
         more="[retired lost]\nkey = keys/receiver.pub\n[retired recovery]\nkey = keys/recovery.key\n")
    site.start_receiver()
    site.start_sender()
    site.wait_delivered(60)
    assert not rows(site, "quarantined") and not rows(site, "refused")


def secrets(site):
    """Every form in which a secret of ours could stand somewhere."""
    found = {}
    for side in ("sender", "receiver"):
        with open(site.path("keys", side + ".key"), encoding="ascii") as f:
            for line in f:
                key, _, value = line.strip().partition(" = ")
                if key in ("ed25519", "x25519"):
                    raw = base64.b64decode(value)
                    found.update({f"{side} {key}": raw, f"{side} {key} base64": value.encode(), f"{side} {key} hex": raw.hex().encode()})
    with open(site.path("keys/psk"), "rb") as f:
        text = f.read().strip()
    found.update({"psk": bytes.fromhex(text.decode()), "psk hex": text})
    return found


def test_no_secret_anywhere(site):
    """With a pre-shared key: logs, states, command lines, environments; no core file, and no reading by others of the same user."""
    if not may_administer():
        pytest.skip("a confined process shows itself to the host's root only")
    with open(site.path("keys/psk"), "w", encoding="ascii") as f:
        f.write(os.urandom(32).hex() + "\n")
    os.chmod(site.path("keys/psk"), 0o600)
    site.start(sender_more="psk = keys/psk\n", receiver_more="psk = keys/psk\n")
    deliver(site, "1.csv")
    needles = secrets(site)
    places = {}
    for top in ("sender-state", "receiver-state", "inbox"):
        for base, _, names in os.walk(site.path(top)):
            for name in names:
                try:
                    with open(os.path.join(base, name), "rb") as f:
                        places[os.path.join(base, name)] = f.read()
                except OSError:
                    continue  # it has gone meanwhile
    for log in ("sender.log", "receiver.log"):
        with open(site.path(log), "rb") as f:
            places[log] = f.read()
    processes = [pid for p in site.daemons() for pid in p.processes()]
    assert len(processes) >= 8
    for pid in processes:
        for what in ("cmdline", "environ", "status", "maps", "limits", "comm"):
            with open(f"/proc/{pid}/{what}", "rb") as f:
                places[f"/proc/{pid}/{what}"] = f.read()
        with open(f"/proc/{pid}/limits", encoding="ascii") as f:
            core = [line.split() for line in f if line.startswith("Max core file size")][0]
        children = pid not in (site.sender.pid, site.receiver.pid)
        assert not children or core[4:6] == ["0", "0"], (pid, core)
    text = katamichi("status", "-c", site.path("receiver.conf"), "--json").out + katamichi("status", "-c", site.path("sender.conf"), "--json").out
    for pub in ("sender.pub", "receiver.pub", "receiver.key"):
        text += katamichi("key", "show", site.path("keys", pub)).out
    places["what the tool says"] = text.encode()
    for place, content in places.items():
        for what, needle in needles.items():
            assert needle not in content, f"{what} stands in {place}"
    with open(site.path("keys/sender.key"), "rb") as f:  # the search itself finds what is there
        assert needles["sender x25519 base64"] in f.read()
    # a sender without the pre-shared key is no sender of ours
    site.sender.stop()
    edit(site.path("sender.conf"), ("psk = keys/psk\n", ""))
    site.start_sender()
    wait_until("the alarm", lambda: "for another receiver or psk" in site.receiver.text(), 20, alive=site.daemons())
