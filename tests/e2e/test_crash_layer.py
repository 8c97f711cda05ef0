"""The layer that makes power cuts (tests/crash) is trusted by other tests, so it is tested itself.

Small programs write files under it, are killed, and lose power.  Those that sync as one must keep what they were
promised; those that forget a sync must be caught.
"""
import errno
import gc
import os
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "crash"))
import harness  # noqa: E402
import powerloss  # noqa: E402

HEAD = """
import os
def put(path, data, how=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    fd = os.open(path, how, 0o600)
    os.write(fd, data)
    return fd
def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
"""


@pytest.fixture
def disk(tmp_path):
    top = tmp_path / "disk"
    top.mkdir()
    (top / "old").write_bytes(b"old")
    layer = powerloss.Layer(top, tmp_path / "shared", harness.program("tests/crash/powerloss.so"))
    yield layer
    layer.close()


def execute(disk, text, kill_at=0):
    return subprocess.run([sys.executable, "-B", "-c", HEAD + text], cwd=disk.top, env=disk.env(kill_at), timeout=60,
                          start_new_session=True).returncode


def left(disk):
    found = {}
    for base, _, names in os.walk(disk.top):
        for name in names:
            with open(os.path.join(base, name), "rb") as f:
                found[os.path.relpath(os.path.join(base, name), disk.top)] = f.read()
    return found


def after(disk, text, mode="lost"):
    assert execute(disk, text) == 0
    disk.cut_power(mode)
    return left(disk)


KEEPS = {  # program: what stands there after the power was lost
    "a new file, synced with its directory": ("os.fsync(put('new', b'1')); sync('.')", {"old": b"old", "new": b"1"}),
    "overwritten and synced": ("os.fdatasync(put('old', b'2'))", {"old": b"2"}),
    "the classical order": ("os.fsync(put('t', b'3')); os.rename('t', 'old'); sync('.')", {"old": b"3"}),
    "a file system's sync": ("put('new', b'4'); import ctypes; ctypes.CDLL(None).syncfs(os.open('.', 0))",
                             {"old": b"old", "new": b"4"}),
    "written through O_DSYNC": ("os.pwrite(os.open('old', os.O_WRONLY | os.O_DSYNC), b'X', 1)", {"old": b"oXd"}),
    "into another directory, that one synced": ("os.mkdir('d'); sync('.'); os.rename('old', 'd/x'); sync('d')", {"d/x": b"old"}),
    "grown and synced": ("fd = os.open('old', os.O_WRONLY); os.ftruncate(fd, 5); os.fsync(fd)", {"old": b"old\0\0"}),
    "allocated and synced": ("fd = os.open('old', os.O_WRONLY); os.posix_fallocate(fd, 0, 4); os.fsync(fd)", {"old": b"old\0"}),
    "gone for good": ("os.unlink('old'); sync('.')", {}),
}


@pytest.mark.parametrize("what", KEEPS)
def test_what_was_synced_stays(disk, what):
    text, want = KEEPS[what]
    assert after(disk, text) == want


FORGETS = {  # program: what it believes to be there, and what is
    "no sync at all": ("put('new', b'1')", {"old": b"old"}),
    "only the file": ("os.fsync(put('new', b'1'))", {"old": b"old"}),
    "only the directory": ("put('new', b'1'); sync('.')", {"old": b"old", "new": b""}),
    "rename without the directory": ("os.fsync(put('t', b'3')); sync('.'); os.rename('t', 'old')", {"old": b"old", "t": b"3"}),
    "rename before the file": ("put('t', b'3'); os.rename('t', 'old'); sync('.')", {"old": b""}),
    "a directory whose parent was not synced": ("os.mkdir('d'); os.fsync(put('d/x', b'1')); sync('d')", {"old": b"old"}),
    "written on after the sync": ("fd = put('old', b'12'); os.fsync(fd); os.write(fd, b'34')", {"old": b"12"}),
    "unlink without the directory": ("os.unlink('old')", {"old": b"old"}),
    "a hint is no sync": ("import ctypes; fd = put('old', b'new'); ctypes.CDLL(None).sync_file_range(fd, 0, 0, 7)", {"old": b"old"}),
}


@pytest.mark.parametrize("what", FORGETS)
def test_what_was_not_synced_is_lost(disk, what):
    text, want = FORGETS[what]
    assert after(disk, text) == want
    # and without the cut it would have looked well: that is why the layer is needed


def test_kill_leaves_everything(disk):
    assert after(disk, "put('new', b'1')", mode="plain") == {"old": b"old", "new": b"1"}


def test_killed_after_each_operation(disk):
    """One, then two, and so on: every state on the way is seen, and nothing after it is done."""
    text = "fd = put('t', b'1'); os.write(fd, b'2'); os.fsync(fd); os.rename('t', 'old'); sync('.'); os.unlink('old')"
    seen = []
    for n in range(1, 8):
        code = execute(disk, text, kill_at=n)
        assert code == (-signal.SIGKILL if n < 8 else 0) and disk.dead()
        disk.cut_power("lost")
        seen.append(left(disk))
        for name in os.listdir(disk.top):
            os.unlink(os.path.join(disk.top, name))
        with open(os.path.join(disk.top, "old"), "wb") as f:
            f.write(b"old")
        disk.begin()
    assert seen == [{"old": b"old"}] * 5 + [{"old": b"12"}] * 2
    assert execute(disk, text, kill_at=8) == 0 and not disk.dead()


def test_all_processes_die_and_share_one_order(disk):
    """A child of exec with a cleaned environment is still under the layer, and dies with its parent."""
    text = ("import subprocess, sys\n"
            "keep = {k: v for k, v in os.environ.items() if k.startswith('KATAMICHI_')}\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import os\\nfor i in range(10000):\\n os.fsync(os.open(str(i % 7), 66, 384))\\n'"
            "    ' while i and not os.path.exists(chr(112)): pass'], env=keep)\n"
            "while not os.path.exists('1'): pass\n"  # so each of them has done something
            "for i in range(10000): os.close(put('p', b'x'))\n")
    assert execute(disk, text, kill_at=500) == -signal.SIGKILL
    assert disk.control.ops == 500 and {k for k, *_ in disk.records()} >= {"write", "sync", "create"}
    disk.cut_power("plain")


def test_a_change_that_the_layer_does_not_see_is_found(disk):
    """A writable mapping (io_uring would be the same): the tree on the disk is not what the log says."""
    execute(disk, "import mmap\nf = open('old', 'r+b')\nm = mmap.mmap(f.fileno(), 3)\nm[0] = 65\nm.flush()")
    with pytest.raises(AssertionError, match="did not see"):
        disk.cut_power("plain")


def test_forgetful_kernel(disk):
    """The negative control of the crash tests: a sync that is no sync."""
    text = "os.fsync(put('t', b'3')); os.rename('t', 'old'); sync('.')"
    disk.forget = "sync_dir"
    assert after(disk, text) == {"old": b"old"}


def test_sqlite_keeps_what_it_committed(disk):
    text = ("import sqlite3\nd = sqlite3.connect('db')\nd.execute('pragma journal_mode=wal')\nd.execute('pragma synchronous=full')\n"
            "d.execute('create table t(i)')\nd.commit()\nsync('.')\nd.execute('insert into t values(1)')\nd.commit()\n"
            "d.execute('insert into t values(2)')\nd.execute('select 1')\nos.kill(os.getpid(), 9)")
    execute(disk, text)
    disk.cut_power("lost")
    assert harness.run("sqlite3", os.path.join(disk.top, "db"), "select * from t").out == "1\n"


def test_sqlite_without_syncs_is_caught(disk):
    text = ("import sqlite3\nd = sqlite3.connect('db')\nd.execute('pragma journal_mode=wal')\nd.execute('pragma synchronous=off')\n"
            "d.execute('create table t(i)')\nd.commit()\nsync('.')\nd.execute('insert into t values(1)')\nd.commit()\nos.kill(os.getpid(), 9)")
    execute(disk, text)
    disk.cut_power("lost")
    assert harness.run("sqlite3", os.path.join(disk.top, "db"), "select * from t", ok=False).returncode != 0


def test_a_database_shows_what_came_after_the_cut(disk):
    """Its index is made anew by whoever opens it first.  A connection that this process forgot to close would show the old one."""
    write = "\nfor i in range(3):\n d.execute('insert into t values(1)')\n d.commit()\n"
    begin = "import sqlite3\nd = sqlite3.connect('db')\nd.execute('pragma journal_mode=wal')\nd.execute('pragma synchronous=full')\n"
    live = "print(flush=True)\nimport signal\nsignal.pause()"

    def life(text):
        return subprocess.Popen([sys.executable, "-B", "-c", HEAD + begin + text + live], cwd=disk.top, env=disk.env(), start_new_session=True,
                                stdout=subprocess.PIPE)
    gc.disable()  # as it may be at any moment
    try:
        for text, there in (("d.execute('create table t(i)')\nd.commit()\nsync('.')" + write, 3), (write, 6)):
            with life(text) as p:
                try:
                    p.stdout.readline()
                    assert harness.rows(os.path.join(disk.top, "db"), "select count(*) from t") == [(there,)]
                finally:
                    p.kill()
            disk.cut_power("lost")
    finally:
        gc.enable()


def test_mixed_keeps_any_part(disk):
    """Over many seeds: both writes, one, the other, none."""
    seen = set()
    for seed in range(40):
        execute(disk, "fd = os.open('old', os.O_WRONLY); os.pwrite(fd, b'A', 0); os.pwrite(fd, b'B', 1)")
        disk.cut_power("mixed", seed)
        seen.add(left(disk)["old"])
        with open(os.path.join(disk.top, "old"), "wb") as f:
            f.write(b"old")
        disk.begin()
    assert seen == {b"old", b"Ald", b"oBd", b"ABd"}


def test_errors_are_made_and_end(disk):
    disk.fail(errno.EIO, ["sync"])
    assert execute(disk, "fd = put('new', b'1')\ntry: os.fsync(fd)\nexcept OSError as e: exit(e.errno)") == errno.EIO
    assert disk.control.failed == 1
    disk.heal()
    assert execute(disk, "os.fsync(put('new', b'1'))") == 0
    disk.fail(errno.ENOSPC, ["write", "create"])
    assert execute(disk, "try: put('more', b'1')\nexcept OSError as e: exit(e.errno)") == errno.ENOSPC
    assert not os.path.exists(os.path.join(disk.top, "more"))
