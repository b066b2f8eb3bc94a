"""From a gRPC request to the REST request that means the same, and from the REST answer to the gRPC response.

Rules: ``google/api/http.proto`` and https://google.aip.dev/127 (read 2026-11).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from sandbox.errors import InvalidArgument
from sandbox.grpc.descriptors import Binding, Descriptors, Rpc

VARIABLE = re.compile(r"\{([\w.]+)(?:=([^}]*))?\}")
FIELD_MASK = FieldMask.DESCRIPTOR.full_name
TYPE_URL = "type.googleapis.com/"
HTTP_BODY = "google.api.HttpBody"
#: What a path segment may hold unescaped (RFC 3986, section 3.3).
SEGMENT = "/:@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A REST request without its host: raw path with its leading slash and query."""

    verb: str
    target: str
    body: bytes | None
    binding: Binding


@cache
def variables(path: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Fields in a path template, each with the form of its value and its place in the template."""
    found = []
    for variable in VARIABLE.finditer(path):
        form = "".join(
            {"**": ".+", "*": "[^/]+"}.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", variable[2] or "*")
        )
        found.append((variable[1], re.compile(form), variable[0]))
    return tuple(found)


def encode(rpc: Rpc, message: Message, descriptors: Descriptors) -> HttpRequest:
    """The REST request of a gRPC request, by the first HTTP rule that its fields fit.

    Raises:
        InvalidArgument: they fit none: a name is missing or has another form.
    """
    for binding in rpc.bindings:
        path = fill(binding.path, message)
        if path is not None:
            return build(binding, path, message, descriptors)
    forms = ", ".join(sorted({part for rule in rpc.bindings for _, _, part in variables(rule.path)}))
    raise InvalidArgument(f"Request contains an invalid argument: {rpc.name} expects {forms}.")


def fill(template: str, message: Message) -> str | None:
    """The template with the message's values, percent-encoded; None when one does not fit."""
    path = template
    for name, form, place in variables(template):
        value: Any = message
        for part in name.split("."):
            value = getattr(value, part)
        if not form.fullmatch(str(value)):
            return None
        path = path.replace(place, quote(str(value), safe=SEGMENT), 1)
    return path


def build(binding: Binding, path: str, message: Message, descriptors: Descriptors) -> HttpRequest:
    """The request of one rule; what is neither in the path nor in the body goes into the query."""
    rest = type(message).FromString(message.SerializeToString())
    for name, _, _ in variables(binding.path):
        *parents, leaf = name.split(".")
        if not (parents and parents[0] == binding.body):  # a name inside the body stays in there too
            holder: Any = rest
            for part in parents:
                holder = getattr(holder, part)
            holder.ClearField(leaf)
    document = to_json(rest, descriptors)
    body = None
    if binding.body == "*":
        body, document = json.dumps(document).encode(), {}
    elif binding.body:
        field = message.DESCRIPTOR.fields_by_name[binding.body].json_name
        body = json.dumps(document.pop(field, {})).encode()
    query = urlencode(list(flat("", document)))
    return HttpRequest(binding.verb, f"{path}?{query}" if query else path, body, binding)


def to_json(message: Message, descriptors: Descriptors) -> dict[str, Any]:
    """Protobuf's JSON form. Paths of field masks may also name keys of maps, which protobuf's own form refuses.

    Raises:
        InvalidArgument: it holds an ``Any`` of an unknown type.
    """
    masks = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.full_name == FIELD_MASK:
            masks[field.json_name] = ",".join(".".join(camel(part) for part in p.split(".")) for p in value.paths)
            message.ClearField(field.name)
    try:
        document = json_format.MessageToDict(message, descriptor_pool=descriptors.pool)
    except (TypeError, json_format.SerializeToJsonError) as error:
        raise InvalidArgument(f"Request contains an invalid argument: {error}") from None
    return {**document, **masks}


def camel(name: str) -> str:
    """``display_name`` as JSON spells it."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def flat(prefix: str, value: Any) -> list[tuple[str, str]]:
    """Query parameters of a document: ``a.b=c``, repeated fields repeated."""
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in flat(f"{prefix}.{key}" if prefix else key, item)]
    if isinstance(value, list):
        return [pair for item in value for pair in flat(prefix, item)]
    if isinstance(value, bool):
        return [(prefix, "true" if value else "false")]
    return [(prefix, str(value))]


def decode(response: str, binding: Binding, content: bytes, media_type: str, descriptors: Descriptors) -> Message:
    """The response of a REST answer's body.

    Args:
        response: full name of the response's message.
        binding: the rule by which the request was made.
        content: the body.
        media_type: its content type.
        descriptors: of all messages.

    Raises:
        ParseError: the body is not of the response's form: a defect of the sandbox.
    """
    if response == HTTP_BODY:
        return descriptors.message(response)(content_type=media_type, data=content)
    document = json.loads(content) if content.strip() else {}
    if binding.response_body:
        document = {binding.response_body: document}
    return from_json(response, document, descriptors)


def from_json(name: str, document: Any, descriptors: Descriptors) -> Message:
    """A message of protobuf's JSON form; what it does not know is left out, as an older client would.

    Raises:
        ParseError: a value has another type than its field.
    """
    message = descriptors.message(name)()
    known = without_unknown(document, descriptors)
    json_format.ParseDict(known, message, ignore_unknown_fields=True, descriptor_pool=descriptors.pool)
    return message


def without_unknown(value: Any, descriptors: Descriptors) -> Any:
    """A copy without ``Any`` values of types that are not described."""
    if isinstance(value, dict):
        kind = value.get("@type")
        if isinstance(kind, str) and kind.startswith(TYPE_URL) and not descriptors.knows(kind.removeprefix(TYPE_URL)):
            return None
        kept = {key: without_unknown(item, descriptors) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None}
    if isinstance(value, list):
        return [item for item in (without_unknown(one, descriptors) for one in value) if item is not None]
    return value
