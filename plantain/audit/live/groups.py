"""Who is in the groups that hold roles. Cloud Identity tells it to who has the Groups Reader role of Workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plantain.audit import grants
from plantain.audit.live.reader import Reader, live
from policies.catalogue import Resource

GROUP = "group:"
WITHIN = "GROUP"


def holding_roles(resources: Iterable[Resource]) -> list[str]:
    """Addresses of all groups that some resources grant something to."""
    members = {grant.member for resource in resources for grant in grants.grants(resource)}
    return sorted(member.removeprefix(GROUP) for member in members if member.startswith(GROUP))


def read(reader: Reader, addresses: Iterable[str]) -> Iterator[Resource]:
    """Groups and their members, and those of every group within them: who is in one has the outer one's roles."""
    waiting, seen = list(addresses), set()
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        found = reader.one("GET", "cloudidentity", "v1/groups:lookup", "groups", params={"groupKey.id": address})
        if not found:
            continue
        name = found["name"]
        properties = {"groupKey": {"id": address}, "name": name}
        yield live("gcp:cloudidentity/group:Group", name, "cloudidentity", properties, name=address)
        for membership in reader.all("cloudidentity", f"v1/{name}/memberships", "memberships", view="FULL"):
            who = str((membership.get("preferredMemberKey") or {}).get("id", ""))
            if membership.get("type") == WITHIN:
                waiting.append(who)
            properties = {**membership, "group": name, "groupAddress": address}
            kind = "gcp:cloudidentity/groupMembership:GroupMembership"
            yield live(kind, membership["name"], "cloudidentity", properties, name=f"{who} in {address}")
