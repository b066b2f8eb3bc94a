"""What Cloud Storage makes of the fields that a caller gives a bucket."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.services.storage import lifecycle_rules, refusals
from sandbox.services.storage.generations import stamp

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

#: https://docs.cloud.google.com/storage/docs/buckets#naming (read 2026-08)
NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
LONGEST_LABEL = 63
LONGEST_DOTTED = 222
SHORTEST = 3

#: https://docs.cloud.google.com/storage/docs/locations (read 2026-08)
MULTI_REGIONS = {"US", "EU", "ASIA"}
DUAL_REGION = re.compile(r"NAM\d+|EUR\d+|ASIA\d+")
STORAGE_CLASSES = {
    "STANDARD",
    "NEARLINE",
    "COLDLINE",
    "ARCHIVE",
    "RAPID",
    "MULTI_REGIONAL",
    "REGIONAL",
    "DURABLE_REDUCED_AVAILABILITY",
}
SOFT_DELETE_SECONDS = "604800"
#: Uniform access can be switched off again for this long.
REVERSIBLE = timedelta(days=90)


def check_name(name: str) -> None:
    """Refuse a name that Cloud Storage refuses."""
    longest = LONGEST_DOTTED if "." in name else LONGEST_LABEL
    parts = name.split(".")
    if (
        not NAME.fullmatch(name)
        or not SHORTEST <= len(name) <= longest
        or any(not part or len(part) > LONGEST_LABEL for part in parts)
        or ADDRESS.fullmatch(name)
        or name.startswith("goog")
        or "google" in name
    ):
        raise refusals.invalid(f"Invalid bucket name: '{name}'")


def complete(cloud: Cloud, document: Document, before: Document) -> None:
    """Fill in what Cloud Storage derives, and drop what it does not keep."""
    now = cloud.clock.now()
    location, kind = document["location"], location_type(document["location"])
    document["locationType"] = kind
    if document.get("customPlacementConfig"):
        document["locationType"] = kind = "dual-region"
    if kind == "region":
        document["satisfiesPZI"] = True
    else:
        document.setdefault("rpo", "DEFAULT")
    document["storageClass"] = str(document["storageClass"]).upper()
    if document["storageClass"] not in STORAGE_CLASSES:
        raise refusals.invalid(f"The specified storage class '{document['storageClass']}' is not valid for {location}.")
    document["iamConfiguration"] = iam_configuration(cloud, document, before)
    policy = dict(document.get("softDeletePolicy") or {})
    seconds = str(policy.get("retentionDurationSeconds", SOFT_DELETE_SECONDS))
    old = before.get("softDeletePolicy", {})
    same = old.get("retentionDurationSeconds") == seconds
    document["softDeletePolicy"] = {
        "retentionDurationSeconds": seconds,
        "effectiveTime": old["effectiveTime"] if same and "effectiveTime" in old else stamp(now),
    }
    if document.get("autoclass"):
        document["autoclass"] = autoclass(stamp(now), document["autoclass"], before.get("autoclass", {}))
    if retention := document.get("retentionPolicy"):
        document["retentionPolicy"] = {
            "effectiveTime": stamp(now),
            **retention,
            "retentionPeriod": str(retention.get("retentionPeriod", "0")),
        }
    if logging := document.get("logging"):
        document["logging"] = {"logObjectPrefix": document["name"], **logging}
    rules = (document.get("lifecycle") or {}).get("rule", [])
    lifecycle_rules.check(rules)
    if not rules:
        document.pop("lifecycle", None)
    for field in ("labels", "cors", "encryption", "website", "logging", "retentionPolicy", "autoclass"):
        if not document.get(field):
            document.pop(field, None)


def location_type(location: str) -> str:
    """``region``, ``dual-region`` or ``multi-region``."""
    if location in MULTI_REGIONS:
        return "multi-region"
    if DUAL_REGION.fullmatch(location):
        return "dual-region"
    if "-" not in location:
        raise refusals.invalid(f"The specified location constraint is not valid: '{location}'.")
    return "region"


def iam_configuration(cloud: Cloud, document: Document, before: Document) -> Document:
    """Uniform access under both of its names, and public access prevention."""
    given = document.get("iamConfiguration") or {}
    old = before.get("iamConfiguration", {}).get("uniformBucketLevelAccess", {})
    uniform = given.get("uniformBucketLevelAccess") or given.get("bucketPolicyOnly") or {}
    enabled = bool(uniform.get("enabled"))
    if old.get("enabled") and not enabled and old["lockedTime"] <= stamp(cloud.clock.now()):
        raise refusals.unmet()
    state: Document = {"enabled": enabled}
    if enabled:
        state["lockedTime"] = old.get("lockedTime") or stamp(cloud.clock.now() + REVERSIBLE)
    prevention = given.get("publicAccessPrevention", "inherited")
    return {
        "bucketPolicyOnly": dict(state),
        "uniformBucketLevelAccess": state,
        "publicAccessPrevention": "inherited" if prevention == "unspecified" else prevention,
    }


def autoclass(now: str, given: Document, before: Document) -> Document:
    """Times at which autoclass and its last class were set."""
    if not given.get("enabled"):
        return {}
    last = given.get("terminalStorageClass", "NEARLINE")
    same = before.get("terminalStorageClass") == last
    return {
        "enabled": True,
        "toggleTime": before.get("toggleTime", now),
        "terminalStorageClass": last,
        "terminalStorageClassUpdateTime": before.get("terminalStorageClassUpdateTime", now) if same else now,
    }
