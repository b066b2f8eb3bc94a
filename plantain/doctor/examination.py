"""Runs the checks, several at once, and turns what they could not read into findings of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from plantain.doctor.finding import Check, Finding, Severity
from plantain.doctor.patient import Patient
from plantain.errors import PlantainError

AT_ONCE = 8


def examine(patient: Patient, checks: Sequence[Check], done: Callable[[], None] = lambda: None) -> list[Finding]:
    """Everything the checks found, the worst first.

    ``done`` is called once for each check that has ended.
    """

    def run(check: Check) -> list[Finding]:
        try:
            return list(check.run(patient))
        except PlantainError as error:
            return [check.unknown(error.message, "not known", error.cure or "ask for the right to read it")]
        finally:
            done()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [finding for findings in pool.map(run, checks) for finding in findings]
    return sorted(found, key=lambda one: one.severity.rank)


def worst(findings: Sequence[Finding]) -> Severity:
    """The worst severity found."""
    return min((one.severity for one in findings), key=lambda one: one.rank, default=Severity.OK)
