"""What an auditor can check with openssl, sha256sum and a page of Python, without a program of ours (tools/independent):
what was delivered holds, and every copy that was tampered with is found."""
import hashlib
import json
import os
import shutil
import sqlite3
import sys

import pytest

import harness
from test_proofs import SPOILS, delivered  # noqa: F401

TOOLS = os.path.join(harness.TOP, "tools", "independent")


def check_transfer(site, path, pem="keys/sender-ed25519.pem"):
    return harness.run("sh", os.path.join(TOOLS, "check-transfer.sh"), path, site.path(pem), ok=False)


def check_ledger(db, *more):
    return harness.run(sys.executable, "-B", os.path.join(TOOLS, "check-ledger.py"), db, *more, ok=False)


def chained(rows):
    """The chain made anew over changed entries, as somebody would who knows how it is made."""
    before, out = "0" * 64, []
    for seq, entry in rows:
        before = hashlib.sha256(f"{before}\n{entry}\n".encode()).hexdigest()
        out.append((seq, entry, before))
    return out


def change(db, what):
    with sqlite3.connect(db) as c:
        rows = c.execute("SELECT seq, entry FROM ledger ORDER BY seq").fetchall()
        what(c, rows)
    c.close()


def edit_entry(c, rows):
    c.execute("UPDATE ledger SET entry = replace(entry, '\"eltax\"', '\"eltay\"') WHERE seq = 2")


def edit_hash(c, rows):
    c.execute("UPDATE ledger SET hash = ? WHERE seq = 1", ("f" * 64,))


def drop_first(c, rows):
    c.execute("DELETE FROM ledger WHERE seq = 1")


def drop_middle(c, rows):
    c.execute("DELETE FROM ledger WHERE seq = 2")


def swap(c, rows):
    c.execute("UPDATE ledger SET entry = CASE seq WHEN 1 THEN ? ELSE ? END WHERE seq IN (1, 2)", (rows[1][1], rows[0][1]))


def empty(c, rows):
    c.execute("DELETE FROM ledger")


def rewrite(c, rows):
    """Only a hash that was noted elsewhere tells."""
    entries = [(seq, entry.replace('"bytes":', '"bytes":1')) for seq, entry in rows]
    for seq, entry, digest in chained(entries):
        c.execute("UPDATE ledger SET entry = ?, hash = ? WHERE seq = ?", (entry, digest, seq))


def cut_off(c, rows):
    c.execute("DELETE FROM ledger WHERE seq = ?", (rows[-1][0],))


def another_manifest(c, rows):
    """The chain holds, but the row names a manifest that is not in the inbox."""
    entries = []
    for seq, entry in rows:
        said = json.loads(entry)
        if said["event"] == "delivered":
            said["manifest"] = "0" * 64
        entries.append((seq, json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))))
    for seq, entry, digest in chained(entries):
        c.execute("UPDATE ledger SET entry = ?, hash = ? WHERE seq = ?", (entry, digest, seq))


def test_transfer(delivered):  # noqa: F811
    site, copy = delivered
    good = check_transfer(site, copy)
    assert good.returncode == 0, good.out + good.err
    for spoil in SPOILS:
        other = copy + b"-" + spoil.__name__.encode()
        shutil.copytree(copy, other)
        spoil(other)
        done = check_transfer(site, other)
        assert done.returncode == 1 and done.err.strip(), f"{spoil.__name__}: {done.returncode} {done.out}{done.err}"
    os.makedirs(site.path("other"), mode=0o700)
    harness.katamichi("keygen", "sender", site.path("other"))
    assert check_transfer(site, copy, "other/sender-ed25519.pem").returncode == 1


def open_object(*argv):
    return harness.run(sys.executable, "-B", os.path.join(TOOLS, "open-object.py"), *argv, ok=False)


def test_sealed_object(delivered):  # noqa: F811
    """What stands in the outbox can be opened with the receiver's key alone, by python3-cryptography and zstd."""
    site, _ = delivered
    site.stop()
    objects = sorted(os.listdir(site.path("sender-state/objects")))
    assert objects
    found = set()
    for name in objects:
        path, out = site.path("sender-state/objects", name), site.path("opened-" + name)
        done = open_object(path, site.path("keys/receiver.key"), out)
        assert done.returncode == 0, done.err
        good = check_transfer(site, out)
        assert good.returncode == 0, good.out + good.err
        found |= set(os.listdir(os.fsencode(os.path.join(out, "files"))))
    assert found >= {name for _, name in site.sent}, "each file that was sent"
    spoilt = site.path("spoilt")
    shutil.copyfile(site.path("sender-state/objects", objects[0]), spoilt)
    with open(spoilt, "r+b") as f:
        f.seek(-1, os.SEEK_END)
        last = f.read(1)
        f.seek(-1, os.SEEK_END)
        f.write(bytes([last[0] ^ 1]))
    assert open_object(spoilt, site.path("keys/receiver.key"), site.path("spoilt-out")).returncode == 1
    harness.katamichi("keygen", "receiver", site.path("stranger"))
    wrong = open_object(site.path("sender-state/objects", objects[0]), site.path("stranger/receiver.key"), site.path("stranger-out"))
    assert wrong.returncode == 1 and "another key" in wrong.err


def test_ledger(delivered):  # noqa: F811
    site, _ = delivered
    checkpoint = harness.wait_until("a checkpoint", lambda: harness.katamichi(
        "ledger", "checkpoint", "-c", site.path("receiver.conf"), ok=False).out, 10)
    site.stop()
    db = site.path("receiver-state/ledger/ledger.db")
    everything = ("--inbox", site.path("inbox"), "--sender", site.path("keys/sender-ed25519.pem"))
    good = check_ledger(db, *everything)
    assert good.returncode == 0, good.out + good.err
    last = good.out.split()[-1]
    assert last in harness.katamichi("ledger", "verify", "-c", site.path("receiver.conf")).out, "both name the same hash"
    assert check_ledger(db, "--last", last).returncode == 0
    with open(site.path("checkpoint"), "w") as f:
        f.write(checkpoint)
    point = ("--checkpoint", site.path("checkpoint"), "--receiver", site.path("keys/receiver-ed25519.pem"))
    good = check_ledger(db, *point)
    assert good.returncode == 0, good.out + good.err
    with open(site.path("checkpoint-forged"), "w") as f:
        f.write(checkpoint.replace("rows ", "rows 1"))
    forged = check_ledger(db, "--checkpoint", site.path("checkpoint-forged"), *point[2:])
    assert forged.returncode == 1 and "signed" in forged.err
    assert check_ledger(db, *point[:2], "--receiver", site.path("keys/sender-ed25519.pem")).returncode == 1
    for spoil in (edit_entry, edit_hash, drop_first, drop_middle, swap, empty, rewrite, cut_off, another_manifest):
        other = site.path(spoil.__name__ + ".db")
        harness.copy_database(db, other)
        change(other, spoil)
        done = check_ledger(other, "--last", last, *everything)
        assert done.returncode == 1 and done.err.strip(), f"{spoil.__name__}: {done.returncode} {done.out}{done.err}"
    assert check_ledger(site.path("rewrite.db"), *point).returncode == 1, "the receiver did not sign those rows"
    # What the chain alone cannot show, so that nobody relies on it.
    assert check_ledger(site.path("rewrite.db")).returncode == 0
    assert check_ledger(site.path("cut_off.db")).returncode == 0


@pytest.mark.parametrize("argv", [(), ("/nonexistent/directory", "/nonexistent.pem")])
def test_usage(argv):
    assert harness.run("sh", os.path.join(TOOLS, "check-transfer.sh"), *argv, ok=False).returncode == 2
