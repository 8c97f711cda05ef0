"""katamichi report: what a day or a month of the ledger holds, in each form, compared with what was put in."""
import contextlib
import csv
import hashlib
import html.parser
import io
import json
import os
import re
import resource
import sqlite3
import sys
import time

import pytest

import harness

PEER = "mihon"
GENERATION = "ab" * 16
JAPAN = dict(os.environ, TZ="Asia/Tokyo", LC_ALL="C.UTF-8")
HOSTILE = "=HYPERLINK(\"http://x\",\"<script>alert(1)</script>\")&,'"


class Ledger:
    """A receiver's directory whose ledger is written here, row by row, with a chain that holds."""

    def __init__(self, top, rows=1):
        self.top = str(top)
        for d in ("keys", "inbox", "state/ledger"):
            os.makedirs(self.path(d))
        os.chmod(self.path("keys"), 0o700)
        for side in ("sender", "receiver"):
            harness.katamichi("keygen", side, self.path("keys"))
        shown = harness.katamichi("key", "show", self.path("keys/sender.pub")).out
        self.sender = re.sub(r"[^0-9a-f]", "", re.search(r"(?:[0-9a-f]{4,8}[ -]?){8,16}", shown).group(0))[:64]
        with open(self.path("receiver.conf"), "w") as f:
            f.write("[receiver]\nkeys = keys/receiver.key\ninbox = inbox\nstate = state\n[link]\nlisten = 10.77.0.2:5150\n"
                    f"[peer {PEER}]\nkey = keys/sender.pub\n[channel eltax]\n[channel pittari]\n")
        harness.run(harness.program("tests/tools/make_ledger"), self.path("state/ledger/ledger.db"), str(rows), "2026-11-01", "30")
        self.db = sqlite3.connect(self.path("state/ledger/ledger.db"), isolation_level=None)

    def path(self, *parts):
        return os.path.join(self.top, *parts)

    def add(self, at, event, **more):
        seq, previous = self.db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        entry = json.dumps(dict(more, at=at, event=event, sender=self.sender), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        chained = hashlib.sha256(f"{previous}\n{entry}\n".encode()).hexdigest()
        self.db.execute("INSERT INTO ledger VALUES(?, ?, ?)", (seq + 1, entry, chained))

    def delivered(self, at, number, event="delivered", channel="eltax", files=2, size=1000, **more):
        self.add(at, event, channel=channel, number=number, files=files, bytes=size, generation=GENERATION, checks=["sha256"],
                 manifest="cd" * 32, object="12e45678" * 4, dir=f"{channel}/{number:08}", **more)

    def report(self, *options, ok=True, **env):
        return harness.katamichi("report", "-c", self.path("receiver.conf"), *options, ok=ok, env=dict(JAPAN, **env))

    def json(self, *options):
        return json.loads(self.report("--json", *options).out)


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    made.delivered("2026-11-19T14:59:59Z", 1)  # the last second of the 19th in Japan
    made.delivered("2026-11-19T15:00:00Z", 2, files=3, size=5000)
    made.delivered("2026-11-20T03:00:00Z", 3, channel="pittari")
    made.delivered("2026-11-20T04:00:00Z", 2, event="fork")
    made.delivered("2026-11-20T05:00:00Z", 4, event="quarantined", reason=HOSTILE)
    made.delivered("2026-11-20T06:00:00Z", 4, event="released", file="不正.csv", entry="eltax-00000004-x",
                   operators=[dict(at="2026-11-20T05:30:00Z", operator="佐藤", login="sato", reason="見た"),
                              dict(at="2026-11-20T06:00:00Z", operator="山田 太郎", login="yamada", reason="-1 確認済み")])
    made.add("2026-11-20T07:00:00Z", "refused", channel="eltax", object="ff" * 16, reason="\uff1dlarger than max_file")
    made.add("2026-11-20T08:00:00Z", "closing", number=1, dir="katamichi/00000001", kind="day", closed="2026-11-20T07:59:00Z", file="aa" * 32,
             channels=[dict(channel="eltax", generation=GENERATION, first=1, last=9, newest=9, missing=4, missing_ranges=[[5, 8]],
                            aside=1, differs=0)])
    made.add("2026-11-20T08:10:00Z", "settled", channel="eltax", generation=GENERATION, first=11, last=14, numbers=3, operator="鈴木",
             login="suzuki", reason="missing")
    made.add("2026-11-20T08:20:00Z", "settled", channel="eltax", generation=GENERATION, first=16, last=16, numbers=1, operator="鈴木",
             login="suzuki", reason="-2 紙で受領")
    made.add("2026-11-20T08:30:00Z", "an event of a later version", what="passed over")
    made.delivered("2026-11-20T15:00:00Z", 9)  # the 21st
    for first, last, since in ((5, 8, 1795000000), (3, 3, 1795000000)):  # 2026-11-18
        made.db.execute("INSERT INTO gap VALUES(?, 'eltax', ?, ?, ?, ?)", (made.sender, GENERATION, first, last, since))
    made.db.execute("INSERT INTO gap VALUES(?, 'eltax', ?, 10, 10, 1900000000)", (made.sender, GENERATION))  # known only later
    return made


def test_a_day_is_counted(ledger):
    day = ledger.json("--day", "2026-11-20")
    channels = {c["channel"]: c for c in day["channels"]}
    eltax = channels["eltax"]
    assert (eltax["delivered"], eltax["files"], eltax["bytes"]) == (2, 5, 6000), eltax
    assert {k: eltax[k] for k in ("missing", "settled", "refused", "quarantined", "released", "forks")} == dict(
        missing=5, settled=4, refused=1, quarantined=1, released=1, forks=1), eltax
    assert channels["pittari"]["delivered"] == 1
    assert [r["entry"]["event"] for r in day["rows"]] == ["delivered", "delivered", "fork", "quarantined", "released", "refused",
                                                       "closing", "settled", "settled", "an event of a later version"]
    assert (day["period"]["from"], day["period"]["until"]) == ("2026-11-19T15:00:00Z", "2026-11-20T15:00:00Z")
    assert [(m["peer"], m["first"], m["last"]) for m in day["missing"]] == [(PEER, 3, 3), (PEER, 5, 8)], "known later, yet reported"
    assert day["ledger"]["holds"] and day["ledger"]["rows"] == 14
    # every day of the month together is the month
    month = ledger.json("--month", "2026-11")
    assert sum(c["delivered"] for c in month["channels"]) == 6, "five here, and make_ledger's one"


def test_text_says_what_needs_a_look(ledger):
    out = ledger.report("--day", "2026-11-20").out
    for words in (r"eltax +2 +5 +6,?000 +5 +4 ", "山田 太郎", "2026-11-20 14:00:00", r"eltax +5 +8 +mihon", "all 14 rows", "JST",
                  r"mihon  day 1\n", r"settled +eltax +11-14 +鈴木 \(suzuki\) +missing\n", r"settled +eltax +16 +鈴木"):
        assert re.search(words, out), f"{words} is not in\n{out}"


def test_reasons_are_translated_and_words_of_operators_are_not(ledger):
    """The ledger keeps reasons in English; what somebody typed may happen to be one of our words."""
    ledger.delivered("2026-11-22T05:00:00Z", 20, event="quarantined", reason="damaged: a part is not authentic, missing or too many")
    ledger.delivered("2026-11-22T06:00:00Z", 20, event="discarded", operator="佐藤", login="sato", reason="missing")
    for form in ([], ["--html"], ["--csv"]):
        out = ledger.report("--day", "2026-11-22", "--lang", "ja", *form).out
        assert "not authentic" not in out and re.search(r"[,>]missing[,<]|  missing\n", out), f"{form}: {out}"


def test_csv_is_for_excel(ledger):
    raw = ledger.report("--day", "2026-11-20", "--csv").stdout
    assert raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert {len(r) for r in rows} == {len(rows[0])}
    assert len(rows) == 1 + 10 + 2 + 1, "head, entries, missing ranges, the chain"
    for cell in (c for r in rows for c in r):
        assert not re.match(r"\s*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]", cell), f"a formula: {cell}"
        assert not re.fullmatch(r"[0-9]+(e[0-9]+|-[0-9]+|/[0-9]+)", cell), f"a number or a day that it is not: {cell}"
    reasons = [r[7] for r in rows]
    assert "'" + HOSTILE in reasons and "'-1 確認済み" in reasons and "'\uff1dlarger than max_file" in reasons
    assert [(r[3], r[4], r[5], r[7], r[8]) for r in rows if r[1] == "numbers settled"] == [
        ("11..14", "", "", "missing", "鈴木 (suzuki)"), ("16", "", "", "'-2 紙で受領", "鈴木 (suzuki)")]
    assert [(r[6], r[8]) for r in rows if r[1] == "released"] == [("不正.csv", "佐藤 (sato), 山田 太郎 (yamada)")]


def test_no_cell_is_a_formula(ledger):
    """Whatever blanks stand before it, of any width or none, and in whatever form of the sign a Japanese keyboard has it."""
    blanks = ["", " ", "\u3000", "\u00a0", "\u2003", "\t", "\r\n", "\x0b", "\u200b", "\ufeff", "\u3000 \t", "\u2028", "\u202e", "\u0085"]
    signs = ["=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\uff5c", "\uff05", "\u2212", "\ufe66", "\u207a"]
    hostile = [b + s + "cmd()" for b in blanks for s in signs]
    harmless = ["a=b", "\u3000row 3", "5-3", "\u30fc", "(=1)"]
    for n, reason in enumerate(hostile + harmless):
        ledger.delivered("2026-11-22T05:00:00Z", 100 + n, event="quarantined", reason=reason)
    raw = ledger.report("--day", "2026-11-22", "--csv").stdout.decode("utf-8-sig")
    reasons = {r[7] for r in csv.reader(io.StringIO(raw, newline=""))}
    lacking = ({"'" + h for h in hostile} | set(harmless)) - reasons
    assert not lacking, lacking


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = set(), [], "", []
        self.feed(text)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "line", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def check_page(text):
    """One file that runs nothing and fetches nothing; returns what it says."""
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "a", "audio", "video"}, page.tags
    for name, value in page.attributes:
        assert not name.startswith("on") and name not in ("src", "href", "xlink:href", "action", "srcset"), (name, value)
    style = "".join(re.findall(r"<style>(.*?)</style>", text, re.S)) + "".join(v or "" for n, v in page.attributes if n == "style")
    assert "url(" not in style and "@import" not in style
    assert "size:A4" in style
    return page


def test_page_is_self_contained(ledger):
    page = check_page(ledger.report("--day", "2026-11-20", "--html", "--lang", "en").out)
    assert HOSTILE in page.text, "the reason is not shown as the text that it is"
    for words in ("山田 太郎", "2026-11-20 14:00:00", "5 - 8", "all 14 rows", "numbers settled", "11-14"):
        assert words in page.text, words
    assert page.text.count("Deliveries by hour") == 1 and "svg" in page.tags
    month = check_page(ledger.report("--month", "2026-11", "--html").out)
    assert "Deliveries by day" in month.text


def test_broken_chain_is_said(ledger):
    ledger.db.execute("UPDATE ledger SET entry = replace(entry, '\"bytes\":5000', '\"bytes\":9999') WHERE seq = 4")
    for form in ([], ["--html"], ["--csv"]):
        done = ledger.report("--day", "2026-11-20", *form, ok=False)
        assert done.returncode == 1 and "row 4 " in done.out and "DOES NOT HOLD" in done.out, done.out + done.err
    done = ledger.report("--day", "2026-11-20", "--json", ok=False)
    told = json.loads(done.out)
    assert done.returncode == 1 and (told["ledger"]["holds"], told["ledger"]["bad"]) == (False, 4)
    assert len(told["rows"]) == 10, "what follows a broken row is still told"


def test_an_entry_that_is_no_json(ledger):
    ledger.add("2026-11-20T09:00:00Z", "x")
    ledger.db.execute("UPDATE ledger SET entry = '{\"at\":\"2026-11-20T09:00:00Z\",\"nonsense' WHERE seq = 15")
    done = ledger.report("--day", "2026-11-20", "--json", ok=False)
    assert done.returncode == 1 and json.loads(done.out)["ledger"]["unread"] == 1, done.out + done.err


HEAD = '{"at":"2026-11-20T03:00:00Z",'
ODD = [ # what is nearly the plain shape of a delivery, with the reason why it is tried
    '"bytes":5,"channel":"eltax","event":"delivered","files":1,"number":7}',
    '"bytes":5,"bytes":6,"channel":"eltax","event":"delivered","files":1}',        # twice: the last
    '"bytes":5,"bytes":"6","channel":"eltax","event":"delivered"}',                # the last is no number
    '"bytes":"5","channel":7,"event":"delivered"}',                                # other kinds of values
    '"bytes":05,"channel":"eltax","event":"delivered"}',                           # no JSON
    '"bytes":-5,"channel":"eltax","event":"delivered"}', '"bytes":5.5,"event":"delivered"}', '"bytes":5e3,"event":"delivered"}',
    '"bytes":999999999999999999,"event":"delivered"}', '"bytes":9223372036854775807,"event":"delivered"}',
    '"bytes":9223372036854775808,"event":"delivered"}',                            # more than the library reads
    '"channel":"el\\u0074ax","dir":"a\\/b","event":"delivered"}', '"channel":"見本","event":"delivered"}',
    '"channel":"eltax","event":"delivered","reason":"\x7f"}', '"channel":"eltax","event":"delivered","reason":"\x01"}',
    '"checks":[],"event":"delivered"}', '"checks":["a","b"],"event":"delivered"}', '"checks":["a",],"event":"delivered"}',
    '"checks":["a" "b"],"event":"delivered"}', '"checks":[1],"event":"delivered"}', '"checks":[["a"]],"event":"delivered"}',
    '"event":"delivered","more":null}', '"event":"delivered","more":{"bytes":3}}', '"event":"delivered","more":true}',
    '"event":"delivered","operator":"山田"}', '"event":"delivered","operator":"yamada","login":"y","reason":"ok"}',
    '"event":"delivered","operators":["a"]}', '"event":"delivered","event":"fork"}', '"event":"fork","event":"delivered"}',
    '"event":"delivered",}', '"event":"delivered"}}', '"event":"delivered"', '"event":"delivered', '"event":}', '"event"}', '}',
    '"event":"delivered"} {}', '"":"","event":"delivered"}', '"event":"delivered","reason":"' + "x" * 3000 + '"}',
    '"event":"delivered"' + "".join(f',"k{i}":{i}' for i in range(40)) + ',"bytes":3}',
]


def test_plain_deliveries_are_read_as_any_other(tmp_path):
    """Entries of one shape pass a reader of our own; with a blank behind them, which changes nothing, the library's."""
    told = []
    for behind in ("", " "):
        made = Ledger(tmp_path / f"with{len(behind)}")
        for tail in ODD:
            seq, previous = made.db.execute("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
            entry = HEAD + tail + behind
            made.db.execute("INSERT INTO ledger VALUES(?, ?, ?)", (seq + 1, entry, hashlib.sha256(f"{previous}\n{entry}\n".encode()).hexdigest()))
        page = made.report("--day", "2026-11-20", "--html", "--lang", "en").out
        told.append((made.report("--day", "2026-11-20", "--csv").out, re.sub("[0-9a-f]{64}", "", page),
                     json.loads(re.sub(',"hash":"[0-9a-f]{64}"', "", made.report("--day", "2026-11-20", "--json").out))))
    assert told[0] == told[1]
    assert told[0][2]["ledger"]["unread"] > 5 and len(told[0][2]["rows"]) > 15, "both kinds are there"


@pytest.mark.parametrize("options, words", [
    (["--day", "2026-02-30"], "--day is a day"), (["--day", "20261120"], "--day is a day"), (["--month", "2026-13"], "--month is a month"),
    (["--day", "2026-11-20", "--month", "2026-11"], "either --day or --month"), ([], "either --day or --month"),
    (["--day", "2026-11-20", "--csv", "--html"], "not several"), (["--csv", "--html"], "not several"), (["--day", "2026-11-20", "--lang", "fr"], "--lang is"),
])
def test_wrong_use(ledger, options, words):
    done = ledger.report(*options, ok=False)
    assert done.returncode == 2 and words in done.err and done.err.count("\n") == 1, done.err


def test_what_cannot_be_read_or_written(ledger):
    done = ledger.report("--day", "2026-11-20", "-o", "/nonexistent/file", ok=False)
    assert done.returncode == 5 and "/nonexistent/file" in done.err
    ledger.report("--day", "2026-11-20", "--csv", "-o", ledger.path("day.csv"))
    assert os.path.getsize(ledger.path("day.csv")) > 500
    os.rename(ledger.path("state/ledger"), ledger.path("state/elsewhere"))
    assert ledger.report("--day", "2026-11-20", ok=False).returncode == 5


# A smaller one is always measured: what grows with the ledger is seen there, too.
ROWS, SECONDS = (1000000, 10) if harness.LONG else (30000, 10)
# The most memory that a command had, KiB.  Of a command started from here it would be at least what this process has, which it is a
# copy of until it is itself.
PEAK = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_many_deliveries(tmp_path):
    made = Ledger(tmp_path, ROWS)
    made.db.close()
    for form in ([], ["--html"], ["--csv"], ["--json"]):
        start = time.monotonic()
        done = harness.run(sys.executable, "-c", PEAK, harness.program("katamichi"), "report", "-c", made.path("receiver.conf"), "--month", "2026-11",
                           "-o", made.path("out"), *form, env=dict(os.environ, TZ="UTC"))
        seconds, peak = time.monotonic() - start, int(done.out) << 10
        print(f"{ROWS} rows, {form}: {seconds:.1f} s, {peak >> 20} MB")
        assert seconds < SECONDS and peak < (harness.MEMORY_MAX if harness.LONG else 64 << 20), (seconds, peak)
    with open(made.path("out")) as f:
        told = json.load(f)
    assert len(told["rows"]) in (ROWS, ROWS + 1) and told["ledger"]["rows"] == ROWS + 1  # `opened` is of today
    assert sum(c["delivered"] for c in told["channels"]) == ROWS - sum(c["refused"] + c["quarantined"] for c in told["channels"])


def test_a_row_that_cannot_be_read(tmp_path):
    """A page of the ledger is damaged: it is said which row, and what was before it; a report, which would count too few, is refused."""
    made, db = Ledger(tmp_path, rows=3000), tmp_path / "state/ledger/ledger.db"
    made.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    made.db.close()
    whole = db.read_bytes()
    at = whole.index(b'"number":500,') & ~4095
    db.write_bytes(whole[:at] + b"\xff" * 4096 + whole[at + 4096:])
    conf = made.path("receiver.conf")

    done = harness.katamichi("ledger", "verify", "-c", conf, "--json", ok=False)
    said = json.loads(done.out)
    assert done.returncode == 1 and not said["holds"] and "cannot be read" in said["why"], said
    row = said["bad"]
    assert 1 < row < 3000 and said["rows"] == row - 1
    text = harness.katamichi("ledger", "verify", made.path("state/ledger/ledger.db"), ok=False)
    assert text.returncode == 1 and f"row {row} cannot be read" in text.out, text.out

    for form in ([], ["--json"], ["--csv"], ["--html"]):
        done = made.report("--month", "2026-11", *form, ok=False)
        assert done.returncode == 6 and len(done.err.splitlines()) == 1 and f"row {row} of the ledger cannot be read" in done.err, done.err

    done = harness.katamichi("ledger", "export", "-c", conf, ok=False)
    assert done.returncode == 6 and f"row {row} cannot be read" in done.err and len(done.out.splitlines()) == row - 1, done.err
    behind = harness.katamichi("ledger", "export", "-c", conf, "--from", "2990").out.splitlines()
    assert [int(line.split("\t")[0]) for line in behind] == list(range(2990, 3002))

    doctor = json.loads(harness.katamichi("doctor", "-c", conf, "--json", ok=False).out)
    assert f"row {row} cannot be read" in json.dumps(doctor), "R16"


@pytest.mark.parametrize("left", [b"", "CREATE TABLE other(a)"], ids=["nothing", "another's"])
def test_no_ledger_is_made_of_another_database(tmp_path, left):
    """Whoever asks for something puts no table into what was emptied, or is another program's: it would look like a ledger of ours."""
    made, db = Ledger(tmp_path), tmp_path / "state/ledger/ledger.db"
    made.db.close()
    db.unlink()
    if left:
        with contextlib.closing(sqlite3.connect(db)) as other:
            other.execute(left)
    else:
        db.touch()
    before, who = db.read_bytes(), ["--operator", "山田", "--reason", "確認済み"]
    for argv in (["ledger", "checkpoint"], ["quarantine", "list"], ["quarantine", "release", *who, "x"], ["key", "revoke", *who, PEER], ["gaps", "--slip"],
                 ["settle", *who, "eltax", "1"]):
        done = harness.katamichi(*argv, "-c", made.path("receiver.conf"), ok=False)
        assert done.returncode == 6 and len(done.err.splitlines()) == 1 and "there is no ledger in this database" in done.err, (argv, done.err)
    assert db.read_bytes() == before


def test_a_disk_that_takes_nothing(tmp_path):
    """What SQLite may not open or write is the system's fault (5), in one line without a statement; 75 is for our own processes."""
    made, db = Ledger(tmp_path), tmp_path / "state/ledger/ledger.db"
    made.db.close()
    who = ["--operator", "山田", "--reason", "確認済み"]
    reads = [["ledger", "verify"], ["ledger", "export"], ["report", "--day", "today"], ["list"], ["gaps"], ["closings"], ["quarantine", "list"],
             ["key", "retired"], ["doctor"], ["watch", "--json", "--once"]]
    asks = [["quarantine", "release", *who, "x"], ["ledger", "checkpoint"], ["key", "revoke", *who, PEER]]

    def refused(commands, limit=None):
        for argv in commands:
            done = harness.katamichi(*argv, "-c", made.path("receiver.conf"), ok=False, preexec_fn=limit)
            assert done.returncode == 5 and len(done.err.splitlines()) == 1 and " may this user not " in done.err, (argv, done.returncode, done.err)
            assert "SELECT" not in done.err and "INSERT" not in done.err and "PRAGMA" not in done.err, (argv, done.err)

    (tmp_path / "state/ledger/ledger.db-wal").symlink_to("ledger.db-wal")
    refused(reads + asks)
    (tmp_path / "state/ledger/ledger.db-wal").unlink()
    refused(asks, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert "holds" in harness.katamichi("ledger", "verify", str(db)).out


@pytest.mark.parametrize("argv", [["gaps"], ["gaps", "--json"], ["gaps", "--slip"], ["report", "--month", "2026-11", "--json"], ["ledger", "export", "--json"]])
def test_a_text_that_is_none_is_not_left_out(tmp_path, argv):
    """JSON cannot hold it: a missing range or a row of the record would be left out without a word, and nothing be called missing."""
    made = Ledger(tmp_path)
    made.db.execute("INSERT INTO stream VALUES('aa', CAST(x'ff' AS TEXT), 'bb', 9, 1, 0, 0)")
    made.db.execute("INSERT INTO gap VALUES('aa', CAST(x'ff' AS TEXT), 'bb', 1, 9, 0)")
    made.db.execute("UPDATE ledger SET entry = CAST(x'ff' AS TEXT) WHERE seq = 2")
    made.db.close()
    done = harness.katamichi(*argv, "-c", made.path("receiver.conf"), ok=False)
    assert done.returncode == 6 and "no UTF-8" in done.err and len(done.err.splitlines()) == 1, done.err


def test_a_gap_that_ends_before_it_begins(ledger):
    def missing():
        return sum(c["missing"] for c in ledger.json("--day", "2026-11-20")["channels"])

    before = missing()
    for first, last in (101, -5), (-2**63, 2**63 - 1), (103, 105):
        ledger.db.execute("INSERT INTO gap VALUES(?, 'eltax', ?, ?, ?, 0)", (ledger.sender, GENERATION, first, last))
    assert missing() == before + 3


@pytest.mark.skipif(not harness.may_administer(), reason="may not mount")
def test_a_disk_that_is_read_only(tmp_path):
    """A disk of evidence, or one that the kernel has made read-only after a fault: what only reads reads it."""
    made, there = Ledger(tmp_path / "a%25?b#c d", rows=3000), tmp_path / "there"
    made.db.close()
    assert os.listdir(made.path("state/ledger")) == ["ledger.db"]
    there.mkdir()
    harness.run("mount", "--bind", made.top, str(there))
    try:
        harness.run("mount", "-o", "remount,bind,ro", str(there))
        conf = ["-c", str(there / "receiver.conf")]
        for argv in (["ledger", "verify"], ["ledger", "export"], ["report", "--month", "2026-11"], ["list"], ["quarantine", "list"], ["key", "retired"]):
            done = harness.katamichi(*argv, *conf, ok=False)
            assert done.returncode == 0 and done.out and not done.err, (argv, done.returncode, done.err)
        done = harness.katamichi("quarantine", "release", "--operator", "a", "--reason", "b", "x", *conf, ok=False)
        assert done.returncode == 5 and "Read-only" in done.err
    finally:
        harness.run("umount", str(there))


@pytest.mark.parametrize("entry", ["CAST(x'7bff7d' AS TEXT)", "'{\"at\":'", "''", "'[1]'", "x'00'"])
def test_a_row_that_is_no_entry(ledger, entry):
    """It is named, and what the others say is shown."""
    conf = ("-c", ledger.path("receiver.conf"))
    last = ledger.db.execute("SELECT max(seq) FROM ledger").fetchone()[0]
    ledger.db.execute(f"UPDATE ledger SET entry = {entry} WHERE seq IN (3, {last})")  # of eltax 1 and 9
    ledger.db.close()
    for argv, there in ((["show", "eltax", "2"], "eltax/00000002"), (["list"], "pittari"), (["list", "--channel", "eltax"], "eltax"),
                        (["show", "eltax", "2", "--json"], "eltax/00000002"), (["list", "--json"], "pittari"), (["show", "eltax", "1"], "not in")):
        done = harness.katamichi(*argv, *conf, ok=False)
        assert done.returncode == 6 and there in done.out, (argv, done.out, done.err)
        assert len(done.err.splitlines()) == 1 and "row 3 " in done.err and "2 " in done.err and "ledger verify" in done.err, done.err
    done = harness.katamichi("watch", "--json", "--after", "0", "--once", *conf, ok=False)
    assert done.returncode == 6 and "row 3 " in done.err and len(done.out.splitlines()) > 4, done.err
    done = harness.katamichi("watch", "--json", "--after", "3", "--once", *conf, ok=False)
    assert f"row {last} " in done.err, done.err


def test_an_entry_of_the_quarantine_that_is_no_text(ledger):
    """It was left out, and its name with it; what is damaged of it is shown by its bytes, and the rest as ever."""
    conf = ("-c", ledger.path("receiver.conf"))
    ledger.db.execute("INSERT INTO quarantine VALUES('eltax-00000004-x', 'file', ?, CAST(x'ff41' AS TEXT), ?, 4, '', '', 'o', x'ff', 1, 9, '',"
                      " CAST(x'4180' AS TEXT), 1795000000, 1, 'held', NULL)", (ledger.sender, GENERATION))
    done = harness.katamichi("quarantine", "list", *conf, ok=False)
    assert done.returncode == 1 and "eltax-00000004-x" in done.out and "\\xffA" in done.out and "A\\x80" in done.out, done.out
    row, = json.loads(harness.katamichi("quarantine", "list", "--json", *conf, ok=False).out)
    assert (row["entry"], row["channel"], row["number"], row["bytes"]) == ("eltax-00000004-x", "\\xffA", 4, 9)
    assert "eltax-00000004-x" in harness.katamichi("quarantine", "show", "eltax-00000004-x", *conf).out
    assert "eltax-00000004-x" in harness.katamichi("gaps", "--json", *conf, ok=False).out
    ledger.db.execute("INSERT INTO quarantine_request VALUES(1, 'release', 'eltax-00000004-x', CAST(x'ff' AS TEXT), 'x', 'x', 0, 1, 'x')")
    done = harness.katamichi("quarantine", "show", "eltax-00000004-x", *conf, ok=False)
    assert done.returncode == 6 and "no UTF-8" in done.err and len(done.err.splitlines()) == 1, done.err


def test_a_closing_that_is_no_text(ledger):
    ledger.db.execute("INSERT INTO delivery VALUES(?, 'katamichi', ?, 1, '', '', '', '2026-11-20T08:00:00Z', 9)", (ledger.sender, GENERATION))
    ledger.db.execute("INSERT INTO closing(seq, sender, number, kind, at, text) VALUES(9, ?, 1, CAST(x'ff' AS TEXT), '2026-11-20', '')", (ledger.sender,))
    done = harness.katamichi("closings", "-c", ledger.path("receiver.conf"), ok=False)
    assert done.returncode == 6 and "no UTF-8" in done.err and len(done.err.splitlines()) == 1, done.err


def test_settled_of_which_sender(ledger):
    """Two senders share a generation where one got a new key: it is asked which, and no number of the other is touched."""
    old = "ab" * 32  # no longer pinned
    for sender in (ledger.sender, old):
        ledger.db.execute("INSERT INTO stream VALUES(?, 'eltax', ?, 99, 99, 0, 0)", (sender, GENERATION))
        ledger.db.execute("INSERT INTO gap VALUES(?, 'eltax', ?, 60, 62, 1795000000)", (sender, GENERATION))
    settle = ("settle", "-c", ledger.path("receiver.conf"), "--operator", "佐藤", "--reason", "紙で受領", "eltax", "60-61")

    def asked():
        return ledger.db.execute("SELECT sender, generation, first, last FROM settle_request").fetchall()

    done = harness.katamichi(*settle, ok=False)
    assert done.returncode == 1 and "--sender" in done.err and len(done.err.splitlines()) == 1 and asked() == [], done.err
    done = harness.katamichi(*settle, "--sender", "who", ok=False)
    assert done.returncode == 1 and "none of these" in done.err and asked() == [], done.err
    shown = harness.katamichi("gaps", "-c", ledger.path("receiver.conf"), "--tsv", ok=False).out
    assert old in shown and ledger.sender in shown
    for said, sender in ((PEER, ledger.sender), (old[:8], old), (ledger.sender, ledger.sender)):
        done = harness.katamichi(*settle, "--sender", said, ok=False)  # nobody runs who would do it
        assert asked() == [(sender, GENERATION, 60, 61)], (done.out, done.err)
        ledger.db.execute("DELETE FROM settle_request")


def test_senders_without_a_name_in_japanese(ledger):
    """What stands in place of a name, and between a reason and what becomes of it, is in the reader's language; facts stay English."""
    if "ja" not in os.listdir(harness.program("locale")):
        pytest.skip("built without gettext")
    conf, old = ("-c", ledger.path("receiver.conf")), "cd" * 32
    ledger.db.execute("INSERT INTO stream VALUES(?, 'eltax', ?, 99, 99, 0, 0)", (old, GENERATION))
    ledger.db.execute("INSERT INTO gap VALUES(?, 'eltax', ?, 60, 62, 1795000000)", (old, GENERATION))
    ledger.add("2026-11-20T03:00:00Z", "delivered", channel="eltax", number=77, files=1, bytes=1, dir="eltax/00000077")
    ledger.db.execute("UPDATE ledger SET entry = replace(entry, ?, ?) WHERE seq = (SELECT max(seq) FROM ledger)", (ledger.sender, old))
    ledger.db.execute("INSERT INTO delivery VALUES(?, 'katamichi', ?, 1, '', '', '', '2026-11-20T08:00:00Z', 9)", (old, GENERATION))
    ledger.db.execute("INSERT INTO closing(seq, sender, number, kind, at, text) VALUES(9, ?, 1, 'daily', '2026-11-20', '')", (old,))
    for argv in (["gaps"], ["show", "eltax", "77"], ["closings"]):
        done = harness.katamichi(*argv, *conf, ok=False, env=dict(os.environ, LC_ALL="ja_JP.UTF-8", LANGUAGE="ja"))
        assert "（登録なし）" in done.out and "no longer" not in done.out and "; " not in done.out, done.out
        assert "(no longer pinned)" in harness.katamichi(*argv, "--json", *conf, ok=False).out
