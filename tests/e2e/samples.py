#!/usr/bin/python3
"""The files that the tests and the demo send.

Beside tests/data/samples there are names that git, editors and other file systems treat badly, so they are made
here, from bytes.  `samples.py DIR` writes everything that must arrive to DIR/CHANNEL/NAME.
"""
import os
import sys
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data", "samples")
CHANNELS = ("eltax", "pittari")


def table(rows):
    """A small csv as eLTAX delivers it: CP932, CRLF."""
    lines = ["宛名番号,氏名,住所,税額"] + [f"{i:08d},髙﨑　{i},見本市中央{i}丁目,{i * 137}" for i in range(rows)]
    return ("\r\n".join(lines) + "\r\n").encode("cp932")


def special():
    """(channel, name, content) of names that break programs."""
    return [
        ("eltax", "髙﨑_特別徴収.csv".encode(), table(40)),  # IBM extensions: not in JIS X 0208
        ("eltax", "給与支払報告書_見本.csv".encode("cp932"), table(25)),  # Shift_JIS bytes: not UTF-8
        ("eltax", "ソ表示能力_十予申.csv".encode("cp932"), table(10)),  # and with 5C as second byte
        ("eltax", "が_合成済み.csv".encode(), table(3)),  # NFC
        ("eltax", "か\u3099_合成済み.csv".encode(), table(4)),  # NFD: looks the same, is another name
        ("eltax", ("長" * 83).encode() + b"-1.csv", table(1)),  # 255 bytes
        ("pittari", "空白 と　全角.csv".encode(), "申請\n".encode()),
        ("pittari", b"-rf.csv", b"a name like an option\n"),
        ("pittari", b"'$(reboot)' \"&;.csv", b"a name like a command\n"),
        ("pittari", b"one-byte.csv", b"1"),
    ]


def good():
    """Everything that must arrive: (channel, name, content)."""
    found = []
    for channel in CHANNELS:
        folder = os.fsencode(os.path.join(DATA, channel))
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as f:
                found.append((channel, name, f.read()))
    return found + special()


def write(top):
    for channel, name, content in good():
        folder = os.path.join(os.fsencode(top), channel.encode())
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "wb") as f:
            f.write(content)


def show(folder, sizes):
    for name in sorted(os.listdir(os.fsencode(folder))):
        try:
            text, note = name.decode("utf-8"), ""
            if unicodedata.normalize("NFC", text) != text:
                note = "  (NFD: decomposed)"
        except UnicodeDecodeError:
            text, note = name.decode("cp932", "backslashreplace"), "  (the bytes are Shift_JIS)"
        text = "".join(c if c.isprintable() or c == "\u3000" else ascii(c)[1:-1] for c in text)
        if len(text) > 60:
            text, note = f"{text[:24]}...{text[-8:]}", f"  ({len(name)} bytes)"
        text += note
        print(f"{os.path.getsize(os.path.join(os.fsencode(folder), name)):8d}  {text}" if sizes else text)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    if len(sys.argv) >= 3 and sys.argv[1] == "--list":
        show(sys.argv[2], len(sys.argv) > 3)
    elif len(sys.argv) == 2:
        write(sys.argv[1])
    else:
        sys.exit("usage: samples.py DIR | --list DIR [sizes]")
