"""Completion: what the scripts offer for every subcommand and option, and that bash and zsh themselves take them at a TAB."""
import os
import pty
import re
import select
import shlex
import shutil
import time

import harness
import pytest
from harness import katamichi, program, run
from spoken import commands

DATA = os.path.join(harness.TOP, "tests/data")


def complete(line):
    """What bash offers at the end of this line."""
    script = f""". <({shlex.quote(program("katamichi"))} completion bash)
line={shlex.quote(line)}
read -r -a COMP_WORDS <<<"$line"
[[ $line == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_katamichi katamichi
printf '%s\\n' "${{COMPREPLY[@]}}\""""
    return run("bash", "-c", script, cwd=DATA).out.split()


def test_completion():
    names = commands()
    assert set(complete("katamichi ")) == {n.split()[0] for n in names} | {"help", "--help", "--version"}
    assert complete("katamichi ledger v") == ["verify"]
    assert complete("katamichi keygen s") == ["sender"]
    assert complete("katamichi gaps -c dio") == ["diode-slow.ini", "diode.ini"] or \
        set(complete("katamichi gaps -c dio")) == {"diode-slow.ini", "diode.ini"}
    assert complete("katamichi verify sam") == ["samples"]
    assert complete("katamichi list --channel ") == []
    zsh = katamichi("completion", "zsh").out
    for name in names:
        said_in_help = set(re.findall(r"^ +(?:-., )?(--[a-z-]+)", katamichi(*name.split(), "--help").out, re.M))
        assert set(w for w in complete(f"katamichi {name} -") if w.startswith("--")) == said_in_help, name
        block = zsh[zsh.index(f"'{name}')"):].split(";;")[0]
        assert all(o + "[" in block or o == "--help" for o in said_in_help), name


class Shell:
    """An interactive shell on a terminal; what it makes of a line at TAB."""

    def __init__(self, argv, setup):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(DATA)
            os.environ.update(TERM="dumb", PS1="> ", PATH=harness.BUILD + ":" + os.environ["PATH"], LC_ALL="C.UTF-8", COLUMNS="200")
            os.execvp(argv[0], argv)
        self.read("ready", setup + "\necho rea''dy\n")

    def read(self, until, keys):
        """What it writes until then, after these keys."""
        os.write(self.fd, keys.encode())
        out, end = b"", time.monotonic() + 20
        while not re.search(until.encode(), out):
            assert time.monotonic() < end, f"no {until} after {keys!r}:\n{out.decode('utf-8', 'replace')}"
            if select.select([self.fd], [], [], 0.1)[0]:
                out += os.read(self.fd, 65536)
        return out.decode("utf-8", "replace")

    def line(self, typed):
        """The line after TAB (Ctrl-T shows it); what was there is removed (Ctrl-U)."""
        return re.search(r"LINE=\[(.*)\]", self.read(r"LINE=\[.*\]", f"{typed}\t\x14")).group(1)

    def offers(self, typed):
        """What TAB lists."""
        return self.read(r"LINE=\[.*\]", f"{typed}\t\t\x14")

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def shell(name, tmp_path):
    with open(tmp_path / "_katamichi", "w") as f:
        f.write(katamichi("completion", name).out)
    if name == "bash":
        return Shell(["bash", "--norc", "--noprofile", "-i"], f""". {tmp_path}/_katamichi
bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'; bind 'set completion-query-items 0'; bind 'set bell-style none'
show() {{ echo; echo "LINE=[$READLINE_LINE]"; READLINE_LINE= READLINE_POINT=0; }}
bind -x '"\\C-t": show'""")
    return Shell(["zsh", "-f", "-i"], f"""unsetopt zle_bracketed_paste beep prompt_cr prompt_sp; PS1='> '; fpath=({tmp_path} $fpath); LISTMAX=0
autoload -Uz compinit; compinit -u -D
show() {{ print; print -r -- "LINE=[$BUFFER]"; BUFFER= }}
zle -N show; bindkey -e; bindkey '^T' show; bindkey '^I' complete-word; setopt no_auto_menu""")


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_in_the_shell_itself(name, tmp_path):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not here")
    s = shell(name, tmp_path)
    for typed, line in (("katamichi stat", "katamichi status "), ("katamichi ledger v", "katamichi ledger verify "),
                        ("katamichi quarantine rel", "katamichi quarantine release "), ("katamichi keygen s", "katamichi keygen sender "),
                        ("katamichi gaps --sl", "katamichi gaps --slip "), ("katamichi ledger verify --check", "katamichi ledger verify --checkpoint "),
                        ("katamichi gaps -c diode-s", "katamichi gaps -c diode-slow.ini "), ("katamichi verify sam", "katamichi verify samples/"),
                        ("katamichi link-test send --to ", "katamichi link-test send --to "), ("katamichi nonsense ", "katamichi nonsense ")):
        assert s.line(typed) == line, typed
    offered = s.offers("katamichi ")
    for word in {n.split()[0] for n in commands()}:
        assert re.search(rf"\b{word}\b", offered), f"{word} is not offered:\n{offered}"
    offered = s.offers("katamichi report --")
    for option in ("--day", "--month", "--csv", "--html", "--json", "--lang", "--output", "--config"):
        assert option in offered, f"{option} is not offered:\n{offered}"
    s.end()
