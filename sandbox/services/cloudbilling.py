"""Cloud Billing: accounts, and which of them pays for a project."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import NotFound, PermissionDenied
from sandbox.resources import Resource
from sandbox.services.registry import Service

Document = dict[str, Any]
ACCOUNTS = "cloudbilling.billingAccounts"
LINKS = "cloudbilling.projects"


class BillingAccount(Resource):
    """A billing account. New ones are made outside of any API."""

    kind = ACCOUNTS

    def listing(self, call: Call) -> Document:
        """All accounts; the page token is always there, as in reality."""
        return {"billingAccounts": call.cloud.store.documents(ACCOUNTS), "nextPageToken": ""}


def info(call: Call, project_id: str) -> Document:
    """The link of a project."""
    link = call.cloud.store.get(LINKS, f"projects/{project_id}") or {"billingAccountName": ""}
    return {
        "name": f"projects/{project_id}/billingInfo",
        "projectId": project_id,
        "billingAccountName": link["billingAccountName"],
        "billingEnabled": bool(link["billingAccountName"]),
    }


def project_of(call: Call) -> str:
    """The project's id.

    Raises:
        PermissionDenied: there is none, which Google does not tell.
    """
    project = call.cloud.hierarchy.project(call.name.split("/")[1])
    if project is None:
        raise PermissionDenied("The caller does not have permission")
    return str(project["projectId"])


def get_info(call: Call) -> Document:
    """Which account pays."""
    return info(call, project_of(call))


def update_info(call: Call) -> Document:
    """Link or unlink an account."""
    project_id, account = project_of(call), call.body.get("billingAccountName", "")
    if account:
        if call.cloud.store.get(ACCOUNTS, account) is None:
            raise NotFound(f"Billing account {account} was not found.")
        call.cloud.permissions.require(call.principal, "billing.resourceAssociations.create", "cloudbilling", account)
    call.cloud.store.put(LINKS, f"projects/{project_id}", {"billingAccountName": account})
    return info(call, project_id)


def list_projects(call: Call) -> Document:
    """Projects that an account pays for."""
    account = call.name.removesuffix("/projects")
    names = [name for name, link in call.cloud.store.items(LINKS) if link["billingAccountName"] == account]
    return {"projectBillingInfo": [info(call, name.rpartition("/")[2]) for name in names]} if names else {}


def to_project(call: Call) -> tuple[str, str]:
    """The project's policy governs its link."""
    return "cloudresourcemanager", "/".join(call.name.split("/")[:2])


SERVICE = Service(
    name="cloudbilling",
    title="Cloud Billing API",
    resources=(BillingAccount,),
    handlers={
        "cloudbilling.projects.getBillingInfo": get_info,
        "cloudbilling.projects.updateBillingInfo": update_info,
        "cloudbilling.projects.list": list_projects,
    },
    targets={
        "cloudbilling.projects.getBillingInfo": to_project,
        "cloudbilling.projects.updateBillingInfo": to_project,
    },
)
