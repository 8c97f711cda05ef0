"""Bad input of every kind: one clear line, the right exit code, nothing half-started."""
import json
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

import harness
import samples

DAEMONS = ("sender", "receiver")


def snapshot(top):
    return {os.path.join(b, n) for b, ds, fs in os.walk(top) for n in ds + fs}


def refused(site, daemon, code, *words, configured=True, wrapper=()):
    """Start a daemon that must not start."""
    if configured:
        site.configure()
    before = snapshot(site.top)
    side = daemon[0]
    argv = site.net.at(side) + list(wrapper) + [harness.program(f"katamichi-{daemon}"), "-c", site.path(f"{daemon}.conf")]
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        out = p.communicate(timeout=10)[0].decode("utf-8", "backslashreplace")
    except subprocess.TimeoutExpired:
        for pid in harness.children(p.pid) + [p.pid]:
            os.kill(pid, 9)
        raise AssertionError("it started") from None
    assert p.returncode == code, f"exit code {p.returncode}, not {code}: {out}"
    assert not re.search(r"\bready\b", out)
    lines = [line for line in out.splitlines() if line.strip()]
    assert len(lines) == 1, f"one clear line, not {len(lines)}:\n{out}"
    for word in words:
        assert re.search(word, lines[0]), f"{word} is not in: {lines[0]}"

    def left():
        return [c for c in map(harness.Process.command, map(int, filter(str.isdigit, os.listdir("/proc")))) if site.top in c]
    harness.wait_until("the end of its processes", lambda: left() == [], 5)
    made = snapshot(site.top) - before
    assert not made, f"files were made: {made}"
    return lines[0]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_missing_key(site, daemon):
    os.unlink(site.path(f"keys/{daemon}.key"))
    refused(site, daemon, 4, rf"keys/{daemon}\.key")


@pytest.mark.parametrize("daemon,peer", [("sender", "receiver"), ("receiver", "sender")])
def test_missing_peer(site, daemon, peer):
    os.unlink(site.path(f"keys/{peer}.pub"))
    refused(site, daemon, 4, rf"keys/{peer}\.pub")


@pytest.mark.parametrize("daemon", DAEMONS)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604], ids=oct)
def test_key_others_can_read(site, daemon, mode):
    os.chmod(site.path(f"keys/{daemon}.key"), mode)
    refused(site, daemon, 4, rf"keys/{daemon}\.key", "mode|permission|0600|chmod")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_key_of_another_user(site, daemon):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    try:
        os.chown(site.path(f"keys/{daemon}.key"), 1, 1)
    except OSError:
        pytest.skip("no second user here")
    refused(site, daemon, 4, rf"keys/{daemon}\.key", "own")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_damaged_key(site, daemon):
    path = site.path(f"keys/{daemon}.key")
    with open(path, "r+b") as f:
        f.truncate(os.path.getsize(path) // 2)
    refused(site, daemon, 4, rf"keys/{daemon}\.key")


@pytest.mark.parametrize("daemon", DAEMONS)
def test_key_of_the_other_role(site, daemon):
    other = "receiver" if daemon == "sender" else "sender"
    shutil.copy(site.path(f"keys/{other}.key"), site.path(f"keys/{daemon}.key"))
    os.chmod(site.path(f"keys/{daemon}.key"), 0o600)
    refused(site, daemon, 4, rf"keys/{daemon}\.key", "role|sender|receiver")


def test_folder_missing(site):
    shutil.rmtree(site.path("out/eltax"))
    refused(site, "sender", 5, "out/eltax")


def test_folder_is_a_file(site):
    shutil.rmtree(site.path("out/eltax"))
    open(site.path("out/eltax"), "w").close()
    refused(site, "sender", 5, "out/eltax")


def test_folder_unreadable(site):
    """As root this needs a root that may not read everything."""
    wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    os.chmod(site.path("out/eltax"), 0)
    refused(site, "sender", 5, "out/eltax", wrapper=wrapper)


def test_inbox_missing(site):
    shutil.rmtree(site.path("inbox"))
    refused(site, "receiver", 5, "inbox")


def test_port_in_use(site):
    argv = site.net.at("r") + [harness.sys.executable, "-c", "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                               f"s.bind(('{site.net.receiver}', 5150))\nprint('ready', flush=True)\ntime.sleep(60)"]
    blocker = harness.Process("blocker", argv, site.path("blocker.log"), ready="ready")
    refused(site, "receiver", 5, "5150", "in use")
    blocker.kill()


def test_address_not_here(site):
    refused_conf(site, "receiver", "listen = ", "listen = 10.99.99.99:5150", 5, r"10\.99\.99\.99")


def refused_conf(site, daemon, prefix, line, code, *words):
    """One line of the configuration replaced (or, where there is none, added at the end)."""
    site.configure()
    path = site.path(f"{daemon}.conf")
    with open(path) as f:
        lines = f.read().splitlines()
    at = next((i for i, old in enumerate(lines) if old.startswith(prefix)), None) if prefix else None
    if at is None:
        lines.append(line)
        at = len(lines) - 1
    else:
        lines[at] = line
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    where = [rf"{daemon}\.conf:{at + 1}:"] if code == 3 else []
    return refused(site, daemon, code, *where, *words, configured=False)


BAD_LINES = [
    ("sender", "rate = ", "rate = fast", "rate"),
    ("sender", "rate = ", "rate = 0", "rate"),
    ("sender", "rate = ", "rate = -1G", "rate"),
    ("sender", "loss = ", "loss = 100%", "loss"),
    ("sender", "loss = ", "loss = 1.5", "loss"),
    ("sender", "burst = ", "burst = 20", "burst"),
    ("sender", "failure = ", "failure = 0", "failure"),
    ("sender", "mtu = ", "mtu = 70000", "mtu"),
    ("sender", "mtu = ", "mtu = 100", "mtu"),
    ("sender", "destination = ", "destination = zone.example:5150", "destination"),
    ("sender", "destination = ", "destination = 10.77.0.2", "destination"),
    ("sender", "destination = ", "destination = 10.77.0.2:70000", "destination"),
    ("sender", "repeat = ", "repeat = now", "repeat"),
    ("sender", "retention = ", "retention = 14 days", "retention"),
    ("sender", "retention = ", "retentoin = 14d", "retentoin"),
    ("sender", "", "[chanel eltax]", "chanel"),
    ("sender", "", "[channel El_Tax]", "El_Tax|channel"),
    ("sender", "", "[channel ../inbox]", "inbox|channel"),
    ("sender", "", "no equals sign", ""),
    ("receiver", "listen = ", "listen = 5150", "listen"),
    ("receiver", "listen = ", "listen = 10.77.0.2:0", "listen"),
    ("receiver", "buffer = ", "buffer = lots", "buffer"),
    ("receiver", "buffer = ", "bufer = 64M", "bufer"),
    ("receiver", "max_file = ", "max_file = 4X", "max_file"),
    ("receiver", "", "[peer mihon]\nkey = keys/sender.pub", ""),
]


@pytest.mark.parametrize("daemon,prefix,line,word", BAD_LINES, ids=[f"{b[0]}: {b[2]}".replace("\n", " / ") for b in BAD_LINES])
def test_bad_configuration(site, daemon, prefix, line, word):
    refused_conf(site, daemon, prefix, line, 3, word)


def test_configuration_missing(site):
    site.configure()
    os.unlink(site.path("sender.conf"))
    refused(site, "sender", 5, r"sender\.conf", configured=False)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_configuration_is_a_pipe(site, daemon):
    """Nobody writes into it: an error, not a wait."""
    site.configure()
    os.unlink(site.path(f"{daemon}.conf"))
    os.mkfifo(site.path(f"{daemon}.conf"))
    refused(site, daemon, 5, rf"{daemon}\.conf", configured=False)


PLACES = {
    "outbox": ("state = sender-state", "state = out/eltax/state", "eltax"),
    "the same as the outbox": ("state = sender-state", "state = out/eltax", "eltax"),
    "key": ("keys = keys/sender.key", "keys = out/pittari/sender.key", "pittari"),
    "witness": ("state = sender-state", "state = sender-state\nwitness = out/eltax/witness", "eltax"),
    "other channels": ("[channel bulk]", "[channel bulk]\nfolder = out", "bulk"),
    "the same folder": ("[channel eltax]", "[channel eltax]\nfolder = out/pittari/", "pittari"),
    "the same folder by a link": ("[channel eltax]", "[channel eltax]\nfolder = link", "pittari"),
    "in the outbox": ("[channel eltax]", "[channel eltax]\nfolder = sender-state/objects/x", "eltax"),
}


@pytest.mark.parametrize("case", PLACES)
def test_places(site, case):
    """A channel's folder holds nothing of the program's own, and no other channel: all of it would be sent and erased."""
    before, after, channel = PLACES[case]
    site.configure()
    os.symlink("out/pittari", site.path("link"))
    os.makedirs(site.path("sender-state/objects/x"))
    shutil.copy(site.path("keys/sender.key"), site.path("out/pittari"))
    harness.edit(site.path("sender.conf"), (before, after))
    refused(site, "sender", 3, r"sender\.conf: .*\b" + channel, "place of its own", configured=False)
    done = harness.katamichi("config", "check", site.path("sender.conf"), ok=False)
    assert done.returncode == 3 and "place of its own" in done.err
    assert harness.katamichi("config", "check", "--file-only", site.path("sender.conf"), ok=False).returncode == 0


def test_config_check(site):
    """The same verdict without starting anything."""
    site.configure()
    for daemon in DAEMONS:
        harness.katamichi("config", "check", site.path(f"{daemon}.conf"))
    with open(site.path("sender.conf"), "a") as f:
        f.write("nonsense = 1\n")
    done = harness.katamichi("config", "check", site.path("sender.conf"), ok=False)
    assert done.returncode == 3 and re.search(r"sender\.conf:\d+:", done.out + done.err)


def test_keygen_overwrites_nothing(site):
    with open(site.path("keys/sender.key"), "rb") as f:
        before = f.read()
    done = harness.katamichi("keygen", "sender", site.path("keys"), ok=False)
    assert done.returncode not in (0, 70) and "sender.key" in done.err
    with open(site.path("keys/sender.key"), "rb") as f:
        assert f.read() == before
    assert os.stat(site.path("keys/sender.key")).st_mode & 0o777 == 0o600


# --- wrong keys ---
def other_keys(site, role):
    other = site.path("other")
    os.makedirs(other, mode=0o700, exist_ok=True)
    harness.katamichi("keygen", role, other)
    return other


def refused_and_said(site):
    """What the sender sends is of no session that this receiver takes: it says so, and nothing comes of it."""
    site.put("eltax", "秘密.csv", samples.table(3))
    harness.wait_until("an alarm", lambda: re.search(r"ALARM: \d+ HELLO datagrams refused: from a sender that is not pinned here, or for "
                       "another receiver or psk", site.receiver.text()), 20, alive=site.daemons())
    time.sleep(2)
    site.check_nothing_published()


def test_receiver_pins_another_sender(site):
    shutil.copy(os.path.join(other_keys(site, "sender"), "sender.pub"), site.path("keys/pinned.pub"))
    site.configure()
    harness.edit(site.path("receiver.conf"), ("key = keys/sender.pub", "key = keys/pinned.pub"))
    site.start_receiver()
    site.start_sender()
    refused_and_said(site)


def test_sender_seals_to_another_receiver(site):
    shutil.copy(os.path.join(other_keys(site, "receiver"), "receiver.pub"), site.path("keys/receiver.pub"))
    site.start()
    refused_and_said(site)


def test_psk_on_one_side_only(site):
    with open(site.path("keys/link.psk"), "wb") as f:
        f.write(os.urandom(32).hex().encode() + b"\n")
    os.chmod(site.path("keys/link.psk"), 0o600)
    site.start(receiver_more="psk = keys/link.psk\n")
    refused_and_said(site)
    site.sender.stop()
    # and with the same psk on both sides it crosses
    site.configure(sender_more="psk = keys/link.psk\n", repeat="1s 1s")
    site.start_sender()
    site.sent.clear()
    site.put("eltax", "公開.csv", samples.table(4))
    site.wait_delivered()


def test_channel_not_configured_at_the_receiver(site):
    """The zone decides what it takes."""
    site.configure()
    harness.edit(site.path("receiver.conf"), ("[channel pittari]\ncontent = any\n", ""))
    site.start_receiver()
    site.start_sender()
    site.put("pittari", "招かれざる.txt", b"x\n")
    site.put("eltax", "招かれた.csv", samples.table(2))
    harness.wait_until("the other channel", lambda: any(c == "eltax" for c, _, _ in site.deliveries()), 20, alive=site.daemons())
    time.sleep(1)
    assert {c for c, _, _ in site.deliveries()} == {"eltax"}
    harness.wait_until("a word of it", lambda: re.search(r"(?i)pittari", site.receiver.text()), alive=site.daemons())


def test_settled_stays_settled(site):
    """The sender knows nothing of a decision in the zone and repeats what was refused: nobody is told of it again."""
    site.configure(repeat="3s 3s 3s")
    harness.edit(site.path("receiver.conf"), ("[channel eltax]", "[channel eltax]\nmax_file = 1K"))
    site.start_receiver()
    site.start_sender()
    site.put("eltax", "大きい.csv", samples.table(200))
    site.sent.clear()
    gaps = ["gaps", "-c", site.path("receiver.conf"), "--json"]

    def aside():
        return [a["number"] for a in json.loads(harness.katamichi(*gaps, ok=False).out)["aside"]]

    harness.wait_until("the refused number", lambda: aside() == [1], 20, alive=site.daemons())
    harness.katamichi("settle", "-c", site.path("receiver.conf"), "--operator", "山田", "--reason", "紙で受領済み", "eltax", "1")

    def came():
        return int(harness.run("sqlite3", f"file:{site.path('receiver-state/ledger/ledger.db')}?mode=ro", "SELECT max(times) FROM trouble").out)

    before, said = came(), site.receiver.text().count("afresh")
    harness.wait_until("its repeat", lambda: came() > before, 20, alive=site.daemons())
    assert aside() == [] and harness.katamichi(*gaps).returncode == 0
    assert site.receiver.text().count("afresh") == said
    assert [r["event"] for r in site.ledger()].count("refused") == 1


# --- what admission refuses ---
def refusals(site):
    """{name: reason} of everything below the spool that was refused."""
    found = {}
    for base, dirs, files in os.walk(os.fsencode(site.path("out"))):
        if b"refused" in base.split(b"/"):
            for name in files + dirs:
                found[name] = os.path.join(base, name)
    return found


def wait_refused(site, name):
    """The file or folder stands in refused/ and a reason beside it."""
    name = os.fsencode(name)
    harness.wait_until(f"{name} in refused/", lambda: any(n.startswith(name) for n in refusals(site)), 20, alive=site.daemons())
    time.sleep(0.3)
    mine = {n: p for n, p in refusals(site).items() if n.startswith(name)}
    reasons = [p for n, p in mine.items() if n != name and os.path.isfile(p)]
    assert name in mine and reasons, f"no reason beside it: {mine}"
    with open(reasons[0], errors="backslashreplace") as f:
        text = f.read()
    assert text.strip()
    return text


def test_subfolder_is_refused(site):
    site.start()
    os.makedirs(site.path("staging/束"))
    with open(site.path("staging/束/一.csv"), "w") as f:
        f.write("x\n")
    os.rename(site.path("staging/束"), site.path("out/eltax/束"))
    assert re.search(r"(?i)folder|director", wait_refused(site, "束"))
    assert not os.path.exists(site.path("out/eltax/束"))
    site.put("eltax", "一.csv", samples.table(2))
    site.wait_delivered()
    site.check_inbox()


def test_too_big_is_refused(site):
    site.start(channel_more="max_file = 64K\n")
    site.put("eltax", "ちょうど.bin", b"z" * 65536)
    site.put("eltax", "一つ多い.bin", b"z" * 65537)
    site.sent.pop(("eltax", "一つ多い.bin".encode()))
    assert re.search(r"(?i)big|size|large|max_file|bytes", wait_refused(site, "一つ多い.bin"))
    site.wait_delivered()
    site.check_inbox()


def test_bad_names_are_refused(site):
    """Names that would hurt whoever opens the inbox."""
    site.start()
    names = [b"new\nline.csv", "右から\u202egpj.csv".encode(), b"back\\slash.csv", b"\xff\xfe\xfd.csv", "\ufeffbom.csv".encode(), b"esc\x1b[2J.csv"]
    for name in names:
        site.put("eltax", name, samples.table(1))
        site.sent.pop(("eltax", name))
    site.put("eltax", "普通.csv", samples.table(2))
    site.wait_delivered()
    harness.wait_until("all of them in refused/", lambda: not [n for n in os.listdir(os.fsencode(site.path("out/eltax"))) if n in names], 20,
                       alive=site.daemons())
    time.sleep(1)
    site.check_inbox()
    for name in names:
        wait_refused(site, name)


@pytest.mark.parametrize("sample", ["elf-named.pdf", "program-named.csv"])
def test_programs_are_refused(site, sample):
    """A program is a program, whatever it calls itself."""
    site.start()
    with open(os.path.join(samples.DATA, "bad", sample), "rb") as f:
        content = f.read()
    site.put("eltax", sample, content)
    site.sent.clear()
    assert re.search(r"(?i)program|executable|elf|MZ|PE", wait_refused(site, sample))
    site.check_nothing_published()


def test_unreadable(site):
    """A file that the sender may not read waits in the folder, said once in a while, and keeps nobody; it goes when it can be read."""
    if not harness.is_host_root():
        pytest.skip("only root can give a file away")
    site.configure()
    site.start_receiver()
    site.start_sender("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    closed = site.path("out/eltax/closed.csv")
    with open(site.path("staging/closed"), "wb") as f:
        f.write(samples.table(3))
    os.chmod(f.name, 0o600)
    os.chown(f.name, 12345, 12345)
    os.rename(f.name, closed)
    site.put("eltax", "open.csv", samples.table(2))
    site.wait_delivered()
    time.sleep(2)
    assert os.path.exists(closed) and site.sender.text().count("closed.csv") == 1, site.sender.tail()
    assert "closed.csv cannot be read: Permission denied" in site.sender.text()
    status = harness.katamichi("status", "-c", site.path("sender.conf")).out
    assert "eltax: closed.csv cannot be read: Permission denied" in status and "Files wait that" in status, status
    told = json.loads(harness.katamichi("status", "-c", site.path("sender.conf"), "--json").out)
    assert [c.get("trouble", {}).get("name") for c in told["channels"][:2]] == ["closed.csv", None] and "waits" in [t["code"] for t in told["todo"]]
    os.chmod(closed, 0o644)
    site.sent["eltax", b"closed.csv"] = harness.sha256_file(closed)
    site.wait_delivered(15)
    harness.wait_until("nothing to wait", lambda: "closed.csv" not in harness.katamichi("status", "-c", site.path("sender.conf")).out, 30)

    def waiting():
        return "eltax: . cannot be read: Permission denied" in harness.katamichi("status", "-c", site.path("sender.conf")).out
    os.chmod(site.path("out/eltax"), 0o300)  # nobody can list it any more
    harness.wait_until("the folder's status", waiting, alive=site.daemons())
    time.sleep(6)
    assert len(re.findall("eltax: . cannot be read: Permission denied; trying again", site.sender.text())) <= 1, "once a minute"
    os.chmod(site.path("out/eltax"), 0o700)
    harness.wait_until("nothing to wait", lambda: not waiting(), alive=site.daemons())
    site.check_inbox()


def test_refused_and_not_to_be_moved(site):
    """Something stands where refused/ has to be: each file is tried again, which is said once in a while, and in the status."""
    site.start()
    out = site.path("out/eltax")
    os.rename(os.path.join(out, "refused"), site.path("refused-before"))
    with open(os.path.join(out, "refused"), "w"):
        pass
    with open(os.path.join(samples.DATA, "bad", "program-named.csv"), "rb") as f:
        content = f.read()
    names = [f"program{n}.csv" for n in range(20)]
    for name in names:
        site.put("eltax", name, content)
        site.sent.pop(("eltax", name.encode()), None)
    harness.wait_until("the complaint", lambda: "cannot be moved to refused/" in site.sender.text(), 20, alive=site.daemons())
    time.sleep(7)
    assert site.sender.text().count("cannot be moved to refused/") == 1, site.sender.tail()
    assert re.search(r"eltax: program\d+\.csv is refused, but cannot be moved", harness.katamichi("status", "-c", site.path("sender.conf")).out)
    os.unlink(os.path.join(out, "refused"))
    os.rename(site.path("refused-before"), os.path.join(out, "refused"))
    for name in names:
        wait_refused(site, name)


def test_as_many_channels_as_there_may_be(site):
    """64, and the program's own: what watches their folders holds them all."""
    site.configure()
    with open(site.path("sender.conf")) as f:
        there = len(re.findall(r"^\[channel ", f.read(), re.M))
    for conf in ("sender.conf", "receiver.conf"):
        with open(site.path(conf), "a") as f:
            f.writelines(f"[channel more{n}]\n" for n in range(64 - there))
    for n in range(64 - there):
        os.mkdir(site.path(f"out/more{n}"))
    site.start_receiver()
    site.start_sender()
    site.put(f"more{63 - there}", "一.csv", samples.table(2))
    site.wait_delivered()


def test_odd_files(site):
    """Links, pipes and sockets never cross, hang nothing and harm nothing."""
    site.start()
    out = site.path("out/eltax")
    os.symlink("/etc/passwd", os.path.join(out, "link.csv"))
    os.mkfifo(os.path.join(out, "pipe.csv"))
    s = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(out)
    try:
        s.bind("sock.csv")
    finally:
        os.chdir(here)
    os.symlink("nowhere", os.path.join(out, "dangling.csv"))
    # The same renamed in, as a finished file is: nobody looks at that before it is opened.
    os.symlink("/etc/passwd", os.path.join(out, ".renamed-link"))
    os.mkfifo(os.path.join(out, ".renamed-pipe"))
    os.mkdir(os.path.join(out, ".renamed-folder"))
    for kind in ("link", "pipe", "folder"):
        os.rename(os.path.join(out, ".renamed-" + kind), os.path.join(out, f"renamed-{kind}.csv"))
    with open(os.path.join(out, ".hidden.csv"), "w") as f:
        f.write("a temporary name of somebody who is still writing\n")
    site.put("eltax", "普通.csv", samples.table(2))
    site.wait_delivered()
    time.sleep(3)
    site.check_inbox()
    assert os.path.exists(os.path.join(out, ".hidden.csv"))
    for name, why in (("link.csv", "symbolic link"), ("pipe.csv", "pipe"), ("sock.csv", "socket"), ("dangling.csv", "symbolic link"),
                      ("renamed-link.csv", "symbolic link"), ("renamed-pipe.csv", "pipe"), ("renamed-folder.csv", "folder")):
        with open(os.path.join(out, "refused", name + ".reason.txt")) as f:
            assert why in f.read()
        assert os.path.lexists(os.path.join(out, "refused", name)) and not os.path.lexists(os.path.join(out, name)), name
    assert open("/etc/passwd").read() and "cannot be moved" not in site.sender.text()
    s.close()
