"""A project itself: labels, billing, APIs, grants, accounts, liens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plantain.audit.live import access
from plantain.audit.live.reader import Reader, last, live
from policies.catalogue import Resource

PROJECT = "gcp:organizations/project:Project"


def read(reader: Reader, found: Mapping[str, Any], *, has_default_network: bool) -> Iterator[Resource]:
    """The project's own resources.

    Args:
        reader: of the project.
        found: the project, as Resource Manager's v3 answers it.
        has_default_network: whether it has a network named default, which stands for autoCreateNetwork: no API
            tells what was asked for.
    """
    project, number = found["projectId"], found["name"].removeprefix("projects/")
    billing = reader.one("GET", "cloudbilling", f"v1/projects/{project}/billingInfo", "billingInfo") or {}
    parent = str(found.get("parent", ""))
    above = "orgId" if parent.startswith("organizations/") else "folderId"
    yield live(
        PROJECT,
        f"projects/{project}",
        "cloudresourcemanager",
        {
            "projectId": project,
            "number": number,
            "labels": found.get("labels") or {},
            above: parent.rpartition("/")[2],
            "billingAccount": str(billing.get("billingAccountName", "")).removeprefix("billingAccounts/"),
            "autoCreateNetwork": has_default_network,
        },
        name=project,
    )
    where = {"project": project}
    for service in reader.all("serviceusage", f"v1/projects/{number}/services", "services", filter="state:ENABLED"):
        name = service["name"].rpartition("/")[2]
        yield live("gcp:projects/service:Service", f"{project}/{name}", "serviceusage", {"service": name, **where})
    policy = access.policy(
        reader, "POST", "cloudresourcemanager", f"v1/projects/{project}:getIamPolicy", posts_options=True
    )
    yield from access.members("gcp:projects/iAMMember:IAMMember", project, "cloudresourcemanager", where, policy)
    yield from access.audit_configs("gcp:projects/iAMAuditConfig:IAMAuditConfig", project, where, policy)
    yield from _accounts(reader, project)
    for lien in reader.all("cloudresourcemanager", "v3/liens", "liens", parent=f"projects/{project}"):
        name = last(lien["name"])
        properties = {**lien, "name": name, "project": project}
        yield live("gcp:resourcemanager/lien:Lien", name, "cloudresourcemanager", properties)


def _accounts(reader: Reader, project: str) -> Iterator[Resource]:
    for account in reader.all("iam", f"v1/projects/{project}/serviceAccounts", "accounts"):
        name, email = account["name"], account["email"]
        yield live(
            "gcp:serviceaccount/account:Account",
            name,
            "iam",
            {
                "email": email,
                "accountId": email.partition("@")[0],
                "displayName": account.get("displayName", ""),
                "disabled": account.get("disabled", False),
                "project": project,
            },
            name=email,
        )
        policy = access.policy(reader, "POST", "iam", f"v1/{name}:getIamPolicy")
        where = {"serviceAccountId": name, "project": project}
        yield from access.members("gcp:serviceaccount/iAMMember:IAMMember", name, "iam", where, policy)
        for key in reader.all("iam", f"v1/{name}/keys", "keys", keyTypes="USER_MANAGED"):
            properties = {"serviceAccountId": name, "project": project, "validAfter": key.get("validAfterTime", "")}
            yield live("gcp:serviceaccount/key:Key", key["name"], "iam", properties)
