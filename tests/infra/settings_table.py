"""The tables of docs/settings.md: what one change of each setting does, as the engine planned it in `bench.settings`.

    python -m tests.infra.settings_table

writes the page's tables anew, from bench/settings.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.setting_case import GONE, STACK, Case
from tests.infra.setting_cases import CASES, WHOLE
from tools.generated_part import rewritten

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "settings.json"
PAGE = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- tables by python -m tests.infra.settings_table -->", "<!-- end of the tables -->"
COLUMNS = ("makes", "changes", "replaces", "removes")
NO_RESOURCE: Mapping[str, str] = {
    f"{STACK}endpoints": "where the provider calls",
    f"{STACK}accessToken": "how the provider calls",
    f"{STACK}quotaProject": "which project the provider's calls are charged to",
    f"{STACK}impersonate": "who the provider calls as",
    f"{STACK}pollInterval": "how often the provider asks",
    f"{STACK}batchDelay": "how long the provider gathers",
}
"""Settings that change no resource, and what they are for."""


@cache
def results() -> dict[str, Any]:
    """What was measured."""
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found


def row(case: Case) -> dict[str, Any]:
    """What the engine planned for a case."""
    found: dict[str, Any] = results()["cases"].get(case.name, {})
    return found


def table(cases: list[Case]) -> str:
    """A table in Markdown."""
    head = ["| setting | makes | changes | replaces | removes |", "|---|---|---|---|---|"]
    return "\n".join([*head, *sorted(_line(case) for case in cases)])


def _line(case: Case) -> str:
    name = f"`{case.key.removeprefix(STACK)}`" + (f", {case.note}" if case.note else "")
    name += " taken away" if case.value == GONE else ""
    name += " *" if "recorded" in row(case) else ""
    if case.key in NO_RESOURCE:
        return f"| {name} | no resource | {NO_RESOURCE[case.key]} | | |"
    cells = [_cell(row(case).get(column, {})) for column in COLUMNS]
    if case.why and cells[2]:
        cells[2] += f": {case.why}"
    return f"| {name} | {' | '.join(cells)} |"


def _cell(types: Mapping[str, int]) -> str:
    return ", ".join(f"`{kind}`" + (f" ({count})" if count > 1 else "") for kind, count in types.items())


def tables() -> str:
    """Both tables, and what they do not hold."""
    stack = [case for case in CASES if case.key.startswith(STACK)]
    campaign = [case for case in CASES if not case.key.startswith(STACK)]
    measured = results()
    return "\n".join(
        [
            f"Measured on {measured['measured']}: {_planned()}",
            _deployed(measured["rounds"]),
            "",
            "### Settings of a stack",
            "",
            table(stack),
            "",
            "### Settings of a campaign's file",
            "",
            table(campaign),
            "",
            "### Planned, and not deployed",
            "",
            *_apart(),
            "",
            "### Without a row",
            "",
            *(f"- `{name.removeprefix(STACK)}`: {why}" for name, why in WHOLE.items()),
        ]
    )


def _planned() -> str:
    planned = sum("recorded" not in row(case) for case in CASES)
    if planned == len(CASES):
        return f"{len(CASES)} changes, all previewed by the engine."
    return (
        f"{len(CASES)} changes, {planned} of them previewed by the engine. Rows with a star are what the program "
        "registers: no engine has planned them since they were changed, so what would be replaced is not known of them."
    )


def _deployed(rounds: list[dict[str, Any]]) -> str:
    if not rounds:
        return "None of them was deployed in this way yet; the tests in `tests/end_to_end` deploy most options."
    count = sum(len(one["settings"]) for one in rounds)
    return (
        f"{count} of them were deployed, in {len(rounds)} rounds with an empty preview after each; why the others were "
        "not is said below the tables."
    )


def _apart() -> list[str]:
    """Cases that no round deployed, by the reason why."""
    reasons: dict[str, list[str]] = {}
    deployed = {name for one in results()["rounds"] for name in one["settings"]}
    for case in CASES:
        if case.apart or case.name not in deployed:
            why = case.apart or "not deployed in this way yet"
            reasons.setdefault(why, []).append(f"`{case.key.removeprefix(STACK)}`")
    return [f"- {why}: {', '.join(names)}" for why, names in sorted(reasons.items())]


def page(text: str) -> str:
    """The page with its tables written anew.

    Raises:
        ValueError: the page has no place for them.
    """
    return rewritten(text, BEGIN, END, f"\n\n{tables()}\n\n", what="the tables")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.name} written\n")
