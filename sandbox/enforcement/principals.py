"""Who a caller is, in every spelling that a policy may use.

Identifiers: https://docs.cloud.google.com/iam/docs/principal-identifiers (read 2026-08).
"""

from __future__ import annotations

import re

from sandbox.call import Principal
from sandbox.store import Store

GROUPS = "cloudidentity.groups"
MEMBERSHIPS = "cloudidentity.memberships"
ACCOUNT_PROJECT = re.compile(r"@(?P<project>[a-z0-9-]+)\.iam\.gserviceaccount\.com$")
EVERYBODY = "principalSet://goog/public:all"


def members(store: Store, principal: Principal) -> set[str]:
    """Member strings of allow policies that stand for the caller: itself, its groups and domain, everybody."""
    names = {"allUsers"}
    if principal.member != "allUsers":
        names |= {principal.member, "allAuthenticatedUsers", *principal.identities}
    kind, _, address = principal.member.partition(":")
    if kind == "user":
        names.add(f"domain:{address.partition('@')[2]}")
    if kind in {"user", "serviceAccount"} and store.any(MEMBERSHIPS):
        names |= {f"group:{group}" for group in addresses(store, address)}
    return names


def addresses(store: Store, member: str) -> set[str]:
    """Addresses of all groups that an address is in, by way of other groups too."""
    names = {group["name"]: str(group["groupKey"]["id"]) for group in store.documents(GROUPS)}
    holders: dict[str, set[str]] = {}
    for name, membership in store.items(MEMBERSHIPS):
        key = str(membership["preferredMemberKey"]["id"]).lower()
        if group := names.get(name.partition("/memberships/")[0]):
            holders.setdefault(key, set()).add(group)
    found: set[str] = set()
    waiting = [member.lower()]
    while waiting:
        new = holders.get(waiting.pop(), set()) - found
        found |= new
        waiting += [group.lower() for group in new]
    return found


def deny_principals(names: set[str], project_number: str, customer: str) -> set[str]:
    """The same callers as deny policies spell them.

    Args:
        names: what ``members`` found.
        project_number: of the project that holds a calling service account; ``0`` for none.
        customer: Google Workspace customer id of the organisation.
    """
    spelled = {EVERYBODY}
    for name in names:
        kind, _, address = name.partition(":")
        if kind == "user":
            spelled |= {
                f"principal://goog/subject/{address}",
                f"principalSet://goog/cloudIdentityCustomerId/{customer}",
            }
        elif kind == "group":
            spelled.add(f"principalSet://goog/group/{address}")
        elif kind == "serviceAccount":
            spelled.add(f"principal://iam.googleapis.com/projects/-/serviceAccounts/{address}")
            if project_number != "0":
                spelled.add(
                    f"principalSet://cloudresourcemanager.googleapis.com/projects/{project_number}/type/ServiceAccount"
                )
        elif kind in {"principal", "principalSet"}:
            spelled.add(name)
    return spelled


def account_project(principal: Principal) -> str:
    """Id of the project that holds a calling service account; empty for anybody else."""
    found = ACCOUNT_PROJECT.search(principal.member)
    return found["project"] if found else ""
