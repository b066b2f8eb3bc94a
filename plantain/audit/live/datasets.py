"""Datasets of BigQuery and who may read them. A dataset has access entries, which say the same as grants of roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from plantain.audit.live import access
from plantain.audit.live.reader import Reader, live
from policies.catalogue import Resource

#: What the old names stand for (cloud.google.com/bigquery/docs/access-control-basic-roles, 2026-11).
ROLES = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}
ACCOUNT = ".gserviceaccount.com"


def read(reader: Reader, project: str) -> Iterator[Resource]:
    """The datasets of a project."""
    root = f"bigquery/v2/projects/{project}/datasets"
    for listed in reader.all("bigquery", root, "datasets", all=True):
        name = listed["datasetReference"]["datasetId"]
        found = reader.one("GET", "bigquery", f"{root}/{name}", "datasets")
        if not found:
            continue
        id_ = f"projects/{project}/datasets/{name}"
        where = {"project": project, "datasetId": name}
        told = {"location": found.get("location", ""), "labels": found.get("labels") or {}}
        key = (found.get("defaultEncryptionConfiguration") or {}).get("kmsKeyName")
        encrypted = {"defaultEncryptionConfiguration": {"kmsKeyName": key}} if key else {}
        yield live("gcp:bigquery/dataset:Dataset", id_, "bigquery", {**where, **told, **encrypted})
        bindings = [
            {"role": ROLES.get(entry.get("role", ""), entry.get("role", "")), "members": [member]}
            for entry in found.get("access") or ()
            if (member := _member(entry))
        ]
        kind = "gcp:bigquery/datasetIamMember:DatasetIamMember"
        yield from access.members(kind, id_, "bigquery", where, {"bindings": bindings})


def _member(entry: Mapping[str, Any]) -> str | None:
    """Who an entry is about, as policies spell it; None for views and for those who have basic roles in the project."""
    if address := entry.get("userByEmail"):
        return f"{'serviceAccount' if str(address).endswith(ACCOUNT) else 'user'}:{address}"
    if address := entry.get("groupByEmail"):
        return f"group:{address}"
    if domain := entry.get("domain"):
        return f"domain:{domain}"
    if entry.get("specialGroup") == "allAuthenticatedUsers":
        return "allAuthenticatedUsers"
    member = entry.get("iamMember")
    return str(member) if member else None
