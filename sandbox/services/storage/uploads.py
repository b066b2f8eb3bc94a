"""Uploads in all their forms: media, multipart, and resumable sessions that outlive a restart.

Protocols: https://docs.cloud.google.com/storage/docs/uploads-downloads (read 2026-08).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sandbox.call import Call, Principal, Reply
from sandbox.errors import NotFound
from sandbox.services.storage import contents, generations, refusals
from sandbox.services.storage.buckets import read as read_bucket
from sandbox.services.storage.contents import Upload
from sandbox.services.storage.encryption import encrypting_version

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

SESSIONS = "storage.sessions"
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
INCOMPLETE = 308
CANCELLED = 499
#: Chunks but the last are multiples of this.
GRANULE = 256 * 1024
LIFETIME_SECONDS = 7 * 86400


def insert(call: Call) -> Document | Reply:
    """Make an object from whatever form of upload the request has."""
    if session := call.query.get("upload_id"):
        return resume(call, session)
    kind = call.query.get("uploadType", "")
    if kind == "resumable":
        return begin(call)
    if kind == "multipart":
        fields, content, media_type = multipart(call)
        fields.setdefault("contentType", media_type)
    elif kind == "media" or call.method.upload:
        fields, content = {"contentType": call.headers.get("content-type")}, call.media
        if encoding := call.query.get("contentEncoding"):
            fields["contentEncoding"] = encoding
    else:
        fields, content = dict(call.body), b""
    upload = upload_of(call, fields, content)
    return contents.shown(call, contents.create(call, upload))


def upload_of(call: Call, fields: Document, content: bytes) -> Upload:
    """The object that a request describes."""
    name = call.query.get("name") or fields.get("name") or ""
    fields = {**fields, "contentType": fields.get("contentType") or "application/octet-stream"}
    key = call.query.get("kmsKeyName") or fields.get("kmsKeyName") or ""
    return Upload(call.parameters["bucket"], name, fields, content, key)


def multipart(call: Call) -> tuple[Document, bytes, str]:
    """Metadata, content and content type of a ``multipart/related`` body.

    Raises:
        InvalidArgument: the body has not exactly two parts.
    """
    found = re.search(r"""boundary=["']?([^"';]+)["']?""", call.headers.get("content-type", ""))
    if not found:
        raise refusals.invalid("Missing multipart boundary in the Content-Type header.", "badContent")
    mark = b"--" + found[1].encode()
    pieces = (b"\r\n" + call.media if call.media.startswith(mark) else call.media).split(b"\n" + mark)
    parts = [part_of(piece) for piece in pieces[1:-1]]
    if len(parts) != 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 -- metadata, then content
        raise refusals.invalid(f"Invalid multipart request with {len(parts)} mime parts.", "badContent")
    try:
        fields = json.loads(parts[0][1] or b"{}")
    except ValueError:
        raise refusals.invalid("Metadata part is not valid JSON.", "parseError") from None
    return fields, parts[1][1], parts[1][0]


def part_of(piece: bytes) -> tuple[str, bytes]:
    """Content type and content of one part; lines end in CR LF, or LF only as some clients send."""
    piece = piece.removesuffix(b"\r")
    piece = piece.split(b"\n", 1)[1] if b"\n" in piece else piece
    blank = re.search(rb"^\r?\n|\r?\n\r?\n", piece)
    head, content = (piece[: blank.start()], piece[blank.end() :]) if blank else (b"", piece)
    kind = re.search(rb"(?im)^content-type:\s*([^\r\n]+)", head)
    return kind[1].decode().strip() if kind else "", content


# -- resumable -----------------------------------------------------------------------------------------------------


def begin(call: Call) -> Reply:
    """Open a session; its address is the ``Location`` of the answer."""
    fields = json.loads(call.media) if call.media.strip() else {}
    declared = call.headers.get("x-upload-content-type")
    if declared:
        fields.setdefault("contentType", declared)
    upload = upload_of(call, fields, b"")
    contents.check_name(upload.name)
    contents.check_conditions(call, generations.find(call.cloud, upload.bucket, upload.name))
    encrypting_version(call.cloud, read_bucket(call.cloud, upload.bucket), upload.kms_key)
    session = call.cloud.identifiers.hexadecimal("upload", 64)
    total = call.headers.get("x-upload-content-length", "")
    document = {
        "bucket": upload.bucket,
        "name": upload.name,
        "fields": upload.fields,
        "kmsKey": upload.kms_key,
        "query": {name: value for name, value in call.query.items() if name.startswith("if")},
        "total": int(total) if total.isdigit() else None,
        "received": 0,
        "started": call.cloud.clock.now().timestamp(),
        "member": call.principal.member,
        "delegates": list(call.principal.delegates),
    }
    call.cloud.store.put(SESSIONS, session, document)
    query = urlencode({"uploadType": "resumable", "name": upload.name, "upload_id": session})
    location = f"{contents.base_url(call)}/upload/storage/v1/b/{upload.bucket}/o?{query}"
    return Reply(headers={"Location": location, "X-GUploader-UploadID": session})


def dump(fields: Document) -> bytes:
    """Metadata as the body of a request that opens a session."""
    return json.dumps(fields).encode()


def owner(call: Call) -> Principal | None:
    """Who opened the session that a request without a credential continues: its address is its credential.

    Raises:
        NotFound: there is no such session.
    """
    identifier = call.query.get("upload_id")
    if not identifier:
        return None
    session = require_session(call, identifier)
    return Principal(session["member"], tuple(session["delegates"]))


def require_session(call: Call, identifier: str) -> Document:
    """The session of that id.

    Raises:
        NotFound: there is none.
    """
    session = call.cloud.store.get(SESSIONS, identifier)
    if session is None:
        raise NotFound("Upload session not found: it expired, was cancelled, or was never opened.")
    return session


def resume(call: Call, identifier: str) -> Document | Reply:
    """Take a chunk, answer how much there is, or cancel."""
    session = require_session(call, identifier)
    if call.method.verb == "DELETE":
        forget(call, identifier)
        return Reply(CANCELLED)
    if "done" in session:
        return contents.shown(call, session["done"])
    given = call.headers.get("content-range", "")
    found = CONTENT_RANGE.fullmatch(given.strip()) if given else None
    if given and not found:
        raise refusals.invalid(f"Failed to parse Content-Range header: {given}")
    total = int(found[3]) if found and found[3] != "*" else (None if found else len(call.media))
    received = append(call, identifier, session, found)
    if total is not None and received == total:
        return finish(call, identifier, session)
    return incomplete(call, received)


def append(call: Call, identifier: str, session: Document, found: re.Match[str] | None) -> int:
    """Keep the new bytes of a chunk; returns how many there are now."""
    received: int = session["received"]
    if found and found[1] is None:
        return received
    start = int(found[1]) if found else 0
    if start > received:
        raise refusals.invalid(f"Invalid request. The chunk starts at {start}, {received} bytes were received.")
    fresh = call.media[received - start :]
    more = found is not None and found[3] == "*"
    if more and len(call.media) % GRANULE:
        fresh = fresh[: len(fresh) - len(call.media) % GRANULE]
    path = part_file(call.cloud, identifier)
    with path.open("r+b" if path.exists() else "wb") as file:
        # What a killed process wrote and did not record is written again.
        file.seek(received)
        file.truncate()
        file.write(fresh)
    session["received"] = received + len(fresh)
    call.cloud.store.put(SESSIONS, identifier, session)
    return received + len(fresh)


def incomplete(call: Call, received: int) -> Reply:
    """308, or 200 with an override header for clients that cannot take it."""
    headers = {"Range": f"bytes=0-{received - 1}"} if received else {}
    if call.headers.get("x-guploader-no-308", "").lower() in {"yes", "true"}:
        return Reply(headers={**headers, "X-HTTP-Status-Code-Override": str(INCOMPLETE)})
    return Reply(INCOMPLETE, headers=headers)


def finish(call: Call, identifier: str, session: Document) -> Document:
    """Make the object; the session answers with it from now on."""
    path = part_file(call.cloud, identifier)
    content = path.read_bytes() if path.exists() else b""
    fields = dict(session["fields"])
    for given, field in (("md5=", "md5Hash"), ("crc32c=", "crc32c")):
        for item in call.headers.get("x-goog-hash", "").split(","):
            if item.strip().startswith(given):
                fields[field] = item.strip().removeprefix(given)
    call.query = session["query"]
    made = contents.create(call, Upload(session["bucket"], session["name"], fields, content, session["kmsKey"]))
    call.cloud.store.put(SESSIONS, identifier, {**session, "done": made})
    path.unlink(missing_ok=True)
    return contents.shown(call, made)


def forget(call: Call, identifier: str) -> None:
    """Drop a session and what it received."""
    call.cloud.store.delete(SESSIONS, identifier)
    part_file(call.cloud, identifier).unlink(missing_ok=True)


def expire(cloud: Cloud) -> None:
    """Drop sessions that are a week old."""
    for identifier, session in cloud.store.items(SESSIONS):
        if session["started"] + LIFETIME_SECONDS <= cloud.clock.now().timestamp():
            cloud.store.delete(SESSIONS, identifier)
            part_file(cloud, identifier).unlink(missing_ok=True)


def part_file(cloud: Cloud, identifier: str) -> Path:
    """Where the bytes of an unfinished session lie."""
    folder = cloud.settings.data / "uploads"
    folder.mkdir(exist_ok=True)
    return folder / identifier


HANDLERS = {"storage.objects.insert": insert}
