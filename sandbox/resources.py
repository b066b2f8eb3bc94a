"""Generic create, get, list, update and delete of any described collection; services override what differs."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.errors import Aborted, AlreadyExists, InvalidArgument, NotFound
from sandbox.etags import stale
from sandbox.fields import apply_mask, mask_paths, merge, pick, remove
from sandbox.list_filters import compile_filter, in_order
from sandbox.paging import page

if TYPE_CHECKING:
    from sandbox.call import Call, Reply
    from sandbox.description import Method, Shape

Document = dict[str, Any]

OPERATION_STAMP = "type.googleapis.com/"
#: What discovery documents put before the names of messages, from the proto package.
NESTED = re.compile(r"^GoogleCloud[A-Z][A-Za-z]*?V\d+((alpha|beta)\d+)?(?=[A-Z])")


class Resource:
    """One kind of resource. Subclass it, set the class attributes, override the hooks.

    Documents keep server-side facts under keys that start with an underscore; ``view`` hides them.
    """

    kind: ClassVar[str] = ""
    #: Proto package of the resource, for the ``@type`` of operations.
    package: ClassVar[str] = ""
    #: Message name, when it is not the schema's.
    message: ClassVar[str] = ""
    #: The document's ``name`` is the last segment only (compute, DNS) or the whole path.
    short_name: ClassVar[bool] = False
    #: Refusals do not say which resource is missing, or taken.
    unnamed: ClassVar[bool] = False
    #: Names are answered with the project's number.
    numbered: ClassVar[bool] = False
    #: Extra input-only fields, never stored.
    input_only: ClassVar[tuple[str, ...]] = ()
    #: Fields which an update may not change.
    immutable: ClassVar[tuple[str, ...]] = ()
    #: ``select`` reads the ``filter`` parameter itself, in the service's own language.
    own_filter: ClassVar[bool] = False

    # -- hooks ---------------------------------------------------------------------------------------------------

    def identifier(self, call: Call) -> str:
        """The new resource's last name segment: query parameter, body name, or generated."""
        for parameter in call.method.query:
            names_it = parameter in ID_PARAMETERS.get(self.kind, ()) or ID_PARAMETER.fullmatch(parameter)
            if names_it and (value := call.query.get(parameter)):
                return value
        name = call.body.get("name", "")
        return name.rpartition("/")[2] if isinstance(name, str) and name else self.generate(call)

    def generate(self, call: Call) -> str:
        """An id for a resource whose caller chose none."""
        return call.cloud.identifiers.number(self.kind, 19)

    def prepare(self, call: Call, document: Document) -> None:
        """Validate and fill defaults before the document is stored."""

    def created(self, call: Call, document: Document) -> None:
        """After the document is stored."""

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Validate and adjust an update before it is stored."""

    def deleting(self, call: Call, document: Document) -> None:
        """Refuse or accompany a deletion."""

    def view(self, call: Call, document: Document) -> Document:
        """What callers see."""
        return {key: value for key, value in document.items() if not key.startswith("_")}

    def missing(self, call: Call) -> NotFound:
        """The error for a name that is not there."""
        if self.unnamed:
            return NotFound("Requested entity was not found.")
        return NotFound(f"Resource '{call.name}' was not found")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """The error for a name that is taken."""
        if self.unnamed:
            return AlreadyExists("Requested entity already exists")
        return AlreadyExists(f"Resource '{name}' already exists")

    def operation_name(self, call: Call, name: str) -> str:
        """Where the operation of a change is found."""
        parts = name.split("/")
        parent = "/".join(parts[:4]) if parts[2:3] == ["locations"] else "/".join(parts[:2])
        place, make = f"uuid/{'/'.join(parts[:2])}", call.cloud.identifiers.uuid
        return f"{parent}/operations/{call.cloud.operations.slots.claim(place, name, lambda: make('operations'))}"

    def operation_metadata(self, call: Call, name: str) -> Document | None:
        """Metadata of the operation of a change."""
        return None

    # -- methods -------------------------------------------------------------------------------------------------

    def create(self, call: Call) -> Document | Reply:
        """Store a new resource."""
        name = self.new_name(call)
        if call.cloud.store.get(self.kind, name) is not None:
            raise self.duplicate(call, name)
        document = self.accept(call)
        if not self.short_name or "name" in self.properties(call.method):
            document["name"] = name.rpartition("/")[2] if self.short_name else name
        self.stamp(call, document, created=True)
        self.prepare(call, document)
        self.touch(call, document)
        call.cloud.store.put(self.kind, name, document)
        self.created(call, document)
        return self.answer(call, name, document)

    def new_name(self, call: Call) -> str:
        """Full name of the resource to create."""
        return f"{call.name}/{self.identifier(call)}"

    def get(self, call: Call) -> Document | Reply:
        """One resource."""
        return self.view(call, self.read(call))

    def read(self, call: Call) -> Document:
        """The stored document behind the call.

        Raises:
            NotFound: there is none.
        """
        document = call.cloud.store.get(self.kind, call.name)
        if document is None:
            raise self.missing(call)
        return document

    def listing(self, call: Call) -> Document | Reply:
        """A page of a collection."""
        shown, following = page(self.found(call), call.query)
        answer: Document = {}
        if shown:
            answer[self.list_field(call.method)] = [self.view(call, document) for document in shown]
        if following:
            answer["nextPageToken"] = following
        return answer

    def found(self, call: Call) -> list[Document]:
        """The whole of a list, by its filter and in its order, as far as the method has these parameters."""
        documents = self.select(call, self.stored(call))
        asked = {key: call.query.get(key, "").strip() for key in ("filter", "orderBy") if key in call.method.query}
        if asked.get("filter") and not self.own_filter:
            admitted = compile_filter(asked["filter"])
            documents = [document for document in documents if admitted(self.view(call, document))]
        if asked.get("orderBy"):
            documents = in_order(documents, [self.view(call, document) for document in documents], asked["orderBy"])
        return documents

    def stored(self, call: Call) -> list[Document]:
        """The documents of the collection; a hyphen in its name stands for any parent of that kind."""
        if "-" not in (parts := call.name.split("/")):
            return call.cloud.store.documents(self.kind, call.name)
        pattern = re.compile("/".join("[^/]+" if part == "-" else re.escape(part) for part in parts) + "/[^/]+")
        return [document for name, document in call.cloud.store.items(self.kind) if pattern.fullmatch(name)]

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """What of a collection is listed, apart from ``filter``."""
        del call
        return documents

    def patch(self, call: Call) -> Document | Reply:
        """Change the masked fields; without a mask, those that the body names."""
        before = self.read(call)
        body = self.accept(call)
        self.check_etag(call, before)
        mask = call.query.get("updateMask") or call.body.get("updateMask", "")
        paths = [path for path in mask_paths(mask) if path not in {"etag", "name"}] if isinstance(mask, str) else []
        self.refuse_unknown(call, paths)
        after = apply_mask(before, body, paths) if paths else merge(before, {**body, **self.clearing(call)})
        return self.save(call, before, after)

    def refuse_unknown(self, call: Call, paths: list[str]) -> None:
        """Refuse a mask that names no field of the resource."""
        shapes = self.properties(call.method)
        unknown = [path for path in paths if shapes and path != "*" and path.partition(".")[0] not in shapes]
        if unknown and call.method.described:
            raise InvalidArgument(f"Invalid update_mask: '{unknown[0]}' is not a field of the resource.")

    def clearing(self, call: Call) -> Document:
        """Null for each field that the body sets to null, as far as callers may write it."""
        return {key: None for key in call.cleared if key != "name" and not self.server_owned(call.method, key)}

    def update(self, call: Call) -> Document | Reply:
        """Replace all that a caller may write."""
        before = self.read(call)
        self.check_etag(call, before)
        kept = {
            k: v for k, v in before.items() if k.startswith("_") or self.server_owned(call.method, k) or k == "name"
        }
        return self.save(call, before, {**self.accept(call), **kept})

    def save(self, call: Call, before: Document, after: Document) -> Document | Reply:
        """Store an update and answer with it."""
        self.refuse_immutable(before, after, self.properties(call.method))
        self.stamp(call, after, created=False)
        self.changed(call, before, after)
        self.touch(call, after)
        call.cloud.store.put(self.kind, call.name, after)
        return self.answer(call, call.name, after)

    def delete(self, call: Call) -> Document | Reply:
        """Remove the resource and what lies below it."""
        document = self.read(call)
        self.check_etag(call, document)
        self.deleting(call, document)
        call.cloud.store.delete(self.kind, call.name)
        if call.method.long_running:
            empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
            return self.operation(call, call.name, empty)
        return {}

    # -- parts ---------------------------------------------------------------------------------------------------

    def properties(self, method: Method) -> dict[str, Shape]:
        """Field shapes of the resource."""
        return dict(method.resource_schema.get("properties", {}))

    def server_owned(self, method: Method, field: str) -> bool:
        """Whether only the server writes the field."""
        return bool(self.properties(method).get(field, {}).get("readOnly"))

    def accept(self, call: Call) -> Document:
        """The body without what only the server writes."""
        shapes = self.properties(call.method)
        body = copy.deepcopy(call.body)
        for key in list(body):
            if shapes.get(key, {}).get("readOnly") or key in self.input_only or key == "updateMask":
                del body[key]
        strip_read_only(body, call.method.resource_schema, call.method.schemas)
        return body

    def stamp(self, call: Call, document: Document, *, created: bool) -> None:
        """Set the times that the resource's schema has."""
        shapes = self.properties(call.method)
        now = call.cloud.clock.timestamp()
        if created and "createTime" in shapes:
            document["createTime"] = now
        if "updateTime" in shapes:
            document["updateTime"] = now
        if created and shapes.get("uid", {}).get("readOnly"):
            document["uid"] = call.cloud.identifiers.uuid("uid")

    def touch(self, call: Call, document: Document) -> None:
        """A new etag, if the resource has one."""
        if "etag" in self.properties(call.method):
            document.pop("etag", None)
            count = call.cloud.store.next("etag")
            text = json.dumps([document, count], sort_keys=True)
            document["etag"] = self.etag(hashlib.sha256(text.encode()).hexdigest())

    def etag(self, digest: str) -> str:
        """The etag's spelling."""
        return f'W/"{digest[:16]}"'

    def check_etag(self, call: Call, current: Document) -> None:
        """Refuse a write based on an older version."""
        given = call.body.get("etag") or call.query.get("etag")
        known = current.get("etag")
        if given and known and stale(given, known, strict=call.cloud.settings.strict):
            raise Aborted(f"The etag '{given}' does not match the current one: read the resource again, then retry.")

    def refuse_immutable(self, before: Document, after: Document, shapes: dict[str, Shape] | None = None) -> None:
        """Refuse a change of a field that is fixed at creation, as this class or Google's description says."""
        for path in self.immutable:
            if pick(before, path) != pick(after, path):
                raise InvalidArgument(f"Field '{path}' is immutable and cannot be changed after creation.")
        for name, shape in (shapes or {}).items():
            if shape.get("immutable") and name in before and name in after and before[name] != after[name]:
                raise InvalidArgument(f"Field '{name}' is immutable and cannot be changed after creation.")

    def answer(self, call: Call, name: str, document: Document) -> Document | Reply:
        """The changed resource, or the finished operation that holds it."""
        shown = self.view(call, document)
        if not call.method.long_running:
            return shown
        message = self.message or NESTED.sub("", call.method.request)
        return self.operation(call, name, {"@type": f"{OPERATION_STAMP}{self.package}.{message}", **shown})

    def operation(self, call: Call, name: str, response: Document) -> Document:
        """A finished operation."""
        return call.cloud.operations.finished(
            self.kind.partition(".")[0], self.operation_name(call, name), response, self.operation_metadata(call, name)
        )

    def list_field(self, method: Method) -> str:
        """Name of the array in a list's answer."""
        for name, shape in method.schemas.get(method.response, {}).get("properties", {}).items():
            if shape.get("type") == "array" and name != "unreachable":
                return str(name)
        return method.collection


#: Create parameters that name the new resource and do not end in the collection's own ``...Id``.
ID_PARAMETERS: dict[str, tuple[str, ...]] = {"artifactregistry.repositories": ("repository_id",)}
ID_PARAMETER = re.compile(r"(?!request)[a-z][A-Za-z]*Id")


def unspecified(shape: Shape, value: Any) -> bool:
    """Whether a value is the zero of its enum, which means that the caller chose none."""
    values = shape.get("enum", ())
    return bool(values) and value == values[0] and value.endswith("_UNSPECIFIED")


def strip_read_only(body: Any, shape: Shape, schemas: dict[str, Shape]) -> None:
    """Remove, in place and at every depth, what only the server writes and unset enums; 64-bit numbers become text."""
    if shape.get("ref"):
        shape = schemas.get(shape["ref"], {})
    if isinstance(body, list):
        for item in body:
            strip_read_only(item, shape.get("items", {}), schemas)
    elif isinstance(body, dict):
        shapes = shape.get("properties", {})
        for key in list(body):
            inner = shapes.get(key) or shape.get("values") or {}
            if inner.get("readOnly") or unspecified(inner, body[key]):
                remove(body, key)
            elif inner.get("format") in {"int64", "uint64"} and type(body[key]) is int:
                body[key] = str(body[key])
            else:
                strip_read_only(body[key], inner, schemas)
