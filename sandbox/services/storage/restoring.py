"""Objects that soft delete gives back: one, or many at once.

Source: https://docs.cloud.google.com/storage/docs/soft-delete (read 2026-08).
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.services.storage import contents, generations, refusals
from sandbox.services.storage.contents import Upload

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.services.registry import Handler

Document = dict[str, Any]


def restore(call: Call) -> Document:
    """Bring a soft-deleted generation back as a new one."""
    bucket, name = call.parameters["bucket"], call.parameters["object"]
    generation = call.query.get("generation")
    if not generation:
        raise InvalidArgument("Required parameter: generation", reason="required")
    held = generations.soft_deleted(call.cloud, bucket, name, generation)
    if held is None:
        raise refusals.NoSuchObject(bucket, name, generation)
    return contents.shown(call, revive(call, held))


def revive(call: Call, held: Document) -> Document:
    """A new generation with the content and the metadata of a deleted one."""
    whole = dataclasses.replace(call, headers={k: v for k, v in call.headers.items() if k.lower() != "range"})
    fields = {field: held[field] for field in contents.WRITABLE if field in held}
    content = contents.download(whole, held).content
    return contents.create(call, Upload(held["bucket"], held["name"], fields, content))


def bulk_restore(call: Call) -> Document:
    """Restore the latest deleted generation of every name that fits, as an operation of the bucket."""
    bucket, globs = call.parameters["bucket"], call.body.get("matchGlobs") or ["*"]
    after, before = call.body.get("softDeletedAfterTime", ""), call.body.get("softDeletedBeforeTime", "")
    chosen: dict[str, Document] = {}
    for held in generations.listed(call.cloud, bucket, deleted=True):  # by name, the latest generation last
        fits = any(fnmatchcase(held["name"], glob.replace("**", "*")) for glob in globs)
        moment = datetime.fromisoformat(held["softDeleteTime"])
        late = not after or moment >= datetime.fromisoformat(after)
        early = not before or moment <= datetime.fromisoformat(before)
        if fits and late and early:
            chosen[held["name"]] = held
    restored = 0
    for name, held in chosen.items():
        if call.body.get("allowOverwrite") or generations.find(call.cloud, bucket, name) is None:
            revive(call, held)
            restored += 1
    metadata = {"@type": "type.googleapis.com/google.storage.control.v2.CommonLongRunningOperationMetadata"}
    return operation(call, bucket, {**metadata, "succeededCount": str(restored)})


def operation(call: Call, bucket: str, metadata: Document, response: Document | None = None) -> Document:
    """A finished operation of a bucket, which is polled below it and named with the global project."""
    identity = call.cloud.identifiers.hexadecimal("storage.operations", 32)
    kept = call.cloud.operations.finished(
        "storage",
        f"b/{bucket}/operations/{identity}",
        response or {"@type": "type.googleapis.com/google.protobuf.Empty"},
        metadata,
    )
    shown = {**kept, "kind": "storage#operation", "name": f"projects/_/buckets/{bucket}/operations/{identity}"}
    call.cloud.store.put("storage.operations", f"b/{bucket}/operations/{identity}", shown)
    return shown


HANDLERS: dict[str, Handler] = {
    "storage.objects.restore": restore,
    "storage.objects.bulkRestore": bulk_restore,
}
