"""Secrets in a service's environment: https://docs.cloud.google.com/run/docs/configuring/services/secrets (2026-08)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.enforcement.encryption import require_key
from sandbox.errors import ApiError, FailedPrecondition
from sandbox.services.secretmanager import SECRETS, VERSIONS, key_versions
from sandbox.services.serviceusage.agents import ensure

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]


def value(cloud: Cloud, service: str, account: str, reference: Document) -> str:
    """The text of a secret version, read in the name of the service's identity.

    Args:
        cloud: the sandbox.
        service: full name of the Cloud Run service.
        account: e-mail of its identity.
        reference: ``secretKeyRef`` with ``secret`` (an id, or ``projects/p/secrets/s``) and ``version``.

    Raises:
        FailedPrecondition: the identity may not read it, or there is no such enabled version.
    """
    name = reference.get("secret", "")
    if not name.startswith("projects/"):
        name = f"projects/{service.split('/')[1]}/secrets/{name}"
    name = cloud.hierarchy.canonical(name)
    secret = cloud.store.get(SECRETS, name) or {}
    number = str(reference.get("version") or "latest")
    if number == "latest":
        number = str(secret.get("_versions", 0))
    number = str(secret.get("versionAliases", {}).get(number, number))
    path = f"{name}/versions/{number}"
    version, shown = cloud.store.get(VERSIONS, path), cloud.hierarchy.numbered(path)
    principal = Principal(f"serviceAccount:{account}")
    if cloud.permissions.grant(principal, "secretmanager.versions.access", "secretmanager", path) is None:
        raise FailedPrecondition(
            f"Permission denied on secret: {shown} for Revision service account {account}. The service account used "
            "must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the "
            "secret, project or higher level."
        )
    if version is None:
        raise FailedPrecondition(f"Secret {shown} was not found")
    if version["state"] != "ENABLED":
        raise FailedPrecondition(f"Secret {shown} is in {version['state']} state: only an enabled version is read.")
    return decrypted(cloud, version, name.split("/")[1])


def decrypted(cloud: Cloud, version: Document, project: str) -> str:
    """The value, if the customer's keys around it can be used."""
    agent = ensure(cloud, "secretmanager", project)
    try:
        for key in key_versions(version):
            require_key(cloud, key, agent, decrypt=True)
    except ApiError as error:
        raise FailedPrecondition(f"Secret {cloud.hierarchy.numbered(version['name'])}: {error.message}") from None
    return base64.b64decode(version["_data"]).decode("utf-8", "replace")


def require_all(cloud: Cloud, document: Document) -> None:
    """Read every secret that a service's containers name, before a revision of it is made."""
    template = document["template"]
    for container in template.get("containers", []):
        for item in container.get("env", []):
            if reference := item.get("valueSource", {}).get("secretKeyRef"):
                value(cloud, document["name"], template["serviceAccount"], reference)
