"""Exit codes as they are documented: each command is driven into each code that its --help names, and no other code is met.

The man page katamichi(1) is that help; of the services their help and man pages in both languages are compared, and of all the README.
"""
import json
import os
import re
import signal
import socket
import subprocess

import harness
from harness import katamichi, program, wait_until
from spoken import ENGLISH, JAPANESE, commands, put_and_lose, said

DECIDE = ["--operator", "山田", "--reason", "確認済み"]
DIODE = os.path.join(harness.TOP, "tests/data/diode.ini")


def documented(text, head):
    return {int(n) for n in re.findall(r"(?:^|[,;、（(。] ?)(\d+) ", re.sub(r"\s+", " ", text.split(head)[1]).strip())}


def variant(site, name, new, change):
    with open(site.path(name)) as f:
        text = change(f.read())
    with open(site.path(new), "w") as f:
        f.write(text)
    return ["-c", site.path(new)]


class Configurations:
    """Of one end: as it is, with a fault in it, with keys that are none, not there, with a database that is none, of a host that never ran."""

    def __init__(self, site, end):
        name = end + ".conf"
        self.good = ["-c", site.path(name)]
        self.wrong = variant(site, name, "wrong-" + name, lambda t: t + "[nonsense]\n")
        self.keys = variant(site, name, "keys-" + name, lambda t: t.replace("keys/", "no-keys/"))
        self.nowhere = ["-c", site.path("nowhere.conf")]
        self.damaged = variant(site, name, "damaged-" + name, lambda t: t.replace(end + "-state", "damaged"))
        self.never = variant(site, name, "never-" + name, lambda t: t.replace(end + "-state", "never"))

    def rows(self, name, more, zero, one=None, without=()):
        """(command, arguments, code): zero and one are whole argument lists; no key is asked for where 4 is in without."""
        all_of = [(2, [*self.good, *more, "--no-such-option"]), (3, [*self.wrong, *more]), (4, [*self.keys, *more]), (5, [*self.nowhere, *more]),
                  (6, [*self.damaged, *more]), (0, zero), (1, one)]
        return [(name, argv, code) for code, argv in all_of if code not in without and argv is not None]


def damage(site):
    os.makedirs(site.path("damaged/ledger"))
    os.makedirs(site.path("no-keys"))
    for name in ("ledger/ledger.db", "outbox.db", "status.json"):
        with open(site.path("damaged", name), "wb") as f:
            f.write(b"nonsense" * 1000)
    for name in ("sender.key", "receiver.key", "sender.pub", "receiver.pub"):
        with open(site.path("no-keys", name), "w") as f:
            f.write("nonsense")


def of_the_receiver(site, entry):
    c = Configurations(site, "receiver")
    there = site.path("inbox/eltax/00000001")
    today, nothing = ["--day", "today"], ["--day", "2001-01-01"]
    return [
        *c.rows("status", [], c.good, without=(1, 4, 5)), ("status", c.never, 5),
        *c.rows("watch", ["--json", "--once"], [*c.good, "--json", "--once"]),
        *c.rows("list", [], c.good, [*c.good, *nothing]),
        *c.rows("show", ["eltax", "1"], [*c.good, "eltax", "1"], [*c.good, "eltax", "99"]),
        *c.rows("gaps", [], None, c.good),
        *c.rows("closings", [], None, c.good),
        *c.rows("quarantine list", [], None, c.good, without=(4,)),
        *c.rows("quarantine show", [entry], [*c.good, entry], [*c.good, "none"], without=(4,)),
        *c.rows("quarantine release", [*DECIDE, "none"], None, [*c.good, *DECIDE, "none"], without=(4,)),
        *c.rows("quarantine discard", [*DECIDE, "none"], [*c.good, *DECIDE, entry], [*c.good, *DECIDE, "none"], without=(4,)),
        *c.rows("verify", [there], [*c.good, there], ["--sender", site.path("keys/sender.pub"), site.path("inbox")], without=(5,)),
        ("verify", [site.path("nowhere")], 5),
        *c.rows("ledger verify", [], c.good, without=(5,)), ("ledger verify", c.never, 5),
        *c.rows("ledger checkpoint", [], c.good, without=(4,)),
        *c.rows("ledger export", [], c.good, without=(4,)),
        *c.rows("report", today, [*c.good, *today]),
        *c.rows("doctor", [], None, c.good, without=(4,)),
        *c.rows("key retired", [], c.good, without=(4,)),
        ("key retired", variant(site, "receiver.conf", "retired.conf", lambda t: t + "[retired old]\nkey = no-keys/receiver.key\nsince = 2026-01-05\n"), 4),
        *c.rows("link reset-epoch", [*DECIDE, "mihon"], [*c.good, *DECIDE, "mihon"]),
        *c.rows("key revoke", [*DECIDE, "mihon"], [*c.good, *DECIDE, "mihon"]),
        *c.rows("settle", [*DECIDE, "eltax", "2"], None, [*c.good, *DECIDE, "eltax", "99"]),
    ]


def of_ends_that_do_not_run(site):
    r = ["-c", site.path("receiver.conf")]
    return [("close", ["-c", site.path("sender.conf")], 1), ("ledger checkpoint", r, 1), ("key revoke", [*r, *DECIDE, "mihon"], 1),
            ("link reset-epoch", [*r, *DECIDE, "mihon"], 1)]


def of_the_sender(site, slip):
    c = Configurations(site, "sender")
    new, keys = site.path("new"), site.path("keys")
    plan = ["--size", "1G"]
    return [
        *c.rows("resend", [slip], [*c.good, slip, "--yes"], [*c.good, slip[:-1]]),
        *c.rows("close", [], c.good, without=(4,)),
        *c.rows("key rotate", [], c.good, without=(4, 6)), ("key rotate", c.good, 4),
        ("restore", c.good, 5), *c.rows("restore", [], None, without=(4, 5)),
        ("keygen", ["sender", new], 0), ("keygen", ["judge"], 2), ("keygen", ["sender", keys], 4), ("keygen", ["sender", site.path("sender.conf/x")], 5),
        ("key show", [keys + "/sender.pub"], 0), ("key show", [], 2), ("key show", [site.path("sender.conf")], 4),
        ("config check", c.good[1:], 0), ("config check", c.never[1:], 1), ("config check", [], 2), ("config check", c.wrong[1:], 3), ("config check", [new], 5),
        ("plan", plan, 0), ("plan", ["--size", "x"], 2),
        ("link-test receive", ["--listen", "127.0.0.1:5199", "--out", site.path("measured"), "--seconds", "0.1"], 1),
        ("link-test receive", ["--listen", "10.99.0.1:5199", "--out", site.path("measured2"), "--seconds", "0.1"], 5), ("link-test receive", [], 2),
        ("link-test send", ["--to", "127.0.0.1:5198", "--rates", "10M", "--seconds", "0.1"], 0), ("link-test send", ["--to", "x"], 2),
        ("link-test send", ["--to", "255.255.255.255:5198", "--rates", "10M", "--seconds", "0.1"], 5),
        ("firmware-config", [DIODE], 0), ("firmware-config", [], 2), ("firmware-config", c.good[1:], 3), ("firmware-config", [site.path("nowhere")], 5),
        ("completion", ["bash"], 0), ("completion", ["fish"], 2),
    ]


# What takes more to come to than a line: where it is shown.
ELSEWHERE = {("report", 1): "test_report", ("ledger verify", 1): "test_ledger", ("doctor", 0): "test_doctor", ("link-test receive", 0): "test_link_test",
             ("link-test send", 1): "test_broken_off", ("plan", 1): "unit test_plan: no value that the options take comes to it", ("restore", 0): "test_tool_decisions", ("quarantine release", 0): "test_tool_decisions",
             ("settle", 0): "test_longer_than_the_retention", ("gaps", 0): "test_when_all_is_well", ("closings", 0): "test_when_all_is_well", ("quarantine list", 0): "test_when_all_is_well"}


def not_as_documented(rows, met):
    wrong = []
    for name, argv, code in rows:
        got, text = said(ENGLISH, program("katamichi"), *name.split(), *argv)
        met.add((name, got))
        if got != code:
            wrong.append(f"{name} {' '.join(argv)}: {got}, not {code}:\n{text[-300:]}")
    return wrong


def test_when_all_is_well(site):
    site.start()
    site.put("eltax", "一.csv", b"1\n")
    site.wait_delivered()
    katamichi("close", "-c", site.path("sender.conf"))
    wait_until("the closing in the ledger", lambda: [r for r in site.ledger() if r["event"] == "closing"], 20)
    r = ["-c", site.path("receiver.conf")]
    assert not not_as_documented([("gaps", r, 0), ("gaps", [*r, "--slip"], 1), ("closings", r, 0), ("quarantine list", r, 0)], set())


def test_broken_off():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(20)
        send = subprocess.Popen([program("katamichi"), "link-test", "send", "--to", "127.0.0.1:%d" % there.getsockname()[1], "--rates", "1M", "--seconds", "60"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        there.recv(65536)
        send.send_signal(signal.SIGINT)
        assert send.wait(20) == 1


def codes_of_page(path):
    with open(os.path.join(harness.TOP, path), encoding="utf-8") as f:
        status = f.read().split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    return {int(n) for n in re.findall(r"^\.It (\d+)", status, re.M)}


def test_codes_of_services(site):
    """Driven into each, but for 0 and 70, with which every end-to-end test and test_restart's deaths end; and one list everywhere."""
    site.configure()
    damage(site)
    wrong = []
    for end in ("sender", "receiver"):
        c, service = Configurations(site, end), program("katamichi-" + end)
        for argv, code in (["--no-such-option"], 2), (c.wrong, 3), (c.keys, 4), (c.nowhere, 5), (c.damaged, 6):
            got, text = said(ENGLISH, *site.net.at(end[0]), "timeout", "20", service, *argv)
            if got != code:
                wrong.append(f"{end} {argv}: {got}, not {code}: {text}")
        lists = [documented(said(language, service, "--help")[1], head) for language, head in ((ENGLISH, "Exit codes:"), (JAPANESE, "終了コード:"))]
        lists += [codes_of_page(f"{end}/katamichi-{end}.8"), codes_of_page(f"{end}/ja/katamichi-{end}.8")]
        if [n for n in lists if n != {0, 2, 3, 4, 5, 6, 70}]:
            wrong.append(f"{end}: {lists}")
    assert not wrong, "\n".join(wrong)


def test_one_table():
    """exits.h, the READMEs and the tool's manual page have the same codes; 75 is not seen from outside."""
    with open(os.path.join(harness.TOP, "common/host/exits.h"), encoding="utf-8") as f:
        codes = {int(n) for n in re.findall(r"EXIT_\w+ = (\d+)", f.read())} - {75}
    for name, head in ("README.md", "## Exit codes"), ("README.ja.md", "## 終了コード"):
        with open(os.path.join(harness.TOP, name), encoding="utf-8") as f:
            assert {int(n) for n in re.findall(r"^\| (\d+) \|", f.read().split(head)[1].split("\n## ")[0], re.M)} == codes, name
    with open(os.path.join(harness.TOP, "tools/packaging/manual.sh"), encoding="utf-8") as f:
        for status in f.read().split(".Sh EXIT STATUS")[1:]:
            assert {int(n) for n in re.findall(r"^\.It (\d+)", status.split(".Sh")[0], re.M)} == codes


def test_each_code_that_is_documented(site):
    entry = put_and_lose(site)
    slip = json.loads(katamichi("gaps", "-c", site.path("receiver.conf"), "--slip", "--json").out)[0]["code"]
    damage(site)
    met = set()
    wrong = not_as_documented(of_the_sender(site, slip) + of_the_receiver(site, entry), met)
    site.stop()
    wrong += not_as_documented(of_ends_that_do_not_run(site), met)
    codes = set()
    for name in commands():
        here = {language["LANG" if "LANG" in language else "LC_ALL"]: documented(said(language, program("katamichi"), *name.split(), "--help")[1], head)
                for language, head in ((ENGLISH, "Exit codes:"), (JAPANESE, "終了コード:"))}
        if len(set(map(frozenset, here.values()))) != 1:
            wrong.append(f"{name}: documented {here}")
        codes |= {(name, n) for n in here["C"]}
    wrong += [f"documented, and not come to: {row}" for row in sorted(codes - met - set(ELSEWHERE))]
    wrong += [f"not documented: {row}" for row in sorted(met - codes)]
    assert not wrong, "\n".join(wrong)
