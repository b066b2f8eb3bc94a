"""Pictures in buckets, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.services.storage.generations import LIVE, find

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

#: Types that a browser shows and that cannot carry a script.
SHOWN = ("image/png", "image/jpeg", "image/webp")


def pictures(cloud: Cloud, count: int) -> list[Document]:
    """Metadata of the newest pictures."""
    found = [document for document in cloud.store.documents(LIVE) if document.get("contentType") in SHOWN]
    return sorted(found, key=lambda document: str(document["timeCreated"]), reverse=True)[:count]


def content(cloud: Cloud, bucket: str, name: str) -> tuple[bytes, str] | None:
    """Bytes and type of one picture; None when there is none of that name."""
    document = find(cloud, bucket, name)
    if document is None or document.get("contentType") not in SHOWN:
        return None
    return cloud.blobs.read(document["_digest"]), document["contentType"]
