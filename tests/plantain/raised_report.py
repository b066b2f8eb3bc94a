"""Fails a run of all tests of the command line when one of its failures was raised by none of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import plantain
from tests.plantain import raised
from tests.plantain.failures import ROOT, failures, kinds


class RaisedReport:
    """The plug-in: every process notes what its tests raise, and the one that answers for the run sums up."""

    def __init__(self) -> None:
        self._summary = raised.Summary()
        self._lacking: list[str] = []
        raised.begin()

    @pytest.fixture(autouse=True)
    def failures_are_noted(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """Every failure that a test raises has words, and is counted."""
        raised.since_last_time()
        yield
        notes = raised.since_last_time()
        if notes:
            places = sorted({(note.path, note.line, note.told) for note in notes})
            request.node.user_properties.append((raised.PROPERTY, places))
        assert all(note.message.strip() for note in notes), f"a failure says nothing: {notes}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what one test raised."""
        if report.when == "teardown":
            self._summary.add(report.nodeid, report.user_properties)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Look what is lacking; a part of the tests lacks much, and says nothing."""
        config = session.config
        chosen = config.option.keyword or config.option.markexpr or config.option.collectonly
        if exitstatus != pytest.ExitCode.OK or chosen or hasattr(config, "workerinput") or not self._summary.complete():
            return
        for module in pkgutil.walk_packages(plantain.__path__, "plantain."):
            importlib.import_module(module.name)
        self._lacking = self._summary.lacking(failures(ROOT / "plantain", kinds()))
        if self._lacking:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        for line in self._lacking:
            terminalreporter.write_line(line, red=True)
