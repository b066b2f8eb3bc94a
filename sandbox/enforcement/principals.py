"""Who a caller is, in every spelling that a policy may use.

Identifiers: https://docs.cloud.google.com/iam/docs/principal-identifiers (read 2026-08).
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Principal
from sandbox.store import Store

GROUPS = "cloudidentity.groups"
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
    for group, document in groups(store):
        if principal.member in document.get("members", []):
            names.add(f"group:{group}")
    return names


def groups(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Defined groups by address."""
    return store.items(GROUPS)


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
