"""What the delivered proofs are worth: every change to them is seen, by our tool and by openssl and sha256sum."""
import json
import os
import re
import shutil
import signal

import pytest

import harness
import samples


@pytest.fixture
def delivered(site):
    """One transfer of two files, and a copy of it to be spoilt."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.put("eltax", "二.csv".encode("cp932"), samples.table(4))
    site.wait_delivered()
    site.check_inbox()
    # both in one transfer, or the one with the first
    path = os.path.dirname(os.path.dirname(site.arrived()["eltax", "一.csv".encode()][0]))
    copy = os.fsencode(site.path("copy"))
    shutil.copytree(path, copy)
    return site, copy


def verify(site, path, *more):
    return harness.katamichi("verify", path, "--sender", site.path("keys/sender.pub"), *more, ok=False)


def edit(path, at=0):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))


def flip_file(d):
    edit(os.path.join(d, b"files", "一.csv".encode()), 5)


def lengthen_file(d):
    with open(os.path.join(d, b"files", "一.csv".encode()), "ab") as f:
        f.write(b"x")


def flip_manifest(d):
    edit(os.path.join(d, b"MANIFEST.json"), 40)


def flip_signature(d):
    edit(os.path.join(d, b"MANIFEST.json.sig"), 9)


def flip_sums(d):
    edit(os.path.join(d, b"SHA256SUMS"), 3)


def remove_file(d):
    os.unlink(os.path.join(d, b"files", "一.csv".encode()))


def rename_file(d):
    os.rename(os.path.join(d, b"files", "一.csv".encode()), os.path.join(d, b"files", "壱.csv".encode()))


def add_file(d):
    with open(os.path.join(d, b"files", b"extra.csv"), "w") as f:
        f.write("x")


def link_file(d):
    path = os.path.join(d, b"files", "一.csv".encode())
    os.rename(path, os.path.join(d, b"..", b"elsewhere"))
    os.symlink(os.path.join(d, b"..", b"elsewhere"), path)


def remove_signature(d):
    os.unlink(os.path.join(d, b"MANIFEST.json.sig"))


SPOILS = [flip_file, lengthen_file, flip_manifest, flip_signature, flip_sums, remove_file, rename_file, add_file, link_file,
          remove_signature]


def test_changes_are_seen(delivered):
    site, copy = delivered
    good = verify(site, copy)
    assert good.returncode == 0, good.out + good.err
    for spoil in SPOILS:
        other = copy + b"-" + spoil.__name__.encode()
        shutil.copytree(copy, other)
        spoil(other)
        done = verify(site, other)
        assert done.returncode == 1, f"{spoil.__name__}: {done.returncode} {done.out}{done.err}"
        assert (done.out + done.err).strip()


def test_another_senders_key(delivered):
    site, copy = delivered
    os.makedirs(site.path("other"), mode=0o700)
    harness.katamichi("keygen", "sender", site.path("other"))
    assert harness.katamichi("verify", copy, "--sender", site.path("other/sender.pub"), ok=False).returncode == 1
    assert harness.katamichi("verify", copy, "--sender", site.path("other/none.pub"), ok=False).returncode == 4
    assert harness.katamichi("verify", site.path("nowhere"), "--sender", site.path("keys/sender.pub"), ok=False).returncode in (1, 5)


def test_ledger_changes_are_seen(delivered):
    site, _ = delivered
    site.stop()
    db = site.path("receiver-state/ledger/ledger.db")
    for sql in ("UPDATE ledger SET entry = replace(entry, 'eltax', 'eltay') WHERE seq = 2", "DELETE FROM ledger WHERE seq = 1",
                "UPDATE ledger SET hash = replace(hash, substr(hash, 1, 1), 'f') WHERE seq = 1 AND substr(hash, 1, 1) <> 'f'"):
        saved = site.path("saved")
        shutil.rmtree(saved, ignore_errors=True)
        shutil.copytree(os.path.dirname(db), saved)
        out = harness.run("sqlite3", db, f"PRAGMA ignore_check_constraints = 1; {sql}; SELECT changes();", ok=False)
        if out.returncode == 0 and out.out.strip().endswith("1"):
            done = harness.katamichi("ledger", "verify", "-c", site.path("receiver.conf"), ok=False)
            assert done.returncode in (1, 6), f"{sql}: {done.returncode} {done.out}{done.err}"
        shutil.rmtree(os.path.dirname(db))
        shutil.copytree(saved, os.path.dirname(db))
    harness.katamichi("ledger", "verify", "-c", site.path("receiver.conf"))


def test_status_of_both_ends(delivered):
    site, _ = delivered
    for side in ("sender", "receiver"):
        conf = site.path(f"{side}.conf")
        # The receiver writes it down every few seconds.
        harness.wait_until(f"eltax in the status of the {side}", lambda: "eltax" in harness.katamichi("status", "-c", conf).out)
        assert "eltax" in json.dumps(json.loads(harness.katamichi("status", "-c", conf, "--json").out))


def test_sender_keeps_no_names(delivered):
    """After sealing, nothing on the sender's disk says what was sent, and nothing there can be read back."""
    site, _ = delivered
    site.stop()
    secrets = ["一.csv".encode(), "二.csv".encode("cp932"), "見本市中央".encode("cp932")]
    for base, _, files in os.walk(site.path("sender-state")):
        for name in files:
            with open(os.path.join(base, name), "rb") as f:
                content = f.read()
            for secret in secrets:
                assert secret not in content, f"{os.path.join(base, name)} holds {secret}"
    assert os.listdir(site.path("out/eltax/.taken")) == []


@pytest.mark.parametrize("role", ["check", "link"])
def test_nor_files_when_a_process_dies(delivered, role):
    """The others are stopped then, and whose end comes first is chance whenever they are stopped."""
    site, _ = delivered
    os.kill(next(p for p in site.sender.processes() if f"--role {role} " in site.sender.command(p)), signal.SIGKILL)
    assert site.sender.popen.wait(15) == 70
    assert os.listdir(site.path("out/eltax/.taken")) == []


def test_modes(delivered):
    """Nobody else on either host can read keys, outbox or ledger."""
    site, _ = delivered
    for top in ("keys/sender.key", "keys/receiver.key", "sender-state", "receiver-state"):
        paths = [site.path(top)] + [os.path.join(b, n) for b, ds, fs in os.walk(site.path(top)) for n in fs]
        for path in paths:
            mode = os.stat(path).st_mode
            if os.path.isfile(path) and not re.search("status.json", path):
                assert mode & 0o007 == 0, f"{path} {oct(mode)}"
