"""Metrics that count log entries or measure what they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.fields import without_defaults
from sandbox.resources import Resource
from sandbox.services.logging.query import compile_filter
from sandbox.services.logging.query_values import reach, split_path

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "logging.metrics"
TYPE_PREFIX = "logging.googleapis.com/user/"
EXTRACTOR = re.compile(
    r"(?P<function>EXTRACT|REGEXP_EXTRACT)\(\s*(?P<path>[^,()]+?)\s*(?:,\s*(?P<expression>.+))?\)", re.DOTALL
)


class Metric(Resource):
    """A log-based metric; names may hold slashes, which are kept encoded."""

    kind = KIND
    package = "google.logging.v2"
    message = "LogMetric"

    def new_name(self, call: Call) -> str:
        """The encoded name below the project.

        Raises:
            InvalidArgument: it is missing.
        """
        name = str(call.body.get("name", ""))
        if not name:
            raise InvalidArgument("A log-based metric needs a name.")
        return f"{call.name}/{quote(name, safe='')}"

    def read(self, call: Call) -> Document:
        """The metric of an encoded or plain name."""
        head, _, name = call.name.partition("/metrics/")
        call.name = f"{head}/metrics/{quote(unquote(name), safe='')}"
        return super().read(call)

    def accept(self, call: Call) -> Document:
        """The body without defaults."""
        body: Document = without_defaults(super().accept(call))
        return body

    def prepare(self, call: Call, document: Document) -> None:
        """Its own name, a filter, the descriptor."""
        document["name"] = unquote(document["name"].rpartition("/")[2])
        self.complete(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A new descriptor that says the same of kind and type."""
        self.complete(call, after)
        for field in ("metricKind", "valueType"):
            if after["metricDescriptor"][field] != before["metricDescriptor"][field]:
                raise InvalidArgument(f"The {field} of metric {before['name']} cannot be changed.")

    @staticmethod
    def complete(call: Call, document: Document) -> None:
        """Check the filter and fill the descriptor."""
        if not document.get("filter"):
            raise InvalidArgument("A log-based metric needs a filter.")
        compile_filter(document["filter"])
        given = document.get("metricDescriptor", {})
        distribution = given.get("valueType") == "DISTRIBUTION"
        if distribution and not document.get("valueExtractor"):
            raise InvalidArgument("A distribution metric needs a valueExtractor.")
        for extractor in [document.get("valueExtractor"), *document.get("labelExtractors", {}).values()]:
            if extractor and not EXTRACTOR.fullmatch(extractor):
                raise InvalidArgument(f"Invalid extractor {extractor!r}: EXTRACT(path) or REGEXP_EXTRACT(path, regex).")
        declared = {label.get("key") for label in given.get("labels", [])}
        if extra := set(document.get("labelExtractors", {})) - declared:
            raise InvalidArgument(f"Label extractors without a label in the descriptor: {', '.join(sorted(extra))}.")
        labels = [
            {key: value for key, value in label.items() if (key, value) != ("valueType", "STRING")}
            for label in given.get("labels", [])
        ]
        kind = f"{TYPE_PREFIX}{document['name']}"
        document["metricDescriptor"] = {
            "name": f"projects/{call.project}/metricDescriptors/{kind}",
            "type": kind,
            "metricKind": given.get("metricKind", "DELTA"),
            "valueType": given.get("valueType", "INT64"),
            "unit": given.get("unit", "1"),
            **({"labels": labels} if labels else {}),
            **({"displayName": given["displayName"]} if given.get("displayName") else {}),
            **({"description": document["description"]} if document.get("description") else {}),
        }

    def update(self, call: Call) -> Document:
        """Replace; a metric that is not there is created, as Google does."""
        name = call.name.partition("/metrics/")
        if call.cloud.store.get(KIND, f"{name[0]}/metrics/{quote(unquote(name[2]), safe='')}") is None:
            call.name = f"{name[0]}/metrics"
            call.body.setdefault("name", unquote(name[2]))
            created = self.create(call)
            return created if isinstance(created, dict) else {}
        answer = super().update(call)
        return answer if isinstance(answer, dict) else {}

    def missing(self, call: Call) -> NotFound:
        """Names the metric."""
        return NotFound(f"Metric {unquote(call.name.partition('/metrics/')[2])} does not exist.")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the metric."""
        del call
        return AlreadyExists(f"Metric {unquote(name.rpartition('/')[2])} already exists.")


def extract(extractor: str, entry: Document) -> str | None:
    """What an extractor finds in an entry; None when it finds nothing."""
    found = EXTRACTOR.fullmatch(extractor)
    if found is None:
        return None
    values = reach(entry, split_path(found["path"]))
    if not values:
        return None
    if found["function"] == "EXTRACT":
        return str(values[0])
    expression = (found["expression"] or "").strip().strip("\"'")
    match = re.search(expression, str(values[0]))
    if match is None:
        return None
    return match[1] if match.groups() else match[0]
