"""What does not pass its checks in the zone: it alone is held back, out of reach of those who read the inbox, until an operator
releases or discards it, and every word about it is in the ledger."""
import hashlib
import json
import os
import stat

from harness import katamichi, run, wait_until

GOOD = {"給与_1.csv": "番号,税額\n1,2\n".encode(), "給与_2.csv": "番号,税額\n3,4\n".encode()}
BAD = "不正.csv", b"1,2\n3\n"  # ragged


def put(site, channel, files):
    for name, data in files.items():
        site.put(channel, name, data)


def start_mixed(site, channel, **values):
    """One transfer of two good files and a bad one, from a sender that admits everything."""
    put(site, channel, dict([*GOOD.items(), BAD]))
    del site.sent[channel, BAD[0].encode()]
    site.start(sender_content="content = any\n", **values)


def entries(site):
    out = katamichi("quarantine", "list", "-c", site.path("receiver.conf"), "--json", ok=False)
    return json.loads(out.out)


def wait_held(site, count=1):
    return wait_until("an entry in the quarantine", lambda: (lambda e: e if len(e) == count else None)(entries(site)), 20,
                      alive=site.daemons())


def decide(site, what, operator, reason, *names, code=0):
    out = katamichi("quarantine", what, "-c", site.path("receiver.conf"), "--operator", operator, "--reason", reason, *names, "--json",
                    ok=False)
    assert out.returncode == code, out.out + out.err
    return json.loads(out.out)


def rows(site, event):
    return [r for r in site.ledger() if r["event"] == event]


def test_one_bad_file(site):
    start_mixed(site, "eltax", receiver_content="content = eltax\nrelease = two\n")
    held, = wait_held(site)
    delivered = site.path("inbox/eltax/00000001")
    assert sorted(os.listdir(os.path.join(delivered, "files"))) == sorted(GOOD)
    for name, data in GOOD.items():
        with open(os.path.join(delivered, "files", name), "rb") as f:
            assert f.read() == data

    # the ledger: which checks ran, and why; status and gaps list it
    row, = rows(site, "quarantined")
    assert row["file"] == BAD[0] and row["kept"] == "file" and "csv" in row["checks"] and "columns" in row["reason"]
    row, = [r for r in rows(site, "delivered") if r["channel"] == "eltax"]
    assert row["held"] == 1 and row["files"] == 2 and "csv" in row["checks"]
    assert held["file"] == BAD[0] and held["channel"] == "eltax" and held["number"] == 1
    status = json.loads(wait_until("the entry in status", lambda: (lambda t: t if json.loads(t)["quarantined"] else None)(
        katamichi("status", "-c", site.path("receiver.conf"), "--json").out)))
    assert status["quarantine"][0]["entry"] == held["entry"]
    assert BAD[0] in katamichi("status", "-c", site.path("receiver.conf")).out
    gaps = katamichi("gaps", "-c", site.path("receiver.conf"), ok=False)
    assert gaps.returncode == 1 and BAD[0] in gaps.out

    # whoever reads the inbox cannot read it
    top = site.path("receiver-state/quarantine")
    assert stat.S_IMODE(os.stat(top).st_mode) == 0o700
    inside = os.path.join(top, held["entry"], "files", BAD[0])
    with open(inside, "rb") as f:
        assert f.read() == BAD[1]
    assert run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", inside, ok=False).returncode != 0

    # what was delivered verifies, and verify says what is not there; without the ledger nobody confirms it
    done = katamichi("verify", "-c", site.path("receiver.conf"), delivered)
    assert "in the quarantine" in done.out and BAD[0] in done.out
    done = katamichi("verify", "--sender", site.path("keys/sender.pub"), delivered, ok=False)
    assert done.returncode == 1 and "said to be in the quarantine" in done.out
    hidden = os.path.join(delivered, "files", "給与_1.csv")  # a note in the inbox excuses nothing
    os.rename(hidden, site.path("staging/x"))
    with open(os.path.join(delivered, "QUARANTINE.json"), "r+") as f:
        note = json.load(f)
        note["files"].insert(0, dict(note["files"][0], name="給与_1.csv"))
        f.seek(0)
        json.dump(note, f)
    assert katamichi("verify", "-c", site.path("receiver.conf"), delivered, ok=False).returncode == 1
    os.rename(site.path("staging/x"), hidden)
    with open(os.path.join(delivered, "QUARANTINE.json"), "w") as f:
        json.dump(dict(note, files=note["files"][1:]), f)

    # two operators
    first = decide(site, "release", "山田 太郎", "原本と照合した", held["entry"], code=1)
    assert first[0]["another"] and "another operator" in first[0]["answer"]
    assert decide(site, "release", "山田 太郎", "もう一度", held["entry"], code=1)[0]["another"]
    assert not os.path.exists(os.path.join(delivered + ".released-" + held["object"][:8] + "-2"))
    decide(site, "release", "鈴木 花子", "確認した", held["entry"])
    row, = rows(site, "released")
    assert [o["operator"] for o in row["operators"]] == ["山田 太郎", "鈴木 花子"] and row["file"] == BAD[0]
    released = site.path("inbox", row["dir"])
    with open(os.path.join(released, "files", BAD[0]), "rb") as f:
        assert f.read() == BAD[1]
    with open(os.path.join(released, "RELEASE.json")) as f:
        said = json.load(f)
    assert said["operators"] == row["operators"] and "columns" in said["held"]
    katamichi("verify", "-c", site.path("receiver.conf"), released, delivered)
    run("sha256sum", "--strict", "--ignore-missing", "-c", "SHA256SUMS", cwd=released)
    watched = [json.loads(x) for x in katamichi("watch", "-c", site.path("receiver.conf"), "--json", "--after", "0", "--once").out.splitlines()]
    assert [(w["event"], w["dir"], w["here"]) for w in watched][-1] == ("released", released, True), "an importing system hears of it"
    assert decide(site, "release", "鈴木 花子", "もう一度", held["entry"], code=1)[0]["done"] is False
    assert not entries(site) and not os.path.exists(os.path.join(top, held["entry"]))
    assert katamichi("quarantine", "list", "-c", site.path("receiver.conf")).returncode == 0
    assert "released" in katamichi("quarantine", "show", "-c", site.path("receiver.conf"), held["entry"]).out
    katamichi("ledger", "verify", "-c", site.path("receiver.conf"))


def test_discard_and_restart(site):
    """Asked for while the receiver does not run: it is done at the next start; and a restart neither forgets nor repeats anything."""
    start_mixed(site, "eltax", receiver_content="content = eltax\n")
    held, = wait_held(site)
    site.receiver.kill()
    assert "does not run" in decide(site, "discard", "山田", "不要", held["entry"], code=1)[0]["answer"]
    site.start_receiver()
    wait_until("an empty quarantine", lambda: not entries(site), alive=site.daemons())
    row, = rows(site, "discarded")
    assert row["operator"] == "山田" and row["reason"] == "不要" and row["file"] == BAD[0] and row["login"]
    assert os.listdir(site.path("receiver-state/quarantine")) == []
    odd, = decide(site, "discard", "山田", "不要", os.fsdecode(b"\xff\n\x1b[2J"), code=1)  # no text, but it is answered
    assert odd["entry"] == r"\xff\x0a\x1b[2J" and "no such entry" in odd["answer"]
    out = katamichi("quarantine", "list", "-c", site.path("receiver.conf"), "--all", "--tsv")
    lines = [line.split("\t") for line in out.out.splitlines()]
    assert len({len(line) for line in lines}) == 1 and dict(zip(*lines))["state"] == "discarded"
    assert "decided" in katamichi("verify", "-c", site.path("receiver.conf"), site.path("inbox/eltax/00000001")).out
    assert len(rows(site, "quarantined")) == 1


def test_whole(site):
    """A channel that wants all or nothing, and its release."""
    start_mixed(site, "eltax", receiver_content="content = eltax\nwhole = yes\n")
    held, = wait_held(site)
    assert held["kept"] == "transfer" and held["files"] == 3 and BAD[0] in held["reason"]
    assert not site.deliveries()
    decide(site, "release", "山田", "原本と照合した", held["entry"])
    assert sorted(os.listdir(site.path("inbox/eltax/00000001/files"))) == sorted([*GOOD, BAD[0]])
    done = katamichi("verify", "-c", site.path("receiver.conf"), site.path("inbox/eltax/00000001"))
    assert "verified" in done.out
    assert katamichi("gaps", "-c", site.path("receiver.conf")).returncode == 0
    digest = hashlib.sha256(BAD[1]).hexdigest()
    assert digest in run("cat", site.path("inbox/eltax/00000001/SHA256SUMS")).out


def test_usage(site):
    site.configure()
    for argv in (["release", "x"], ["release", "--operator", "a", "x"], ["discard", "--operator", "a", "--reason", " ", "x"],
                 ["discard", "--operator", "a\nb", "--reason", "r", "x"], ["release", "--operator", "a", "--reason", "r"], ["show"]):
        assert katamichi("quarantine", argv[0], "-c", site.path("receiver.conf"), *argv[1:], ok=False).returncode == 2, argv
    assert katamichi("quarantine", "list", "-c", site.path("receiver.conf"), ok=False).returncode == 5  # no ledger yet
