"""Objects by plain path, ``/bucket/object``: what signed URLs address, and the XML API's way of reading and writing.

Errors: https://docs.cloud.google.com/storage/docs/xml-api/reference-status (read 2026-08).
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.sax.saxutils import escape

from starlette.responses import Response

from sandbox.bodies import read_body
from sandbox.call import ANONYMOUS, Call, Principal, Reply
from sandbox.enforcement.checks import CHECKS
from sandbox.errors import ApiError, NotEmulated, NotFound, PerimeterViolation, Unauthenticated
from sandbox.services.storage import contents, cors, generations, objects, refusals, signed_urls, uploads
from sandbox.services.storage.contents import Upload

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.call import Origin
    from sandbox.cloud import Cloud

Document = dict[str, Any]

JSON_ROOTS = ("storage/v1/", "upload/", "download/", "resumable/", "batch/", "b/")
HOST = ".storage.googleapis.com"
METADATA = "x-goog-meta-"
HTML = "text/html; charset=UTF-8"

#: Request headers that become metadata of an object.
FIELDS = {
    "cache-control": "cacheControl",
    "content-disposition": "contentDisposition",
    "content-encoding": "contentEncoding",
    "content-language": "contentLanguage",
    "content-type": "contentType",
    "x-goog-custom-time": "customTime",
    "x-goog-storage-class": "storageClass",
}
CONDITIONS = {
    "x-goog-if-generation-match": "ifGenerationMatch",
    "x-goog-if-metageneration-match": "ifMetagenerationMatch",
}
OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-disposition": "Content-Disposition",
    "response-cache-control": "Cache-Control",
}
CODES = {
    400: ("InvalidArgument", "Invalid argument."),
    401: ("AccessDenied", "Access denied."),
    403: ("AccessDenied", "Access denied."),
    404: ("NoSuchKey", "The specified key does not exist."),
    412: ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold."),
    416: ("InvalidRange", "The requested range cannot be satisfied."),
    501: ("NotImplemented", "A header or query you provided requested a function that is not implemented."),
}


def is_object_path(path: str) -> bool:
    """Whether a path on the storage host is an object's own, not the JSON API's."""
    return bool(path) and not path.startswith(JSON_ROOTS)


async def answer(cloud: Cloud, request: Request, path: str, origin: Origin) -> Response:
    """Serve one object; failures are XML."""
    bucket = place_of(request, path).partition("/")[0]
    try:
        body = await read_body(request, cloud.settings.largest_body)
        if request.method == "OPTIONS":
            reply = cors.preflight(cloud, bucket, request.headers)
        else:
            with cloud.store.transaction():
                reply = serve(cloud, request, path, origin, body)
    except ApiError as error:
        reply = failure(error)
    headers = {**reply.headers, **cors.exposed(cloud, bucket, request.method, request.headers)}
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(reply.content))
        return Response(status_code=reply.status, headers=headers, media_type=reply.media_type)
    return Response(reply.content, reply.status, headers, reply.media_type)


def raw_path(request: Request) -> str:
    """The path as it came, still percent-encoded."""
    raw: bytes = request.scope.get("raw_path", b"")
    return raw.decode("ascii", "replace").partition("?")[0]


def place_of(request: Request, path: str) -> str:
    """``bucket/object`` of a path, which may start with the service."""
    return path.removeprefix("storage/") if raw_path(request).startswith("/storage/") else path


def serve(cloud: Cloud, request: Request, path: str, origin: Origin, body: bytes) -> Reply:
    """Find out who calls, check, and act."""
    raw = raw_path(request)
    query = request.scope.get("query_string", b"").decode("ascii", "replace")
    headers = {name.lower(): value for name, value in request.headers.items()}
    place = place_of(request, path)
    bucket, _, encoded = place.partition("/")
    name = unquote(encoded)
    signed = signed_urls.SignedRequest(request.method, tuple(dict.fromkeys((raw, f"/{place}"))), query, headers)
    principal = signed_urls.signer(cloud, signed) if signed_urls.is_signed(query) else bearer(cloud, headers)
    if not name:
        raise NotEmulated(f"The sandbox does not emulate {request.method} of a bucket in the XML API.")
    parameters = {**signed.parameters}
    parameters |= {CONDITIONS[key]: value for key, value in headers.items() if key in CONDITIONS}
    call = Call(
        cloud=cloud,
        method=method(cloud, request.method),
        name=f"b/{bucket}/o/{name}",
        parameters={"bucket": bucket, "object": name},
        query={**parameters, "name": name},
        body={},
        headers=headers,
        media=body,
        principal=principal,
        origin=origin,
        url=str(request.url),
    )
    for check in CHECKS:
        check(call)
    return ACTIONS[request.method](call)


def bearer(cloud: Cloud, headers: dict[str, str]) -> Principal:
    """Whose token an unsigned request carries.

    Raises:
        Unauthenticated: it means nothing here.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if not token:
        return ANONYMOUS
    principal = cloud.tokens.principal(token.strip()) if scheme.lower() == "bearer" else None
    if principal is None:
        raise Unauthenticated("The provided authentication header is invalid.")
    return principal


def method(cloud: Cloud, verb: str) -> Any:
    """The JSON API's method that does the same, and so needs the same permission."""
    short = METHODS.get(verb)
    for candidate in cloud.description.methods("storage"):
        if candidate.short == short:
            return candidate
    raise NotEmulated(f"The sandbox does not emulate {verb} of an object in the XML API.")


def read(call: Call) -> Reply:
    """GET and HEAD."""
    bucket, name = call.parameters["bucket"], call.parameters["object"]
    document = contents.require_object(call, bucket, name, call.query.get("generation"))
    contents.check_conditions(call, document)
    tag = xml_etag(document)
    if call.headers.get("if-none-match", "") in {tag, "*"}:
        return Reply(304, headers={"ETag": tag})
    reply = contents.download(call, document)
    headers = {**reply.headers, "ETag": tag}
    headers |= {f"{METADATA}{key}": value for key, value in document.get("metadata", {}).items()}
    headers |= {header: call.query[given] for given, header in OVERRIDES.items() if call.query.get(given)}
    return dataclasses.replace(reply, headers=headers)


def write(call: Call) -> Reply:
    """PUT."""
    if "x-goog-copy-source" in call.headers:
        raise NotEmulated("The sandbox does not emulate copies in the XML API.")
    fields: Document = {field: call.headers[header] for header, field in FIELDS.items() if header in call.headers}
    metadata = {key.removeprefix(METADATA): v for key, v in call.headers.items() if key.startswith(METADATA)}
    fields |= {"metadata": metadata} if metadata else {}
    fields.setdefault("contentType", "application/octet-stream")
    for item in call.headers.get("x-goog-hash", "").split(","):
        kind, _, value = item.strip().partition("=")
        fields |= {{"md5": "md5Hash", "crc32c": "crc32c"}[kind]: value} if kind in {"md5", "crc32c"} else {}
    if given := call.headers.get("content-md5"):
        fields["md5Hash"] = given
    key = call.headers.get("x-goog-encryption-kms-key-name", "")
    upload = Upload(call.parameters["bucket"], call.parameters["object"], fields, call.media, key)
    document = contents.create(call, upload)
    return Reply(200, headers={**contents.media_headers(document), "ETag": xml_etag(document), "Content-Type": HTML})


def start(call: Call) -> Reply:
    """POST with ``x-goog-resumable: start``: opens an upload session."""
    if call.headers.get("x-goog-resumable") != "start":
        raise NotEmulated("The sandbox does not emulate POST of an object without x-goog-resumable: start.")
    fields = {field: call.headers[header] for header, field in FIELDS.items() if header in call.headers}
    reply = uploads.begin(dataclasses.replace(call, media=uploads.dump(fields)))
    return Reply(201, media_type=HTML, headers=reply.headers)


def remove(call: Call) -> Reply:
    """DELETE."""
    return objects.delete(call)


METHODS = {
    "GET": "storage.objects.get",
    "HEAD": "storage.objects.get",
    "PUT": "storage.objects.insert",
    "POST": "storage.objects.insert",
    "DELETE": "storage.objects.delete",
}
ACTIONS = {"GET": read, "HEAD": read, "PUT": write, "POST": start, "DELETE": remove}


def xml_etag(document: Document) -> str:
    """The XML API's entity tag: the content's MD5, or the generation of a composed object."""
    if "md5Hash" in document:
        return f'"{binascii.hexlify(base64.b64decode(document["md5Hash"])).decode()}"'
    return f'"{generations.etag(document["generation"])}"'


def failure(error: ApiError) -> Reply:
    """The XML body of a failed request."""
    if isinstance(error, signed_urls.SignatureRefused):
        status, name, message, elements = error.http, error.name, error.message, error.elements
    else:
        status = 403 if error.code == 401 and "Anonymous" in error.message else error.code  # noqa: PLR2004
        name, message = CODES.get(status, ("InternalError", "We encountered an internal error. Please try again."))
        elements = {"Details": error.message}
        if isinstance(error, PerimeterViolation):
            name, message = "SecurityPolicyViolated", "Request violates VPC Service Controls."
        elif isinstance(error, NotFound) and not isinstance(error, refusals.NoSuchObject):
            name, message, elements = "NoSuchBucket", error.message, {}
    parts = {"Code": name, "Message": message, **elements}
    body = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in parts.items())
    content = f"<?xml version='1.0' encoding='UTF-8'?><Error>{body}</Error>".encode()
    if status == 304:  # noqa: PLR2004 -- Not Modified has no body
        content = b""
    return Reply(status, content, "application/xml; charset=UTF-8")


def path_of_host(host: str, path: str) -> str | None:
    """``bucket/object`` for a host that names the bucket, None for any other host."""
    name = host.partition(":")[0]
    return f"{name.removesuffix(HOST)}/{path}" if name.endswith(HOST) else None
