"""Which recordings and tests call each method of the sandbox: collected by running them.

    python -m tests.conformance.backing

runs the recordings and the tests below tests/sandbox, and keeps what they called in backing.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.request_log import Entry, RequestLog
from tests.conformance.replay import READINGS, replay

FILE = Path(__file__).with_name("backing.json")
TESTS = Path(__file__).parents[1] / "sandbox"
#: They use processes of their own, whose requests are not seen here; the last calls everything and proves little.
LEFT_OUT = ("clients", "cloudfunctions", "provider", "test_every_method.py")
HTTP_ERROR = 400
#: The sandbox is loaded already when pytest begins, which it warns of.
OPTIONS = ("-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")

Backing = dict[str, dict[str, list[str]]]


class Collector:
    """A pytest plug-in: notes which test file had each method answered.

    Attributes:
        found: test files by method id.
    """

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}
        self._file = ""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Remember whose requests come now."""
        self._file = item.nodeid.partition("::")[0]

    def note(self, entry: Entry) -> None:
        """One answered request; refusals alone back nothing."""
        if entry.status < HTTP_ERROR and self._file:
            self.found.setdefault(entry.method, set()).add(self._file)


def collect(arguments: list[str]) -> dict[str, set[str]]:
    """Run tests and return the files that called each method.

    Raises:
        SystemExit: a test failed.
    """
    collector = Collector()
    original = RequestLog.add

    def add(self: RequestLog, entry: Entry) -> None:
        original(self, entry)
        collector.note(entry)

    RequestLog.add = add  # type: ignore[method-assign]  # for the time of this run
    try:
        status = pytest.main([*OPTIONS, *arguments], plugins=[collector])
    finally:
        RequestLog.add = original  # type: ignore[method-assign]  # put back
    if status:
        raise SystemExit(f"The tests failed ({status}): nothing was kept.")
    return collector.found


def load() -> Backing:
    """What is on record."""
    found: Backing = json.loads(FILE.read_text())
    return found


def main() -> int:
    """Collect and keep."""
    recordings: dict[str, set[str]] = {}
    replay(READINGS["once"], methods=recordings)
    ignored = [f"--ignore={TESTS / name}" for name in LEFT_OUT]
    tests = collect([str(TESTS), *ignored])
    document: dict[str, Any] = {
        method: {"recordings": sorted(recordings.get(method, ())), "tests": sorted(tests.get(method, ()))}
        for method in sorted({*recordings, *tests})
        if "." in method
    }
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    FILE.write_text(f"{{\n{lines}\n}}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
