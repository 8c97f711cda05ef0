import os
import shutil
import sys

import pytest

TAPS = "/dev/net/tun"
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
import box as box_module  # noqa: E402
import every_group  # noqa: E402
import harness  # noqa: E402
from every_group import *  # noqa: E402,F401,F403
from every_group import keep_reports  # noqa: E402


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report, site, box = (yield).get_result(), item.funcargs.get("site"), item.funcargs.get("box")
    keep_reports(item, report, [*(box.nodes if box else []), *((site.sender, site.receiver) if site else [])], 20)


def pytest_configure(config):
    every_group.pytest_configure(config)
    config.addinivalue_line("markers", "counter: puts frames in front of the sender on purpose")


@pytest.fixture
def box(request):
    """Two hosts and no box yet.  After the test, whatever it was: not one frame may have gone back."""
    if not os.access(TAPS, os.R_OK | os.W_OK):
        pytest.skip(f"the emulated ports are taps, and {TAPS} is not open to this user")
    made = box_module.Box(*[os.path.join(harness.TOP, f"tests/data/diode-{kind}.ini") for kind in [getattr(request, "param", None)] if kind])
    yield made
    try:
        if request.node.report_call.passed and "counter" not in request.keywords:
            assert made.frames_back()[0] == 0, f"{made.frames_back()[0]} frames toward the sender"
            made.stop()
    finally:
        harness.Process.end_all()
        made.close()


@pytest.fixture
def site(box, tmp_path, request):
    """The daemons' side of it: keys, folders, configuration."""
    made = harness.Site(tmp_path, box)
    yield made
    try:
        if request.node.report_call.passed:
            made.stop()
            made.check_one_way()
    finally:
        for p in made.daemons():
            if p.poll() is None:
                p.kill()
        shutil.rmtree(tmp_path, ignore_errors=True)
