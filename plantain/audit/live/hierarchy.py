"""What projects inherit: folders, billing accounts, deny policies, firewall rules of the organisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from plantain.audit.live import access
from plantain.audit.live.reader import Reader, last, live, without
from policies.catalogue import Resource

FOLDERS = "folders/"


def folders(reader: Reader, given: Iterable[str]) -> list[dict[str, Any]]:
    """Folders and every folder above them, as Resource Manager answers them."""
    found: dict[str, dict[str, Any]] = {}
    waiting = sorted(given)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        folder = reader.one("GET", "cloudresourcemanager", f"v3/{name}", "folders")
        # A folder that cannot be read may still say who has which role in it.
        found[name] = folder or {"name": name}
        parent = str(found[name].get("parent", ""))
        if parent.startswith(FOLDERS):
            waiting.append(parent)
    return [found[name] for name in sorted(found)]


def folder(reader: Reader, found: dict[str, Any]) -> Iterator[Resource]:
    """A folder, who may do what in it, and where its logs go."""
    name = found["name"]
    properties = {"folderId": last(name), "displayName": found.get("displayName", ""), "parent": found.get("parent")}
    yield live("gcp:organizations/folder:Folder", name, "cloudresourcemanager", properties)
    granted = access.policy(reader, "POST", "cloudresourcemanager", f"v3/{name}:getIamPolicy", posts_options=True)
    where = {"folder": name}
    kind = "gcp:folder/iAMMember:IAMMember"
    yield from access.members(kind, name, "cloudresourcemanager", where, granted)
    yield from access.audit_configs("gcp:folder/iamAuditConfig:IamAuditConfig", name, where, granted)
    yield from sinks(reader, name, "gcp:logging/folderSink:FolderSink", where)
    yield from deny_policies(reader, name)


def billing_account(reader: Reader, account: str) -> Iterator[Resource]:
    """Budgets of a billing account, who may do what with it, and where its logs go."""
    name = f"billingAccounts/{account}"
    for budget in reader.all("billingbudgets", f"v1/{name}/budgets", "budgets"):
        properties = {**budget, "billingAccount": account, "allUpdatesRule": budget.get("notificationsRule") or {}}
        yield live("gcp:billing/budget:Budget", budget["name"], "billingbudgets", properties)
    granted = access.policy(reader, "GET", "cloudbilling", f"v1/{name}:getIamPolicy")
    kind = "gcp:billing/accountIamMember:AccountIamMember"
    yield from access.members(kind, account, "cloudbilling", {"billingAccountId": account}, granted)
    kind = "gcp:logging/billingAccountSink:BillingAccountSink"
    yield from sinks(reader, name, kind, {"billingAccount": account})


def sinks(reader: Reader, parent: str, type_: str, where: dict[str, Any]) -> Iterator[Resource]:
    """Where the logs of a folder, a billing account or an organisation go."""
    for sink in reader.all("logging", f"v2/{parent}/sinks", "sinks"):
        yield live(type_, f"{parent}/sinks/{sink['name']}", "logging", {**sink, **where})


def deny_policies(reader: Reader, parent: str) -> Iterator[Resource]:
    """What nobody may do in a project, a folder or an organisation, whatever was granted."""
    attached = quote(f"cloudresourcemanager.googleapis.com/{parent}", safe="")
    for found in reader.all("iam", f"v2/policies/{attached}/denypolicies", "policies"):
        name = last(found["name"])
        # A list tells names only.
        whole = reader.one("GET", "iam", f"v2/policies/{attached}/denypolicies/{name}", "denypolicy") or found
        properties = {**without(whole, "name"), "name": name, "parent": attached}
        yield live("gcp:iam/denyPolicy:DenyPolicy", f"{attached}/{name}", "iam", properties)


def firewall_policies(reader: Reader, parent: str) -> Iterator[Resource]:
    """Firewall policies of an organisation or folder: their rules come before those of any network."""
    root = "compute/v1/locations/global/firewallPolicies"
    for found in reader.all("compute", root, "items", parentId=parent):
        id_ = f"locations/global/firewallPolicies/{found['name']}"
        kept = {"shortName": found.get("shortName", ""), "parent": parent, "associations": found.get("associations")}
        yield live("gcp:compute/firewallPolicy:FirewallPolicy", id_, "compute", kept)
        whole = reader.one("GET", "compute", f"{root}/{found['name']}", "firewallPolicies") or found
        for rule in whole.get("rules") or ():
            priority = str(rule.get("priority", ""))
            properties = {**without(rule, "kind"), "firewallPolicy": found["name"], "parent": parent}
            kind = "gcp:compute/firewallPolicyRule:FirewallPolicyRule"
            yield live(kind, f"{id_}/rules/{priority}", "compute", properties, name=f"{found['name']} {priority}")
