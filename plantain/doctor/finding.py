"""What a check found, and the check itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plantain.doctor.patient import Patient


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    ERROR = "error"
    WARNING = "warning"
    UNKNOWN = "unknown"
    OK = "ok"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        check: name of the check.
        severity: error stops the update, warning hurts later, unknown could not be read, ok is as it should be.
        what: what is so, with the exact value that was read.
        consequence: what it would do to the deployment.
        cure: a command where one exists.
        fix: mends it; only where that is safe and can be undone.
    """

    check: str
    severity: Severity
    what: str
    consequence: str = ""
    cure: str = ""
    fix: Callable[[], str] | None = None


@dataclass(frozen=True)
class Check:
    """One thing that is looked at.

    Attributes:
        name: short, in kebab-case; selects the check on the command line.
        title: what is asked, as a question.
        reads: the settings, APIs and permissions it reads.
        why: what goes wrong when nobody looks.
        run: gives the findings; may raise GoogleCloudError, which becomes an unknown.
    """

    name: str
    title: str
    reads: str
    why: str
    run: Callable[[Patient], Iterable[Finding]]

    def finding(
        self,
        severity: Severity,
        what: str,
        consequence: str = "",
        cure: str = "",
        fix: Callable[[], str] | None = None,
    ) -> Finding:
        """A finding of this check."""
        return Finding(self.name, severity, what, consequence, cure, fix)

    def ok(self, what: str) -> Finding:
        """What is as it should be."""
        return self.finding(Severity.OK, what)

    def error(self, what: str, consequence: str, cure: str, fix: Callable[[], str] | None = None) -> Finding:
        """What stops the update."""
        return self.finding(Severity.ERROR, what, consequence, cure, fix)

    def warning(self, what: str, consequence: str, cure: str, fix: Callable[[], str] | None = None) -> Finding:
        """What hurts later."""
        return self.finding(Severity.WARNING, what, consequence, cure, fix)

    def unknown(self, what: str, consequence: str, cure: str) -> Finding:
        """What could not be read."""
        return self.finding(Severity.UNKNOWN, what, consequence, cure)
