import os
import shutil
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
import box as box_module  # noqa: E402
import harness  # noqa: E402


def pytest_report_header(config):
    return f"KATAMICHI_SEED={harness.SEED}"


def pytest_sessionstart(session):
    harness.remove_stale()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, "report_" + report.when, report)
    if report.when == "call" and report.failed:
        site, box = item.funcargs.get("site"), item.funcargs.get("box")
        for p in (box.nodes if box else []) + ([site.sender, site.receiver] if site else []):
            if p is not None:
                report.sections.append((f"{p.name}'s log", p.tail(20)))
        report.sections.append(("again with", f"KATAMICHI_SEED={harness.SEED}"))


@pytest.fixture
def box(request):
    """Two hosts and no box yet.  After the test, whatever it was: not one frame may have gone back."""
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


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "long" in item.keywords and not harness.LONG:
            item.add_marker(pytest.mark.skip(reason="make test-firmware LONG=1"))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: measures; make test-firmware LONG=1")
    config.addinivalue_line("markers", "counter: puts frames in front of the sender on purpose")
