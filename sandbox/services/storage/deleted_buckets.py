"""Deleted buckets that can be restored: https://docs.cloud.google.com/storage/docs/soft-delete (read 2026-08)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import Conflict
from sandbox.services.storage import access, generations, refusals

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "storage.softDeletedBuckets"
POLICIES = "iam.policies"
TIMES = {"softDeleteTime", "hardDeleteTime"}


def keep(cloud: Cloud, document: Document) -> None:
    """Keep a bucket that is being deleted for as long as its soft delete policy says, with what could be restored."""
    seconds = int(document.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    if not seconds:
        return
    now, name = cloud.clock.now(), document["name"]
    kept = {
        **document,
        "softDeleteTime": generations.stamp(now),
        "hardDeleteTime": generations.stamp(now + timedelta(seconds=seconds)),
        "_objects": generations.listed(cloud, name, deleted=True),
        "_policy": cloud.policies.get(access.resource(name)),
    }
    cloud.store.put(KIND, f"{name}#{document['generation']}", kept)


def listed(cloud: Cloud) -> list[Document]:
    """Those whose time is not over."""
    now = generations.stamp(cloud.clock.now())
    return [bucket for bucket in cloud.store.documents(KIND) if bucket["hardDeleteTime"] > now]


def find(call: Call) -> Document:
    """The one that the path and ``generation`` mean.

    Raises:
        NotFound: there is none, or its time is over.
        InvalidArgument: no generation is given.
    """
    name, generation = call.parameters["bucket"], call.query.get("generation")
    if not generation:
        raise refusals.invalid("Required parameter: generation", "required")
    for bucket in listed(call.cloud):
        if (bucket["name"], bucket["generation"]) == (name, generation):
            return bucket
    raise refusals.no_bucket()


def restore(call: Call) -> Document:
    """Bring one back, its policy and what could be restored in it included; its name must be free."""
    found, cloud = find(call), call.cloud
    name = found["name"]
    if cloud.store.get(generations.BUCKETS, f"b/{name}"):
        raise Conflict("A bucket with the same name exists: delete it before the deleted one is restored.")
    document = {key: value for key, value in found.items() if key not in {*TIMES, "_objects", "_policy"}}
    cloud.store.put(generations.BUCKETS, f"b/{name}", document)
    cloud.store.put(POLICIES, access.resource(name), found["_policy"])
    for held in found["_objects"]:
        generations.hold(cloud, held)
    cloud.store.delete(KIND, f"{name}#{document['generation']}")
    return {key: value for key, value in document.items() if not key.startswith("_")}


HANDLERS = {"storage.buckets.restore": restore}
