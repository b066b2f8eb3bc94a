"""Organisations: there is one, and nobody creates another."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import NotFound, PermissionDenied
from sandbox.resources import Resource


class Organization(Resource):
    """An organisation in the v3 shape; v1 is derived."""

    kind = "cloudresourcemanager.organizations"

    def view(self, call: Call, document: dict[str, Any]) -> dict[str, Any]:
        """v1 spells the owner and the state otherwise."""
        if call.method.version == "v3":
            return document
        return {
            "organizationId": document["name"].rpartition("/")[2],
            "displayName": document["displayName"],
            "name": document["name"],
            "owner": {"directoryCustomerId": document["directoryCustomerId"]},
            "creationTime": document["createTime"],
            "lifecycleState": document["state"],
        }

    def missing(self, call: Call) -> NotFound | PermissionDenied:  # type: ignore[override]  # 403, as Google hides it
        """Google does not tell whether a foreign organisation exists."""
        return PermissionDenied("The caller does not have permission")


def search(call: Call) -> dict[str, Any]:
    """Organisations visible to the caller; ``filter`` or ``query`` may name a domain."""
    text = call.body.get("filter") or call.query.get("query") or ""
    wanted = text.partition(":")[2].strip() if text.startswith("domain") else ""
    resource = Organization()
    found = [
        resource.view(call, document)
        for document in call.cloud.store.documents(Organization.kind)
        if not wanted or document["displayName"] == wanted
    ]
    return {"organizations": found} if found else {}


HANDLERS = {"cloudresourcemanager.organizations.search": search}
