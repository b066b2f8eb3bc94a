"""What datasets and tables share: references instead of names, times in milliseconds, Google's messages.

https://docs.cloud.google.com/bigquery/docs/reference/rest/v2 (read 2026-08).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from sandbox.call import Reply
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.fields import merge
from sandbox.paging import page
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

DATASETS = "bigquery.datasets"
TABLES = "bigquery.tables"
ROWS = "bigquery.rows"
LONGEST_ID = 1024


def dotted(name: str) -> str:
    """``p:d.t`` of ``projects/p/datasets/d/tables/t``."""
    parts = name.split("/")
    return parts[1] + ":" + ".".join(parts[3::2])


def milliseconds(call: Call) -> str:
    """Now, as BigQuery writes it."""
    return str(int(call.cloud.clock.now().timestamp() * 1000))


class BigQueryResource(Resource):
    """A dataset or table."""

    noun = ""
    #: The reference's field for the own id, as ``datasetId``.
    identity = ""
    kept: tuple[str, ...] = ("location",)
    short_name = True
    pattern = re.compile(rf"\w{{1,{LONGEST_ID}}}")
    marks = "underscores"

    def reference(self, name: str) -> Document:
        """``datasetReference`` or ``tableReference`` of a full name."""
        parts = name.split("/")
        found = {"projectId": parts[1], "datasetId": parts[3]}
        return {**found, "tableId": parts[5]} if self.identity == "tableId" else found

    def identifier(self, call: Call) -> str:
        """From the reference in the body.

        Raises:
            InvalidArgument: it is missing or malformed.
        """
        value = str(call.body.get(f"{self.noun.lower()}Reference", {}).get(self.identity, ""))
        if not value:
            raise InvalidArgument(f"Required parameter is missing: {self.identity}", reason="required")
        if not self.pattern.fullmatch(value):
            raise InvalidArgument(
                f'Invalid {self.noun.lower()} ID "{value}". {self.noun} IDs must be alphanumeric (plus {self.marks}) '
                f"and must be at most {LONGEST_ID} characters long.",
                reason="invalid",
            )
        return value

    def accept(self, call: Call) -> Document:
        """There is no ``name``: the reference names it."""
        body: Document = super().accept(call)
        body.pop("name", None)
        return body

    def stamp(self, call: Call, document: Document, *, created: bool) -> None:
        """Kind, ids, times."""
        name = self.new_name(call) if created else call.name
        document |= {
            "kind": f"bigquery#{self.noun.lower()}",
            "id": dotted(name),
            f"{self.noun.lower()}Reference": self.reference(name),
            "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{name}",
            "lastModifiedTime": milliseconds(call),
        }
        if created:
            document["creationTime"] = document["lastModifiedTime"]

    def touch(self, call: Call, document: Document) -> None:
        """A new etag."""
        document.pop("etag", None)
        text = json.dumps([document, call.cloud.store.next("etag")], sort_keys=True)
        document["etag"] = hashlib.sha256(text.encode()).hexdigest()[:22] + "=="

    def check_etag(self, call: Call, current: Document) -> None:
        """BigQuery compares the ``If-Match`` header only."""

    def patch(self, call: Call) -> Document | Reply:
        """The fields of the body; null clears. There are no update masks."""
        before = self.read(call)
        after = merge(before, {**self.accept(call), **self.clearing(call)})
        return self.save(call, before, self.fixed(before, after))

    def update(self, call: Call) -> Document | Reply:
        """Replace what a caller may write."""
        before = self.read(call)
        owned = {k: v for k, v in before.items() if k.startswith("_") or self.server_owned(call.method, k)}
        return self.save(call, before, self.fixed(before, {**self.accept(call), **owned}))

    def fixed(self, before: Document, after: Document) -> Document:
        """What never changes."""
        kept = (*self.kept, f"{self.noun.lower()}Reference", "kind", "id", "selfLink", "creationTime")
        return after | {key: before[key] for key in kept if key in before}

    def listing(self, call: Call) -> Document:
        """A page of short forms."""
        documents = self.found(call)
        shown, following = page(documents, call.query)
        fields = ("kind", "id", f"{self.noun.lower()}Reference", "location", "labels", "friendlyName", "type")
        short = [{key: d[key] for key in fields if key in d} for d in shown]
        answer: Document = {"kind": f"bigquery#{self.noun.lower()}List", "etag": f"{len(documents):022d}=="}
        if short:
            answer[f"{self.noun.lower()}s"] = short
        if self.noun == "Table":
            answer["totalItems"] = len(documents)
        return {**answer, "nextPageToken": following} if following else answer

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f"Not found: {self.noun} {dotted(call.name)}")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Google's wording."""
        del call
        return AlreadyExists(f"Already Exists: {self.noun} {dotted(name)}", reason="duplicate")

    def delete(self, call: Call) -> Reply:
        """Answers nothing."""
        self.deleting(call, self.read(call))
        call.cloud.store.delete(self.kind, call.name)
        call.cloud.store.delete_below(call.name)
        return Reply(204)
