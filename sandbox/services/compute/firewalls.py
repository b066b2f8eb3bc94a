"""VPC firewall rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.call import Call
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.resource import ComputeResource

Document = dict[str, Any]

HIGHEST_PRIORITY = 65535
SOURCES = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
DESTINATIONS = ("destinationRanges",)


class Firewall(ComputeResource):
    """A rule of one network."""

    kind = "compute.firewalls"
    noun = "firewall"
    references: ClassVar[Mapping[str, str]] = {"network": "global/networks"}
    required: ClassVar[Mapping[str, str]] = {"network": "compute.networks"}
    immutable = ("network", "direction")

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults: ingress from anywhere, priority 1000, no log."""
        if not document.get("network"):
            default = f"{call.name.removesuffix('/firewalls')}/networks/default"
            body = {"network": default}
            self.resolve(call, body)
            document["network"] = body["network"]
        document.setdefault("direction", "INGRESS")
        document.setdefault("priority", 1000)
        document.setdefault("disabled", False)
        document.setdefault("logConfig", {"enable": False})
        if document["direction"] == "INGRESS" and not any(document.get(field) for field in SOURCES):
            document["sourceRanges"] = ["0.0.0.0/0"]
        if document["direction"] == "EGRESS" and not document.get("destinationRanges"):
            document["destinationRanges"] = ["0.0.0.0/0"]
        self.check(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """The rule still makes sense."""
        self.check(after)

    @staticmethod
    def check(document: Document) -> None:
        """Refuse contradictory rules, as Google does."""
        if bool(document.get("allowed")) == bool(document.get("denied")):
            raise Invalid("Exactly one of 'allowed' and 'denied' must be specified on a firewall rule.")
        if not 0 <= int(document["priority"]) <= HIGHEST_PRIORITY:
            raise Invalid.value("priority", document["priority"], f"Must be between 0 and {HIGHEST_PRIORITY}.")
        if document["direction"] == "EGRESS" and any(document.get(f) for f in ("sourceTags", "sourceServiceAccounts")):
            raise Invalid("Source tags and source service accounts are not allowed in egress rules.")
        for field in ("sourceRanges", "destinationRanges"):
            for index, text in enumerate(document.get(field, [])):
                try:
                    ipaddress.ip_network(text)
                except ValueError:
                    raise Invalid.value(f"{field}[{index}]", text, "Must be a valid CIDR range.") from None
        for entry in [*document.get("allowed", []), *document.get("denied", [])]:
            if not entry.get("IPProtocol"):
                raise Invalid.value("allowed[0].IPProtocol", "", "The protocol must be given.")
