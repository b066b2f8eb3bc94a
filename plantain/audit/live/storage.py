"""Buckets and who may read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plantain.audit.live import access
from plantain.audit.live.reader import Reader, live
from policies.catalogue import Resource


def read(reader: Reader, project: str) -> Iterator[Resource]:
    """The buckets of a project."""
    for found in reader.all("storage", "storage/v1/b", "items", project=project, projection="full"):
        yield bucket(found, project)
        name = found["name"]
        policy = access.policy(reader, "GET", "storage", f"storage/v1/b/{name}/iam")
        where = {"bucket": name, "project": project}
        kind = "gcp:storage/bucketIAMMember:BucketIAMMember"
        yield from access.members(kind, f"b/{name}", "storage", where, policy)


def bucket(found: Mapping[str, Any], project: str) -> Resource:
    """A bucket as Pulumi has it."""
    configuration = found.get("iamConfiguration") or {}
    retention = found.get("retentionPolicy")
    lifecycle = (found.get("lifecycle") or {}).get("rule") or []
    properties: dict[str, Any] = {
        "name": found["name"],
        "project": project,
        "location": found.get("location", ""),
        "labels": found.get("labels") or {},
        "storageClass": found.get("storageClass", ""),
        "uniformBucketLevelAccess": (configuration.get("uniformBucketLevelAccess") or {}).get("enabled", False),
        "publicAccessPrevention": configuration.get("publicAccessPrevention", "inherited"),
        "versioning": {"enabled": (found.get("versioning") or {}).get("enabled", False)},
        "lifecycleRules": [_rule(rule) for rule in lifecycle],
        "softDeletePolicy": {
            "retentionDurationSeconds": int((found.get("softDeletePolicy") or {}).get("retentionDurationSeconds", 0))
        },
    }
    for name in ("encryption", "logging", "cors", "autoclass"):
        if found.get(name):
            properties[name] = found[name]
    if retention:
        properties["retentionPolicy"] = {
            "isLocked": retention.get("isLocked", False),
            "retentionPeriod": int(retention.get("retentionPeriod", 0)),
        }
    return live("gcp:storage/bucket:Bucket", found["name"], "storage", properties)


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    condition = dict(rule.get("condition") or {})
    if "isLive" in condition:
        condition["withState"] = "LIVE" if condition.pop("isLive") else "ARCHIVED"
    return {"action": rule.get("action") or {}, "condition": condition}
