"""Dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.call import Reply
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.services.monitoring.resource import MonitoringResource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

LAYOUTS = ("gridLayout", "mosaicLayout", "rowLayout", "columnLayout")


class Dashboard(MonitoringResource):
    """A layout of widgets, named below the project's number."""

    kind = "monitoring.dashboards"
    package = "google.monitoring.dashboard.v1"

    def identifier(self, call: Call) -> str:
        """From the body's name, or generated."""
        name = str(call.body.get("name", ""))
        return name.rpartition("/")[2] or call.cloud.identifiers.uuid("dashboards")

    def create(self, call: Call) -> Document | Reply:
        """Store, or only check."""
        if call.query.get("validateOnly", "").lower() == "true":
            document = self.accept(call)
            self.prepare(call, document)
            return document
        return super().create(call)

    def prepare(self, call: Call, document: Document) -> None:
        """A title, one layout, defaults of widgets."""
        del call
        if not document.get("displayName"):
            raise InvalidArgument("Field displayName is required.")
        layouts = [layout for layout in LAYOUTS if layout in document]
        if len(layouts) > 1:
            raise InvalidArgument(f"A dashboard has one layout, not {', '.join(layouts)}.")
        complete(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        del before
        self.prepare(call, after)

    def view(self, call: Call, document: Document) -> Document:
        """Named by the project's number."""
        return super().view(call, {**document, "name": call.cloud.hierarchy.numbered(document.get("name", ""))})

    def etag(self, digest: str) -> str:
        """Plain hexadecimal."""
        return digest[:32]

    def missing(self, call: Call) -> NotFound:
        """Does not name what is missing."""
        del call
        return NotFound("Requested entity was not found.")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the dashboard."""
        del call
        return AlreadyExists(f"Dashboard {name} already exists.")


def complete(value: Any) -> None:
    """Fill, in place, what Monitoring adds to widgets."""
    if isinstance(value, list):
        for item in value:
            complete(item)
    if not isinstance(value, dict):
        return
    if isinstance(text := value.get("text"), dict) and "content" in text:
        text.setdefault("format", "MARKDOWN")
        text.setdefault("style", {})
    for data in value.get("xyChart", {}).get("dataSets", []) if isinstance(value.get("xyChart"), dict) else []:
        data.setdefault("targetAxis", "Y1")
    if isinstance(table := value.get("timeSeriesTable"), dict):
        for data in table.get("dataSets", []):
            data.setdefault("minAlignmentPeriod", "0s")
    for item in value.values():
        complete(item)
