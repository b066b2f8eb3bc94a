"""What all Compute Engine resources share: links, ids, fingerprints, operations, lists with a header."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.errors import AlreadyExists, NotFound
from sandbox.etags import stale, stamped
from sandbox.fields import merge
from sandbox.paging import page
from sandbox.resources import Resource
from sandbox.services.compute import operations
from sandbox.services.compute.failures import InUse, Invalid, Missing, StaleFingerprint, Taken
from sandbox.services.compute.filters import matching
from sandbox.services.compute.links import link, name_of, path, shown

Document = dict[str, Any]

#: Google's rule for names, for the message. Only what could not be a path segment is refused here: clients check the
#: rule itself before they call.
NAME_RULE = "[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?"
NAME = re.compile(r"[^\s/_]{1,63}")
PAGE = 500


def digest(value: Any) -> str:
    """A fingerprint of some JSON value."""
    text = json.dumps(value, sort_keys=True)
    return stamped(hashlib.sha256(text.encode()).digest())


class ComputeResource(Resource):
    """One collection of Compute Engine."""

    short_name = True
    #: ``kind`` of the documents, without ``compute#``.
    noun: ClassVar[str] = ""
    #: Fields that refer to other resources, with the collection in which a bare name lies; ``{scope}`` is
    #: ``global`` or ``regions/r``.
    references: ClassVar[Mapping[str, str]] = {}
    #: Fields whose resource must exist, with its kind.
    required: ClassVar[Mapping[str, str]] = {}
    #: The document carries ``fingerprint``.
    fingerprinted: ClassVar[bool] = False
    #: The document carries ``labelFingerprint``.
    labelled: ClassVar[bool] = False

    def identifier(self, call: Call) -> str:
        """The body's name.

        Raises:
            Invalid: it is missing or malformed.
        """
        name = call.body.get("name", "")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise Invalid.value(
                "name",
                name,
                f"Must be a match of regex '(?:{NAME_RULE})'",
            )
        return name

    def missing(self, call: Call) -> NotFound:
        """Names the resource."""
        return Missing(call.name)

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the resource."""
        return Taken(name)

    def accept(self, call: Call) -> Document:
        """The body with its references as links."""
        body = super().accept(call)
        for read_only in ("kind", "id", "selfLink", "creationTimestamp", "labelFingerprint"):
            body.pop(read_only, None)
        self.resolve(call, body)
        return body

    def resolve(self, call: Call, body: Document) -> None:
        """Turn references into links and check those that must exist."""
        project = call.project or ""
        scope = operations.scope_of(call.name).split("/", 2)[2]
        for field, collection in self.references.items():
            value = body.get(field)
            if isinstance(value, str) and value:
                name = call.cloud.hierarchy.canonical(path(value, project, collection.format(scope=scope)))
                body[field] = link(name) if name.startswith("projects/") else value
        for field, kind in self.required.items():
            value = body.get(field)
            if value and call.cloud.store.get(kind, name_of(value)) is None:
                raise Invalid.value(field, value, f"The referenced {field} resource cannot be found.")

    def stamp(self, call: Call, document: Document, *, created: bool) -> None:
        """Kind, id, links."""
        if not created:
            return
        name = self.new_name(call)
        document |= {
            "kind": f"compute#{self.noun}",
            "id": call.cloud.identifiers.number("compute.id", 19),
            "creationTimestamp": operations.timestamp(call),
            "selfLink": link(name),
        }
        scope = operations.scope_of(name)
        if "/regions/" in f"/{scope}":
            document["region"] = link(scope)

    def touch(self, call: Call, document: Document) -> None:
        """New fingerprints."""
        if self.fingerprinted:
            document["fingerprint"] = digest([document.get("fingerprint"), call.cloud.store.next("fingerprint")])
        if self.labelled:
            document["labelFingerprint"] = digest(document.get("labels", {}))

    def check_etag(self, call: Call, current: Document) -> None:
        """The fingerprint that a change was based on."""
        given = call.body.get("fingerprint")
        known = current.get("fingerprint", "")
        if given and self.fingerprinted and stale(given, known, strict=call.cloud.settings.strict):
            raise StaleFingerprint(f"{self.noun} fingerprint")

    def patch(self, call: Call) -> Document:
        """Replace the fields that the body names; objects are merged one level deep."""
        before = self.read(call)
        self.check_etag(call, before)
        body = self.accept(call)
        for key, value in body.items():
            if isinstance(value, dict) and isinstance(before.get(key), dict) and key != "labels":
                body[key] = {**before[key], **value}
        body.pop("name", None)
        body.pop("fingerprint", None)
        return self.change(call, before, merge(before, {**body, **self.clearing(call)}))

    def update(self, call: Call) -> Document:
        """Replace all that a caller may write."""
        before = self.read(call)
        self.check_etag(call, before)
        fixed = {"kind", "id", "name", "selfLink", "creationTimestamp", "region", "labels", *self.immutable}
        kept = {key: value for key, value in before.items() if key in fixed or key.startswith("_")}
        return self.change(call, before, {**self.accept(call), **kept})

    def change(self, call: Call, before: Document, after: Document) -> Document:
        """Store an update and answer with its operation."""
        self.refuse_immutable(before, after)
        self.changed(call, before, after)
        self.touch(call, after)
        name = name_of(after["selfLink"])
        call.cloud.store.put(self.kind, name, after)
        return operations.finished(call, name, after["id"])

    def delete(self, call: Call) -> Document:
        """Remove the resource."""
        document = self.read(call)
        self.deleting(call, document)
        call.cloud.store.delete(self.kind, call.name)
        return operations.finished(call, call.name, document["id"])

    def view(self, call: Call, document: Document) -> Document:
        """Links in the version that was called."""
        return dict(shown(super().view(call, document), call.method.version))

    def answer(self, call: Call, name: str, document: Document) -> Document:
        """The operation of a creation."""
        return operations.finished(call, name, document["id"])

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """By the filter, newest first when asked."""
        found = matching(call, documents)
        if call.query.get("orderBy") == "creationTimestamp desc":
            return found[::-1]
        return sorted(found, key=lambda document: str(document["name"]))

    def listing(self, call: Call) -> Document:
        """A page with the list's header."""
        found = self.select(call, call.cloud.store.documents(self.kind, call.name))
        items, following = page(found, call.query, default=PAGE)
        return {
            "kind": f"compute#{self.noun}List",
            "id": call.name,
            **({"items": [self.view(call, item) for item in items]} if items else {}),
            **({"nextPageToken": following} if following else {}),
            "selfLink": shown(link(call.name), call.method.version),
        }

    def aggregated(self, call: Call) -> Document:
        """All scopes of a project; scopes without resources say so."""
        project = f"projects/{call.project}/"
        scopes: dict[str, list[Document]] = {}
        for name, document in call.cloud.store.items(self.kind):
            if name.startswith(project) and matching(call, [document]):
                scope = operations.scope_of(name).removeprefix(project)
                scopes.setdefault(scope, []).append(self.view(call, document))
        collection = call.method.collection
        empty = {
            "warning": {
                "code": "NO_RESULTS_ON_PAGE",
                "message": "There are no results for scope 'global' on this page.",
            }
        }
        return {
            "kind": f"compute#{self.noun}AggregatedList",
            "id": call.name,
            "items": {scope: {collection: items} for scope, items in scopes.items()} or {"global": empty},
            "selfLink": shown(link(call.name), call.method.version),
        }

    def set_labels(self, call: Call) -> Document:
        """Replace the labels, based on the fingerprint that was read."""
        call.name = call.name.removesuffix("/setLabels")
        before = self.read(call)
        given, known = call.body.get("labelFingerprint"), before.get("labelFingerprint", "")
        if stale(given, known, strict=call.cloud.settings.strict) if given else before.get("labels"):
            raise StaleFingerprint("labels")
        after = {**before, "labels": call.body.get("labels", {})}
        if not after["labels"]:
            del after["labels"]
        return self.change(call, before, after)

    def refuse_use(self, call: Call, users: Mapping[str, str], noun: str = "") -> None:
        """Refuse a deletion while a resource of the given kinds refers to this one.

        Args:
            call: the deletion.
            users: field that may refer to this resource, by the kind of the referring resource.
            noun: how the message names this resource.
        """
        target = link(call.name)
        for kind, field in users.items():
            for name, document in call.cloud.store.items(kind):
                if document.get(field) == target and not document.get("_owned"):
                    raise InUse(noun or self.noun, call.name, name)
