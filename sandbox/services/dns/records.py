"""Resource record sets, and the changes by which they come and go."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import NotFound
from sandbox.paging import page
from sandbox.services.dns import refusals
from sandbox.services.dns.resource import DnsResource

Document = dict[str, Any]

KIND = "dns.resourceRecordSets"
CHANGES = "dns.changes"
ZONES = "dns.managedZones"

NAME_SERVERS = tuple(f"ns-cloud-a{index}.googledomains.com." for index in (1, 2, 3, 4))
SOA = "{} cloud-dns-hostmaster.google.com. {} 21600 3600 259200 300"
APEX_TTL = 21600
COMPARED = ("name", "type", "ttl", "rrdatas", "routingPolicy")


def zone_of(call: Call) -> tuple[str, Document]:
    """Full name and document of the zone that a call is about.

    Raises:
        NotFound: there is none.
    """
    parts = call.name.split("/")
    name = "/".join(parts[:4])
    document = call.cloud.store.get(ZONES, name)
    if document is None:
        for full, zone in call.cloud.store.items(ZONES, "/".join(parts[:3])):
            if zone["id"] == parts[3]:
                call.name = "/".join([full, *parts[4:]])
                return full, zone
        raise refusals.missing("managedZone", name)
    return name, document


def key(zone: str, record: Document) -> str:
    """Where a record set is kept."""
    return f"{zone}/rrsets/{record['name'].lower()}/{record['type']}"


def label(record: Document) -> str:
    """How messages name a record set."""
    return f"{record.get('name', '')} ({record.get('type', '')})"


def is_own(record: Document, dns_name: str) -> bool:
    """Whether a record set belongs to the zone itself and cannot be removed."""
    return record["type"] in {"NS", "SOA"} and record["name"] == dns_name


def begin(call: Call, zone: str, dns_name: str) -> None:
    """Records of a new zone."""
    for kind, data in (("NS", list(NAME_SERVERS)), ("SOA", [SOA.format(NAME_SERVERS[0], 1)])):
        record = {
            "kind": "dns#resourceRecordSet",
            "name": dns_name,
            "type": kind,
            "ttl": APEX_TTL,
            "rrdatas": data,
            "_zone": zone,
        }
        call.cloud.store.put(KIND, key(zone, record), record)


def count_up(call: Call, zone: str, dns_name: str) -> None:
    """A higher serial number in the zone's SOA record, since its contents changed."""
    name = f"{zone}/rrsets/{dns_name.lower()}/SOA"
    if record := call.cloud.store.get(KIND, name):
        fields = record["rrdatas"][0].split(" ")
        fields[2] = str(int(fields[2]) + 1)
        record["rrdatas"] = [" ".join(fields)]
        call.cloud.store.put(KIND, name, record)


def check(path: str, record: Document, zone: Document) -> None:
    """Refuse a record set that cannot stand in the zone."""
    name = record.get("name", "")
    if not name.endswith(".") or not f".{name.lower()}".endswith(f".{zone['dnsName'].lower()}"):
        raise refusals.invalid(f"{path}.name", name)
    if not record.get("type"):
        raise refusals.invalid(f"{path}.type", "")
    if not record.get("rrdatas") and not record.get("routingPolicy"):
        raise refusals.invalid(f"{path}.rrdata", "")


def same(left: Document, right: Document) -> bool:
    """Whether two record sets say the same."""
    return all(left.get(field) == right.get(field) for field in COMPARED)


def remove(call: Call, zone: tuple[str, Document], path: str, record: Document) -> None:
    """Take away a record set that is repeated exactly."""
    name = key(zone[0], record)
    stored = call.cloud.store.get(KIND, name)
    if stored is None:
        raise refusals.missing_entity(path, label(record))
    if not same(stored, {"ttl": stored.get("ttl"), **record}):
        raise refusals.changed_meanwhile(path)
    call.cloud.store.delete(KIND, name)


def add(call: Call, zone: tuple[str, Document], path: str, record: Document) -> None:
    """Put in a record set whose name and type are free."""
    check(path, record, zone[1])
    name = key(zone[0], record)
    if call.cloud.store.get(KIND, name):
        raise refusals.taken(path, label(record))
    siblings = [r for r in call.cloud.store.documents(KIND, name.rpartition("/")[0]) if r["type"] != record["type"]]
    if (record["type"] == "CNAME" and siblings) or any(r["type"] == "CNAME" for r in siblings):
        raise refusals.invalid(f"{path}.type", f"{record['type']} beside another record set of {record['name']}")
    stored = {"ttl": 0, **record, "kind": "dns#resourceRecordSet", "_zone": zone[0]}
    call.cloud.store.put(KIND, name, stored)


def create_change(call: Call) -> Document:
    """Carry out deletions, then additions, all or none."""
    zone = zone_of(call)
    additions, deletions = call.body.get("additions", []), call.body.get("deletions", [])
    if not additions and not deletions:
        raise refusals.invalid("entity.change", "")
    for index, record in enumerate(deletions):
        path = f"entity.change.deletions[{index}]"
        check(path, record, zone[1])
        kept = {r["type"] for r in additions if r.get("name") == record["name"]}
        if is_own(record, zone[1]["dnsName"]) and record["type"] not in kept:
            raise refusals.invalid(path, f"{label(record)}: the zone needs its own record")
        remove(call, zone, path, record)
    for index, record in enumerate(additions):
        add(call, zone, f"entity.change.additions[{index}]", record)
    if not any(record["type"] == "SOA" for record in additions):
        count_up(call, zone[0], zone[1]["dnsName"])
    identity = str(sum(1 for _ in call.cloud.store.items(CHANGES, f"{zone[0]}/changes")) + 1)
    change = {
        "kind": "dns#change",
        "id": identity,
        **({"additions": additions} if additions else {}),
        **({"deletions": deletions} if deletions else {}),
        "startTime": call.cloud.clock.timestamp_millis(),
        "status": "done",
    }
    call.cloud.store.put(CHANGES, f"{zone[0]}/changes/{identity}", change)
    return change


def get_change(call: Call) -> Document:
    """One change; it took effect at once."""
    zone_of(call)
    change = call.cloud.store.get(CHANGES, call.name)
    if change is None:
        raise refusals.missing("change", call.name)
    return change


def list_changes(call: Call) -> Document:
    """The changes of a zone, newest first unless asked otherwise."""
    zone_of(call)
    found = call.cloud.store.documents(CHANGES, call.name)
    if call.query.get("sortOrder") != "ascending":
        found = found[::-1]
    items, following = page(found, call.query, default=100)
    return {
        "kind": "dns#changesListResponse",
        "changes": items,
        **({"nextPageToken": following} if following else {}),
    }


class RecordSet(DnsResource):
    """A record set by name and type."""

    kind = KIND
    noun = "resourceRecordSet"
    list_noun = "resourceRecordSets"
    with_id = False

    def missing(self, call: Call) -> NotFound:
        """Names the record set."""
        name, _, kind = call.name.partition("/rrsets/")[2].rpartition("/")
        return refusals.missing_entity("parameters.name", f"{name} ({kind})")

    def read(self, call: Call) -> Document:
        """The record set; names are not case-sensitive."""
        zone_of(call)
        head, _, tail = call.name.partition("/rrsets/")
        name, _, kind = tail.rpartition("/")
        call.name = f"{head}/rrsets/{name.lower()}/{kind}"
        return super().read(call)

    def create(self, call: Call) -> Document:
        """Add one record set."""
        zone = zone_of(call)
        record = self.accept(call)
        add(call, zone, "entity.resourceRecordSet", record)
        count_up(call, zone[0], zone[1]["dnsName"])
        return {**record, "kind": "dns#resourceRecordSet"}

    def replace(self, call: Call, before: Document, after: Document) -> Document:
        """Store an update; answers with the record set."""
        zone = zone_of(call)
        after |= {"name": before["name"], "type": before["type"]}
        check("entity.resourceRecordSet", after, zone[1])
        call.cloud.store.put(KIND, call.name, after)
        count_up(call, zone[0], zone[1]["dnsName"])
        return self.view(call, after)

    def deleting(self, call: Call, document: Document) -> None:
        """A zone keeps its own records."""
        zone = zone_of(call)
        if is_own(document, zone[1]["dnsName"]):
            raise refusals.invalid("parameters.type", f"{label(document)}: the zone needs its own record")
        count_up(call, zone[0], zone[1]["dnsName"])

    def listing(self, call: Call) -> Document:
        """Record sets of a zone by name, then type."""
        zone, document = zone_of(call)
        found = [record for record in call.cloud.store.documents(KIND) if record["_zone"] == zone]
        name, kind = call.query.get("name"), call.query.get("type")
        found = [r for r in found if (not name or r["name"] == name) and (not kind or r["type"] == kind)]
        found.sort(key=lambda r: (r["name"] != document["dnsName"], r["name"], r["type"]))
        items, following = page(found, call.query, default=100)
        return {
            "kind": "dns#resourceRecordSetsListResponse",
            **({"rrsets": [self.view(call, item) for item in items]} if items else {}),
            **({"nextPageToken": following} if following else {}),
        }


HANDLERS = {
    "dns.changes.create": create_change,
    "dns.changes.get": get_change,
    "dns.changes.list": list_changes,
}
