"""The tool as somebody at a terminal meets it: in either language, on a state with something of everything in it."""
import concurrent.futures
import json
import os
import pty
import re
import select
import shlex
import time
import unicodedata

import samples
from harness import katamichi, program, run, wait_until

ENGLISH = {"LC_ALL": "C"}
JAPANESE = {"LANG": "ja_JP.UTF-8"}
KANA = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
LONG_NAME = "給与支払報告書_令和7年度分_見本市_" + "長" * 60 + ".csv"


def said(language, *argv, **more):
    """What a command prints, both streams, and its exit code."""
    env = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE", "NO_COLOR")}
    done = run(*argv, ok=False, env={**env, **language, "TZ": "Asia/Tokyo", **more})
    return done.returncode, done.out + done.err


def commands():
    """All subcommands, from the tool's own table."""
    return re.findall(r"^  ([a-z][a-z -]*[a-z])  ", katamichi("--help").out, re.M)


def put_and_lose(site):
    """eltax 1 is delivered, 2 is lost, 3 does not pass in the zone; a folder is refused; all is written into a closing."""
    site.start(relay=True, repeat="1h", sender_content="content = any\n", receiver_content="content = eltax\n")
    site.put("eltax", LONG_NAME, samples.table(3))
    site.put("pittari", "申請書.csv".encode("cp932"), samples.table(2))
    site.wait_delivered()
    site.relay.cut()
    site.put("eltax", "二.csv", samples.table(4))
    wait_until("number 2 to be sent into nothing", lambda: "eltax 2: sent, round 1" in site.sender.text(), 20)
    time.sleep(0.3)
    site.relay.join()
    site.put("eltax", "不正.csv", b"1,2\n3\n")
    os.mkdir(site.path("out/eltax/フォルダー"))
    entry = wait_until("the quarantine", lambda: json.loads(
        katamichi("quarantine", "list", "-c", site.path("receiver.conf"), "--json", ok=False).out), 20, alive=site.daemons())[0]["entry"]
    wait_until("the refused folder", lambda: os.path.exists(site.path("out/eltax/refused/フォルダー")), 20)
    katamichi("close", "-c", site.path("sender.conf"))
    wait_until("the closing", lambda: len(site.closings()) >= 1, 20, alive=site.daemons())
    wait_until("the closing in the ledger", lambda: [r for r in site.ledger() if r["event"] == "closing"], 20)
    return entry


def not_as_wanted(name, argv, code, english, japanese, at_once=True):
    """Runs a subcommand in both languages; what was not as wanted.  An argument that is a pair is one for each language."""
    def one(i):
        language, wanted = ((ENGLISH, english), (JAPANESE, japanese))[i]
        got, text = said(language, program("katamichi"), *name.split(), *(a if isinstance(a, str) else a[i] for a in argv))
        good = got == code and re.search(wanted, text, re.S)
        return [] if good else [f"{name} ({language}): {got}, not {code} with /{wanted}/:\n{text}"]

    with concurrent.futures.ThreadPoolExecutor(2 if at_once else 1) as both:  # at once: many of them wait for a daemon
        return sum(both.map(one, (0, 1)), [])


def on_terminal(argv, columns, lines=24, seconds=10, until=None, env=None):
    """What a command writes to a terminal of that size: (text with escapes, pid's exit code or None if it was ended)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update({"LANG": "ja_JP.UTF-8", "TERM": "xterm", "TZ": "Asia/Tokyo", **(env or {})})
        for name in ("LC_ALL", "LC_MESSAGES", *(() if env and "NO_COLOR" in env else ("NO_COLOR",))):
            os.environ.pop(name, None)
        os.execvp("sh", ["sh", "-c", f"stty cols {columns} rows {lines}; exec " + " ".join(map(shlex.quote, argv))])
    out, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                more = os.read(fd, 65536)
            except OSError:
                break
            if not more:
                break
            out += more
        if until and re.search(until, out.decode("utf-8", "replace"), re.S):
            break
    os.close(fd)
    if until:
        os.kill(pid, 15)
    _, status = os.waitpid(pid, 0)
    return out.decode("utf-8", "replace"), status


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)
