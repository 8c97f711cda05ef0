"""What the conftests of e2e and of firmware have in common: seed, order, times, and what is shown of a failure."""
import pytest

import harness


def pytest_report_header(config):
    return f"KATAMICHI_SEED={harness.SEED}"


def pytest_sessionstart(session):
    harness.remove_stale()


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes, or measures; make test-long, or make test-firmware LONG=1")
    config.addinivalue_line("markers", "slow: takes ten seconds and more; begun first, so that none of them is the last")
    config.addinivalue_line("markers", "alone: judges times or losses that a busy machine makes; never beside another test")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: "slow" not in item.keywords)
    for item in items:
        if "long" in item.keywords and not harness.LONG:
            item.add_marker(pytest.mark.skip(reason="make test-long, or make test-firmware LONG=1"))


def pytest_report_teststatus(report, config):
    """With the time, for who watches."""
    if report.when == "call" and report.outcome in ("passed", "failed") and config.option.verbose > 0:
        return report.outcome, report.outcome[0], f"{report.outcome.upper()} {report.duration:.1f} s"


def keep_reports(item, report, processes, lines):
    """The fixtures see how the test went; a failure shows the end of each process's log."""
    setattr(item, "report_" + report.when, report)
    if report.when == "call" and report.failed:
        for p in processes:
            if p is not None:
                report.sections.append((f"{p.name}'s log", p.tail(lines)))
        report.sections.append(("again with", f"KATAMICHI_SEED={harness.SEED}"))
