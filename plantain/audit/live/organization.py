"""What lies above all projects: perimeter, access levels, organisation policies, grants, contacts, sinks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plantain.audit.live import access, federation, hierarchy
from plantain.audit.live.reader import Reader, last, live
from policies.catalogue import Resource

PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"


def read(reader: Reader, organization: str, billing_accounts: set[str]) -> Iterator[Resource]:
    """What an organisation has.

    Args:
        reader: of the organisation.
        organization: its numeric id.
        billing_accounts: ids of the accounts whose budgets, grants and sinks are read.
    """
    root = f"organizations/{organization}"
    for policy in reader.all("accesscontextmanager", "v1/accessPolicies", "accessPolicies", parent=root):
        number = last(policy["name"])
        properties = {"name": number, "parent": policy.get("parent", ""), "scopes": policy.get("scopes") or []}
        yield live("gcp:accesscontextmanager/accessPolicy:AccessPolicy", number, "accesscontextmanager", properties)
        granted = access.policy(
            reader, "POST", "accesscontextmanager", f"v1/{policy['name']}:getIamPolicy", posts_options=True
        )
        kind = "gcp:accesscontextmanager/accessPolicyIamMember:AccessPolicyIamMember"
        yield from access.members(kind, policy["name"], "accesscontextmanager", {"name": number}, granted)
        yield from _perimeters(reader, policy["name"])
    yield from policies(reader, root)
    granted = access.policy(reader, "POST", "cloudresourcemanager", f"v1/{root}:getIamPolicy", posts_options=True)
    where = {"orgId": organization}
    yield from access.members(
        "gcp:organizations/iAMMember:IAMMember", organization, "cloudresourcemanager", where, granted
    )
    kind = "gcp:organizations/iamAuditConfig:IamAuditConfig"
    yield from access.audit_configs(kind, organization, where, granted)
    for account in sorted(billing_accounts):
        yield from hierarchy.billing_account(reader, account)
    yield from contacts(reader, root)
    yield from hierarchy.sinks(reader, root, "gcp:logging/organizationSink:OrganizationSink", where)
    yield from hierarchy.deny_policies(reader, root)
    yield from federation.roles(reader, root, "gcp:organizations/iAMCustomRole:IAMCustomRole", where)
    yield from hierarchy.firewall_policies(reader, root)


def policies(reader: Reader, parent: str) -> Iterator[Resource]:
    """The organisation policies that are set on an organisation or a project, named as the parent is here."""
    for found in reader.all("orgpolicy", f"v2/{parent}/policies", "policies"):
        name = f"{parent}/policies/{last(found['name'])}"
        properties = {**found, "name": name, "parent": parent}
        for spec in ("spec", "dryRunSpec"):
            if spec in found:
                properties[spec] = _spec(found[spec])
        yield live("gcp:orgpolicy/policy:Policy", name, "orgpolicy", properties)


def contacts(reader: Reader, parent: str) -> Iterator[Resource]:
    """Who is told by Google about an organisation or a project."""
    for contact in reader.all("essentialcontacts", f"v1/{parent}/contacts", "contacts"):
        properties = {**contact, "parent": parent}
        yield live("gcp:essentialcontacts/contact:Contact", contact["name"], "essentialcontacts", properties)


def _perimeters(reader: Reader, policy: str) -> Iterator[Resource]:
    for level in reader.all("accesscontextmanager", f"v1/{policy}/accessLevels", "accessLevels"):
        properties = {**level, "parent": policy}
        yield live(
            "gcp:accesscontextmanager/accessLevel:AccessLevel", level["name"], "accesscontextmanager", properties
        )
    for perimeter in reader.all("accesscontextmanager", f"v1/{policy}/servicePerimeters", "servicePerimeters"):
        properties = {
            "perimeterType": "PERIMETER_TYPE_REGULAR",
            "useExplicitDryRunSpec": False,
            **perimeter,
            "parent": policy,
        }
        yield live(PERIMETER, perimeter["name"], "accesscontextmanager", properties)


def _spec(spec: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {
            **rule,
            **({"enforce": "TRUE" if rule["enforce"] else "FALSE"} if isinstance(rule.get("enforce"), bool) else {}),
        }
        for rule in spec.get("rules") or ()
    ]
    return {**spec, "rules": rules}
