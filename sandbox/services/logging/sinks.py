"""Sinks and exclusions: which entries go where, and which go nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.fields import without_defaults
from sandbox.resources import Resource
from sandbox.services.logging.accounts import writer
from sandbox.services.logging.query import compile_filter
from sandbox.services.logging.settings import FIRST_BUCKETS

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "logging.sinks"
PACKAGE = "google.logging.v2"
IDENTIFIER = re.compile(r"[A-Za-z0-9_.-]{1,100}")
DESTINATION = re.compile(
    r"(?:storage\.googleapis\.com/[^/]+"
    r"|bigquery\.googleapis\.com/projects/[^/]+/datasets/[^/]+"
    r"|pubsub\.googleapis\.com/projects/[^/]+/topics/[^/]+"
    r"|logging\.googleapis\.com/(?:projects|folders|organizations|billingAccounts)/[^/]+(?:/locations/[^/]+/buckets/[^/]+)?)"
)
KEPT_LOGS = (
    "cloudaudit.googleapis.com/activity",
    "externalaudit.googleapis.com/activity",
    "cloudaudit.googleapis.com/system_event",
    "externalaudit.googleapis.com/system_event",
    "cloudaudit.googleapis.com/access_transparency",
    "externalaudit.googleapis.com/access_transparency",
)

#: In every project, folder and organisation:
#: https://docs.cloud.google.com/logging/docs/routing/overview (read 2026-08).
BUILT_IN = {
    "_Required": " OR ".join(f'LOG_ID("{log}")' for log in KEPT_LOGS),
    "_Default": " AND ".join(f'NOT LOG_ID("{log}")' for log in KEPT_LOGS),
}


def ensure_built_in(call: Call, parent: str) -> None:
    """Store the sinks that exist without anybody creating them."""
    first = call.cloud.store.get(FIRST_BUCKETS, parent) or {}
    place = first.get("storageLocation", "global")
    for identity, text in BUILT_IN.items():
        name = f"{parent}/sinks/{identity}"
        if call.cloud.store.get(KIND, name) is None:
            destination = f"logging.googleapis.com/{parent}/locations/{place}/buckets/{identity}"
            off = {"disabled": True} if identity == "_Default" and first.get("disableDefaultSink") else {}
            call.cloud.store.put(KIND, name, {"name": identity, "destination": destination, "filter": text, **off})


class Sink(Resource):
    """Routes matching entries to a destination."""

    kind = KIND
    package = PACKAGE
    short_name = True

    def identifier(self, call: Call) -> str:
        """The body's name.

        Raises:
            InvalidArgument: it is missing or malformed.
        """
        name = str(call.body.get("name", ""))
        if not IDENTIFIER.fullmatch(name):
            raise InvalidArgument(f"Invalid sink name {name!r}: letters, digits, '_', '-' and '.', at most 100.")
        return name

    def accept(self, call: Call) -> Document:
        """The body without defaults."""
        body: Document = without_defaults(super().accept(call))
        return body

    def read(self, call: Call) -> Document:
        """The sink, built-in ones included."""
        ensure_built_in(call, call.name.partition("/sinks/")[0])
        return super().read(call)

    def listing(self, call: Call) -> Document:
        """All sinks."""
        ensure_built_in(call, call.name.removesuffix("/sinks"))
        answer = super().listing(call)
        return answer if isinstance(answer, dict) else {}

    def prepare(self, call: Call, document: Document) -> None:
        """Destination, filter, the writer."""
        self.check(call, document)
        self.identify(call, document, call.name.removesuffix("/sinks"))

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """What built-in sinks forbid; the writer may become the project's own."""
        if before["name"] == "_Required":
            raise InvalidArgument("The _Required sink cannot be changed.")
        self.check(call, after)
        self.identify(call, after, call.name.partition("/sinks/")[0])

    @staticmethod
    def check(call: Call, document: Document) -> None:
        """Refuse a destination of no known kind and a filter that cannot be read."""
        if not DESTINATION.fullmatch(document.get("destination", "")):
            raise InvalidArgument(
                f"Invalid sink destination {document.get('destination', '')!r}: storage, bigquery, pubsub or logging."
            )
        compile_filter(document.get("filter", ""))
        for exclusion in document.get("exclusions", []):
            compile_filter(exclusion.get("filter", ""))
            exclusion.setdefault("createTime", call.cloud.clock.timestamp())
            exclusion.setdefault("updateTime", exclusion["createTime"])

    @staticmethod
    def identify(call: Call, document: Document, parent: str) -> None:
        """By which account the sink writes; none within one project's own buckets."""
        own = f"logging.googleapis.com/{parent}/"
        destination = document["destination"]
        if destination.startswith("logging.googleapis.com/"):
            path = destination.removeprefix("logging.googleapis.com/")
            if f"logging.googleapis.com/{call.cloud.hierarchy.canonical(path)}".startswith(own):
                document.pop("writerIdentity", None)
                return
        custom = call.query.get("customWriterIdentity")
        if custom:
            document["writerIdentity"] = custom if custom.startswith("serviceAccount:") else f"serviceAccount:{custom}"
        elif call.query.get("uniqueWriterIdentity") == "true" or not parent.startswith("projects/"):
            document["writerIdentity"] = f"serviceAccount:{writer(call.cloud, parent)}"
        else:
            document.setdefault("writerIdentity", "serviceAccount:cloud-logs@system.gserviceaccount.com")

    def patch(self, call: Call) -> Document:
        """Change the masked fields; without a mask destination, filter and children."""
        if "updateMask" not in call.query:
            call.query = {**call.query, "updateMask": "destination,filter,includeChildren"}
        answer = super().patch(call)
        return answer if isinstance(answer, dict) else {}

    def update(self, call: Call) -> Document:
        """The same as patching."""
        return self.patch(call)

    def deleting(self, call: Call, document: Document) -> None:
        """Built-in sinks stay."""
        del call
        if document["name"] in BUILT_IN:
            raise InvalidArgument(f"Sink {document['name']} cannot be deleted: disable _Default instead.")

    def missing(self, call: Call) -> NotFound:
        """Names the sink."""
        return NotFound(f"Sink {call.name.rpartition('/')[2]} does not exist")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the sink."""
        del call
        return AlreadyExists(f"Sink {name.rpartition('/')[2]} already exists")


class Exclusion(Resource):
    """Keeps matching entries out of the ``_Default`` sink."""

    kind = "logging.exclusions"
    package = PACKAGE

    def accept(self, call: Call) -> Document:
        """The body without defaults."""
        body: Document = without_defaults(super().accept(call))
        return body

    def prepare(self, call: Call, document: Document) -> None:
        """A filter that can be read."""
        del call
        if not document.get("filter"):
            raise InvalidArgument("An exclusion needs a filter.")
        compile_filter(document["filter"])

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        del before
        self.prepare(call, after)

    def view(self, call: Call, document: Document) -> Document:
        """Of a project by the short name, as the provider reads it; elsewhere by the path, as recorded."""
        shown = super().view(call, document)
        if shown["name"].startswith("projects/"):
            shown["name"] = shown["name"].rpartition("/")[2]
        return shown

    def missing(self, call: Call) -> NotFound:
        """Names the exclusion by its whole path."""
        return NotFound(f"Exclusion {call.name} does not exist")
