"""Guides as programs: the blocks of a Markdown text, and running them.

    ```console sender            typed at the sending host; `receiver` likewise
    # katamichi status -c ...    a command (after `# `), several in one shell
    newest number  ...           what it says: compared where anything stands here, `...` is anything
    ```
`console sender wait` is tried again for a while until its output is as said.  `console hardware` and `text` are for people: not
run.  An exit code other than 0 is said by the output's last line, `(exit code 1)` or `(終了コード 1)`.  A name of CAPTURES in an output stands for what is there, and for the same in later commands.
"""
import contextlib
import os
import re
import shlex
import shutil
import tempfile
import time

import pytest

import host

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
GUIDES = os.path.join(TOP, "tools", "guides")
ORDER = ("install", "commission", "operate", "incident", "keys", "audit", "dispose")
CAPTURES = {"SLIP-CODE": r"[0-9A-Z]{4}(?:-[0-9A-Z]{1,4}){2,}", "QUARANTINE-ENTRY": r"[a-z]+-\d{8}-[0-9a-f]{8}",
            "SENDER-KEY": r"sender-\d{8}", "RECEIVER-KEY": r"receiver-\d{8}"}
KINDS = ("console sender", "console receiver", "console sender wait", "console receiver wait", "console hardware", "text", "ini")
WAIT = 30  # s, for a block with `wait`


EXIT = re.compile(r"\((?:exit code|終了コード) (\d+)\)$")


class Block:
    def __init__(self, kind, line, text):
        self.kind, self.line = kind, line
        self.host = kind.split()[1] if kind.startswith("console ") and "hardware" not in kind else None
        self.steps = []  # [command, [expected line, ...]]
        for row in text.splitlines() if kind.startswith("console") else ():
            if row.startswith("# "):
                self.steps.append([row[2:], []])
            elif self.steps:
                self.steps[-1][1].append(row)

    @property
    def commands(self):
        return [command for command, _ in self.steps]


def blocks(language, name):
    with open(os.path.join(GUIDES, language, name + ".md"), encoding="utf-8") as f:
        text = f.read()
    return [Block(m.group(1).strip(), text[:m.start()].count("\n") + 1, m.group(2))
            for m in re.finditer(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S)]


def pattern(expected):
    """A regular expression for the lines of an output."""
    out = []
    for row in expected:
        if row.strip() == "...":
            out.append(r"(?:[^\n]*\n)*?")
            continue
        p = ".*?".join(re.escape(part) for part in row.rstrip().split("..."))
        for name, shape in CAPTURES.items():
            p = p.replace(re.escape(name), f"(?P<{name.replace('-', '_')}>{shape})")
        out.append(r"[ \t]*" + re.sub(r"(?:\\ )+", r"[ \\t]+", p.lstrip()) + r"[ \t]*\n")
    return re.compile("".join(out) + r"\Z")


class Mismatch(AssertionError):
    pass


class Runner:
    def __init__(self, pair, language):
        self.pair, self.captured = pair, {}
        self.environment = {"LANGUAGE": "ja", "LC_ALL": "C.UTF-8"} if language == "ja" else {"LC_ALL": "C.UTF-8"}

    def _shell(self, host, steps):
        """All commands of a block in one shell; [(exit code, output)]."""
        script = ""
        for command, _ in steps:
            for name, value in self.captured.items():
                command = command.replace(name, value)
            script += f"eval {shlex.quote(command)}\nprintf '\\n@@%d@@\\n' $?\n"
        _, out = self.pair.hosts[host].run(script, seconds=120, environment=self.environment)
        parts = re.split(r"\n@@(\d+)@@\n", out)
        return [(int(parts[i + 1]), parts[i]) for i in range(0, len(parts) - 1, 2)]

    def _try(self, where, block):
        done = self._shell(block.host, block.steps)
        if len(done) < len(block.steps):
            raise Mismatch(f"{where}: the shell ended at: {block.steps[len(done)][0]}")
        for (command, expected), (code, out) in zip(block.steps, done):
            said = EXIT.match(expected[-1]) if expected else None
            expected = expected[:-1] if said else expected
            if code != (int(said.group(1)) if said else 0):
                raise Mismatch(f"{where}: `{command}` at the {block.host}: exit code {code}\n{out}")
            if not expected:
                continue
            found = pattern(expected).match(out.rstrip("\n") + "\n")
            if not found:
                raise Mismatch(f"{where}: `{command}` at the {block.host} said\n{out}\nand the guide says\n" + "\n".join(expected))
            self.captured.update({k.replace("_", "-"): v for k, v in found.groupdict().items()})

    def run(self, language, name):
        for block in blocks(language, name):
            if block.host is None:
                continue
            where, end = f"{language}/{name}.md:{block.line}", time.monotonic() + (WAIT if "wait" in block.kind else 0)
            while True:
                try:
                    self._try(where, block)
                    break
                except Mismatch:
                    if time.monotonic() >= end:
                        raise
                    time.sleep(0.3)


@contextlib.contextmanager
def made_pair(installed=False, locale="C.UTF-8"):
    """Two hosts, fresh or set up by the Japanese guide; where there can be none, whoever asks is skipped."""
    work = tempfile.mkdtemp(prefix="km-guides-")
    try:
        pair = host.Pair(work, locale)
        try:
            if installed:
                Runner(pair, "ja").run("ja", "install")
            yield pair
        finally:
            pair.end()
    except host.Unable as e:
        pytest.skip(str(e))
    finally:
        shutil.rmtree(work, ignore_errors=True)
