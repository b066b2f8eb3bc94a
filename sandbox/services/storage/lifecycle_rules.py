"""Lifecycle rules as a bucket may have them."""

from __future__ import annotations

from typing import Any

from sandbox.services.storage.refusals import invalid

Document = dict[str, Any]

ACTIONS = {"Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"}
CONDITIONS = {
    "age",
    "createdBefore",
    "customTimeBefore",
    "daysSinceCustomTime",
    "daysSinceNoncurrentTime",
    "isLive",
    "matchesPrefix",
    "matchesStorageClass",
    "matchesSuffix",
    "noncurrentTimeBefore",
    "numNewerVersions",
}
MOST_RULES = 100
#: From cheap to read to cheap to keep; a rule only moves objects onwards.
COLDER = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE")


def check(rules: list[Document]) -> None:
    """Refuse rules that Cloud Storage refuses.

    Raises:
        InvalidArgument: unknown action or condition, no condition, or too many rules.
    """
    if len(rules) > MOST_RULES:
        raise invalid(f"A bucket can have at most {MOST_RULES} lifecycle rules, not {len(rules)}.")
    for rule in rules:
        action, condition = rule.get("action", {}).get("type"), rule.get("condition", {})
        if action not in ACTIONS:
            raise invalid(f"A lifecycle management rule has no valid action: {action!r}.")
        if not condition:
            raise invalid("A lifecycle management rule must have at least one condition.")
        if unknown := set(condition) - CONDITIONS:
            raise invalid(f"A lifecycle management rule has an unknown condition: {', '.join(sorted(unknown))}.")
        if action == "SetStorageClass" and rule["action"].get("storageClass") not in COLDER:
            raise invalid("A lifecycle management rule that sets the storage class must name one.")
