"""Where objects are kept: one live generation each, and those that versioning or soft delete holds back."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

LIVE = "storage.objects"
HELD = "storage.generations"
BUCKETS = "storage.buckets"

VARINT_MORE = 0x80


def key(bucket: str, name: str) -> str:
    """The store's name of an object: its slashes belong to the name, not to the path."""
    return f"b/{bucket}/o/{quote(name, safe='')}"


def find(cloud: Cloud, bucket: str, name: str, generation: str | None = None) -> Document | None:
    """The live generation, or the one asked for; soft-deleted ones are not found here."""
    document = cloud.store.get(LIVE, key(bucket, name))
    if generation is None or (document and document["generation"] == generation):
        return document
    held = cloud.store.get(HELD, f"{key(bucket, name)}#{generation}")
    return held if held and "softDeleteTime" not in held else None


def soft_deleted(cloud: Cloud, bucket: str, name: str, generation: str) -> Document | None:
    """A generation that can still be restored."""
    held = cloud.store.get(HELD, f"{key(bucket, name)}#{generation}")
    return held if held and "softDeleteTime" in held else None


def listed(cloud: Cloud, bucket: str, *, versions: bool = False, deleted: bool = False) -> list[Document]:
    """All objects of a bucket by name, then generation."""
    held = cloud.store.documents(HELD, f"b/{bucket}/o") if versions or deleted else []
    chosen = [d for d in held if ("softDeleteTime" in d) == deleted]
    if not deleted:
        chosen += cloud.store.documents(LIVE, f"b/{bucket}/o")
    return sorted(chosen, key=lambda d: (d["name"].encode(), int(d["generation"])))


def occupied(cloud: Cloud, bucket: str) -> bool:
    """Whether anything but soft-deleted generations is in the bucket."""
    return bool(listed(cloud, bucket, versions=True))


def next_generation(cloud: Cloud) -> str:
    """Microseconds since 1970, never twice the same."""
    now = int(cloud.clock.now().timestamp() * 1_000_000)
    last = cloud.store.get("storage.clock", "generation") or {"value": 0}
    value = max(now, last["value"] + 1)
    cloud.store.put("storage.clock", "generation", {"value": value})
    return str(value)


def keep(cloud: Cloud, document: Document) -> None:
    """Store the live generation; the one before it is retired first."""
    bucket, name = document["bucket"], document["name"]
    before = cloud.store.get(LIVE, key(bucket, name))
    if before and before["generation"] != document["generation"]:
        retire(cloud, before)
    cloud.store.put(LIVE, key(bucket, name), document)


def save(cloud: Cloud, document: Document) -> None:
    """Store a changed generation where it lies."""
    place = key(document["bucket"], document["name"])
    live = cloud.store.get(LIVE, place)
    if live and live["generation"] == document["generation"]:
        cloud.store.put(LIVE, place, document)
    else:
        cloud.store.put(HELD, f"{place}#{document['generation']}", document)


def rename(cloud: Cloud, document: Document, name: str) -> None:
    """Give the live generation another name: the same content, the same generation."""
    bucket = document["bucket"]
    cloud.store.delete(LIVE, key(bucket, document["name"]))
    cloud.store.put(LIVE, key(bucket, name), {**document, "name": name})


def retire(cloud: Cloud, document: Document) -> None:
    """What becomes of the live generation when it is replaced or deleted."""
    bucket = cloud.store.get(BUCKETS, f"b/{document['bucket']}") or {}
    cloud.store.delete(LIVE, key(document["bucket"], document["name"]))
    if bucket.get("versioning", {}).get("enabled"):
        hold(cloud, {**document, "timeDeleted": cloud.clock.timestamp_millis()})
    else:
        discard(cloud, bucket, document)


def discard(cloud: Cloud, bucket: Document, document: Document) -> None:
    """Delete one generation; a soft delete policy keeps it restorable for a while."""
    place = f"{key(document['bucket'], document['name'])}#{document['generation']}"
    seconds = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    live = cloud.store.get(LIVE, key(document["bucket"], document["name"]))
    if live and live["generation"] == document["generation"]:
        cloud.store.delete(LIVE, key(document["bucket"], document["name"]))
    if not seconds:
        cloud.store.delete(HELD, place)
        return
    now = cloud.clock.now()
    hold(
        cloud,
        {**document, "softDeleteTime": stamp(now), "hardDeleteTime": stamp(now + timedelta(seconds=seconds))},
    )


def hold(cloud: Cloud, document: Document) -> None:
    """Store a generation that is not the live one."""
    cloud.store.put(HELD, f"{key(document['bucket'], document['name'])}#{document['generation']}", document)


def stamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def etag(*numbers: str) -> str:
    """Cloud Storage's spelling: base64 of the numbers as protobuf fields 1, 2, ..."""
    raw = b""
    for field, number in enumerate(numbers, start=1):
        raw += bytes([field << 3]) + varint(int(number))
    return base64.b64encode(raw).decode()


def varint(value: int) -> bytes:
    """Protobuf's variable-length integer."""
    raw = bytearray()
    while value >= VARINT_MORE:
        raw.append(value % VARINT_MORE | VARINT_MORE)
        value //= VARINT_MORE
    return bytes([*raw, value])
