"""Run by the pack's own Python: puts resources through the real servicer of the policy SDK, and prints what it answers.

Each line in is JSON with `config` (as PULUMI_CONFIG), `models`, `date`, `exceptions` and `stacks`; the line out has the
answers, by control, for each stack as a whole and for each resource that is to be judged by itself. A stack that names
a `control` is judged by that one only.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pulumi.runtime import proto  # noqa: E402 - after the path
from pulumi_policy import (  # type: ignore[import-not-found,unused-ignore]  # noqa: E402 - in the pack's environment
    EnforcementLevel,
    proxy,
)
from pulumi_policy import policy as sdk  # noqa: E402 - as above

from policies.catalogue import CONTROLS  # noqa: E402 - after the path
from policies.exceptions import ControlException, Exceptions  # noqa: E402 - after the path
from policies.pack import decoding, settings  # noqa: E402 - after the path
from policies.pack.pack import policies  # noqa: E402 - after the path

UNKNOWN = {"__unknown__": True}


def filled(value: Any) -> Any:
    """A value with the SDK's own marks for what is not known."""
    if value == UNKNOWN:
        return proxy.UNKNOWN_STRING_VALUE
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    return value


def outcomes(answer: Any) -> dict[str, dict[str, str]]:
    """What was answered, by control; a control that is not named has passed."""
    found = {entry.policy_name: {"outcome": "not_applicable", "text": entry.reason} for entry in answer.not_applicable}
    levels = {proto.MANDATORY: "mandatory", proto.ADVISORY: "advisory"}
    for entry in answer.diagnostics:
        level = levels[entry.enforcementLevel]
        found[entry.policyName] = {"outcome": level, "text": entry.message, "urn": entry.urn}
    return found


def judged(servicer: Any, resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Answers about each resource that is to be judged, and about the whole stack."""
    stack = proto.AnalyzeStackRequest()
    single = {}
    for entry in resources:
        options = proto.AnalyzerResourceOptions(protect=bool(entry.get("protect")))
        properties = filled(entry["properties"])
        if entry["judged"]:
            request = proto.AnalyzeRequest(type=entry["type"], urn=entry["urn"], name=entry["name"], options=options)
            request.properties.update(properties)
            single[entry["key"]] = outcomes(servicer.Analyze(request, None))
        resource = stack.resources.add(type=entry["type"], urn=entry["urn"], name=entry["name"], options=options)
        resource.properties.update(properties)
        for name, urns in entry["dependencies"].items():
            resource.propertyDependencies[name].urns.extend(urns)
    return {"single": single, "stack": outcomes(servicer.AnalyzeStack(stack, None))}


def answered(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Answers about every stack of one request."""
    found = settings.load(frozenset(control.id for control in CONTROLS), {"PULUMI_CONFIG": json.dumps(given["config"])})
    exceptions = [
        ControlException(**{**entry, **{key: dt.date.fromisoformat(entry[key]) for key in ("approved", "expires")}})
        for entry in given.get("exceptions", ())
    ]
    servicers: dict[str, Any] = {}
    answers = []
    for stack in given["stacks"]:
        chosen: dict[str, Any] = {name: tuple(value) for name, value in stack.get("parameters", {}).items()}
        only = stack.get("control")
        key = f"{only} {chosen!r}"
        if key not in servicers:
            told = replace(
                found,
                models=given["models"],
                date=dt.date.fromisoformat(given["date"]),
                parameters=replace(found.parameters, **chosen),
                exceptions=Exceptions(tuple(exceptions)),
            )
            wanted = [policy for policy in policies(told) if only in {None, policy.name}]
            servicers[key] = sdk._PolicyAnalyzerServicer("plantain", "0.1.0", wanted, EnforcementLevel.MANDATORY)
        answers.append(judged(servicers[key], stack["resources"]))
    return answers


def main() -> None:
    """Answer each line with a line."""
    decoding.install()
    for line in sys.stdin:
        try:
            answer: Any = answered(json.loads(line))
        except Exception:  # noqa: BLE001 - whatever it is, it is the answer
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)  # noqa: T201 - this is how it answers


if __name__ == "__main__":
    main()
