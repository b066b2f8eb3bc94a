"""The engine's events of a preview: what the next update would make, and what the policy pack said of it.

Source: https://github.com/pulumi/pulumi sdk/go/common/apitype/events.go (read 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plantain.audit.canonical import line
from plantain.audit.errors import SourceError
from plantain.audit.state import BOOKKEEPING, PROVIDER_TYPE, read
from policies.catalogue import Resource

#: The engine asks the provider what is there before it plans.
READING = frozenset({"refresh", "read"})
GOING = frozenset({"delete", "delete-replaced", "discard", "read-discard"})


def parse(text: str) -> list[dict[str, Any]]:
    """Events from newline-separated JSON.

    Raises:
        SourceError: a line is no JSON object.
    """
    found: list[dict[str, Any]] = []
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        try:
            event = json.loads(row)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise SourceError(
                f"Line {number} of the preview's events is no JSON object, so what was planned is not known.",
                cure="PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true pulumi preview --json --stack STACK > events.ndjson",
            )
        found.append(event)
    return found


def without_secrets(text: str, names: frozenset[str]) -> str:
    """Events without the values of some settings: the engine repeats the stack's settings as they are.

    Args:
        text: newline-separated JSON.
        names: settings, without their namespaces.

    Raises:
        SourceError: a line is no JSON object.
    """
    found = parse(text)
    for event in found:
        prelude = event.get("preludeEvent")
        if isinstance(prelude, dict) and isinstance(prelude.get("config"), dict):
            prelude["config"] = {
                key: value for key, value in prelude["config"].items() if key.rpartition(":")[2] not in names
            }
    return "".join(line(event).decode() for event in found)


def resources(events: Iterable[Mapping[str, Any]]) -> Iterator[Resource]:
    """What would be there after the update."""
    seen: set[str] = set()
    for metadata in steps(events):
        new = metadata.get("new")
        if metadata.get("op") in GOING or not new or new["urn"] in seen:
            continue
        seen.add(new["urn"])
        values = {**(new.get("outputs") or {}), **(new.get("inputs") or {})}
        yield Resource(
            new["urn"],
            new["type"],
            new["urn"].rpartition("::")[2],
            {"id": new.get("id") or "", **{k: read(v) for k, v in values.items() if k not in BOOKKEEPING}},
            "preview",
            bool(new.get("protect")),
        )


def steps(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Metadata of each step on something that exists in the cloud."""
    for event in events:
        metadata = (event.get("resourcePreEvent") or {}).get("metadata")
        if metadata and not metadata["type"].startswith((PROVIDER_TYPE, "pulumi:")):
            state = metadata.get("new") or metadata.get("old") or {}
            if state.get("custom"):
                yield metadata


def plan(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The plan: how many steps of each kind, which resources change, what policies refused."""
    counts: dict[str, int] = {}
    changes: list[dict[str, Any]] = []
    violations: list[dict[str, Any]] = []
    kept = list(events)
    for metadata in steps(kept):
        if metadata["op"] in READING:
            continue
        counts[metadata["op"]] = counts.get(metadata["op"], 0) + 1
        if metadata["op"] != "same":
            diffs = sorted(metadata.get("diffs") or metadata.get("detailedDiff") or ())
            changes.append({"urn": metadata["urn"], "op": metadata["op"], "properties": diffs})
    for event in kept:
        policy = event.get("policyEvent")
        if policy:
            violations.append(
                {
                    "urn": policy.get("resourceUrn", ""),
                    "policy": policy.get("policyName", ""),
                    "pack": f"{policy.get('policyPackName', '')}@{policy.get('policyPackVersion', '')}",
                    "enforcement": policy.get("enforcementLevel", ""),
                }
            )
    return {"steps": counts, "changes": changes, "policyViolations": violations}
