"""What a finished audit tells at the terminal, and how it ends."""

from __future__ import annotations

from pathlib import Path

from plantain import output
from plantain.audit import chain
from plantain.audit.diff import Diff, diff
from plantain.audit.reports.view import SEVERITIES, View
from plantain.audit.run import Done
from plantain.errors import ErrorFound, InputError, WarningFound

NEVER = "never"
SHOWN = 15


#: From the least to the worst.
RISING = tuple(reversed(SEVERITIES))


def check_severity(given: str) -> None:
    """Refuse what is no severity.

    Raises:
        InputError: it is none.
    """
    if given not in {*RISING, NEVER}:
        raise InputError(f"--fail-on {given} is no severity.", cure=f"one of {', '.join(RISING)}, {NEVER}")


def since(out: Path, done: Done) -> Diff | None:
    """The difference to the audit before; None where there is none in the folder."""
    links = chain.ledger(out)
    if len(links) < 2 or not (out / links[-2].bundle).exists():  # noqa: PLR2004 -- this one and the one before
        return None
    return diff(out / links[-2].bundle, done.folder)


def tell(done: Done, difference: Diff | None, *, json: bool, signed: bool) -> None:
    """What was found, for people or for programs."""
    if json:
        output.document(
            {
                "bundle": str(done.folder),
                "manifest": done.manifest.digest,
                "sequence": done.manifest.sequence,
                "signed": signed,
                "summary": done.summary,
                "population": done.inventory["totals"],
                "regressed": list(difference.regressed) if difference else [],
            }
        )
        return

    view = View(done.folder)
    failing = [control for control in view.controls.values() if control["status"] in {"fail", "indeterminate"}]
    if failing:
        rows = [
            (c["status"], c["severity"], c["id"], str(c["resources"].get(c["status"], 0)), c["fix"])
            for c in failing[:SHOWN]
        ]
        output.table(("status", "severity", "control", "resources", "cure"), rows, right=("resources",))
        if len(failing) > SHOWN:
            output.say(f"... and {len(failing) - SHOWN} more: plantain audit report {done.folder}")
    totals, score = done.inventory["totals"], done.summary["score"]
    output.tell(
        f"{score['passed']} of {score['judged']} judged controls pass; {score['controls'] - score['judged']} of "
        f"{score['controls']} have no verdict."
    )
    output.tell(
        f"Population: {totals['projects']} projects, {totals['declared']} declared, {totals['live']} live resources; "
        f"{totals['unread']} lists could not be read."
    )
    if difference and difference.regressed:
        output.tell(f"Worse than before: {', '.join(difference.regressed)}.")
    unsigned = "" if signed else ", not signed"
    output.say(f"Evidence: {done.folder} (manifest {done.manifest.digest[:16]}{unsigned}).")


def end(done: Done, fail_on: str) -> None:
    """End with the code of the worst finding.

    Raises:
        ErrorFound: a control of the given severity or more fails.
        WarningFound: one of less severity fails, or one is open.
    """
    controls = View(done.folder).controls.values()
    failing = [control for control in controls if control["status"] == "fail"]
    least = RISING.index(fail_on) if fail_on != NEVER else len(RISING)
    bad = [control["id"] for control in failing if RISING.index(control["severity"]) >= least]
    cure = f"plantain audit report {done.folder}"
    if bad:
        raise ErrorFound(f"{len(bad)} controls of severity {fail_on} or more fail.", cure=cure)
    if fail_on != NEVER and (failing or any(control["status"] == "indeterminate" for control in controls)):
        raise WarningFound("Controls of lower severity fail, or could not be judged.", cure=cure)


def show_diff(found: Diff) -> None:
    """The difference between two audits, for people."""
    if found.catalogue_changed:
        output.say("The two were judged by different controls.")
    for name, (old, new) in found.population.items():
        output.say(f"{name}: {old} before, {new} after")
    if found.controls:
        output.table(("control", "before", "after"), [(n, a or "-", b or "-") for n, (a, b) in found.controls.items()])
    for change in found.changes:
        turned = "worse: " if change.regressed else "mended: " if change.mended else ""
        before, after = change.before or "not there", change.after or "not there"
        output.tell(f"{turned}{change.control}, {change.name or change.unit}: {before} before, {after} now", hang=4)
        output.tell(f"    {change.reason}")
    if not found.changes and not found.controls:
        output.say("Nothing changed.")
