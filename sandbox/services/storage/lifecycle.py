"""Object lifecycle rules, carried out when the sandbox's clock is moved.

Source: https://docs.cloud.google.com/storage/docs/lifecycle (read 2026-08). The real service acts within a day of a
condition being met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.services.storage import generations, uploads
from sandbox.services.storage.lifecycle_rules import COLDER

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]


def run(cloud: Cloud) -> None:
    """Apply every bucket's rules, then forget what soft delete and upload sessions kept long enough."""
    for bucket in cloud.store.documents(generations.BUCKETS):
        rules = bucket.get("lifecycle", {}).get("rule", [])
        if rules:
            apply(cloud, bucket, rules)
        purge(cloud, bucket)
    uploads.expire(cloud)


def apply(cloud: Cloud, bucket: Document, rules: Iterable[Document]) -> None:
    """One pass over a bucket; deletion wins over a change of class, the coldest class over others."""
    everything = generations.listed(cloud, bucket["name"], versions=True)
    names: dict[str, list[Document]] = {}
    for document in everything:
        names.setdefault(document["name"], []).append(document)
    for versions in names.values():
        for position, document in enumerate(versions):
            newer = len(versions) - position - 1
            met = [rule["action"] for rule in rules if matches(cloud, rule["condition"], document, newer)]
            if held(cloud, bucket, document):
                continue
            if any(action["type"] == "Delete" for action in met):
                delete(cloud, bucket, document)
                continue
            classes = [action["storageClass"] for action in met if action["type"] == "SetStorageClass"]
            current = document["storageClass"]
            coldest = max([c for c in (*classes, current) if c in COLDER], key=COLDER.index, default=current)
            if coldest != current:
                now = cloud.clock.timestamp_millis()
                generations.save(cloud, {**document, "storageClass": coldest, "timeStorageClassUpdated": now})


def delete(cloud: Cloud, bucket: Document, document: Document) -> None:
    """A live object becomes noncurrent under versioning; everything else goes."""
    if "timeDeleted" in document:
        generations.discard(cloud, bucket, document)
    else:
        generations.retire(cloud, document)


def held(cloud: Cloud, bucket: Document, document: Document) -> bool:
    """Holds and retention policies protect from lifecycle rules, too."""
    if document.get("temporaryHold") or document.get("eventBasedHold"):
        return True
    seconds = int(bucket.get("retentionPolicy", {}).get("retentionPeriod", 0))
    return moment(document["timeCreated"]) + timedelta(seconds=seconds) > cloud.clock.now() if seconds else False


def moment(text: str) -> datetime:
    """A time or a date, in UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def matches(cloud: Cloud, condition: Document, document: Document, newer: int) -> bool:
    """Whether an object meets every part of a condition; ``newer`` versions of it came after it."""
    return all(TESTS[name](Facts(cloud.clock.now(), document, newer), value) for name, value in condition.items())


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition is tested against."""

    now: datetime
    document: Document
    newer: int

    def since(self, field: str, days: float) -> bool:
        """Whether so many days have passed since a time that the object may not have."""
        value = self.document.get(field)
        return value is not None and moment(value) + timedelta(days=days) <= self.now

    def before(self, field: str, date: str) -> bool:
        """Whether a time that the object may not have lies before a date."""
        value = self.document.get(field)
        return value is not None and moment(value) < moment(date)


TESTS: dict[str, Callable[[Facts, Any], bool]] = {
    "age": lambda facts, value: facts.since("timeCreated", value),
    "createdBefore": lambda facts, value: facts.before("timeCreated", value),
    "customTimeBefore": lambda facts, value: facts.before("customTime", value),
    "daysSinceCustomTime": lambda facts, value: facts.since("customTime", value),
    "daysSinceNoncurrentTime": lambda facts, value: facts.since("timeDeleted", value),
    "isLive": lambda facts, value: ("timeDeleted" not in facts.document) == value,
    "matchesPrefix": lambda facts, value: facts.document["name"].startswith(tuple(value)),
    "matchesStorageClass": lambda facts, value: facts.document["storageClass"] in value,
    "matchesSuffix": lambda facts, value: facts.document["name"].endswith(tuple(value)),
    "noncurrentTimeBefore": lambda facts, value: facts.before("timeDeleted", value),
    "numNewerVersions": lambda facts, value: facts.newer >= int(value),
}


def purge(cloud: Cloud, bucket: Document) -> None:
    """Forget soft-deleted generations whose time is over."""
    for document in generations.listed(cloud, bucket["name"], deleted=True):
        if moment(document["hardDeleteTime"]) <= cloud.clock.now():
            place = f"{generations.key(document['bucket'], document['name'])}#{document['generation']}"
            cloud.store.delete(generations.HELD, place)
