"""Groups of monitored resources, and uptime checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument, NotFound
from sandbox.fields import without_defaults
from sandbox.services.monitoring.resource import MonitoringResource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

CHECKS = ("httpCheck", "tcpCheck", "syntheticMonitor")
PERIODS = {"60s", "300s", "600s", "900s"}


class Group(MonitoringResource):
    """Resources that a filter selects."""

    kind = "monitoring.groups"
    package = "google.monitoring.v3"

    def accept(self, call: Call) -> Document:
        """The body without defaults."""
        body: Document = without_defaults(super().accept(call))
        return body

    def prepare(self, call: Call, document: Document) -> None:
        """A title, a filter, an existing parent."""
        for field in ("displayName", "filter"):
            if not document.get(field):
                raise InvalidArgument(f"Field group.{field} must not be empty.")
        parent = call.cloud.hierarchy.canonical(document.get("parentName", ""))
        if parent and call.cloud.store.get(self.kind, parent) is None:
            raise InvalidArgument(f"Could not find group definition for '{parent.rpartition('/')[2]}'.")

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        del before
        self.prepare(call, after)

    def deleting(self, call: Call, document: Document) -> None:
        """Children go first, or along when asked."""
        children = [
            name
            for name, other in call.cloud.store.items(self.kind)
            if call.cloud.hierarchy.canonical(other.get("parentName", "")) == document["name"]
        ]
        if children and call.query.get("recursive") != "true":
            raise InvalidArgument(f"Group {document['name']} has children: delete them first, or set recursive=true.")
        for name in children:
            call.cloud.store.delete(self.kind, name)

    def list_field(self, method: object) -> str:
        """The list's own name."""
        del method
        return "group"

    def missing(self, call: Call) -> NotFound:
        """Names the group."""
        return NotFound(f"Could not find group definition for '{call.name.rpartition('/')[2]}'.")


#: https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.uptimeCheckConfigs (read 2026-11).
OBSCURED = "******"


class UptimeCheck(MonitoringResource):
    """A probe of an address, a resource or a group."""

    kind = "monitoring.uptimeCheckConfigs"
    package = "google.monitoring.v3"
    immutable = ("monitoredResource", "resourceGroup")

    def identifier(self, call: Call) -> str:
        """From the title, with a random end."""
        title = re.sub(r"[^a-z0-9]+", "-", str(call.body.get("displayName", "")).lower()).strip("-")
        return f"{title}-{call.cloud.identifiers.hexadecimal('uptimeChecks', 11)}"

    def accept(self, call: Call) -> Document:
        """The body without defaults."""
        body: Document = without_defaults(super().accept(call))
        return body

    def prepare(self, call: Call, document: Document) -> None:
        """One kind of check, times, ports."""
        if not document.get("displayName"):
            raise InvalidArgument("Field uptime_check_config.display_name must not be empty.")
        kinds = [kind for kind in CHECKS if kind in document]
        if len(kinds) != 1:
            raise InvalidArgument(f"An uptime check has exactly one of {', '.join(CHECKS)}.")
        if document.setdefault("period", "60s") not in PERIODS:
            raise InvalidArgument(f"The period must be one of {', '.join(sorted(PERIODS))}.")
        document.setdefault("timeout", "10s")
        document.setdefault("checkerType", "STATIC_IP_CHECKERS")
        if http := document.get("httpCheck"):
            http.setdefault("path", "/")
            http.setdefault("port", 443 if http.get("useSsl") else 80)
            http.setdefault("requestMethod", "GET")
        for matcher in document.get("contentMatchers", []):
            matcher.setdefault("matcher", "CONTAINS_STRING")
        if resource := document.get("monitoredResource"):
            resource.setdefault("labels", {}).setdefault("project_id", call.project)

    def view(self, call: Call, document: Document) -> Document:
        """A password is never shown; headers are not read back where they are masked."""
        shown = super().view(call, document)
        http = dict(shown.get("httpCheck", {}))
        if "password" in http.get("authInfo", {}):
            http["authInfo"] = {**http["authInfo"], "password": OBSCURED}
        if http.get("maskHeaders") and call.method.verb == "GET":
            http["headers"] = dict.fromkeys(http.get("headers", {}), OBSCURED)
        return {**shown, "httpCheck": http} if http else shown

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        del before
        self.prepare(call, after)

    def missing(self, call: Call) -> NotFound:
        """Names check and project."""
        return NotFound(f"Config not found for check {call.name.rpartition('/')[2]} in project {call.project}")


def members(call: Call) -> Document:
    """Members of a group: none, since no instances are emulated."""
    call.name = call.name.removesuffix("/members")
    Group().read(call)
    return {}


HANDLERS = {"monitoring.members.list": members}
