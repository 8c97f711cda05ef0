"""Each process may do what the README says and no more: read from the kernel's own copy of its call filter, and tried by
processes that turn against us (tests/escape)."""
import json
import os
import re
import shutil
import signal

import pytest

import harness
import samples

PROCESSES = ["sender: spool", "sender: check", "sender: link", "receiver: link", "receiver: open", "receiver: check", "receiver: scan",
             "receiver: store"]
# So that there is a scan process; nothing is put into these channels, so nobody answers.
SCANNED = {"receiver_content": "content = any\nantivirus = nobody.ctl\n"}
KILL, ALLOW = 0x80000000, 0x7FFF0000
ERRNO = 0x00050000
# Calls by which a process could reach beyond itself; the README says of each process which of them it has.
SENDS = {"send", "sendto", "sendmsg", "sendmmsg", "sendfile", "sendfile64", "splice", "tee", "vmsplice", "write", "writev", "pwritev2"}
REACHES = {
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "execve", "execveat", "fork", "vfork", "clone", "clone3", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open",
    "pidfd_getfd", "pidfd_send_signal", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "mount", "umount2", "pivot_root",
    "chroot", "unshare", "setns", "setuid", "setgid", "setreuid", "setresuid", "setgroups", "capset", "prctl", "bpf", "perf_event_open",
    "keyctl", "add_key", "request_key", "userfaultfd", "memfd_create", "ioctl", "dup", "dup2", "dup3", "prlimit64", "setrlimit", "init_module",
    "finit_module", "kexec_load", "reboot", "open_by_handle_at", "name_to_handle_at", "shmget", "shmat", "msgsnd", "mknod", "mknodat",
    "symlink", "symlinkat", "link", "linkat", "process_madvise", "seccomp", "personality", "modify_ldt", "remap_file_pages"}
OPENS = {"open", "openat", "openat2", "creat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "truncate"}


# --- which process is which ---
def of(site):
    """{"sender: spool": pid, ...} of a running pair."""
    found = {}
    for side, daemon in (("sender", site.sender), ("receiver", site.receiver)):
        for pid in daemon.processes():
            role = re.search(r"--role (\w+)", harness.Process.command(pid))
            if role:
                found[f"{side}: {role.group(1)}"] = pid
    assert sorted(found) == sorted(PROCESSES), found
    return found


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


# --- the filter, followed by hand ---
def outcomes(program, arch, number):
    """Every action that the program can return for this call, whatever its arguments are: what it loads of them is not known,
    so that both ways of each jump on it are taken."""
    found, todo, seen = set(), [(0, None)], set()
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        at, a = state
        code, jt, jf, k = program[at]
        if code == 0x20:  # load
            todo.append((at + 1, {0: number, 4: arch}.get(k)))
        elif code == 0x06:  # return
            found.add(k)
        elif code == 0x05:  # jump
            todo.append((at + 1 + k, a))
        elif code == 0x54:  # and
            todo.append((at + 1, None if a is None else a & k))
        elif code in (0x15, 0x25, 0x35, 0x45):
            if a is None:
                todo += [(at + 1 + jt, None), (at + 1 + jf, None)]
            else:
                yes = {0x15: a == k, 0x25: a > k, 0x35: a >= k, 0x45: a & k != 0}[code]
                todo.append((at + 1 + (jt if yes else jf), a))
        else:
            raise AssertionError(f"instruction {code:#x}")
    return found


class Filter:
    def __init__(self, pid):
        done = harness.run(harness.program("tests/tools/filter_of"), str(pid), ok=False)
        if done.returncode == 77:
            pytest.skip("the kernel does not show filters")
        assert done.returncode == 0, done.err
        said = json.loads(done.out)
        assert len(said["filters"]) >= 1, "no filter"
        # The newest first; with several (a service manager's) the strictest answer counts, so ours alone is an upper bound.
        self.program, self.arch, self.calls = said["filters"][0], said["arch"], said["calls"]

    def allowed(self):
        return {name for name, n in self.calls.items() if ALLOW in outcomes(self.program, self.arch, n)}

    def actions(self, name):
        return outcomes(self.program, self.arch, self.calls[name])


def readme_rows():
    """{process: cells} of the README's table of processes."""
    with open(os.path.join(harness.TOP, "README.md"), encoding="utf-8") as f:
        text = f.read()
    part = text[text.index("\n## Processes\n"):].split("\n## ")[1]
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
    head = lines[0]
    return {row[0]: dict(zip(head, row)) for row in lines[2:]}


def listed(cell):
    return set() if cell in ("none", "nothing") else set(re.findall(r"`(\w+)`", cell))


@pytest.fixture
def running(site):
    if not harness.may_administer():
        pytest.skip("filters are shown to root only")
    site.start(**SCANNED)
    return site, of(site)


def test_readme_against_the_filters_in_force(running):
    site, pids = running
    rows = readme_rows()
    assert sorted(rows) == sorted(PROCESSES)
    for name, pid in pids.items():
        f, row = Filter(pid), rows[name]
        allowed = f.allowed()
        assert allowed & REACHES == listed(row["reaches out by"]), f"{name}: {sorted(allowed & REACHES)}"
        assert allowed & SENDS == listed(row["writes by"]), f"{name}: {sorted(allowed & SENDS)}"
        assert bool(allowed & OPENS) == (row["paths"] != "none"), f"{name}: {sorted(allowed & OPENS)}"
        assert str(len(allowed)) == row["calls"], f"{name} may make {len(allowed)} calls, the README says {row['calls']}"
        # What is not in the list kills; another architecture's calls do, and x32's.
        assert f.actions("io_uring_setup") == {KILL} and f.actions("execve") == {KILL}, name
        assert outcomes(f.program, 0x40000003, 11) == {KILL}, f"{name}: calls of 32 bits"
        assert outcomes(f.program, f.arch, 600) == {KILL} and outcomes(f.program, f.arch, 0x40000001) == {KILL}, name
        if row["paths"] == "none":
            assert f.actions("openat") == {ERRNO | 13}, name
    printed = harness.run(harness.program("katamichi-receiver"), "--sandbox-print").out
    for name, pid in pids.items():  # what the program says of itself is what the kernel has
        said = set(re.findall(r"(\w+)(?:\([^)]*\))?", re.search(rf"^{name}\n.*\n  calls: (.*)$", printed, re.M).group(1)))
        said = {w for w in said if w in Filter(pid).calls}
        assert said >= Filter(pid).allowed(), (name, Filter(pid).allowed() - said)


def test_writes_of_the_link_process(running):
    """write() and writev(): only to standard error, the two other processes and its own events; never to descriptor 3."""
    site, pids = running
    f = Filter(pids["receiver: link"])

    def on(number, fd):
        """The actions when the first argument is known."""
        program = f.program
        found, todo = set(), [(0, None)]
        while todo:
            at, a = todo.pop()
            code, jt, jf, k = program[at]
            if code == 0x20:
                todo.append((at + 1, {0: number, 4: f.arch, 16: fd, 20: 0}.get(k)))
            elif code == 0x06:
                found.add(k)
            elif code == 0x05:
                todo.append((at + 1 + k, a))
            elif code == 0x54:
                todo.append((at + 1, None if a is None else a & k))
            else:
                yes = None if a is None else {0x15: a == k, 0x25: a > k, 0x35: a >= k, 0x45: a & k != 0}[code]
                todo += [(at + 1 + j, a) for j, want in ((jt, True), (jf, False)) if yes is None or yes == want]
        return found

    links = {fd: os.readlink(f"/proc/{pids['receiver: link']}/fd/{fd}") for fd in os.listdir(f"/proc/{pids['receiver: link']}/fd")}
    assert links["3"].startswith("socket:")
    for call in ("write", "writev"):
        for fd in range(0, 4096):
            may = ALLOW in on(f.calls[call], fd)
            what = links.get(str(fd), "")
            assert may <= (fd == 2 or fd in (4, 5) or "eventfd" in what), f"{call} to {fd}: {what}"
        assert on(f.calls[call], 3) == {KILL}
    for call in ("pwrite64", "pwritev", "ftruncate"):
        assert on(f.calls[call], 3) == {KILL} and on(f.calls[call], 9) == {ALLOW}, call


def test_what_the_kernel_says_of_each(running):
    site, pids = running
    rows = readme_rows()
    for name, pid in pids.items():
        for task in os.listdir(f"/proc/{pid}/task"):
            s = status_of(f"{pid}/task/{task}")
            assert (s["Seccomp"], s["NoNewPrivs"]) == ("2", "1"), f"{name}: {s['Seccomp']} {s['NoNewPrivs']}"
            left = int(s["CapEff"], 16) | int(s["CapPrm"], 16) | int(s["CapInh"], 16) | int(s["CapAmb"], 16)
            names = {1: "CAP_DAC_OVERRIDE", 3: "CAP_FOWNER", 14: "CAP_IPC_LOCK", 28: "CAP_LEASE"}
            assert left & ~sum(1 << b for b in names) == 0, f"{name}: {left:x}"
            assert {n for b, n in names.items() if left >> b & 1} <= listed(row_caps(rows[name])), f"{name}: {left:x}"
        assert not os.path.exists(f"/proc/{pid}/root/proc/nothing")
        with open(f"/proc/{pid}/limits") as f:
            assert re.search(r"Max core file size +0 +0 ", f.read()), name
        # Not dumpable: everything of it in /proc belongs to root.
        assert os.stat(f"/proc/{pid}/mem").st_uid == 0


def row_caps(row):
    return row["capabilities"]


# --- escapes ---
MUST_WORK = {  # in the control: what shows that the attempts are real ones
    "receiver: link": {"sendto", "sendmsg", "sendmmsg", "connect", "write", "writev", "copied", "copied-in-place", "sendfile", "ioctl"},
    "": {"udp", "unix", "pair", "passwd", "key", "file", "directory", "remove", "link", "own-memory", "process", "program", "signal",
         "signal-self", "take-descriptor", "limit", "user", "group", "mount", "root", "network", "dumpable", "filter", "code", "code-later",
         "memory-file", "pipe", "event"},
}


def escaping(site, monkeypatch, **env):
    monkeypatch.setattr(harness, "program", lambda name, real=harness.program: real(
        "escape/" + name if name in ("katamichi-sender", "katamichi-receiver") else name))
    os.makedirs(site.path("outside"), exist_ok=True)
    for key, value in dict(PEER=site.net.sender, KEY=site.path("keys/receiver.key"), FILE=site.path("outside/file"),
                           DIR=site.path("outside/dir"), LINK=site.path("outside/link"), **env).items():
        monkeypatch.setenv(f"KATAMICHI_ESCAPE_{key}" if key != "WHAT" else "KATAMICHI_ESCAPE", value)


def results(site):
    """{process: {attempt: worked}}"""
    found = {}
    for side, daemon in (("sender", site.sender), ("receiver", site.receiver)):
        for role, name, how in re.findall(r"\[(\w+)\] \w+: escape (\S+) (WORKED|refused)", daemon.text()):
            found.setdefault(f"{side}: {role}", {})[name] = how == "WORKED"
    return found


def test_escapes_are_refused(site, monkeypatch):
    """Fifty ways out, tried by each process; files cross all the same."""
    escaping(site, monkeypatch, WHAT="count")
    site.start(**SCANNED)
    site.put("bulk", "表.csv", samples.table(20))
    site.wait_delivered()
    found = results(site)
    assert sorted(found) == sorted(PROCESSES)
    for process, tried in found.items():
        worked = {name for name, yes in tried.items() if yes}
        assert worked == set(), f"{process}: {worked}"
        assert len(tried) >= (50 if process == "receiver: link" else 39), f"{process}: {len(tried)} attempts"
    assert os.listdir(site.path("outside")) == []


def test_escapes_would_work(net, tmp_path, monkeypatch):
    """The control: the same attempts of the same processes without the sandbox; and the frames of the link process are seen."""
    site = harness.Site(tmp_path, net)
    try:
        if not harness.may_administer():
            pytest.skip("who is not root can do less")
        escaping(site, monkeypatch, WHAT="count")
        site.options = ["--no-sandbox"]
        site.start(**SCANNED)
        found = results(site)
        for process in PROCESSES:
            worked = {name for name, yes in found[process].items() if yes}
            # What one process made or removed is there, or gone, for the next.
            missing = (MUST_WORK[""] | MUST_WORK.get(process, set())) & set(found[process]) - worked - {"directory", "link", "file", "remove"}
            if not harness.is_host_root():
                missing -= {"user", "group"}  # a namespace of one's own has no others
            assert missing == set(), f"{process} could not: {missing}"
        for name in ("directory", "link", "file", "remove"):
            assert any(found[p].get(name) for p in PROCESSES), name
        if net.real:
            assert net.frames_back()[0] > 0, "what the link process sent was not seen: check_one_way() proves nothing"
    finally:
        harness.Process.end_all()
        shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize("process", PROCESSES)
def test_an_attempt_kills(net, tmp_path, monkeypatch, process):
    """As in the product: the process is killed at once, the service ends with one line that says why."""
    site = harness.Site(tmp_path, net)
    side = process.split(":")[0]
    try:
        escaping(site, monkeypatch, WHAT="udp", PROCESS=process)
        site.configure(**SCANNED)
        log = site.path(f"{side}.log")
        at = net.at("s" if side == "sender" else "r")
        p = harness.Process(side, at + [harness.program(f"katamichi-{side}"), "-c", site.path(f"{side}.conf")], log)
        harness.wait_until("its end", lambda: p.poll() is not None, 20)
        assert p.poll() == 70, p.tail()
        lines = [line for line in p.text().splitlines() if "sandbox" in line]
        assert len(lines) == 1 and f"process {process.split(': ')[1]} " in lines[0] and "was killed" in lines[0], p.tail()
        assert "WORKED" not in p.text() and "escape" not in p.text()
    finally:
        harness.Process.end_all()
        shutil.rmtree(tmp_path, ignore_errors=True)


def test_without(site):
    """--no-sandbox: everything works, both say so in the log and in their status, and nothing confines them."""
    site.options = ["--no-sandbox"]
    site.start()
    site.put("eltax", "表.csv", samples.table(20))
    site.put_random("bulk", "4MB.bin", 4 << 20)
    site.wait_delivered()
    site.check_inbox()
    for side, daemon in (("sender", site.sender), ("receiver", site.receiver)):
        assert "--no-sandbox" in daemon.text()
        said = harness.wait_until("its status", lambda: harness.katamichi("status", "-c", site.path(f"{side}.conf"), ok=False).out)
        assert "--no-sandbox" in said, said
    if os.geteuid() == 0:
        site.receiver.stop()
        site.configure(**SCANNED)
        site.start_receiver()
        assert all(status_of(pid)["Seccomp"] == "0" for pid in of(site).values())


def test_status_is_silent_about_it_otherwise(site):
    site.start()
    for side in ("sender", "receiver"):
        said = harness.wait_until("its status", lambda: harness.katamichi("status", "-c", site.path(f"{side}.conf"), ok=False).out)
        assert "sandbox" not in said, said


def test_stopped_and_continued(site):
    """A stop in the middle of any wait is carried on by the kernel with a call of its own (restart_syscall)."""
    site.start()
    for daemon in site.daemons():
        for pid in daemon.processes():
            os.kill(pid, signal.SIGSTOP)
            os.kill(pid, signal.SIGCONT)
    site.put("eltax", "表.csv", samples.table(20))
    site.wait_delivered()
    site.check_inbox()
