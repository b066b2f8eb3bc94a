"""Who may act in a project without being one of its members: workload identity federation, and roles of its own."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.audit.live.reader import Reader, last, live
from policies.catalogue import Resource


def read(reader: Reader, project: str) -> Iterator[Resource]:
    """Pools with their providers, and the roles that the project has made."""
    root = f"projects/{project}/locations/global/workloadIdentityPools"
    for pool in reader.all("iam", f"v1/{root}", "workloadIdentityPools"):
        id_ = f"{root}/{last(pool['name'])}"
        properties = {**pool, "name": id_, "workloadIdentityPoolId": last(id_), "project": project}
        yield live("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", id_, "iam", properties)
        for provider in reader.all("iam", f"v1/{id_}/providers", "workloadIdentityPoolProviders"):
            own = f"{id_}/providers/{last(provider['name'])}"
            properties = {
                **provider,
                "name": own,
                "workloadIdentityPoolId": last(id_),
                "workloadIdentityPoolProviderId": last(own),
                "project": project,
            }
            yield live("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", own, "iam", properties)
    yield from roles(reader, f"projects/{project}", "gcp:projects/iAMCustomRole:IAMCustomRole", {"project": project})


def roles(reader: Reader, parent: str, type_: str, where: dict[str, str]) -> Iterator[Resource]:
    """The roles that a project or an organisation has made itself."""
    for role in reader.all("iam", f"v1/{parent}/roles", "roles", view="FULL"):
        if role.get("deleted"):
            continue
        properties = {
            "roleId": last(role["name"]),
            "title": role.get("title", ""),
            "permissions": role.get("includedPermissions") or [],
            "stage": role.get("stage", "GA"),
            **where,
        }
        yield live(type_, role["name"], "iam", properties)
