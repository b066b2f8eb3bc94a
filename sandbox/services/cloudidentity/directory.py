"""Groups by address, who is in them, and who may see or change that.

Cloud Identity does not ask IAM: a caller is an administrator of groups in Google Workspace, reads groups with
Workspace's role Groups Reader, or has a role in the group itself
(https://docs.cloud.google.com/identity/docs/how-to/setup, read 2026-08).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sandbox.enforcement.principals import GROUPS, MEMBERSHIPS, addresses
from sandbox.errors import PermissionDenied

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

READERS = "cloudidentity.readers"
FORUM = "cloudidentity.googleapis.com/groups.discussion_forum"
MANAGING = frozenset({"OWNER", "MANAGER"})
ROLES = MANAGING | {"MEMBER"}


def by_address(cloud: Cloud, address: str) -> Document | None:
    """The group of an address, whatever its capitals."""
    wanted = address.lower()
    return next((group for group in cloud.store.documents(GROUPS) if group["groupKey"]["id"].lower() == wanted), None)


def define(cloud: Cloud, address: str, members: Iterable[str]) -> str:
    """A group with exactly these direct members, given as allow policies spell them; returns its name."""
    now = cloud.clock.timestamp()
    group = by_address(cloud, address)
    if group is None:
        group = new_group(cloud, address)
        cloud.store.put(GROUPS, group["name"], group)
    for name, _ in cloud.store.items(MEMBERSHIPS, f"{group['name']}/memberships"):
        cloud.store.delete(MEMBERSHIPS, name)
    for member in members:
        kind, _, key = member.partition(":")
        name = f"{group['name']}/memberships/{cloud.identifiers.number(MEMBERSHIPS, 21)}"
        document = {
            "name": name,
            "preferredMemberKey": {"id": key},
            "roles": [{"name": "MEMBER"}],
            "type": {"serviceAccount": "SERVICE_ACCOUNT", "group": "GROUP"}.get(kind, "USER"),
            "createTime": now,
            "updateTime": now,
        }
        cloud.store.put(MEMBERSHIPS, name, document)
    return str(group["name"])


def new_group(cloud: Cloud, address: str) -> Document:
    """What Google sets in a new group."""
    from sandbox.cloud import CUSTOMER  # noqa: PLC0415 -- a service is loaded before the cloud that it serves

    now = cloud.clock.timestamp()
    return {
        "name": f"groups/{cloud.identifiers.hexadecimal(GROUPS, 15)}",
        "groupKey": {"id": address},
        "parent": f"customers/{CUSTOMER}",
        "displayName": address.partition("@")[0],
        "labels": {FORUM: ""},
        "createTime": now,
        "updateTime": now,
    }


def administers(call: Call) -> bool:
    """Whether the caller administers groups in Google Workspace: the organisation's administrator does."""
    return call.principal.member == call.cloud.settings.administrator


def reads_all(call: Call) -> bool:
    """Whether the caller has Workspace's role Groups Reader, or more."""
    return administers(call) or call.cloud.store.get(READERS, call.principal.member) is not None


def own_roles(call: Call, group: str) -> set[str]:
    """The roles that the caller has in a group, by its own membership."""
    return {
        role["name"]
        for membership in call.cloud.store.documents(MEMBERSHIPS, f"{group}/memberships")
        if membership["preferredMemberKey"]["id"].lower() == call.principal.email.lower()
        for role in membership["roles"]
    }


def require_view(call: Call, group: str) -> None:
    """403 unless the caller reads all groups or belongs to this one.

    Raises:
        PermissionDenied: it may not exist, too: Google hides which.
    """
    if reads_all(call):
        return
    document = call.cloud.store.get(GROUPS, group)
    if document is None or document["groupKey"]["id"] not in addresses(call.cloud.store, call.principal.email):
        raise hidden(group)


def require_change(call: Call, group: str) -> None:
    """403 unless the caller administers groups, or owns or manages this one.

    Raises:
        PermissionDenied: it may not exist, too: Google hides which.
    """
    if not administers(call) and not own_roles(call, group) & MANAGING:
        raise hidden(group)


def hidden(name: str) -> PermissionDenied:
    """Google's refusal."""
    return PermissionDenied(f"Error(2028): Permission denied for resource {name} (or it may not exist).")
