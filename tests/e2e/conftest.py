import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import harness  # noqa: E402
from every_group import *  # noqa: E402,F401,F403
from every_group import keep_reports  # noqa: E402


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report, site = (yield).get_result(), item.funcargs.get("site")
    keep_reports(item, report, (site.sender, site.receiver, site.relay) if site else (), 60)


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
        if hasattr(request.node, "report_call") and request.node.report_call.passed:  # not where it was skipped before it began
            made.check_memory()
            made.stop()
            made.check_one_way()
    finally:
        harness.Process.end_all()
        if hasattr(request.node, "report_call") and request.node.report_call.passed:  # not where it was skipped before it began
            shutil.rmtree(tmp_path, ignore_errors=True)
