"""For all tests: a run of all those of the command line fails when one of its failures was raised by none of them."""

from __future__ import annotations

import importlib
import pkgutil
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import plantain
from tests.plantain import raised
from tests.plantain.failures import ROOT, failures, kinds

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

SUMMARY = pytest.StashKey[raised.Summary]()
LACKING = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # a shell's background jobs, whose children would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[SUMMARY] = raised.Summary()
    config.stash[LACKING] = []
    raised.begin()
    config.pluginmanager.register(Reports(config), "failures of the command line")


class Reports:
    """Sums up the reports of tests, in the process that answers for the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self._config.stash[SUMMARY].add(report.nodeid, report.user_properties)


@pytest.fixture(autouse=True)
def failures_are_noted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every failure that a test raises has words, and is counted."""
    raised.since_last_time()
    yield
    notes = raised.since_last_time()
    if notes:
        places = sorted({(note.path, note.line, note.told) for note in notes})
        request.node.user_properties.append((raised.PROPERTY, places))
    assert all(note.message.strip() for note in notes), f"a failure says nothing: {notes}"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    chosen = config.option.keyword or config.option.markexpr or config.option.collectonly
    summary = config.stash[SUMMARY]
    if exitstatus != pytest.ExitCode.OK or chosen or hasattr(config, "workerinput") or not summary.complete():
        return
    for module in pkgutil.walk_packages(plantain.__path__, "plantain."):
        importlib.import_module(module.name)
    config.stash[LACKING] = summary.lacking(failures(ROOT / "plantain", kinds()))
    if config.stash[LACKING]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[LACKING]:
        terminalreporter.write_line(line, red=True)
