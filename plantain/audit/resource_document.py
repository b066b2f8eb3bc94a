"""A catalogue's resource as JSON, and back: what cannot be read stays visibly unread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policies.catalogue import Resource, Unknown

#: Key of the object that stands for a value that cannot be read.
UNREAD = "$unread"


def document(resource: Resource) -> dict[str, Any]:
    """The resource as a JSON object; what it leaves out is empty."""
    found: dict[str, Any] = {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "properties": plain(resource.properties),
        "source": resource.source,
    }
    if resource.protect is not None:
        found["protect"] = resource.protect
    if resource.dependencies:
        found["dependencies"] = {key: list(urns) for key, urns in resource.dependencies.items()}
    if resource.provider_project is not None:
        found["providerProject"] = resource.provider_project
    return found


def resource(found: Mapping[str, Any]) -> Resource:
    """The resource that ``document`` made."""
    return Resource(
        found["urn"],
        found["type"],
        found["name"],
        revived(found["properties"]),
        found["source"],
        found.get("protect"),
        found.get("dependencies", {}),
        found.get("providerProject"),
    )


def plain(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, Unknown):
        return {UNREAD: value.reason}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def revived(value: Any) -> Any:
    """A value from JSON."""
    if isinstance(value, dict):
        if len(value) == 1 and UNREAD in value:
            return Unknown(value[UNREAD])
        return {key: revived(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revived(item) for item in value]
    return value
