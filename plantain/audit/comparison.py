"""Whether a live resource has the properties that were declared.

Only what both sources tell, in the same shape, is compared; `pulumi refresh` compares the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plantain.audit import grants
from policies.catalogue import Resource, Unknown

#: Where a key that only one side has is a difference; elsewhere one side tells less than the other.
LABELS = frozenset({"labels", "userLabels"})
GOOGLES_LABEL = "goog-"
COMPUTE = "https://www.googleapis.com/compute/v1/"

#: Change by themselves, or are written differently by the provider on purpose.
MOVING = frozenset(
    {
        "id", "etag", "updateTime", "createTime", "name", "selfLink", "fingerprint", "versions", "primary", "project",
        "number", "effectiveLabels", "pulumiLabels", "etags", "metageneration", "nextRotationTime", "url", "urls",
        "autoCreateNetwork", "creationTime", "timeCreated", "updated", "state", "environment", "buildConfig",
    }
)  # fmt: skip


def differences(declared: Resource, live: Resource) -> list[dict[str, Any]]:
    """Each differing property with both values; values of the state that are secret or unknown are left out."""
    if grants.kind(declared.type):
        return []
    properties = dict(declared.properties)
    if isinstance(properties.get("effectiveLabels"), Mapping):
        # The provider adds its default labels to those of the resource.
        properties["labels"] = properties["effectiveLabels"]
    found: list[dict[str, Any]] = []
    for name in sorted(set(properties) & set(live.properties) - MOVING):
        found += _compare(name, properties[name], live.properties[name])
    return found


def _compare(path: str, declared: Any, live: Any) -> list[dict[str, Any]]:
    if isinstance(declared, Unknown) or isinstance(live, Unknown) or (_empty(declared) and _empty(live)):
        return []
    if isinstance(declared, list) and len(declared) == 1 and isinstance(live, Mapping):
        declared = declared[0]
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        return _mappings(path, declared, live)
    if _list(declared) and _list(live):
        return _lists(path, declared, live)
    if any(isinstance(value, Mapping) or _list(value) for value in (declared, live)):
        # Told in two shapes, as cleanup policies are: no statement about it would be safe.
        return []
    if _scalar(declared) == _scalar(live):
        return []
    return [{"path": path, "declared": declared, "value": live}]


def _mappings(path: str, declared: Mapping[str, Any], live: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in sorted(set(declared) & set(live)):
        found += _compare(f"{path}.{name}", declared[name], live[name])
    if path in LABELS:
        single = (name for name in sorted(set(declared) ^ set(live)) if not name.startswith(GOOGLES_LABEL))
        found += [
            {"path": f"{path}.{name}", "declared": declared.get(name), "value": live.get(name)} for name in single
        ]
    return found


def _lists(path: str, declared: Sequence[Any], live: Sequence[Any]) -> list[dict[str, Any]]:
    if all(not isinstance(item, Mapping) and not _list(item) for item in (*declared, *live)):
        same = sorted(map(_scalar, declared)) == sorted(map(_scalar, live))
        return [] if same else [{"path": path, "declared": list(declared), "value": list(live)}]
    if len(declared) != len(live):
        return [{"path": path, "declared": len(declared), "value": len(live)}]
    in_order = _pairs(path, declared, live)
    # Sets come in any order, and nothing tells which lists are sets.
    return in_order and _pairs(path, sorted(declared, key=str), sorted(live, key=str)) and in_order


def _pairs(path: str, declared: Sequence[Any], live: Sequence[Any]) -> list[dict[str, Any]]:
    pairs = enumerate(zip(declared, live, strict=True))
    return [entry for index, (one, other) in pairs for entry in _compare(f"{path}[{index}]", one, other)]


def _list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _empty(value: Any) -> bool:
    return value is None or value is False or value in ("", 0) or (isinstance(value, Sequence | Mapping) and not value)


def _scalar(value: Any) -> str:
    """Numbers and booleans as text: Google's JSON writes 64-bit integers as strings."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).removeprefix(COMPUTE)
