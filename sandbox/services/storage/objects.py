"""Methods on objects: metadata, contents, listing, copies and compositions."""

from __future__ import annotations

import dataclasses
from typing import Any

from sandbox.call import Call, Reply
from sandbox.enforcement.checks import require_enabled_api, require_perimeter, require_permission
from sandbox.paging import page
from sandbox.services.storage import contents, generations, refusals
from sandbox.services.storage.buckets import merge_patch, raw_body
from sandbox.services.storage.buckets import read as read_bucket
from sandbox.services.storage.contents import Upload
from sandbox.services.storage.notifications import ARCHIVE, DELETE, UPDATE, announce

Document = dict[str, Any]

MOST_COMPONENTS = 32
MOST_LISTED = 1000


def get(call: Call) -> Document | Reply:
    """Metadata, or with ``alt=media`` the content."""
    bucket, name = call.parameters["bucket"], call.parameters["object"]
    if call.query.get("softDeleted") == "true":
        found = generations.soft_deleted(call.cloud, bucket, name, call.query.get("generation", ""))
        if found is None:
            raise refusals.NoSuchObject(bucket, name)
        return contents.shown(call, found)
    document = contents.require_object(call, bucket, name, call.query.get("generation"))
    contents.check_conditions(call, document)
    if call.query.get("alt") == "media":
        return contents.download(call, document)
    return contents.shown(call, document)


def listing(call: Call) -> Document:
    """A page of a bucket, folded at a delimiter."""
    query, bucket = call.query, call.parameters["bucket"]
    read_bucket(call.cloud, bucket)
    versions, deleted = query.get("versions") == "true", query.get("softDeleted") == "true"
    found = generations.listed(call.cloud, bucket, versions=versions, deleted=deleted)
    entries: list[Document | str] = []
    found = sorted([*found, *folders_among(call)], key=lambda entry: str(entry["name"]).encode())
    for document in found:
        entry = folded(call, document)
        if entry is not None and entry not in entries[-1:]:
            entries.append(entry)
    chosen, following = page(entries, query, default=MOST_LISTED)
    answer: Document = {"kind": "storage#objects"}
    if following:
        answer["nextPageToken"] = following
    if prefixes := [entry for entry in chosen if isinstance(entry, str)]:
        answer["prefixes"] = prefixes
    if items := [contents.shown(call, entry, listed=True) for entry in chosen if isinstance(entry, dict)]:
        answer["items"] = items
    return answer


def folders_among(call: Call) -> list[Document]:
    """Folders that a list shows as prefixes when it is asked to."""
    if call.query.get("includeFoldersAsPrefixes", "").lower() != "true" or call.query.get("delimiter") != "/":
        return []
    bucket = call.parameters["bucket"]
    return [
        folder
        for kind in ("managedFolders", "folders")
        for folder in call.cloud.store.documents(f"storage.{kind}", f"b/{bucket}/{kind}")
    ]


def folded(call: Call, document: Document) -> Document | str | None:
    """The object itself, the prefix that stands for it, or None when the list does not want it."""
    name, query = str(document["name"]), call.query
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    if not name.startswith(prefix):
        return None
    if name < query.get("startOffset", "") or (query.get("endOffset") and name >= query["endOffset"]):
        return None
    cut = name.find(delimiter, len(prefix)) if delimiter else -1
    if cut < 0:
        return document
    ends_there = cut + len(delimiter) == len(name)
    if ends_there and query.get("includeTrailingDelimiter") == "true":
        return document
    return name[: cut + len(delimiter)]


def patch(call: Call) -> Document:
    """Merge patch of the metadata."""
    before = current(call)
    return save(call, before, merge_patch(before, raw_body(call)))


def update(call: Call) -> Document:
    """Replace the metadata."""
    before = current(call)
    kept = {name: value for name, value in before.items() if name not in contents.WRITABLE or name == "storageClass"}
    return save(call, before, {**kept, **{k: v for k, v in call.body.items() if k in contents.WRITABLE}})


def current(call: Call) -> Document:
    """The generation that a metadata write means."""
    bucket, name = call.parameters["bucket"], call.parameters["object"]
    document = contents.require_object(call, bucket, name, call.query.get("generation"))
    contents.check_conditions(call, document)
    return document


def save(call: Call, before: Document, wanted: Document) -> Document:
    """Store changed metadata: generation and content stay."""
    after = {name: value for name, value in before.items() if name not in contents.WRITABLE}
    after |= {k: v for k, v in wanted.items() if k in contents.WRITABLE and v not in (None, {}, "")}
    if after.get("storageClass", before["storageClass"]) != before["storageClass"]:
        raise refusals.invalid("The storage class of an object is changed by rewriting it.")
    if "customTime" in before and after.get("customTime", "") < before["customTime"]:
        raise refusals.invalid("Custom time cannot be set to an earlier time or removed.")
    after["storageClass"] = before["storageClass"]
    after["metageneration"] = str(int(before["metageneration"]) + 1)
    after["updated"] = call.cloud.clock.timestamp_millis()
    after["etag"] = generations.etag(after["generation"], after["metageneration"])
    generations.save(call.cloud, after)
    announce(call.cloud, UPDATE, after)
    return contents.shown(call, after)


def delete(call: Call) -> Reply:
    """Delete the live object, or one generation for good."""
    generation = call.query.get("generation")
    document = current(call)
    bucket = read_bucket(call.cloud, call.parameters["bucket"])
    contents.refuse_held(call, bucket, document)
    archived = generation is None and bucket.get("versioning", {}).get("enabled")
    announce(call.cloud, ARCHIVE if archived else DELETE, document)
    if generation is None:
        generations.retire(call.cloud, document)
    else:
        generations.discard(call.cloud, bucket, document)
    return Reply(204)


def compose(call: Call) -> Document:
    """Concatenate objects of one bucket into a new one."""
    bucket, name = call.parameters["destinationBucket"], call.parameters["destinationObject"]
    sources = call.body.get("sourceObjects", [])
    if not 1 <= len(sources) <= MOST_COMPONENTS:
        raise refusals.invalid(f"The number of source components provided ({len(sources)}) must be 1 to 32.")
    parts, count = [], 0
    for source in sources:
        contents.require(call, "storage.objects.get", bucket, source["name"])
        generation = source.get("generation")
        document = contents.require_object(call, bucket, source["name"], str(generation) if generation else None)
        wanted = source.get("objectPreconditions", {}).get("ifGenerationMatch")
        if wanted is not None and str(wanted) != document["generation"]:
            raise refusals.unmet()
        parts.append(contents.download(plain(call), document).content)
        count += document.get("componentCount", 1)
    given = call.body.get("destination", {})
    fields = {"contentType": "application/octet-stream"} | {k: given[k] for k in contents.WRITABLE if k in given}
    upload = Upload(bucket, name, fields, b"".join(parts), call.query.get("kmsKeyName", ""), count)
    made = contents.create(call, upload)
    if call.body.get("deleteSourceObjects"):
        for source in sources:
            contents.require(call, "storage.objects.delete", bucket, source["name"])
            if found := generations.find(call.cloud, bucket, source["name"]):
                generations.retire(call.cloud, found)
    return contents.shown(call, made)


def plain(call: Call) -> Call:
    """The same caller without the range of its request."""
    return dataclasses.replace(call, headers={k: v for k, v in call.headers.items() if k.lower() != "range"})


def copied(call: Call) -> Document:
    """A copy of the source at the destination."""
    parameters = call.parameters
    check_source(call, parameters["sourceBucket"], parameters["sourceObject"])
    source = contents.require_object(
        call, parameters["sourceBucket"], parameters["sourceObject"], call.query.get("sourceGeneration")
    )
    contents.check_conditions(call, source, "ifSource")
    content = contents.download(plain(call), source).content
    inherited = {name: source[name] for name in contents.WRITABLE if name in source}
    if parameters["sourceBucket"] != parameters["destinationBucket"]:
        inherited.pop("storageClass", None)
    fields = call.body if any(name in call.body for name in contents.WRITABLE) else inherited
    if fields is not inherited:
        fields = {"contentType": source.get("contentType"), **fields}
    upload = Upload(
        parameters["destinationBucket"],
        parameters["destinationObject"],
        {k: v for k, v in fields.items() if k not in {"md5Hash", "crc32c"}},
        content,
        call.query.get("destinationKmsKeyName", ""),
        source.get("componentCount", 0),
    )
    return contents.create(call, upload)


def check_source(call: Call, bucket: str, name: str) -> None:
    """The source passes the same checks as a read of its own would: enabled API, perimeter, permission."""
    read_bucket(call.cloud, bucket)
    for reading in call.cloud.description.methods("storage"):
        if reading.short == "storage.objects.get":
            asked = dataclasses.replace(
                call, method=reading, name=f"b/{bucket}/o/{name}", parameters={"bucket": bucket, "object": name}
            )
            for check in (require_enabled_api, require_perimeter, require_permission):
                check(asked)
            return


def copy(call: Call) -> Document:
    """Copy in one step."""
    return contents.shown(call, copied(call))


def rewrite(call: Call) -> Document:
    """Copy; always done in one call here."""
    made = copied(call)
    return {
        "kind": "storage#rewriteResponse",
        "totalBytesRewritten": made["size"],
        "objectSize": made["size"],
        "done": True,
        "resource": contents.shown(call, made),
    }


def move(call: Call) -> Document:
    """Rename inside one bucket."""
    bucket, source = call.parameters["bucket"], call.parameters["sourceObject"]
    contents.require(call, "storage.objects.delete", bucket, source)
    found = contents.require_object(call, bucket, source, None)
    contents.check_conditions(call, found, "ifSource")
    content = contents.download(plain(call), found).content
    fields = {name: found[name] for name in contents.WRITABLE if name in found}
    upload = Upload(bucket, call.parameters["destinationObject"], fields, content, found.get("kmsKeyName", ""))
    made = contents.create(call, upload)
    generations.retire(call.cloud, found)
    return contents.shown(call, made)


HANDLERS = {
    "storage.objects.get": get,
    "storage.objects.list": listing,
    "storage.objects.patch": patch,
    "storage.objects.update": update,
    "storage.objects.delete": delete,
    "storage.objects.compose": compose,
    "storage.objects.copy": copy,
    "storage.objects.rewrite": rewrite,
    "storage.objects.move": move,
}
