"""The manual pages: clean, in both languages, and in step with the programs."""
import glob
import os
import re
import shutil
import subprocess

import pytest

import harness

TOP = harness.TOP
PAGES = {os.path.basename(p): p for d in ("sender", "receiver", "common", "tools") for p in glob.glob(os.path.join(TOP, d, "*.[1-9]"))}
DAEMONS = {"katamichi-sender": ("sender/katamichi-sender.8", "sender/ja/katamichi-sender.8"),
           "katamichi-receiver": ("receiver/katamichi-receiver.8", "receiver/ja/katamichi-receiver.8")}


def japanese(path):
    return os.path.join(os.path.dirname(path), "ja", os.path.basename(path))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def lint(path, level):
    out = subprocess.run(["mandoc", "-T", "lint", "-W", level, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    # Pages of ours are installed later, and an index of the machine's own pages is not ours.
    return [line for line in out.splitlines() if "referenced manual not found" not in line and "mandoc.db" not in line]


def generated(language, folder):
    path = os.path.join(str(folder), f"katamichi-{language}.1")
    with open(path, "w", encoding="utf-8") as f:
        f.write(harness.run(os.path.join(TOP, "tools/packaging/manual.sh"), language, harness.program("katamichi")).out)
    return path


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not here")
def test_pages_are_clean(tmp_path):
    assert set(PAGES) == {"katamichi-sender.8", "katamichi-receiver.8", "katamichi-receiver-link.8", "katamichi.conf.5",
                          "katamichi-manifest.5", "katamichi-ledger.5", "katamichi-doctor.conf.5"}
    for path in list(PAGES.values()) + [generated("en", tmp_path)]:
        assert lint(path, "style") == []
    # mandoc's style counts bytes, and takes the end of an escaped Japanese letter for punctuation.
    for path in [japanese(p) for p in PAGES.values()] + [generated("ja", tmp_path)]:
        assert lint(path, "warning") == []
    broken = tmp_path / "broken.8"
    broken.write_text(".Dd November 21, 2026\n.Dt BROKEN 8\n.Os\n.Sh NAME\n.Nm broken\n.Sh NO SUCH\n.Zz\n")
    assert lint(str(broken), "warning"), "the linter finds nothing at all"


def test_every_command_has_its_place(tmp_path):
    commands = [line.split("  ")[1] for line in harness.katamichi("--help").out.splitlines() if re.match(r"  [a-z]", line)]
    for language in ("en", "ja"):
        page = read(generated(language, tmp_path))
        assert re.findall(r"^\.Ss (.*)$", page, re.M) == commands


@pytest.mark.parametrize("program", DAEMONS)
def test_options(program):
    """Those of --help, of the synopsis and of the list: the same in both languages."""
    asked = set(re.findall(r"--([a-z][a-z-]*)", harness.run(harness.program(program), "--help").out))
    for page in DAEMONS[program]:
        text = read(page)
        listed = set(re.findall(r"^\.It Fl (?:c , )?-([a-z-]+)", text, re.M))
        assert listed == asked, page
        synopsis = text[text.index(".Sh SYNOPSIS"):text.index(".Sh DESCRIPTION")]
        assert set(re.findall(r"-([a-z]+(?:-[a-z]+)*)", synopsis)) == asked - {"config"}, page


def keys_of_program(side):
    """(section, key) of the table that the program reads by."""
    source = read(f"{side}/{side}_conf.c")
    table = source[source.index("static const struct conf_key keys[]"):]
    table = table[:table.index("};")] + read("common/content/policy_conf.h")
    found = re.findall(r'(?:PATH\(|\{ )"(\w+) ?", "(\w+)"', table) + [("channel", k) for k in re.findall(r'IN_CHANNEL\("?(\w+)"?,', table)]
    assert len(found) > 15
    return set(found)


def keys_of_page(path, side):
    text = read(path)
    start = text.index(".Sh " + side.upper())
    text = text[start:text.index(".Sh", start + 4)]
    found = set()
    for part in re.split(r"^\.Ss Section ", text, flags=re.M)[1:]:
        section = part.split()[0]
        for line in re.findall(r"^\.It Cm (.*)$", part, re.M):
            found |= {(section, key.strip()) for key in line.split(",")}
    return found


@pytest.mark.parametrize("side", ["sender", "receiver"])
@pytest.mark.parametrize("page", ["common/katamichi.conf.5", "common/ja/katamichi.conf.5"])
def test_configuration_keys(side, page):
    assert keys_of_page(page, side) == keys_of_program(side)


@pytest.mark.parametrize("page", ["tools/katamichi-doctor.conf.5", "tools/ja/katamichi-doctor.conf.5"])
def test_declarations(page):
    """doctor.conf: the keys that the program reads, and the items that they are about."""
    source = read("tools/doctor_declared.c")
    table = source[source.index("static const struct conf_key keys[]"):source.index("};")]
    known = set(re.findall(r'TEXT\((\w+)\)|"declared", "(\w+)"|IN_ITEM\((\w+)\)', table))
    said = [key.strip() for line in re.findall(r"^\.It Cm (.*)$", read(page), re.M) for key in line.split(",")]
    assert len(known) > 15 and set(said) == {a or b or c for a, b, c in known}
    example = read("tools/packaging/conf/doctor.conf")
    assert {key for key in re.findall(r"^;(\w+) =", example, re.M)} == set(said)
    about = dict(re.findall(r"(\w+)(?:\[\w+\])?; +/\* (R\d+)", read("tools/doctor_declared.h")))
    for keys, item in re.findall(r"^\.It Cm (.*)\n(R\d+)", read(page), re.M):
        for key in keys.split(","):
            assert about[key.strip()] == item, key
