import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import harness  # noqa: E402


def pytest_report_header(config):
    return f"KATAMICHI_SEED={harness.SEED}"


def pytest_sessionstart(session):
    harness.remove_stale()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, "report_" + report.when, report)
    if report.when == "call" and report.failed and "site" in item.funcargs:
        site = item.funcargs["site"]
        for p in (site.sender, site.receiver, site.relay):
            if p is not None:
                report.sections.append((f"{p.name}'s log", p.tail(60)))
        report.sections.append(("again with", f"KATAMICHI_SEED={harness.SEED}"))


@pytest.fixture
def net(request):
    mtu = getattr(request, "param", 1500)
    made = harness.Net(mtu)
    yield made
    harness.Process.end_all()
    made.close()


@pytest.fixture
def site(net, tmp_path, request):
    """A pair of hosts with keys; after the test, nothing may have come back and the memory bound must have held."""
    made = harness.Site(tmp_path, net)
    yield made
    try:
        if request.node.report_call.passed:
            made.check_memory()
            made.stop()
            made.check_one_way()
    finally:
        harness.Process.end_all()
        if request.node.report_call.passed:
            shutil.rmtree(tmp_path, ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "long" in item.keywords and not harness.LONG:
            item.add_marker(pytest.mark.skip(reason="make test-long"))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; make test-long")
