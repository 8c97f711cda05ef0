"""What the operator reads: every subcommand in English and in Japanese, on real state; tables, scripts' output, completion.

No Japanese locale need be generated: LANG=ja_JP.UTF-8 is enough, as on a fresh Debian.
"""
import json
import os
import re
import subprocess
import time

import harness
import samples
from harness import katamichi, program, run, wait_until
from spoken import ENGLISH, JAPANESE, KANA, LONG_NAME, commands, not_as_wanted, on_terminal, put_and_lose, said, width

# What these do when they do it: test_decisions_in_both_languages.
DECIDING = {"key rotate", "key revoke", "link reset-epoch", "restore", "settle"}


def table(site, entry, slip):
    """{subcommand: (arguments, exit code, English, Japanese)}; what was written before 100 columns and what must be in it."""
    s, r = ["-c", site.path("sender.conf")], ["-c", site.path("receiver.conf")]
    who = ["--operator", "山田", "--reason", "紙で受領済み"]
    pub, inbox = site.path("keys/sender.pub"), site.path("inbox/eltax/00000001")
    diode = os.path.join(harness.TOP, "tests/data/diode.ini")
    return [
        ("status", r, 0, "receiver, running .*gaps +eltax 2.*1 in quarantine.*row 2 has 1 columns, the first 2.*What to do.*Numbers are missing",
         "受信側 稼働中.*欠番 +eltax 2.*隔離1件.*2行目は1列ですが、1行目は2列です.*次にすること.*欠番があります"),
        ("status", s, 0, "sender, running.*Files were refused.*cannot know what arrived", "送信側 稼働中.*拒否したファイルがあります.*何が届いたか分かりません"),
        ("watch", [*r, "--lines", "--after", "0", "--once"], 0, "delivered .*eltax/00000001.*set aside|quarantined", "配達 .*eltax/00000001.*隔離"),
        ("list", r, 0, "WHEN +CHANNEL .*eltax +1 ", "日時 +チャネル .*eltax +1 .*配達"),
        ("list", s, 0, "SENT TIMES.*eltax +2 .*kept", "送信回数.*eltax +2 .*保管中"),
        ("show", [*r, "eltax", "1"], 0, "what +delivered.*checks passed.*見本市", "内容 +配達.*合格した検査.*見本市"),
        ("show", [*r, "pittari", "1"], 0, r"SHA-256.*申請書\.csv \(Shift_JIS\)", r"SHA-256.*申請書\.csv（Shift_JIS）"),
        ("show", [*r, "eltax", "2"], 1, "not in the ledger", "台帳にありません"),
        ("gaps", r, 1, "Set aside or refused.*Missing.*eltax +2 .*nothing of it has come; the sender still keeps it",
         "隔離又は拒否したもの.*欠番.*eltax +2 .*まだ何も届いていません.*自動で届きます"),
        ("gaps", [*r, "--slip"], 0, "RESEND SLIP.*number 2", "再送票.*番号2"),
        ("closings", r, 1, "closing 1 .asked. .*MISSING.*eltax +1 +3 +1 +1 +1", "締め1（依頼）.*欠番.*eltax +1 +3 +1 +1 +1"),
        ("settle", [*r, *who, "eltax", "9-10"], 1, "none of these numbers is missing", "欠番はありません"),
        ("settle", [*r, *who, "eltax", "2"], 1, "still keeps some of these: .* --anyway", "送信側がまだ保管している番号.*--anyway"),
        ("settle", [*r, *who, "eltax", "2-1"], 2, "NUMBERS are one number", "番号は、1件なら"),
        ("resend", [*s, slip], 1, "to send again +transfers: 1, files: 1.*nothing is done yet", "再送するもの +1件、ファイル1個.*まだ何もしていません"),
        ("resend", [*s, slip, "--yes"], 0, "recorded; they go out first", "最優先で送ります"),
        ("resend", [*s, slip, "--yes"], 0, "done before +at 20", "実施済み +20"),
        ("resend", [*s, "--list"], 0, "WHEN +CHANNEL +NUMBERS +SENT AGAIN.*eltax +2 +1 +0 ", "日時 +チャネル +番号 +再送 .*eltax +2 +1 +0 "),
        ("resend", [*s, slip[:-1]], 1, "too short or too long|mistyped", "長さが合いません|打ち間違い"),
        ("close", s, 0, "closing [0-9]+ written.*eltax: up to 3", "締め[0-9]+を書きました.*eltax: 3まで"),
        ("quarantine list", r, 1, "row 2 has 1 columns, the first 2", "2行目は1列ですが、1行目は2列です"),
        ("quarantine show", [*r, entry], 0, "state +held.*columns, the first 2", "状態 +隔離中.*2行目は1列"),
        ("quarantine release", [*r, "--operator", "山田", "--reason", "確認済み", "none"], 1, "none", "none"),
        ("quarantine discard", [*r, "--operator", "山田", "--reason", "確認済み", "none"], 1, "none", "none"),
        ("verify", ["--sender", pub, inbox], 0, "verified: eltax 1, 1 file, ", "確認済み: eltax 1、ファイル1個"),
        ("verify", [inbox], 1, "NOT checked.*NOT verified", "署名は未検査.*確認できません"),
        ("ledger verify", r, 0, "rows, the chain holds", "行。連鎖は保たれています"),
        ("ledger checkpoint", r, 0, "katamichi", "katamichi"),
        ("ledger export", r, 0, '"event":"opened"', '"event":"opened"'),
        ("report", [*r, "--day", "today"], 0, "eltax.*row 2 has 1 columns.*asked 1", "eltax.*2行目は1列ですが.*依頼 1"),
        ("doctor", r, 1, "R1 +not met +Separation of the zone", "R1 +不適合 +領域の分離"),
        ("keygen", ["sender", (site.path("new-en"), site.path("new-ja"))], 0, r"secret key .*\(stays here\)", "秘密鍵 .*このホストから出しません"),
        ("keygen", ["sender", site.path("keys")], 4, "keys are never overwritten", "鍵は上書きしません"),
        ("key show", [pub], 0, "role +sender.*signs manifests", "役割 +送信側.*目録に署名"),
        ("key rotate", ["-c", site.path("nothing.conf")], 5, "No such file", "nothing.conf"),
        ("key retired", r, 0, "no key of this receiver is retired", "使用を終えた鍵はありません"),
        ("key revoke", [*r, "--operator", "山田", "--reason", "紛失", "none"], 3, "there is no .peer. of this name", "この名前の.peer.が設定にありません"),
        ("link reset-epoch", [*r, "--operator", "山田", "--reason", "時計", "none"], 3, "there is no .peer. of this name",
         "この名前の.peer.が設定にありません"),
        ("config check", s[1:], 0, "OK, the configuration of a sender", "正常。送信側の設定です"),
        ("plan", ["--size", "1G", "--burst", "20ms"], 0, "each block .*survives", "各ブロック .*耐える量"),
        ("link-test receive", ["--listen", ("127.0.0.1:5199", "127.0.0.1:5197"), "--out", (site.path("en"), site.path("ja")), "--seconds", "0.1"], 1,
         "No datagram of a test arrived", "試験のデータグラムが届きませんでした"),
        ("link-test send", ["--to", "127.0.0.1:5198", "--rates", "1M", "--seconds", "0.2"], 0, "all sent; the result", "全て送りました"),
        ("firmware-config", [diode], 0, "OK: 10.77.0.1 to 10.77.0.2, UDP port", "正常: 10.77.0.1から10.77.0.2へ、UDPポート"),
        ("completion", ["bash"], 0, "complete -F", "complete -F"),
        ("restore", s, 5, "the sender runs; stop it first", "送信側が動いています。先に止めてください"),
    ]


def test_every_command_in_both_languages(site):
    entry = put_and_lose(site)
    slip = json.loads(katamichi("gaps", "-c", site.path("receiver.conf"), "--slip", "--json").out)[0]["code"]
    rows = table(site, entry, slip)
    missing = set(commands()) - {row[0] for row in rows}
    assert not missing, f"without a test of what they say: {missing}"
    refused_only = set(commands()) - {row[0] for row in rows if row[2] <= 1} - DECIDING
    assert not refused_only, f"only their refusals are tested: {refused_only}"
    wrong = []
    for row in rows:
        wrong += not_as_wanted(*row)
    for name in commands():
        done, text = said(JAPANESE, program("katamichi"), *name.split(), "--help")
        if done != 0 or "使い方" not in text or "終了コード" not in text:
            wrong.append(f"{name} --help: {text}")
    assert not wrong, "\n".join(wrong)

    # what programs read is the same in both
    for argv in (["gaps", "--json"], ["list", "--tsv"], ["closings", "--tsv"], ["quarantine", "list", "--json"]):
        argv = [program("katamichi"), *argv, "-c", site.path("receiver.conf")]
        english, japanese = said(ENGLISH, *argv), said(JAPANESE, *argv)
        assert english == japanese and not KANA.search(english[1].replace("不正.csv", "")), argv
    # the note beside what was refused was written by a sender without a language
    with open(site.path("out/eltax/refused/フォルダー.reason.txt"), encoding="utf-8") as f:
        assert "it is a folder" in f.read()


def test_wrong_lines(site):
    """One clear error: what, where, and what to do."""
    site.configure()
    tool = program("katamichi")
    with open(site.path("nul.conf"), "wb") as f:
        f.write(b"[receiver]\n\0\n")
    os.mkfifo(site.path("fifo"))
    # databases that are none any more
    os.makedirs(site.path("damaged/ledger"))
    for name in ("ledger/ledger.db", "outbox.db"):
        with open(site.path("damaged", name), "wb") as f:
            f.write(b"nonsense" * 1000)
    for conf, made in (("receiver.conf", "damaged.conf"), ("sender.conf", "damaged-s.conf")):
        with open(site.path(conf)) as f, open(site.path(made), "w") as g:
            g.write(f.read().replace("receiver-state", "damaged").replace("sender-state", "damaged"))
    for argv, code, english, japanese in [
        ([], 2, "a command is missing", "コマンドがありません"),
        (["foo"], 2, 'unknown command "foo"', "未知のコマンド「foo」"),
        (["ledger"], 2, "what of it", "続くコマンドがありません"),
        (["ledger", "foo"], 2, "katamichi ledger --help", "katamichi ledger --help"),
        (["gaps"], 2, "-c FILE is missing", "-c ファイルがありません"),
        (["gaps", "-c"], 2, "argument is missing", "引数が足りない"),
        (["gaps", "-c", site.path("receiver.conf"), "more"], 2, "more: an argument too much", "more: 引数が余分です"),
        (["gaps", "-c", site.path("receiver.conf"), "--json", "--tsv"], 2, "not both", "どちらか一方"),
        (["gaps", "-c", site.path("sender.conf")], 3, "configuration of a sender; katamichi gaps works on the receiving host",
         "これは送信側の設定です"),
        (["close", "-c", site.path("receiver.conf")], 3, "configuration of a receiver", "これは受信側の設定です"),
        (["status", "-c", site.path("nothing")], 5, "No such file", "nothing"),
        (["status", "-c", site.path("receiver.conf")], 5, "the receiver has not run yet", "受信側はまだ動いたことがありません"),
        (["config", "check", site.path("out")], 5, "Is a directory", "設定を読めません"),
        (["config", "check", site.path("nul.conf")], 3, "it has a NUL byte: is this a configuration file?", "NUL文字が入っています"),
        (["config", "check", site.path("fifo")], 5, "cannot read the configuration", "設定を読めません"),
        (["list", "-c", site.path("damaged.conf")], 6, "this database is damaged (file is not a database): stop the service", "データベースが壊れています"),
        (["status", "-c", site.path("damaged-s.conf")], 6, "this database is damaged", "データベースが壊れています"),
        (["show", "-c", site.path("receiver.conf"), "eltax", "99999999999999999999999"], 2, "wanted: a channel and a number", "チャネルと番号"),
        (["list", "-c", site.path("receiver.conf"), "--last", "9223372036854775808"], 2, "--last takes a number", "--last"),
        (["list", "-c", site.path("receiver.conf"), "--last", "-1"], 2, "--last takes a number", "--last"),
        (["list", "-c", site.path("receiver.conf"), "--day", "2026-02-31"], 2, "--day: a date", "--day: 2026-04-01のような日付"),
    ]:
        for language, wanted in ((ENGLISH, english), (JAPANESE, japanese)):
            got, text = said(language, tool, *argv)
            assert got == code and wanted in text and len(text.splitlines()) == 1, (argv, language, got, text)


def test_output_that_cannot_be_written():
    """A full disk swallows what was asked for: never with exit code 0."""
    plan = ["plan", "--size", "10M", "--loss", "1%", "--rate", "100M"]
    for argv in (["--version"], ["--help"], ["completion", "bash"], plan, [*plan, "--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([program("katamichi"), *argv], stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 5 and done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr, (argv, done)


def test_config_check(site):
    site.configure()
    os.rmdir(site.path("out/pittari"))
    os.unlink(site.path("keys/receiver.pub"))
    got, text = said(ENGLISH, program("katamichi"), "config", "check", site.path("sender.conf"))
    assert got == 1 and len(text.splitlines()) == 2 and "out/pittari: this directory is not there, and no program makes it" in text and "receiver.pub" in text, text
    got, text = said(JAPANESE, program("katamichi"), "config", "check", site.path("sender.conf"))
    assert got == 1 and "out/pittari: このディレクトリがありません" in text, text
    assert said(ENGLISH, program("katamichi"), "config", "check", "--file-only", site.path("sender.conf"))[0] == 0
    # what the receiver refuses to start with
    os.makedirs(site.path("inbox/state"))
    with open(site.path("receiver.conf")) as f, open(site.path("nested.conf"), "w") as g:
        g.write(f.read().replace("state = receiver-state", "state = inbox/state").replace("keys/receiver.key", "keys/sender.key"))
    got, text = said(ENGLISH, program("katamichi"), "config", "check", site.path("nested.conf"))
    assert got == 1 and len(text.splitlines()) == 1 and "it lies in the inbox" in text, text
    with open(site.path("sender.conf"), "a") as f:
        f.write("[channel more]\nmax_file = 1X\n")
    got, text = said(JAPANESE, program("katamichi"), "config", "check", site.path("sender.conf"))
    assert got == 3 and re.search(r"sender\.conf:\d+: max_file: 「1X」は使えません", text), text


def test_locales():
    """Japanese without a generated locale; English where Japanese could not be shown, or is not asked for."""
    def help_in(**env):
        return bool(KANA.search(said(env, program("katamichi"), "--help")[1]))

    for env in ({"LANG": "ja_JP.UTF-8"}, {"LC_ALL": "ja_JP.utf8"}, {"LC_MESSAGES": "ja_JP.UTF-8"}, {"LANG": "ja"}, {"LANG": "ja_JP.UTF-8", "LANGUAGE": ""},
                {"LANG": "C.UTF-8", "LANGUAGE": "ja"}):
        assert help_in(**env), env
    for env in ({}, {"LANG": "C"}, {"LANG": "de_DE.UTF-8"}, {"LANG": "ja_JP.eucJP"}, {"LANG": "ja_JP.SJIS"},
                {"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, {"LANG": "ja_JP.UTF-8", "LC_MESSAGES": "C"}):
        assert not help_in(**env), env


def test_daemons_in_japanese(site):
    """All their processes, also those that cannot open a file any more; what machines read is not touched."""
    site.configure(sender_content="content = any\n", receiver_content="content = eltax\n")
    env = ["env", "-u", "LC_ALL", "LANG=ja_JP.UTF-8"]
    site.receiver = harness.Process("receiver", [*site.net.at("r"), *env, program("katamichi-receiver"), "-c", site.path("receiver.conf")],
                                    site.path("receiver.log"), ready="準備完了")
    site.sender = harness.Process("sender", [*site.net.at("s"), *env, program("katamichi-sender"), "-c", site.path("sender.conf")],
                                  site.path("sender.log"), ready="準備完了")
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    wait_until("a session in Japanese", lambda: "のセッション" in site.receiver.text())
    os.mkdir(site.path("out/eltax/フォルダー"))
    for name, content in (("二重.csv", b"1,2\n"), ("計算.csv", b"\x7fELF" + bytes(60))):
        with open(site.path("out/eltax", "." + name), "wb") as f:
            f.write(content)
    os.link(site.path("out/eltax/.二重.csv"), site.path("out/eltax/二重.csv"))
    os.rename(site.path("out/eltax/.計算.csv"), site.path("out/eltax/計算.csv"))
    for name, reason in (("フォルダー", "フォルダーです"), ("二重.csv", "名前が2個あります"), ("計算.csv", "名前にかかわらず、中身はプログラムです")):
        note = site.path("out/eltax/refused", name + ".reason.txt")
        wait_until("the note on " + name, lambda note=note: os.path.exists(note), 20)
        with open(note, encoding="utf-8") as f:
            text = f.read()
        assert re.search(f"理由: +{reason}", text) and not re.search("[a-z] [a-z]", text), "all of it in Japanese: " + text
    site.put("eltax", "不正.csv", b"1,2\n3\n")
    wait_until("the quarantine", lambda: "2行目は1列ですが、1行目は2列です" in site.receiver.text(), 20, alive=site.daemons())
    del site.sent["eltax", "不正.csv".encode()]
    assert not KANA.search(json.dumps(site.ledger(), ensure_ascii=False).replace("不正.csv", ""))
    with open(site.path("receiver-state/status.json"), encoding="utf-8") as f:
        assert not KANA.search(f.read().replace("不正.csv", ""))


def test_on_a_terminal(site):
    """80 columns, long Japanese names: columns stand under each other, colours are there and can be switched off."""
    put_and_lose(site)
    show = [program("katamichi"), "show", "-c", site.path("receiver.conf"), "eltax", "1"]
    gaps = [program("katamichi"), "gaps", "-c", site.path("receiver.conf")]
    text, _ = on_terminal(gaps, 80)
    assert "\033[" in text
    plain = re.sub(r"\033\[[0-9;]*m", "", text).replace("\r", "").splitlines()
    assert all(width(line) <= 80 for line in plain), "\n".join(plain)
    head = next(line for line in plain if line.startswith("チャネル"))
    row = next(line for line in plain if re.match("eltax +2 ", line))
    assert width(head[:head.index("送信側")]) == width(row[:row.index("mihon")]), f"{head}\n{row}"
    text, _ = on_terminal(gaps, 80, env={"NO_COLOR": "1"})
    assert "\033[" not in text
    assert "\033[" not in said(JAPANESE, *gaps)[1], "colours in a pipe"
    text, _ = on_terminal(show, 60)
    assert "".join(LONG_NAME.split()) in "".join(re.sub(r"\033\[[0-9;]*m", "", text).split()), "a long name is shown whole"
    # the screen, drawn anew
    watch = [program("katamichi"), "watch", "-c", site.path("receiver.conf")]
    text, _ = on_terminal(watch, 80, until=r"次にすること.*\033\[H.*次にすること")
    screen = re.sub(r"\033\[[0-9;]*m", "", text.split("\033[H\033[2J")[1]).replace("\r", "").splitlines()
    assert all(width(line) <= 80 for line in screen) and "Ctrl-C" in "".join(screen), "\n".join(screen)


def test_help_and_tables_fit(site):
    """80 columns in either language: every --help; and the tables, a row of which goes on below where it is wider."""
    site.configure()
    key = ["key", "show", site.path("keys/sender.pub")]
    wrong = []
    for language in ("ja_JP.UTF-8", "C"):
        for argv in (["--help"], *([*name.split(), "--help"] for name in commands()), key, ["plan", "--size", "10G"]):
            text, status = on_terminal([program("katamichi"), *argv], 80, env={"LANG": language})
            lines = re.sub(r"\033\[[0-9;]*m", "", text).replace("\r", "").splitlines()
            if status != 0 or not lines or any(width(line) > 80 for line in lines):
                wrong.append(f"{' '.join(argv)} ({language}):\n{text}")
    assert not wrong, "\n".join(wrong)
    # no word is torn, and none is lost
    text, _ = on_terminal([program("katamichi"), *key], 50, env={"LANG": "C"})
    assert re.sub(r"\s+", " ", text).strip() == re.sub(r"\s+", " ", said(ENGLISH, program("katamichi"), *key)[1]).strip()


def test_watch_tells_each_delivery(site):
    """An importing system reads lines; one that was away goes on where it was."""
    site.start()
    site.put("eltax", "一.csv", samples.table(3))
    site.wait_delivered()
    watch = [program("katamichi"), "watch", "-c", site.path("receiver.conf"), "--json"]
    reader = subprocess.Popen([*watch, "--after", "0"], stdout=subprocess.PIPE, text=True)
    first = json.loads(reader.stdout.readline())
    assert (first["channel"], first["number"], first["event"], first["here"]) == ("eltax", 1, "delivered", True)
    start = time.monotonic()
    site.put("pittari", "二.txt", b"2\n")
    second = json.loads(reader.stdout.readline())
    assert second["channel"] == "pittari" and os.path.isdir(second["dir"]) and os.listdir(second["dir"] + "/files") == ["二.txt"]
    assert time.monotonic() - start < 9, "told by inotify, not by the look every ten seconds"
    reader.stdout.close()  # it ends when nobody reads
    wait_until("its end", lambda: reader.poll() is not None)
    again = run(*watch, "--after", str(first["row"]), "--once").out.splitlines()
    assert [json.loads(line)["row"] for line in again] == [second["row"]]
    # the example of an importer moves each away, once
    os.mkdir(site.path("taken"))
    script = os.path.join(harness.TOP, "tools/packaging/systemd/katamichi-import.sh")
    env = {**os.environ, "PATH": harness.BUILD + ":" + os.environ["PATH"], "STATE_DIRECTORY": site.path("staging")}
    for _ in range(2):
        run(script, "-c", site.path("receiver.conf"), site.path("taken"), env=env)
    assert sorted(os.listdir(site.path("taken"))) == ["eltax-00000001", "pittari-00000001"]
    site.sent.clear()


def test_plan_takes_what_the_sender_takes():
    """A link of whatever MTU the configuration allows can be planned."""
    for mtu, code in ((575, 2), (576, 0), (577, 0), (9000, 0), (9001, 0), (65535, 0), (65536, 2)):
        done = harness.katamichi("plan", "--size", "1G", "--mtu", str(mtu), "--json", ok=False)
        assert done.returncode == code, (mtu, done.err)
