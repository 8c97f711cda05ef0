"""A file that a command is told to write: whole or not at all, and never one that katamichi lives by."""
import os
import resource
import signal
import stat
import subprocess

import pytest

import harness
from test_doctor import Host
from test_report import PEER, Ledger

DAY = ("--day", "2026-11-20")


@pytest.fixture
def made(tmp_path):
    made = Ledger(tmp_path)
    made.delivered("2026-11-20T03:00:00Z", 1)
    return made


def bytes_below(top):
    return {os.path.join(d, f): open(os.path.join(d, f), "rb").read() for d, _, files in os.walk(top) for f in files
            if not f.endswith("-shm")}  # where SQLite notes who reads


def refused(done, path):
    assert done.returncode == 2 and done.err.count("\n") == 1 and str(path) in done.err and "katamichi's own" in done.err, done.err


def writers(made):
    conf = ("-c", made.path("receiver.conf"))
    return [("report", *conf, *DAY, "-o"), ("doctor", *conf, "-o"), ("gaps", *conf, "--slip", "--page"), ("gaps", *conf, "--slip", "--png")]


def test_what_is_ours_is_not_written_over(made):
    os.symlink(made.path("state"), made.path("elsewhere"))
    os.symlink(made.path("keys/receiver.key"), made.path("innocent.html"))
    before = bytes_below(made.top)
    for argv in writers(made):
        for path in ("state/ledger/ledger.db", "state/new.html", "elsewhere/ledger/ledger.db", "inbox/report.html", "keys/receiver.key",
                     "keys/receiver.pub", "keys/sender.pub", "innocent.html", "receiver.conf", "keys/../state/ledger/./ledger.db"):
            refused(harness.katamichi(*argv, made.path(path), ok=False), path)
        refused(harness.katamichi(*argv, "ledger.db", ok=False, cwd=made.path("state/ledger")), "ledger.db")
    assert bytes_below(made.top) == before


@pytest.mark.parametrize("side", "SR")
def test_nor_what_doctor_reads(tmp_path, side):
    host = Host(tmp_path, side)
    host.doctor()
    for path in ("host.conf", "doctor.conf", "keys/sender.pub", "keys/receiver.pub", "state/outbox.db"):
        refused(host.doctor("-o", host.path(path)), path)
    os.rename(host.path("doctor.conf"), host.path("said.conf"))
    refused(host.doctor("--declared", host.path("said.conf"), "-o", host.path("said.conf")), "said.conf")


def test_the_old_file_stays_until_the_new_one_is_whole(made):
    path = made.path("day.csv")
    with open(path, "w") as f:
        f.write("the day before")
    os.link(path, made.path("twin.csv"))
    made.db.execute("INSERT INTO gap VALUES('aa', CAST(x'ff' AS TEXT), 'bb', 1, 9, 0)")
    done = made.report(*DAY, "--json", "-o", path, ok=False)
    assert done.returncode == 6 and open(path).read() == "the day before", done.err
    made.db.execute("DELETE FROM gap")

    def small():  # a disk that is full
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    done = harness.katamichi(
        "report", "-c", made.path("receiver.conf"), *DAY, "--csv", "-o", path, ok=False, preexec_fn=small, restore_signals=False)
    assert done.returncode == 5 and done.err.count("\n") == 1 and path in done.err, done.err
    assert open(path).read() == "the day before"
    os.rename(made.path("state/ledger"), made.path("state/gone"))
    assert made.report(*DAY, "-o", path, ok=False).returncode == 5 and open(path).read() == "the day before"
    os.rename(made.path("state/gone"), made.path("state/ledger"))

    os.chmod(path, 0o640)
    made.report(*DAY, "--csv", "-o", path)
    assert os.path.getsize(path) > 500 and stat.S_IMODE(os.stat(path).st_mode) == 0o640, "the mode is kept"
    assert open(made.path("twin.csv")).read() == "the day before", "it took its place; it was not written over"
    made.report(*DAY, "-o", made.path("new"))
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(os.stat(made.path("new")).st_mode) == 0o666 & ~mask
    assert not [name for name in os.listdir(made.top) if "tmp" in name], "nothing is left lying about"


def test_links_pipes_and_standard_output(made):
    conf, want = made.path("receiver.conf"), made.report(*DAY, "--csv").stdout
    for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        assert made.report(*DAY, "--csv", "-o", name).stdout == want, name
        with open(made.path("log"), "wb") as f:  # redirected: what stands before it stays
            f.write(b"head\n")
            f.flush()
            subprocess.run([harness.program("katamichi"), "report", "-c", conf, *DAY, "--csv", "-o", name], stdout=f, check=True,
                           env=dict(os.environ, TZ="Asia/Tokyo", LC_ALL="C.UTF-8"))
        assert open(made.path("log"), "rb").read() == b"head\n" + want, name
    os.mkfifo(made.path("pipe"))
    with subprocess.Popen(["cat", made.path("pipe")], stdout=subprocess.PIPE) as reader:
        made.report(*DAY, "--csv", "-o", made.path("pipe"))
        assert reader.communicate(timeout=20)[0] == want
    got = harness.run("bash", "-c", 'set -o pipefail; exec 3>&1; "$0" report -c "$1" --day 2026-11-20 --csv -o >(cat >&3) >/dev/null; wait',
                      harness.program("katamichi"), conf, env=dict(os.environ, TZ="Asia/Tokyo", LC_ALL="C.UTF-8"))
    assert got.stdout == want
    made.report(*DAY, "-o", "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)

    with open(made.path("real.csv"), "w") as f:
        f.write("old")
    os.symlink("real.csv", made.path("link.csv"))
    made.report(*DAY, "--csv", "-o", made.path("link.csv"))
    assert os.path.islink(made.path("link.csv")) and open(made.path("real.csv"), "rb").read() == want
    harness.katamichi("report", "-c", conf, *DAY, "-o", "here.txt", cwd=made.top)
    assert os.path.getsize(made.path("here.txt"))
    os.symlink("nothing", made.path("dangling"))
    for path in ("dangling", "keys", "no/where", "new/", ""):
        done = made.report(*DAY, "-o", made.path(path) if path else "", ok=False)
        assert done.returncode == 5 and done.err.count("\n") == 1 and "cannot be written" in done.err, (path, done.err)


def test_a_slip_needs_a_file(made):
    slip = ("gaps", "-c", made.path("receiver.conf"), "--slip")
    made.db.execute("INSERT INTO stream VALUES(?, 'eltax', ?, 9, 1, 0, 0)", (made.sender, "ab" * 16))
    made.db.execute("INSERT INTO gap VALUES(?, 'eltax', ?, 5, 6, 1795000000)", (made.sender, "ab" * 16))
    for option in ("--png", "--page"):
        for name in ("-", "/dev/stdout"):
            done = harness.katamichi(*slip, option, name, ok=False)
            assert done.returncode == 2 and "standard output has" in done.err and not done.out, done.err
        done = harness.katamichi(*slip, option, "/dev/full", ok=False)
        assert done.returncode == 5 and PEER in done.out, "the slip is recorded, so it is shown"
    assert PEER in harness.katamichi(*slip, "--page", made.path("slip.html"), "--png", made.path("slip.png")).out
    assert open(made.path("slip.png"), "rb").read(4) == b"\x89PNG" and "</html>" in open(made.path("slip.html")).read()


def test_no_colours_in_a_file(tmp_path):
    """On a terminal, too, whose width does not matter to the file."""
    host = Host(tmp_path, "R")
    host.doctor("-o", host.path("piped.txt"))
    argv = [harness.program("katamichi"), "doctor", "-c", host.path("host.conf"), "--root", host.path("root"), "-o", host.path("shown.txt")]
    harness.run("script", "-qec", " ".join(argv), "/dev/null", ok=False, env=dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm"))
    assert open(host.path("shown.txt")).read() == open(host.path("piped.txt")).read()
