"""The guides do what they say: every block is run from the text itself, on two fresh hosts that systemd starts."""
import os
import re

import pytest

import guide

LOCALE = {"ja": "ja_JP.UTF-8", "en": "C.UTF-8"}
LANGUAGES = tuple(LOCALE)
ALL = os.environ.get("KATAMICHI_DOCS") == "all"


@pytest.fixture
def pair(language):
    with guide.made_pair(locale=LOCALE[language]) as made:
        yield made


@pytest.mark.parametrize("language", LANGUAGES)
def test_blocks_are_known(language):
    for name in guide.ORDER:
        for block in guide.blocks(language, name):
            assert block.kind in guide.KINDS, f"{language}/{name}.md:{block.line}: ```{block.kind}"


@pytest.mark.parametrize("name", guide.ORDER)
def test_both_languages_have_the_same_commands(name):
    ja, en = ([(b.kind, b.commands) for b in guide.blocks(language, name)] for language in LANGUAGES)
    assert ja == en


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_lead_somewhere(language):
    folder = os.path.join(guide.GUIDES, language)
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", f.read()):
                assert os.path.exists(os.path.join(folder, target)), f"{language}/{name}: {target}"


def test_set_up_takes_few_commands():
    """Both ends together, from nothing to two running services."""
    count = sum(len(b.commands) for b in guide.blocks("ja", "install") if b.host and "wait" not in b.kind)
    assert 0 < count < 15, count


def test_a_wrong_text_is_found():
    """The comparison compares."""
    p = guide.pattern(["eltax  ... 2", "...", "end"])
    assert p.match("eltax    a b 2\nx\ny\nend\n") and p.match("eltax 1 2\nend\n")
    assert not p.match("eltax 1 3\nend\n") and not p.match("eltax 1 2\n") and not p.match("eltax 1 2\nend\nmore\n")


@pytest.mark.parametrize("language", ["ja"])
def test_set_up(pair, language):
    """With one guide alone."""
    guide.Runner(pair, language).run(language, "install")


@pytest.mark.skipif(not ALL, reason="make test-docs")
@pytest.mark.parametrize("language", LANGUAGES)
def test_whole_guide(pair, language):
    runner = guide.Runner(pair, language)
    for name in guide.ORDER:
        runner.run(language, name)
