"""A stack's state, as ``pulumi stack export`` writes it, as resources of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from plantain.audit.errors import SourceError
from policies.catalogue import Resource, Unknown

#: Pulumi's marks of a secret and of a value it does not know yet.
#: Source: https://github.com/pulumi/pulumi sdk/go/common/resource/sig (read 2026-11).
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- a mark, not a secret
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = Unknown("a secret")
PENDING = Unknown()
BOOKKEEPING = frozenset({"__defaults", "__meta", "__pulumi_raw_state_delta"})
PROVIDER_TYPE = "pulumi:providers:"


def resources(export: Mapping[str, Any]) -> Iterator[Resource]:
    """Every resource of a provider; components and providers themselves are left out.

    Raises:
        SourceError: the document is no export of a stack.
    """
    entries = listed(export)
    providers = {
        f"{entry['urn']}::{entry.get('id', '')}": entry.get("inputs") or {}
        for entry in entries
        if entry["type"].startswith(PROVIDER_TYPE)
    }
    for entry in entries:
        if not concerned(entry):
            continue
        values = {**(entry.get("inputs") or {}), **(entry.get("outputs") or {})}
        properties = {key: read(value) for key, value in values.items() if key not in BOOKKEEPING}
        provider = providers.get(entry.get("provider", ""), {})
        project = provider.get("project")
        if "effectiveLabels" in properties and isinstance(properties.get("labels"), dict):
            # The engine keeps what the provider really sends as a secret; it is the sum of these.
            properties["effectiveLabels"] = {**_default_labels(provider), **properties["labels"]}
        yield Resource(
            entry["urn"],
            entry["type"],
            entry["urn"].rpartition("::")[2],
            {"id": entry.get("id", ""), **properties},
            "state",
            bool(entry.get("protect")),
            entry.get("propertyDependencies") or {},
            project if isinstance(project, str) else None,
        )


def _default_labels(provider: Mapping[str, Any]) -> dict[str, Any]:
    labels = provider.get("defaultLabels")
    try:
        found = json.loads(labels) if isinstance(labels, str) else labels
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def listed(export: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of an export.

    Raises:
        SourceError: the document is no export of a stack.
    """
    deployment = export.get("deployment")
    if not isinstance(deployment, dict):
        raise SourceError(
            "The state has no deployment, so nothing that was declared is known.",
            cure="pulumi stack export --stack STACK --file state.json",
        )
    return deployment.get("resources") or []


def concerned(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the state is something that exists in the cloud."""
    return bool(
        entry.get("custom")
        and not entry["type"].startswith("pulumi:")
        and not entry.get("delete")
        and not entry.get("external")
    )


def facts(export: Mapping[str, Any]) -> dict[str, Any]:
    """What an auditor asks of the state itself: operations that never ended, resources that Pulumi does not watch."""
    entries = [entry for entry in listed(export) if concerned(entry)]
    return {
        "version": export.get("version"),
        "time": (export["deployment"].get("manifest") or {}).get("time"),
        "resources": len(entries),
        "pendingOperations": len(export["deployment"].get("pending_operations") or ()),
        "ignoreChanges": sorted(entry["urn"] for entry in entries if entry.get("ignoreChanges")),
        "retainOnDelete": sorted(entry["urn"] for entry in entries if entry.get("retainOnDelete")),
    }


def read(value: Any) -> Any:
    """A value of the state; secrets and unknowns become what they are."""
    if value == UNKNOWN_TEXT:
        return PENDING
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return SECRET
        return {key: read(item) for key, item in value.items() if key not in BOOKKEEPING}
    if isinstance(value, list):
        return [read(item) for item in value]
    return value
