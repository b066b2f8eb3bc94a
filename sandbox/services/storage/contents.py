"""The bytes of objects: checksums, new generations, reading whole or in ranges."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import google_crc32c

from sandbox.call import Call, Reply
from sandbox.errors import ApiError
from sandbox.services.storage import refusals
from sandbox.services.storage.buckets import read as read_bucket
from sandbox.services.storage.encryption import encrypting_version, require_readable
from sandbox.services.storage.generations import LIVE, etag, find, keep, key, next_generation, stamp
from sandbox.services.storage.notifications import FINALIZE, announce

Document = dict[str, Any]

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
LONGEST_NAME = 1024

#: What a caller may write into an object's metadata.
WRITABLE = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "eventBasedHold",
    "metadata",
    "retention",
    "storageClass",
    "temporaryHold",
    "contexts",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """An object about to be made.

    Attributes:
        fields: metadata as its caller gave it.
        kms_key: key named by the caller, empty for the bucket's default.
    """

    bucket: str
    name: str
    fields: Document
    content: bytes
    kms_key: str = ""
    component_count: int = 0


def crc32c(content: bytes) -> str:
    """Base64 of the big-endian checksum."""
    return base64.b64encode(google_crc32c.value(content).to_bytes(4)).decode()


def create(call: Call, upload: Upload) -> Document:
    """Store a new generation.

    Raises:
        InvalidArgument: bad name or a checksum that does not fit the content.
        PermissionDenied: replacing needs ``storage.objects.delete`` besides.
    """
    cloud = call.cloud
    bucket = read_bucket(cloud, upload.bucket)
    check_name(upload.name)
    current = cloud.store.get(LIVE, key(upload.bucket, upload.name))
    check_conditions(call, current)
    if current:
        require(call, "storage.objects.delete", upload.bucket, upload.name)
        refuse_held(call, bucket, current)
    md5 = base64.b64encode(hashlib.md5(upload.content, usedforsecurity=False).digest()).decode()
    checksum = crc32c(upload.content)
    check_sums(upload.fields, md5, checksum)
    version = encrypting_version(cloud, bucket, upload.kms_key)
    now, generation = cloud.clock.timestamp_millis(), next_generation(cloud)
    document: Document = {
        **{name: value for name, value in upload.fields.items() if name in WRITABLE and value not in (None, {}, "")},
        "kind": "storage#object",
        "name": upload.name,
        "bucket": upload.bucket,
        "generation": generation,
        "metageneration": "1",
        "storageClass": str(upload.fields.get("storageClass") or bucket["storageClass"]).upper(),
        "size": str(len(upload.content)),
        "md5Hash": md5,
        "crc32c": checksum,
        "timeCreated": now,
        "updated": now,
        "timeStorageClassUpdated": now,
        "timeFinalized": now,
        "_digest": cloud.blobs.write(upload.content),
    }
    if upload.component_count:
        del document["md5Hash"]
        document["componentCount"] = upload.component_count
    if version:
        document["kmsKeyName"] = version
    document["etag"] = etag(generation, "1")
    keep(cloud, document)
    announce(cloud, FINALIZE, document, current["generation"] if current else "")
    return document


def check_name(name: str) -> None:
    """Refuse an object name that Cloud Storage refuses."""
    if not name:
        raise refusals.invalid("Required", "required")
    if len(name.encode()) > LONGEST_NAME or name in {".", ".."} or "\r" in name or "\n" in name:
        raise refusals.invalid(f"Disallowed object name: '{name}'")


def check_sums(fields: Document, md5: str, checksum: str) -> None:
    """Refuse content that is not what its sender meant to send."""
    for label, given, found in (
        ("MD5 hash", fields.get("md5Hash"), md5),
        ("CRC32C", fields.get("crc32c"), checksum),
    ):
        if given and given != found:
            raise refusals.invalid(
                f'Provided {label} "{given}" doesn\'t match calculated {label} "{found}".', "invalid"
            )


def check_conditions(call: Call, current: Document | None, prefix: str = "if") -> None:
    """Generation and metageneration conditions; generation 0 stands for "there is none"."""
    generation = current["generation"] if current else "0"
    metageneration = current["metageneration"] if current else "0"
    reading = call.method.verb == "GET"
    names = {
        "GenerationMatch": (generation, True),
        "GenerationNotMatch": (generation, False),
        "MetagenerationMatch": (metageneration, True),
        "MetagenerationNotMatch": (metageneration, False),
    }
    for name, (value, wanted) in names.items():
        given = call.query.get(f"{prefix}{name}")
        if given is None:
            continue
        if not given.lstrip("-").isdigit():
            raise refusals.invalid(f"Invalid value for {prefix}{name}: '{given}'")
        if (given == value) != wanted:
            if reading and not wanted:
                raise refusals.NotModified("Not Modified")
            raise refusals.unmet()


def require(call: Call, permission: str, bucket: str, name: str = "") -> None:
    """403 in Cloud Storage's words unless the caller holds a permission."""
    target = f"b/{bucket}/o/{name}" if name else f"b/{bucket}"
    if call.cloud.permissions.grant(call.principal, permission, "storage", target) is None:
        refusal = refusals.denied(call.principal, permission, target)
        refusal.facts = {"permission": permission, "resource": target}
        raise refusal


def refuse_held(call: Call, bucket: Document, document: Document) -> None:
    """Holds and retention policies forbid replacing and deleting."""
    name = f"{document['bucket']}/{document['name']}"
    if document.get("temporaryHold") or document.get("eventBasedHold"):
        hold = "Temporary" if document.get("temporaryHold") else "Event-Based"
        raise refusals.held(
            f"Object '{name}' is under active {hold} hold and cannot be deleted, overwritten or archived until hold is "
            "removed."
        )
    seconds = int(bucket.get("retentionPolicy", {}).get("retentionPeriod", 0))
    if seconds:
        until = stamp(datetime.fromisoformat(document["timeCreated"]) + timedelta(seconds=seconds))
        if until > call.cloud.clock.timestamp_millis():
            raise refusals.held(
                f"Object '{name}' is subject to bucket's retention policy or object retention and cannot be deleted "
                f"or overwritten until {until}",
                "retentionPolicyNotMet",
            )


def require_object(call: Call, bucket: str, name: str, generation: str | None) -> Document:
    """The object asked for; who may not list does not learn that it is missing."""
    read_bucket(call.cloud, bucket)
    document = find(call.cloud, bucket, name, generation)
    if document is None:
        require(call, "storage.objects.list", bucket)
        raise refusals.NoSuchObject(bucket, name, generation or "")
    return document


def download(call: Call, document: Document) -> Reply:
    """The content, whole or the asked range."""
    require_readable(call.cloud, read_bucket(call.cloud, document["bucket"]), document)
    content = call.cloud.blobs.read(document["_digest"])
    headers = media_headers(document)
    status = 200
    if document.get("contentEncoding") == "gzip" and "gzip" not in call.headers.get("accept-encoding", ""):
        # Decompressive transcoding: ranges do not apply to what is unpacked on the way.
        del headers["Content-Encoding"]
        return Reply(status, gzip.decompress(content), headers=headers)
    if given := call.headers.get("range"):
        start, end = byte_range(given, len(content))
        if start is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
            content, status = content[start:end], 206
    return Reply(status, content, headers=headers)


def media_headers(document: Document) -> dict[str, str]:
    """What accompanies the content."""
    sums = [f"crc32c={document['crc32c']}"]
    if "md5Hash" in document:
        sums.append(f"md5={document['md5Hash']}")
    headers = {
        "Content-Type": document.get("contentType", "application/octet-stream"),
        "ETag": document["etag"],
        "Accept-Ranges": "bytes",
        "X-Goog-Generation": document["generation"],
        "X-Goog-Metageneration": document["metageneration"],
        "X-Goog-Hash": ",".join(sums),
        "X-Goog-Storage-Class": document["storageClass"],
        "X-Goog-Stored-Content-Length": document["size"],
        "X-Goog-Stored-Content-Encoding": document.get("contentEncoding", "identity"),
    }
    for field, header in (
        ("cacheControl", "Cache-Control"),
        ("contentDisposition", "Content-Disposition"),
        ("contentEncoding", "Content-Encoding"),
        ("contentLanguage", "Content-Language"),
    ):
        if document.get(field):
            headers[header] = document[field]
    return headers


def byte_range(given: str, size: int) -> tuple[int | None, int]:
    """First and last-plus-one byte of a ``Range`` header; None for one that is ignored.

    Raises:
        RangeNotSatisfiable: it starts behind the end.
    """
    found = RANGE.fullmatch(given.strip())
    if not found or not (found[1] or found[2]):
        return None, size
    if not found[1]:
        return max(0, size - int(found[2])), size
    start = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if start >= size or end <= start:
        raise refusals.RangeNotSatisfiable("The requested range cannot be satisfied.")
    return start, end


def shown(call: Call, document: Document, *, listed: bool = False) -> Document:
    """An object's metadata as its reader sees it.

    The checksums are encrypted with the object's key: they are absent from listings, and while the key is unusable.
    """
    view = {name: value for name, value in document.items() if not name.startswith("_")}
    bucket, path, generation = document["bucket"], quote(document["name"], safe=""), document["generation"]
    view["id"] = f"{bucket}/{document['name']}/{generation}"
    view["selfLink"] = f"https://www.googleapis.com/storage/v1/b/{bucket}/o/{path}"
    view["mediaLink"] = f"{base_url(call)}/download/storage/v1/b/{bucket}/o/{path}?generation={generation}&alt=media"
    if "kmsKeyName" in document and (listed or not readable(call, document)):
        view.pop("md5Hash", None)
        view.pop("crc32c", None)
    if call.query.get("projection") == "full":
        view["owner"] = {"entity": f"user-{call.principal.email}"}
    return view


def readable(call: Call, document: Document) -> bool:
    """Whether the object's key decrypts."""
    try:
        require_readable(call.cloud, read_bucket(call.cloud, document["bucket"]), document)
    except ApiError:
        return False
    return True


def base_url(call: Call) -> str:
    """The origin that the caller used: Google's host, or the sandbox's own address."""
    host = call.headers.get("host", "storage.googleapis.com")
    return f"https://{host}" if host.endswith("googleapis.com") else f"http://{host}"
