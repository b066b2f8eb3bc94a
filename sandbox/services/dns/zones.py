"""Managed zones, public and private."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.services.dns import records, refusals
from sandbox.services.dns.resource import DnsResource

Document = dict[str, Any]

KIND = "dns.managedZones"
DNS_NAME = re.compile(r"(?:[a-z0-9_$*{}](?:[-a-zA-Z0-9_${}]{0,61}[a-z0-9_}])?\.)+", re.IGNORECASE)


class ManagedZone(DnsResource):
    """A zone; it begins with its SOA and NS records."""

    kind = KIND
    noun = "managedZone"
    list_noun = "managedZones"
    immutable = ("dnsName", "visibility")

    def read(self, call: Call) -> Document:
        """The zone by name or number."""
        found = by_name_or_number(call, call.name)
        if found is None:
            raise self.missing(call)
        call.name = found[0]
        return found[1]

    def prepare(self, call: Call, document: Document) -> None:
        """Servers, visibility, time."""
        name = document.get("dnsName", "")
        if not DNS_NAME.fullmatch(name):
            raise refusals.invalid("entity.managedZone.dnsName", name)
        document.setdefault("visibility", "public")
        document.setdefault("description", "")
        if document["visibility"] == "private" and not any(
            document.get(field) for field in ("privateVisibilityConfig", "serviceDirectoryConfig")
        ):
            document["privateVisibilityConfig"] = {}
        document["creationTime"] = call.cloud.clock.timestamp_millis()
        document["nameServers"] = list(records.NAME_SERVERS)
        self.refuse_overlap(call, document)
        self.complete(document)

    @staticmethod
    def complete(document: Document) -> None:
        """Logging is off unless asked for."""
        document["cloudLoggingConfig"] = {
            "kind": "dns#managedZoneCloudLoggingConfig",
            **document.get("cloudLoggingConfig", {}),
        }

    @staticmethod
    def refuse_overlap(call: Call, document: Document) -> None:
        """A network resolves a private name in one zone only."""
        mine = networks(document)
        for name, other in call.cloud.store.items(KIND):
            same = (
                other["dnsName"] == document["dnsName"] and other["visibility"] == document["visibility"] == "private"
            )
            if same and other["name"] != document["name"] and mine & networks(other):
                raise refusals.invalid("entity.managedZone.dnsName", f"{document['dnsName']} is served by {name}")

    def created(self, call: Call, document: Document) -> None:
        """The zone's own records."""
        records.begin(call, f"{call.name}/{document['name']}", document["dnsName"])

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Name and visibility stay, also when they are left out."""
        for field in self.immutable:
            after.setdefault(field, before[field])
        after.setdefault("description", "")
        self.refuse_immutable(before, after)
        self.refuse_overlap(call, after)
        self.complete(after)

    def replace(self, call: Call, before: Document, after: Document) -> Document:
        """Store an update; answers with an operation that shows both states."""
        super().replace(call, before, after)
        operation = {
            "kind": "dns#operation",
            "id": call.cloud.identifiers.uuid("dns.operations"),
            "startTime": call.cloud.clock.timestamp_millis(),
            "status": "done",
            "type": "UPDATE",
            "user": call.principal.email,
            "zoneContext": {"oldValue": self.view(call, before), "newValue": self.view(call, after)},
        }
        call.cloud.store.put("dns.managedZoneOperations", f"{call.name}/operations/{operation['id']}", operation)
        return operation

    def deleting(self, call: Call, document: Document) -> None:
        """Only its own records may be left."""
        for record in call.cloud.store.documents(records.KIND):
            if record["_zone"] == call.name and not records.is_own(record, document["dnsName"]):
                raise refusals.not_empty(document["name"], "resource records")
        call.cloud.store.delete_below(call.name)

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """By DNS name."""
        wanted = call.query.get("dnsName")
        return [zone for zone in documents if not wanted or zone["dnsName"] == wanted]


def networks(document: Document) -> set[str]:
    """Paths of the networks that see a private zone."""
    listed = document.get("privateVisibilityConfig", {}).get("networks", [])
    return {re.sub(r"^.*/projects/", "projects/", entry.get("networkUrl", "")) for entry in listed}


def by_name_or_number(call: Call, name: str) -> tuple[str, Document] | None:
    """Full name and document of a zone that is named by its name or its number."""
    document = call.cloud.store.get(KIND, name)
    if document:
        return name, document
    parent, _, number = name.rpartition("/")
    for full, zone in call.cloud.store.items(KIND, parent):
        if zone["id"] == number:
            return full, zone
    return None
