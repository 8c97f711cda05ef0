"""What is in an image: its sizes, read here from the program headers and not by the tool that makes them; and that the limits can
be exceeded."""
import re
import shutil
import sys

import pytest

import box as box_module
import harness

CODE_MAX, RAM_MAX = 64 << 10, 192 << 10  # bytes


def segments(elf):
    """[(address, bytes in the file, bytes in memory, flags)]"""
    out = harness.run("readelf", "-lW", elf).out
    return [(int(m[2], 16), int(m[4], 16), int(m[5], 16), m[6]) for m in
            re.finditer(r"^\s+LOAD\s+0x(\w+) 0x(\w+) 0x(\w+) 0x(\w+) 0x(\w+) ([RWE ]{3})", out, re.M)]


@pytest.mark.parametrize("board", list(box_module.BOARDS))
@pytest.mark.parametrize("role", ["ingress", "egress"])
def test_sizes(board, role):
    found = segments(box_module.image(board, role))
    in_file, in_memory = sum(s[1] for s in found), sum(s[2] for s in found)
    with open(harness.program(f"firmware/{board}-{role}.size")) as f:
        print(f.read().strip())
    print(f"program headers: {in_file} bytes in the file, {in_memory} in memory")
    assert 8000 < in_file <= CODE_MAX and in_memory <= RAM_MAX
    with open(harness.program(f"firmware/{board}-{role}.stack")) as f:
        bound = int(re.search(r"\d+", f.read()).group())
    assert 0 < bound <= 2048


@pytest.mark.parametrize("limit", ["--code", "--ram"])
def test_limits_can_fail(tmp_path, limit):
    """The tool that seals an image refuses one that is too large, and this is how it looks."""
    limits = {"--code": str(CODE_MAX), "--ram": str(RAM_MAX), limit: "4096"}
    copy = str(tmp_path / "image.elf")
    shutil.copy(box_module.image("zynq", "ingress"), copy)
    done = harness.run(sys.executable, "-B", f"{harness.TOP}/firmware/seal.py", copy, *sum(limits.items(), ()), "--stack",
                       harness.program("firmware/zynq-ingress.stack"), ok=False)
    assert done.returncode != 0 and "4096" in done.out + done.err, done.out + done.err
