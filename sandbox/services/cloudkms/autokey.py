"""Autokey: the key project of a folder, and keys made on demand for a kind of resource.

Source: https://docs.cloud.google.com/kms/docs/autokey-overview (read 2026-08) and recorded answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.fields import apply_mask, mask_paths
from sandbox.services.cloudkms import crypto_keys, versions
from sandbox.services.cloudkms.names import Entity
from sandbox.services.registry import Handler

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

CONFIGS = "cloudkms.autokeyConfigs"
RING = "autokey"


def read(cloud: Cloud, name: str) -> Document:
    """A configuration; one that nobody made is uninitialised."""
    return cloud.store.get(CONFIGS, name) or {"name": name, "state": "UNINITIALIZED"}


def stamped(call: Call, document: Document) -> Document:
    """Under a new etag."""
    return {**document, "etag": call.cloud.identifiers.hexadecimal("etag", 12)}


def get(call: Call) -> Document:
    """``autokeyConfig``."""
    return {"etag": "AAAA", **read(call.cloud, call.name)}


def update(call: Call) -> Document:
    """Set or clear the key project."""
    paths = mask_paths(call.query.get("updateMask", ""))
    after = apply_mask(read(call.cloud, call.name), call.body, paths)
    project = after.get("keyProject", "")
    if project and call.cloud.hierarchy.project(project.removeprefix("projects/")) is None:
        raise InvalidArgument(f"The key project {project} does not exist.")
    after["state"] = "ACTIVE" if project else "UNINITIALIZED"
    after = stamped(call, after)
    call.cloud.store.put(CONFIGS, call.name, after)
    return after


def effective(call: Call) -> Document:
    """The key project that holds for a project."""
    return {"keyProject": found} if (found := key_project(call.cloud, str(call.project))) else {}


def key_project(cloud: Cloud, project: str) -> str:
    """``projects/…`` of the nearest configuration above a project; empty without one."""
    for ancestor in cloud.hierarchy.ancestors(f"projects/{project}"):
        if found := read(cloud, f"{ancestor}/autokeyConfig").get("keyProject"):
            return str(found)
    return ""


class KeyHandle(Entity):
    """A key for one kind of resource, made in the key project when first asked for."""

    kind = "cloudkms.keyHandles"
    message = "KeyHandle"

    def generate(self, call: Call) -> str:
        """An id of its own when the caller chose none."""
        return call.cloud.identifiers.uuid("keyHandles")

    def prepare(self, call: Call, document: Document) -> None:
        """Make the key.

        Raises:
            FailedPrecondition: no folder above the project has a key project.
        """
        holder = key_project(call.cloud, str(call.project))
        if not holder:
            raise FailedPrecondition(
                f"Cloud KMS Autokey is not configured for project {call.project}: set keyProject in the autokeyConfig "
                "of a folder above it."
            )
        selector = document.get("resourceTypeSelector", "")
        service, _, resource = selector.partition(".googleapis.com/")
        if not resource:
            raise InvalidArgument("KeyHandle.resource_type_selector must be of the form service.googleapis.com/Type.")
        ring = call.cloud.hierarchy.canonical(f"{holder}/locations/{call.segment('locations')}/keyRings/{RING}")
        if call.cloud.store.get("cloudkms.keyRings", ring) is None:
            call.cloud.store.put("cloudkms.keyRings", ring, {"name": ring, "createTime": call.cloud.clock.timestamp()})
        number = call.cloud.hierarchy.project_number(str(call.project))
        suffix = call.cloud.identifiers.hexadecimal("autokey", 16)
        key: Document = {
            "name": f"{ring}/cryptoKeys/{number}-{service}-{resource.lower()}-{suffix}",
            "purpose": "ENCRYPT_DECRYPT",
            "createTime": call.cloud.clock.timestamp(),
            "versionTemplate": {"protectionLevel": "HSM", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"},
            "destroyScheduledDuration": crypto_keys.DESTROY_SCHEDULED,
        }
        key["_primary"] = versions.add(call.cloud, key)["name"]
        call.cloud.store.put(crypto_keys.KIND, key["name"], key)
        document["kmsKey"] = key["name"]

    def operation_metadata(self, call: Call, name: str) -> Document:
        """Empty, but typed."""
        return {"@type": "type.googleapis.com/google.cloud.kms.v1.CreateKeyHandleMetadata"}


HANDLERS: dict[str, Handler] = {
    "cloudkms.folders.getAutokeyConfig": get,
    "cloudkms.folders.updateAutokeyConfig": update,
    "cloudkms.projects.getAutokeyConfig": get,
    "cloudkms.projects.updateAutokeyConfig": update,
    "cloudkms.folders.showEffectiveAutokeyConfig": effective,
    "cloudkms.projects.showEffectiveAutokeyConfig": effective,
}
