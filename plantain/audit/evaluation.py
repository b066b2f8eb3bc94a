"""The judgement: one row for each control and resource, from every source that was read. A pure function of the unit.

The same unit gives the same rows, byte for byte, which is how evidence is verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plantain.audit import resource_document
from plantain.audit.googles_own import born_enabled
from plantain.audit.identity import identity
from plantain.audit.join import Finding, findings
from plantain.audit.join_controls import SOURCES_AGREE
from plantain.audit.unit import Frame, Unit
from policies.catalogue import Context, Control, Resource, Status, Verdict

Row = dict[str, Any]
#: Readings kept of a control over a whole stack; the verdict can be made again from the sources themselves.
KEPT_READINGS = 20
KEPT_ITEMS = 20
KEPT_TEXT = 1000
STACK = "stack"
EXCEPTION = "exception"
NOT_EVALUATED = "not_evaluated"
#: Statuses by weight: what several sources say of one resource becomes the first that one of them says.
DECISIVE = (Status.FAIL, Status.PASS, Status.MANUAL, Status.INDETERMINATE, Status.NOT_APPLICABLE)
CONTRADICTION = frozenset({Status.PASS, Status.FAIL})


@dataclass
class _Joined:
    """What the sources say of one control and resource."""

    control: Control
    resource: Resource | None
    verdicts: dict[str, Verdict]


def evaluate(unit: Unit, frame: Frame) -> list[Row]:
    """Every row of a unit, in the order of the catalogue, then of the resources' names."""
    joined: dict[tuple[str, str], _Joined] = {}
    for source, resources, surroundings in unit.sources():
        context = Context((*resources, *surroundings), unit.settings, frame.date, frame.models, unit.parameters)
        for control, resource, verdict in _verdicts(frame.controls, resources, context):
            key = _key(unit, source, resource)
            entry = joined.setdefault((control.id, key), _Joined(control, resource, {}))
            entry.verdicts.setdefault(source, verdict)
    order = {control.id: index for index, control in enumerate(frame.controls)}
    rows: list[Row] = []
    for _, entry in sorted(joined.items(), key=lambda item: (order[item[0][0]], item[0][1])):
        rows.append(_row(unit, frame, entry))
        if entry.resource is not None and set(_statuses(entry)) >= CONTRADICTION:
            rows.append(_contradiction(unit, frame, entry))
    rows += [_finding_row(unit, frame, finding) for finding in findings(unit)]
    return rows


def _verdicts(
    controls: Iterable[Control], resources: Sequence[Resource], context: Context
) -> Iterable[tuple[Control, Resource | None, Verdict]]:
    by_type: dict[str, list[Resource]] = {}
    for resource in resources:
        by_type.setdefault(resource.type, []).append(resource)
    for control in controls:
        if control.of_stack:
            yield control, None, judged(control, None, context)
            continue
        for type_, found in by_type.items():
            if control.applies_to(type_):
                for resource in found:
                    yield control, resource, _of_resource(control, resource, context)


def _of_resource(control: Control, resource: Resource, context: Context) -> Verdict:
    """An API that every new project has is not what somebody enabled; it stays visible, and is no failure."""
    verdict = judged(control, resource, context)
    if verdict.status is Status.FAIL and resource.source == "live" and (reason := born_enabled(resource)):
        return replace(verdict, status=Status.NOT_APPLICABLE, reason=reason)
    return verdict


def judged(control: Control, resource: Resource | None, context: Context) -> Verdict:
    """A control's verdict; a check that breaks leaves its control open, and says where it broke."""
    try:
        return control.check(resource, context)
    except Exception as error:  # noqa: BLE001 -- a broken check must not hide the others' verdicts, nor pass
        return Verdict(Status.INDETERMINATE, f"the check broke on what it read ({type(error).__name__})")


def _key(unit: Unit, source: str, resource: Resource | None) -> str:
    if resource is None:
        return ""
    if source == "preview" and resource.urn in unit.keys:
        return unit.keys[resource.urn]
    return identity(resource)


def _statuses(entry: _Joined) -> list[Status]:
    return [verdict.status for verdict in entry.verdicts.values()]


def _row(unit: Unit, frame: Frame, entry: _Joined) -> Row:
    status = next(status for status in DECISIVE if status in _statuses(entry))
    deciding = next(verdict for verdict in entry.verdicts.values() if verdict.status is status)
    row: Row = {
        "control": entry.control.id,
        "unit": unit.name,
        **_subject(entry.resource),
        "status": str(status),
        "reason": deciding.reason,
        "sources": {source: _verdict(verdict) for source, verdict in sorted(entry.verdicts.items())},
    }
    if deciding.offenders:
        row["offenders"] = list(deciding.offenders)
    if status is Status.MANUAL:
        return {**row, **_manual(entry.control.id, frame)}
    return _excepted(row, frame)


def _subject(resource: Resource | None) -> Row:
    if resource is None:
        return {"resource": "", "type": STACK, "name": "", "project": ""}
    project = resource.properties.get("project")
    if not isinstance(project, str):
        project = resource.properties.get("projectId")
    return {
        "resource": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "project": project.removeprefix("projects/") if isinstance(project, str) else "",
    }


def _verdict(verdict: Verdict) -> Row:
    found: Row = {"status": str(verdict.status), "reason": verdict.reason}
    offending = [entry for entry in verdict.readings if entry.urn in verdict.offenders]
    kept = (offending or verdict.readings)[:KEPT_READINGS]
    found["readings"] = [
        {"path": entry.path, "value": short(entry.value), **({"urn": entry.urn} if entry.urn else {})} for entry in kept
    ]
    if len(kept) < len(verdict.readings):
        found["readingsLeftOut"] = len(verdict.readings) - len(kept)
    return found


def short(value: Any) -> Any:
    """A value that was read, as JSON; long lists and texts are cut, for the sources beside have all of them."""
    if isinstance(value, str):
        return value if len(value) <= KEPT_TEXT else f"{value[:KEPT_TEXT]}..."
    if isinstance(value, Mapping):
        return {str(key): short(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        kept = [short(item) for item in value[:KEPT_ITEMS]]
        return kept if len(value) <= KEPT_ITEMS else [*kept, {"$leftOut": len(value) - KEPT_ITEMS}]
    return resource_document.plain(value)


def _contradiction(unit: Unit, frame: Frame, entry: _Joined) -> Row:
    said = ", ".join(f"{source}: {verdict.status}" for source, verdict in sorted(entry.verdicts.items()))
    return _excepted(
        {
            "control": SOURCES_AGREE.id,
            "unit": unit.name,
            **_subject(entry.resource),
            "status": str(Status.FAIL),
            "reason": f"the sources contradict each other on {entry.control.id} ({said})",
            "about": entry.control.id,
            "sources": {source: {"status": str(v.status)} for source, v in sorted(entry.verdicts.items())},
        },
        frame,
    )


def _finding_row(unit: Unit, frame: Frame, finding: Finding) -> Row:
    row: Row = {
        "control": finding.control.id,
        "unit": unit.name,
        "resource": finding.resource,
        "type": finding.type,
        "name": finding.name,
        "project": finding.project,
        "status": str(finding.status),
        "reason": finding.reason,
        "sources": {"joined": {"status": str(finding.status), "reason": finding.reason, "readings": finding.readings}},
    }
    return _excepted(row, frame)


def _excepted(row: Row, frame: Frame) -> Row:
    """A failure under an exception that holds is no failure; one under an expired exception says so."""
    if row["status"] != Status.FAIL:
        return row
    exceptions = frame.judgements.exceptions
    offenders = row.get("offenders") or [row["resource"]]
    holding = [exceptions.covering(row["control"], urn, frame.date) for urn in offenders]
    held = [entry for entry in holding if entry is not None]
    if len(held) == len(offenders):
        first = min(held, key=lambda entry: entry.expires)
        allowed = {
            "owner": first.owner,
            "reason": first.reason,
            "approved": first.approved.isoformat(),
            "expires": first.expires.isoformat(),
        }
        return {**row, "status": EXCEPTION, "exception": allowed}
    expired = next((e for urn in offenders if (e := exceptions.expired(row["control"], urn, frame.date))), None)
    if expired:
        return {**row, "reason": f"{row['reason']}; its exception expired on {expired.expires.isoformat()}"}
    return row


def _manual(control: str, frame: Frame) -> Mapping[str, Any]:
    recorded = frame.judgements.recorded(control)
    if recorded is None:
        return {"reason": "nobody has recorded a result"}
    overdue = recorded.due < frame.date
    found = recorded.model_dump(mode="json")
    reason = f"recorded as {recorded.result} by {recorded.by} on {recorded.date}"
    if overdue:
        return {"reason": f"{reason}; it was due again on {recorded.due}", "recorded": {**found, "overdue": True}}
    if recorded.result == "fail":
        return {"status": str(Status.FAIL), "reason": reason, "recorded": found}
    return {"reason": reason, "recorded": found}
