"""Triggers: https://docs.cloud.google.com/eventarc/docs/reference/rest (read 2026-08)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.hierarchy import ACCOUNTS
from sandbox.resources import Resource
from sandbox.services.eventarc import transport

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
DESTINATIONS = {"cloudRun", "cloudFunction", "gke", "httpEndpoint", "workflow"}


class Trigger(Resource):
    """Which events go where."""

    kind = "eventarc.triggers"
    package = "google.cloud.eventarc.v1"
    message = "Trigger"
    immutable = ("channel", "transport")

    def prepare(self, call: Call, document: Document) -> None:
        """Filters, destination, identity, transport."""
        if not NAME.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument("A trigger id has at most 63 lower-case letters, digits and hyphens, a letter first.")
        self.check(call, document)
        transport.provide(call.cloud, document)
        document.setdefault("eventDataContentType", "application/json")

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Validate as at creation."""
        del before
        self.check(call, after)
        transport.redirect(call.cloud, after)

    def deleting(self, call: Call, document: Document) -> None:
        """Its transport goes with it."""
        transport.remove(call.cloud, document)

    def check(self, call: Call, document: Document) -> None:
        """One type filter, one destination, an identity that exists."""
        filters = document.get("eventFilters", [])
        if [f.get("attribute") for f in filters].count("type") != 1 or not all(f.get("value") for f in filters):
            raise InvalidArgument("The event filters of a trigger need exactly one with the attribute 'type'.")
        destination = document.get("destination", {})
        if len(DESTINATIONS & destination.keys()) != 1:
            raise InvalidArgument(f"A trigger needs exactly one destination: {', '.join(sorted(DESTINATIONS))}.")
        email = document.get("serviceAccount", "").rpartition("/")[2]
        if not email:
            raise InvalidArgument("A trigger needs a service account.")
        if call.cloud.store.get(ACCOUNTS, f"projects/{call.project}/serviceAccounts/{email}") is None:
            raise NotFound(f"Service account {email} was not found.")
        account = f"projects/{call.project}/serviceAccounts/{email}"
        if call.cloud.permissions.grant(call.principal, "iam.serviceAccounts.actAs", "iam", account) is None:
            raise FailedPrecondition(f"The caller may not act as {email}: roles/iam.serviceAccountUser is missing.")
