"""--json of every subcommand: valid, the same in any language, with the fields that programs count on."""
import json
import os
import re
import shutil

import harness
from harness import katamichi, program, run
from spoken import ENGLISH, JAPANESE, KANA, LONG_NAME, commands, put_and_lose, said

# What prints no facts, but a script.
WITHOUT = {"completion"}


def parse(out):
    """One value; or one a line."""
    try:
        return json.loads(out)
    except ValueError:
        return [json.loads(line) for line in out.splitlines()]


def fields(value, before=""):
    """"key" of an object or an array's first object, "key.key" of what is in it."""
    value = value[0] if isinstance(value, list) and value else value
    found = set()
    for key, inner in value.items() if isinstance(value, dict) else ():
        found |= {before + key} | fields(inner, before + key + ".")
    return found


def calls(site, entry, slip):
    """(subcommand, arguments, exit code, fields).  A field may be added here; one that goes away breaks somebody's program."""
    s, r = ["-c", site.path("sender.conf")], ["-c", site.path("receiver.conf")]
    who = ["--operator", "山田", "--reason", "確認済み"]
    key = "role fingerprint id words.ja words.en"
    delivery = "row event at sender peer channel number generation manifest object dir bytes files checks"
    return [
        ("status", r, 0, "running fresh link channels disk ledger keys todo quarantined peers started"),
        ("status", s, 0, "running channels disk keys todo"),
        ("watch", [*r, "--after", "0", "--once"], 0, delivery),
        ("list", r, 0, delivery),
        ("list", s, 0, "channel number"),
        ("show", [*r, "eltax", "1"], 0, delivery + " names.name names.size names.sha256 here"),
        ("gaps", r, 1, "gaps aside partly gaps.channel gaps.peer gaps.generation gaps.first gaps.last gaps.since gaps.kept_from gaps.outlook gaps.why "
         "aside.channel aside.number aside.reason aside.where aside.since"),
        ("gaps", [*r, "--slip"], 0, "code channel"),
        ("closings", r, 1, "number peer kind closed readable channels.channel channels.generation channels.first channels.last channels.newest "
         "channels.here channels.missing channels.settled channels.aside channels.differs channels.lacking"),
        ("resend", [*s, slip], 1, "code made channel generation numbers objects files bytes gone unknown done"),
        ("close", s, 0, "written closing channels.channel channels.number"),
        ("quarantine list", r, 1, "entry state kept channel number at files bytes reason"),
        ("quarantine show", [*r, entry], 0, "entry state kept channel number at files bytes reason history where checks object manifest sender"),
        ("quarantine release", [*r, *who, entry], 0, "entry done another answer"),
        ("quarantine discard", [*r, *who, "none"], 1, "entry done another answer"),
        ("verify", ["--sender", site.path("keys/sender.pub"), site.path("inbox/eltax/00000001")], 0,
         "dir verified problems channel number files bytes receiver sender"),
        ("ledger verify", r, 0, "file holds rows hash checkpoints signed"),
        ("ledger checkpoint", r, 0, "at rows hash receiver signature"),
        ("ledger export", r, 0, "row hash entry"),
        ("report", [*r, "--day", "today"], 0, "period.label period.from period.until channels.channel channels.delivered rows.seq rows.entry missing.first missing.last ledger.holds "
         "ledger.rows"),
        ("doctor", r, 1, "id verdict subject ordinance jis facts"),
        ("keygen", ["sender", site.path("new")], 0, key + " secret public"),
        ("key show", [site.path("keys/sender.pub")], 0, key + " ed25519 x25519"),
        ("key rotate", s, 0, key + " secret public replaces"),
        ("key retired", ["-c", site.path("retired.conf")], 0, "name fingerprint secret may_go since from"),
        ("link reset-epoch", [*r, *who, "mihon"], 0, "peer done answer"),
        ("key revoke", [*r, *who, "mihon"], 0, "peer done answer"),
        ("config check", [site.path("sender.conf")], 0, "file end ok problems"),
        ("plan", ["--size", "1G"], 0, "size symbol wire loss failure burst_ns rate symbols blocks groups depth full last spacing_ns "
         "burst_symbols fail overhead"),
        ("link-test receive", ["--listen", "127.0.0.1:5199", "--out", site.path("measured"), "--seconds", "0.1"], 1,
         "@format listen from seconds buffer_asked buffer run proposal host kernel_drops"),
        ("link-test send", ["--to", "127.0.0.1:5198", "--rates", "1M", "--seconds", "0.2"], 0, "run datagram_bytes refused whole steps.rate steps.kept_rate steps.planned steps.sent"),
        ("firmware-config", [os.path.join(harness.TOP, "tests/data/diode.ini")], 0,
         "sender.mac sender.ip sender.device receiver.mac ingress.mac egress.mac port mtu datagram_bytes rate burst_ns identity"),
        ("settle", [*r, *who, "--anyway", "eltax", "2"], 0, "channel done answer"),
    ]


def translated(out):
    """What is Japanese in it and neither a name that was given nor a fingerprint's words; "" if nothing is."""
    given = re.sub("|".join([re.escape(LONG_NAME), "申請書", "不正", "見本市", "フォルダー", "山田", "紛失", "確認済み", r'"ja": *(\[[^]]*\]|"[^"]*")']), "", out)
    found = KANA.search(given)
    return given[max(0, found.start() - 80):found.start() + 40] if found else ""


def test_every_command_has_facts(site):
    entry = put_and_lose(site)
    slip = json.loads(katamichi("gaps", "-c", site.path("receiver.conf"), "--slip", "--json").out)[0]["code"]
    shutil.copy(site.path("receiver.conf"), site.path("retired.conf"))
    with open(site.path("retired.conf"), "a") as f:
        f.write("[retired old]\nkey = keys/receiver.key\nsince = 2026-01-05\n")
    env = {k: v for k, v in os.environ.items() if k != "LC_ALL"} | JAPANESE  # and yet nothing is translated
    wrong = []
    rows = calls(site, entry, slip)
    assert set(commands()) - WITHOUT - {"restore"} == {row[0] for row in rows}, "one for each subcommand of the table"
    for name, argv, code, wanted in rows:
        done = run(program("katamichi"), *name.split(), *argv, "--json", ok=False, env=env)
        try:
            lacks = set(wanted.split()) - fields(parse(done.out))
        except ValueError as e:
            lacks = {str(e)}
        if translated(done.out):
            lacks.add(translated(done.out))
        if done.returncode != code or lacks:
            wrong.append(f"{name}: {done.returncode}, not {code}, or without {lacks}:\n{done.out[:1500]}{done.err}")
    site.sender.stop()
    done = run(program("katamichi"), "restore", "-c", site.path("sender.conf"), "--json")
    assert len(json.loads(done.out)["generation"]) == 32
    assert not wrong, "\n".join(wrong)


def test_errors_are_for_people(site):
    """Standard output is the same in any language, what the system calls an error too; standard error is in the reader's."""
    site.configure()
    with open(site.path("sender.conf")) as f, open(site.path("behind.conf"), "w") as g:
        g.write(f.read().replace("keys/receiver.pub", "sender.conf/receiver.pub"))
    check = [program("katamichi"), "config", "check", site.path("behind.conf")]
    for language in (ENGLISH, JAPANESE):
        problems = json.loads(said(language, *check, "--json")[1])["problems"]
        assert [(p["key"], p["why"]) for p in problems] == [("receiver", "Not a directory")], problems
    if os.path.exists("/usr/share/locale/ja/LC_MESSAGES/libc.mo"):  # libc's own words
        assert KANA.search(said(JAPANESE, *check)[1].rsplit(": ", 1)[1])
    code, text = said(JAPANESE, program("katamichi"), "status", "--json", "-c", site.path("receiver.conf"))
    assert code == 5 and "受信側はまだ動いたことがありません" in text, text
