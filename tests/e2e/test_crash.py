"""The short form of `make test-crash`: a seeded sample of its points; and the proof that it would find something.

What a run does and demands stands in tests/crash/crash.py.
"""
import os
import random
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "crash"))
import crash  # noqa: E402
import harness  # noqa: E402

SAMPLE = 4  # points of each side and mode; make test-crash takes them all


def execute(tmp_path, *argv):
    done = harness.run(sys.executable, "-B", os.path.join(os.path.dirname(crash.__file__), "crash.py"), "--seed", str(harness.SEED),
                       "--top", str(tmp_path / "crash"), "--jobs", "8", *argv, ok=False, timeout=400)
    print(done.out + done.err)
    assert re.search(r"^\d+ killed and in order again", done.out, re.M), done.out + done.err
    return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize("side", crash.SIDES)
def test_nothing_lost_or_doubled(tmp_path, side):
    assert execute(tmp_path, "--side", side, "--sample", str(SAMPLE), *(f"--mode={m}" for m in crash.MODES + ("mixed", "again"))) == 0


NEEDED = [  # each of these syncs is there for a reason: without it
    ("sender", r"sync_dir out/.*\.taken"),           # what was sent comes back into the folder
    ("sender", r"sync state/objects/"),              # a numbered object is not whole
    ("sender", r"sync_dir state/objects"),           # or not there
    ("receiver", r"sync_dir (inbox/|state/work$)"),  # the ledger knows a delivery that is gone
    ("receiver", r"sync state/work/"),               # what was delivered is empty
]


@pytest.mark.slow
@pytest.mark.parametrize("side,forget", NEEDED if harness.LONG else random.Random(harness.SEED).sample(NEEDED, 2))
def test_an_ineffective_sync_is_found(tmp_path, side, forget):
    """The negative control: on a disk that does not do this sync something goes wrong, and this test says so."""
    assert execute(tmp_path, "--side", side, "--sample", "48", "--mode=lost", "--forget", forget, "--heal", "6") == 0


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """What a sender and a receiver do to their disks when nothing happens."""
    top = tmp_path_factory.mktemp("order")
    keys = top / "keys"
    keys.mkdir(mode=0o700)
    found = {}
    for side in crash.SIDES:
        harness.katamichi("keygen", side, str(keys))
    for serial, side in enumerate(crash.SIDES):
        run = crash.Run(str(top / side), str(keys), crash.address(serial), side, 0, "plain", harness.SEED)
        try:
            run.play()
            found[side] = list(run.layer.operations())
        finally:
            run.end()
    return found


def test_claim_is_durable_before_a_file_is_in_it(log):
    """The program that put a file in may sync the folder just after the file was taken out of it."""
    claims, durable, taken = set(), set(), 0
    for operation in log["sender"]:
        kind, path = operation.split(" ")[0], operation.split(" ")[-1]
        if kind == "mkdir" and os.path.basename(os.path.dirname(path)) == ".taken":
            claims.add(path)
        elif kind == "sync_dir":
            durable |= {c for c in claims if os.path.dirname(c) == path}
        elif kind == "rename" and os.path.dirname(path) in claims:
            assert os.path.dirname(path) in durable, operation
            taken += 1
    assert taken == len([n for w in crash.WAVES for n in w])
