"""Keys made for a service, and the fingerprint that two people read to each other."""
import os
import pwd
import re

import pytest

import harness


def lists():
    with open(os.path.join(harness.TOP, "tools", "words.c"), encoding="utf-8") as f:
        text = f.read()
    return {name: re.findall(r'"([^"]+)"', body) for name, body in re.findall(r"words_(ja|en)\[256\] = \{(.*?)\};", text, re.S)}


def far(a, b):
    """Do two words differ in two letters at least (replaced, left out or too many)?"""
    if abs(len(a) - len(b)) > 1:
        return True
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b)) > 1
    short, long = sorted((a, b), key=len)
    return all(long[:i] + long[i + 1:] != short for i in range(len(long)))


@pytest.mark.parametrize("name", ["ja", "en"])
def test_lists(name):
    words = lists()[name]
    assert len(words) == 256
    for i, a in enumerate(words):
        assert re.fullmatch("[ぁ-んー]{3,5}" if name == "ja" else "[a-z]{4,11}", a), a
        for b in words[:i]:
            assert far(a, b), f"{a} and {b} can be taken for each other"


def said(out):
    return {line[:12].strip(): line[13:].split() for line in out.splitlines()}


def test_both_ends_read_the_same(tmp_path):
    made = said(harness.katamichi("keygen", "receiver", str(tmp_path / "k")).out)
    shown = said(harness.katamichi("key", "show", str(tmp_path / "k/receiver.pub")).out)
    digest = bytes.fromhex("".join(made["fingerprint"]))
    for label, name in (("words", "ja"), ("in English", "en")):
        assert made[label] == shown[label] == [lists()[name][b] for b in digest[:16]]
    assert made["fingerprint"] == shown["fingerprint"]


def test_root_makes_keys_for_the_directorys_owner(tmp_path):
    if not harness.is_host_root():
        pytest.skip("needs root")
    nobody = pwd.getpwnam("nobody")
    os.mkdir(tmp_path / "k", mode=0o700)
    os.chown(tmp_path / "k", nobody.pw_uid, nobody.pw_gid)
    harness.katamichi("keygen", "sender", str(tmp_path / "k"))
    for name in ("sender.key", "sender.pub"):
        st = os.stat(tmp_path / "k" / name)
        assert (st.st_uid, st.st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert os.stat(tmp_path / "k/sender.key").st_mode & 0o777 == 0o600
