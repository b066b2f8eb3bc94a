"""A refusal as gRPC carries it: a status code, a message, and ``google.rpc.Status`` with the details.

Shape and header: https://google.aip.dev/193, codes: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
(both read 2026-11).
"""

from __future__ import annotations

import json
from typing import Any

import grpc
from google.protobuf.json_format import ParseError

from sandbox.errors import ApiError
from sandbox.grpc.descriptors import Descriptors
from sandbox.grpc.transcoding import from_json

DETAILS = "grpc-status-details-bin"
CODES = {code.name: code for code in grpc.StatusCode}
NUMBERS = {code: code.value[0] for code in grpc.StatusCode}

#: Where the answer names no canonical status; https://google.aip.dev/193, the last is grpc-gateway's habit.
BY_HTTP = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    412: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    499: grpc.StatusCode.CANCELLED,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
#: The sandbox's own sign that a fault dropped the connection, see ``sandbox.app``.
DROPPED = 444


class Failure(Exception):
    """A call's unhappy end.

    Args:
        code: canonical status.
        message: what the caller reads.
        metadata: trailing metadata, perhaps with the details.
    """

    def __init__(self, code: grpc.StatusCode, message: str, metadata: tuple[tuple[str, bytes], ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.metadata = metadata


def refused(error: ApiError, descriptors: Descriptors) -> Failure:
    """The failure of a request that has no REST form."""
    return failure(error.code, json.dumps(error.envelope()).encode(), descriptors)


def failure(status: int, content: bytes, descriptors: Descriptors) -> Failure:
    """The failure that an HTTP answer means."""
    if status == DROPPED:
        return Failure(grpc.StatusCode.UNAVAILABLE, "recvmsg:Connection reset by peer")
    try:
        error = json.loads(content)["error"]
        message, name = str(error["message"]), error.get("status", "")
    except (ValueError, KeyError, TypeError):
        error, message, name = {}, content.decode("utf-8", "replace")[:200], ""
    code = CODES.get(name) or BY_HTTP.get(status, grpc.StatusCode.INTERNAL)
    document = {"code": NUMBERS[code], "message": message, "details": error.get("details", [])}
    return Failure(code, message, ((DETAILS, packed(document, descriptors)),) if document["details"] else ())


def packed(document: dict[str, Any], descriptors: Descriptors) -> bytes:
    """``google.rpc.Status`` as bytes; details of another form than their type's are left out."""
    try:
        return from_json("google.rpc.Status", document, descriptors).SerializeToString()
    except ParseError:
        return from_json("google.rpc.Status", {**document, "details": []}, descriptors).SerializeToString()
