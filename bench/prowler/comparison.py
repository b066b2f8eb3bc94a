"""What Prowler says beside what our audit says of the same things, in the same sandbox at the same moment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.prowler.checks import BUCKET_GRANT, KEY_GRANT, PROJECT, SECRET_GRANT, SHARED, Shared

Row = Mapping[str, Any]
WEIGHT = ("fail", "indeterminate", "manual", "pass", "not_applicable", "nothing to judge")
"""Of several verdicts on one thing the first of these counts."""
#: Verdicts that do not contradict each other, though the words differ: nothing here offends.
CONTENT = frozenset({"pass", "not_applicable", "nothing to judge"})
#: Where a grant says what it is on.
GRANTED_ON = {BUCKET_GRANT: "bucket", KEY_GRANT: "cryptoKeyId", SECRET_GRANT: "secretId"}


@dataclass(frozen=True)
class Compared:
    """One thing that both judged.

    Attributes:
        check: Prowler's check.
        controls: ours.
        thing: short name of the resource; the project's id for a whole project.
        prowler: pass, fail, manual, or "nothing to judge".
        plantain: as above, or not_applicable, or indeterminate.
        differs: why they may disagree; empty where they must not.
    """

    check: str
    controls: tuple[str, ...]
    thing: str
    prowler: str
    plantain: str
    differs: str

    @property
    def agree(self) -> bool:
        """Whether both call it a failure, or neither does."""
        return self.prowler == self.plantain or {self.prowler, self.plantain} <= CONTENT

    @property
    def explained(self) -> bool:
        """Whether they agree, or a reason is written down."""
        return self.agree or bool(self.differs)


def worst(verdicts: Iterable[str]) -> str:
    """The verdict that counts of several."""
    return min(verdicts, key=WEIGHT.index, default=WEIGHT[-1])


def short(name: str) -> str:
    """The last part of a resource's name."""
    return name.rstrip("/").rpartition("/")[2]


def compare(findings: Iterable[Row], rows: Sequence[Row], project: str) -> list[Compared]:
    """Every check and thing that either of the two judged.

    Args:
        findings: Prowler's, as OCSF.
        rows: ours, from the live inventory alone.
        project: id of the project both looked at.
    """
    theirs: dict[str, dict[str, list[str]]] = {}
    by_check = {shared.check: shared for shared in SHARED}
    for finding in findings:
        shared = by_check.get(finding["metadata"]["event_code"])
        if shared and finding["unmapped"]["provider_uid"] == project:
            thing = short(finding["resources"][0]["name"]) if shared.type else project
            theirs.setdefault(shared.check, {}).setdefault(thing, []).append(finding["status_code"].lower())
    compared = []
    for shared in SHARED:
        found, own = theirs.get(shared.check, {}), ours(shared, rows, project)
        for thing in sorted({*found, *own}):
            verdicts = (worst(found.get(thing, ())), worst(own.get(thing, ())))
            compared.append(Compared(shared.check, shared.controls, thing, *verdicts, shared.differs))
    return compared


def ours(shared: Shared, rows: Sequence[Row], project: str) -> dict[str, list[str]]:
    """Our verdicts by thing."""
    verdicts: dict[str, list[str]] = {}
    for row in rows:
        if row["control"] not in shared.controls or row["project"] not in {"", project}:
            continue
        if shared.type == PROJECT:
            thing = project
        elif row["type"] == shared.type:
            thing = _granted_on(row) if shared.type in GRANTED_ON else short(row["name"])
        else:
            continue
        verdicts.setdefault(thing, []).append(row["status"])
    return verdicts


def _granted_on(row: Row) -> str:
    """The resource whose policy holds a grant: //HOST/RESOURCE/ROLE/MEMBER."""
    scope = re.split(r"/(?:roles|projects/[^/]+/roles|organizations/[^/]+/roles)/", row["resource"])[0]
    return short(scope)


def agreement(compared: Sequence[Compared]) -> dict[str, Any]:
    """Counts, and every row, for JSON."""
    return {
        "compared": len(compared),
        "agree": sum(entry.agree for entry in compared),
        "explained": sum(entry.explained and not entry.agree for entry in compared),
        "unexplained": [vars(entry) for entry in compared if not entry.explained],
        "rows": [
            {"check": e.check, "controls": list(e.controls), "thing": e.thing, "prowler": e.prowler,
             "plantain": e.plantain, "agree": e.agree}
            for e in compared
        ],
    }  # fmt: skip
