"""Memberships: users, service accounts and groups in a group, with roles that may end."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.enforcement.principals import GROUPS, MEMBERSHIPS, addresses
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.cloudidentity import directory
from sandbox.services.cloudidentity.groups import done

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

MEMBER_KEY = re.compile(r"member_key_id\s*==\s*(['\"])(?P<id>[^'\"]+)\1")
ACCOUNT = re.compile(r"@[a-z0-9.:-]+\.gserviceaccount\.com$")
BASIC = ("name", "preferredMemberKey", "roles")


class Membership(Resource):
    """One member of a group."""

    kind = MEMBERSHIPS
    package = "google.apps.cloudidentity.groups.v1"
    immutable = ("preferredMemberKey",)

    def create(self, call: Call) -> Document:
        """Add a member; a group cannot come to hold itself."""
        group = group_of(call)
        directory.require_change(call, group)
        body = self.accept(call)
        key = (body.get("preferredMemberKey") or {}).get("id", "")
        if "@" not in key:
            raise InvalidArgument("preferredMemberKey.id must be the address of a user, a group or a service account.")
        for other in call.cloud.store.documents(self.kind, f"{group}/memberships"):
            if other["preferredMemberKey"]["id"].lower() == key.lower():
                raise AlreadyExists(f"Error(4003): Cannot create membership '{key}' in '{group}': it already exists.")
        own = call.cloud.store.get(GROUPS, group)
        if own and key in {own["groupKey"]["id"], *addresses(call.cloud.store, own["groupKey"]["id"])}:
            raise FailedPrecondition(f"Error(3005): Cannot add '{key}' to '{group}': groups would hold each other.")
        name = f"{group}/memberships/{call.cloud.identifiers.number(self.kind, 21)}"
        document = {
            "name": name,
            "preferredMemberKey": {"id": key},
            "roles": roles(body.get("roles") or [{"name": "MEMBER"}]),
            "type": kind_of(call.cloud, key),
        }
        self.stamp(call, document, created=True)
        call.cloud.store.put(self.kind, name, document)
        return done("Membership", self.view(call, document))

    def get(self, call: Call) -> Document:
        """One membership."""
        directory.require_view(call, group_of(call))
        return self.view(call, self.read(call))

    def listing(self, call: Call) -> Any:
        """The direct members; only the view ``FULL`` says what each is and since when."""
        directory.require_view(call, group_of(call))
        answer = super().listing(call)
        if call.query.get("view", "BASIC") != "FULL" and isinstance(answer, dict):
            shown = [{key: one[key] for key in BASIC} for one in answer.get("memberships", ())]
            answer = {**answer, **({"memberships": shown} if shown else {})}
        return answer

    def delete(self, call: Call) -> Document:
        """Take a member out."""
        directory.require_change(call, group_of(call))
        self.read(call)
        call.cloud.store.delete(self.kind, call.name)
        return done("", {})

    def missing(self, call: Call) -> NotFound:
        """Google's words."""
        return NotFound(f"Error(4002): Resource {call.name} was not found.")


def group_of(call: Call) -> str:
    """The group that a call is about.

    Raises:
        PermissionDenied: there is none; Google hides that.
    """
    name = "/".join(call.name.split("/")[:2])
    if call.cloud.store.get(GROUPS, name) is None:
        raise directory.hidden(name)
    return name


def kind_of(cloud: Cloud, key: str) -> str:
    """What a member is, by its address."""
    if ACCOUNT.search(key):
        return "SERVICE_ACCOUNT"
    return "GROUP" if directory.by_address(cloud, key) else "USER"


def roles(given: list[Document]) -> list[Document]:
    """The roles of a membership, MEMBER among them.

    Raises:
        InvalidArgument: one is unknown, doubled, or ends without being MEMBER.
    """
    names = [role.get("name") for role in given]
    if not set(names) <= directory.ROLES or len(set(names)) != len(names) or "MEMBER" not in names:
        raise InvalidArgument("roles are MEMBER, and perhaps MANAGER or OWNER, each once.")
    if any(role.get("expiryDetail") and role["name"] != "MEMBER" for role in given) or (
        len(given) > 1 and any(role.get("expiryDetail") for role in given)
    ):
        raise InvalidArgument("only the single role MEMBER may have an expiry.")
    return given


def modify_roles(call: Call) -> Document:
    """Add, remove or change roles of one membership."""
    directory.require_change(call, group_of(call))
    before = Membership().read(call)
    kept = [role for role in before["roles"] if role["name"] not in call.body.get("removeRoles", [])]
    updated = {change["membershipRole"]["name"]: change["membershipRole"] for change in call.body.get(
        "updateRolesParams", []
    )}  # fmt: skip
    after = [updated.get(role["name"], role) for role in kept] + call.body.get("addRoles", [])
    document = {**before, "roles": roles(after), "updateTime": call.cloud.clock.timestamp()}
    call.cloud.store.put(MEMBERSHIPS, call.name, document)
    return {"membership": Membership().view(call, document)}


def lookup(call: Call) -> Document:
    """The name of the membership that an address has in a group."""
    group = group_of(call)
    directory.require_view(call, group)
    key = call.query.get("memberKey.id", "").lower()
    for membership in call.cloud.store.documents(MEMBERSHIPS, f"{group}/memberships"):
        if membership["preferredMemberKey"]["id"].lower() == key:
            return {"name": membership["name"]}
    raise directory.hidden(f"{group}/memberships")


def asked_member(call: Call) -> str:
    """The address that a query is about.

    Raises:
        InvalidArgument: it names none.
    """
    found = MEMBER_KEY.search(call.query.get("query", ""))
    if found is None:
        raise InvalidArgument("Error(2001): The query must name a member: member_key_id == 'jo@example.com'.")
    return found["id"]


def check_transitive(call: Call) -> Document:
    """Whether somebody is in a group, directly or by way of other groups."""
    group = group_of(call)
    directory.require_view(call, group)
    document = call.cloud.store.get(GROUPS, group) or {}
    inside = document["groupKey"]["id"] in addresses(call.cloud.store, asked_member(call))
    return {"hasMembership": True} if inside else {}


def transitive_groups(call: Call) -> Document:
    """Every group that somebody is in, directly or not, as far as the caller may see it."""
    member = asked_member(call)
    if not directory.reads_all(call) and member.lower() != call.principal.email.lower():
        raise directory.hidden("groups/-")
    reached = addresses(call.cloud.store, member)
    found = []
    for group in call.cloud.store.documents(GROUPS):
        if group["groupKey"]["id"] not in reached:
            continue
        direct = any(
            membership["preferredMemberKey"]["id"].lower() == member.lower()
            for membership in call.cloud.store.documents(MEMBERSHIPS, f"{group['name']}/memberships")
        )
        found.append(
            {
                "groupKey": group["groupKey"],
                "displayName": group.get("displayName", ""),
                "roles": [{"role": "MEMBER"}],
                "group": group["name"],
                "relationType": "DIRECT" if direct else "INDIRECT",
                "labels": group["labels"],
            }
        )
    return {"memberships": found} if found else {}


def transitive_members(call: Call) -> Document:
    """Everybody in a group, those in its groups included."""
    group = group_of(call)
    directory.require_view(call, group)
    found: dict[str, Document] = {}
    waiting, seen = [group], set()
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        for membership in call.cloud.store.documents(MEMBERSHIPS, f"{current}/memberships"):
            key = membership["preferredMemberKey"]["id"]
            found.setdefault(
                key,
                {
                    "member": membership["name"],
                    "preferredMemberKey": [{"id": key}],
                    "roles": [{"role": role["name"]} for role in membership["roles"]],
                    "relationType": "DIRECT" if current == group else "INDIRECT",
                },
            )
            if inner := directory.by_address(call.cloud, key):
                waiting.append(inner["name"])
    return {"memberships": list(found.values())} if found else {}


def expire(cloud: Cloud) -> None:
    """End memberships whose time is over."""
    now = cloud.clock.now()
    for name, membership in cloud.store.items(MEMBERSHIPS):
        for role in membership["roles"]:
            until = (role.get("expiryDetail") or {}).get("expireTime")
            if until and datetime.fromisoformat(until) <= now:
                cloud.store.delete(MEMBERSHIPS, name)


HANDLERS = {
    "cloudidentity.memberships.checkTransitiveMembership": check_transitive,
    "cloudidentity.memberships.lookup": lookup,
    "cloudidentity.memberships.modifyMembershipRoles": modify_roles,
    "cloudidentity.memberships.searchTransitiveGroups": transitive_groups,
    "cloudidentity.memberships.searchTransitiveMemberships": transitive_members,
}
