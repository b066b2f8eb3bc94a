"""Key versions: their material and their life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.errors import PRECONDITION_FAILURE, FailedPrecondition, InvalidArgument
from sandbox.services.cloudkms import material
from sandbox.services.cloudkms.names import Entity, not_found, seconds

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "cloudkms.cryptoKeyVersions"
KEYS = "cloudkms.cryptoKeys"
SETTABLE = {"ENABLED", "DISABLED"}
#: How long keys may not have noticed that a version is no longer enabled, as a rule:
#: https://docs.cloud.google.com/kms/docs/consistency (read 2026-11)
PROPAGATION = timedelta(minutes=1)


class CryptoKeyVersion(Entity):
    """One version of a key."""

    kind = KIND
    message = "CryptoKeyVersion"

    def create(self, call: Call) -> Document:
        """A new version with material of its own; it does not become primary by itself."""
        name = call.name.rpartition("/")[0]
        key = call.cloud.store.get(KEYS, name)
        if key is None:
            raise not_found(name)
        version = add(call.cloud, key)
        call.cloud.store.put(KEYS, name, key)
        return public(version)

    def read(self, call: Call) -> Document:
        """The version; a destruction whose time has come is done first."""
        return settle(call.cloud, super().read(call))

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Every version, settled."""
        return [settle(call.cloud, document) for document in documents]

    def patch(self, call: Call) -> Document:
        """Enable or disable."""
        document = self.read(call)
        state = call.body.get("state", document["state"])
        if state not in SETTABLE:
            raise InvalidArgument(f"CryptoKeyVersion.state can be set to ENABLED or DISABLED, not to {state}.")
        if document["state"] not in SETTABLE:
            raise wrong_state(document, "ENABLED or DISABLED")
        leave(call.cloud, document, state)
        call.cloud.store.put(KIND, document["name"], document)
        return public(document)


def add(cloud: Cloud, key: Document) -> Document:
    """Make the next version of a key; the caller stores the key, whose counter went up."""
    number = key["_versions"] = key.get("_versions", 0) + 1
    now, template = cloud.clock.timestamp(), key["versionTemplate"]
    version = {
        "name": f"{key['name']}/cryptoKeyVersions/{number}",
        "state": "ENABLED",
        "createTime": now,
        "protectionLevel": template["protectionLevel"],
        "algorithm": template["algorithm"],
        "generateTime": now,
        "_material": material.generate(template["algorithm"]),
    }
    cloud.store.put(KIND, version["name"], version)
    return version


def public(document: Document) -> Document:
    """Without its material."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


def settle(cloud: Cloud, document: Document) -> Document:
    """Destroy the material of a version whose destruction is due."""
    if (
        document["state"] == "DESTROY_SCHEDULED"
        and datetime.fromisoformat(document["destroyTime"]) <= cloud.clock.now()
    ):
        document["state"] = "DESTROYED"
        document["destroyEventTime"] = document.pop("destroyTime")
        document.pop("_material", None)
        cloud.store.put(KIND, document["name"], document)
    return document


def leave(cloud: Cloud, document: Document, state: str) -> None:
    """Bring a version to another state, and remember when it ceased to be enabled."""
    if state == "ENABLED":
        document.pop("_disabled", None)
    elif document["state"] == "ENABLED":
        document["_disabled"] = cloud.clock.timestamp()
    document["state"] = state


def remembered(cloud: Cloud, document: Document) -> Document:
    """A version as the service may still remember it where it answers with a key: a minute behind."""
    disabled = document.get("_disabled")
    if not disabled or cloud.clock.now() - datetime.fromisoformat(disabled) >= PROPAGATION:
        return document
    return {**{key: value for key, value in document.items() if key != "destroyTime"}, "state": "ENABLED"}


def require(cloud: Cloud, name: str) -> Document:
    """The version of that name.

    Raises:
        NotFound: there is none.
    """
    document = cloud.store.get(KIND, name)
    if document is None:
        raise not_found(name)
    return settle(cloud, document)


def refuse_unusable(document: Document) -> None:
    """400 unless the version is enabled."""
    if document["state"] != "ENABLED":
        raise FailedPrecondition(
            f"{document['name']} is not enabled, current state is: {document['state']}.",
            details=[
                {
                    "@type": PRECONDITION_FAILURE,
                    "violations": [
                        {
                            "type": f"KEY_{document['state']}",
                            "subject": document["name"],
                            "description": "The key is not usable.",
                        }
                    ],
                }
            ],
        )


def wrong_state(document: Document, wanted: str) -> FailedPrecondition:
    """400 for a step that the version's state does not allow."""
    return FailedPrecondition(
        f"{document['name']} has state {document['state']}, which does not allow this: it must be {wanted}."
    )


def destroy(call: Call) -> Document:
    """Schedule the destruction of the material."""
    document = require(call.cloud, call.name)
    if document["state"] not in SETTABLE:
        raise wrong_state(document, "ENABLED or DISABLED")
    key = call.cloud.store.get(KEYS, call.name.rpartition("/cryptoKeyVersions/")[0]) or {}
    due = call.cloud.clock.now() + timedelta(seconds=seconds(key.get("destroyScheduledDuration", "0s")))
    leave(call.cloud, document, "DESTROY_SCHEDULED")
    document["destroyTime"] = due.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    call.cloud.store.put(KIND, call.name, document)
    return public(settle(call.cloud, document))


def restore(call: Call) -> Document:
    """Take a scheduled destruction back; the version comes back disabled."""
    document = require(call.cloud, call.name)
    if document["state"] != "DESTROY_SCHEDULED":
        raise wrong_state(document, "DESTROY_SCHEDULED")
    document["state"] = "DISABLED"
    document.pop("destroyTime")
    call.cloud.store.put(KIND, call.name, document)
    return public(document)


HANDLERS = {
    "cloudkms.cryptoKeyVersions.destroy": destroy,
    "cloudkms.cryptoKeyVersions.restore": restore,
}
