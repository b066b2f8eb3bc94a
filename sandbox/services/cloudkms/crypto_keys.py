"""Keys: purpose, version template, rotation, the primary version."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.services.cloudkms import versions
from sandbox.services.cloudkms.names import Entity, not_found, seconds

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "cloudkms.cryptoKeys"

#: https://docs.cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys (read 2026-08)
DESTROY_SCHEDULED = "2592000s"
SHORTEST_ROTATION = 86400.0
SHORTEST_DESTROY, LONGEST_DESTROY = 0.0, 120 * 86400.0
DEFAULT_ALGORITHMS = {
    "ENCRYPT_DECRYPT": "GOOGLE_SYMMETRIC_ENCRYPTION",
    "RAW_ENCRYPT_DECRYPT": "AES_256_GCM",
    "MAC": "HMAC_SHA256",
}
PREFIXES = {
    "ENCRYPT_DECRYPT": ("GOOGLE_SYMMETRIC_ENCRYPTION", "EXTERNAL_SYMMETRIC_ENCRYPTION"),
    "RAW_ENCRYPT_DECRYPT": ("AES_",),
    "ASYMMETRIC_SIGN": ("RSA_SIGN_", "EC_SIGN_", "PQ_SIGN_"),
    "ASYMMETRIC_DECRYPT": ("RSA_DECRYPT_",),
    "MAC": ("HMAC_",),
    "KEY_ENCAPSULATION": ("ML_KEM_", "KEM_"),
}


class CryptoKey(Entity):
    """A key with its versions."""

    kind = KIND
    message = "CryptoKey"
    immutable = ("purpose", "destroyScheduledDuration", "importOnly", "cryptoKeyBackend")

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults of purpose, algorithm, protection and destruction."""
        purpose = document.get("purpose", "")
        if purpose not in PREFIXES:
            raise InvalidArgument(f"CryptoKey.purpose {purpose or 'CRYPTO_KEY_PURPOSE_UNSPECIFIED'} is not valid.")
        template = document.setdefault("versionTemplate", {})
        template.setdefault("protectionLevel", "SOFTWARE")
        algorithm = template.setdefault("algorithm", DEFAULT_ALGORITHMS.get(purpose, ""))
        if not algorithm.startswith(PREFIXES[purpose]):
            raise InvalidArgument(f"Algorithm {algorithm!r} cannot be used with purpose {purpose}.")
        document.setdefault("destroyScheduledDuration", DESTROY_SCHEDULED)
        if not SHORTEST_DESTROY <= seconds(document["destroyScheduledDuration"]) <= LONGEST_DESTROY:
            raise InvalidArgument("CryptoKey.destroy_scheduled_duration must be at most 120 days.")
        check_rotation(document)
        schedule(call.cloud, document)

    def created(self, call: Call, document: Document) -> None:
        """The first version, which is the primary one of a symmetric key."""
        if call.query.get("skipInitialVersionCreation") == "true" or document.get("importOnly"):
            return
        version = versions.add(call.cloud, document)
        if document["purpose"] == "ENCRYPT_DECRYPT":
            document["_primary"] = version["name"]
        call.cloud.store.put(KIND, document["name"], document)

    def read(self, call: Call) -> Document:
        """The key as it stands now: due rotations are done first."""
        return rotate(call.cloud, super().read(call))

    def listing(self, call: Call) -> Document:
        """All keys of a ring."""
        for document in call.cloud.store.documents(KIND, call.name):
            rotate(call.cloud, document)
        return super().listing(call)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A version template keeps its protection level; rotation must make sense."""
        level = before["versionTemplate"]["protectionLevel"]
        if after["versionTemplate"].setdefault("protectionLevel", level) != level:
            raise InvalidArgument("CryptoKey.version_template.protection_level is immutable.")
        check_rotation(after)
        if after.get("nextRotationTime") != before.get("nextRotationTime"):
            schedule(call.cloud, after)

    def deleting(self, call: Call, document: Document) -> None:
        """Only a key whose versions are all destroyed can go."""
        for version in call.cloud.store.documents(versions.KIND, f"{document['name']}/cryptoKeyVersions"):
            if versions.settle(call.cloud, version)["state"] != "DESTROYED":
                raise FailedPrecondition(f"{version['name']} is not destroyed.")
        call.cloud.store.delete_below(document["name"])

    def view(self, call: Call, document: Document) -> Document:
        """With a copy of the primary version, which lags behind in the answer to an update (recorded, 2026-08)."""
        shown = super().view(call, document)
        primary = call.cloud.store.get(versions.KIND, document.get("_primary", ""))
        if primary:
            settled = versions.settle(call.cloud, primary)
            updated = call.method.action == "patch"
            shown["primary"] = versions.public(versions.remembered(call.cloud, settled) if updated else settled)
        return shown


def check_rotation(document: Document) -> None:
    """Only symmetric keys rotate, not more often than daily; zero means never."""
    period = document.get("rotationPeriod")
    if not period or not seconds(period):
        return
    if document["purpose"] != "ENCRYPT_DECRYPT":
        raise InvalidArgument("CryptoKey.rotation_period can only be set on keys with purpose ENCRYPT_DECRYPT.")
    if seconds(period) < SHORTEST_ROTATION:
        raise InvalidArgument("CryptoKey.rotation_period must be at least 24 hours.")


def schedule(cloud: Cloud, document: Document) -> None:
    """Remember when to rotate; a time that has passed already is shown and does nothing."""
    due = document.get("nextRotationTime")
    document["_rotates"] = due is not None and datetime.fromisoformat(due) > cloud.clock.now()


def rotate(cloud: Cloud, document: Document) -> Document:
    """Do every automatic rotation whose time has come."""
    due = document.get("nextRotationTime")
    if not due or not document.get("_rotates") or not document.get("_primary"):
        return document
    moment, now = datetime.fromisoformat(due), cloud.clock.now()
    if moment > now:
        return document
    period = seconds(document.get("rotationPeriod", "0s"))
    version = versions.add(cloud, document)
    document["_primary"] = version["name"]
    if period:
        missed = int((now - moment).total_seconds() // period)
        moment += timedelta(seconds=period * (missed + 1))
        document["nextRotationTime"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    else:
        document.pop("nextRotationTime")
    cloud.store.put(KIND, document["name"], document)
    return document


def tick(cloud: Cloud) -> None:
    """Rotate and destroy whatever is due, so that services which use a key see it as it is."""
    for document in cloud.store.documents(KIND):
        rotate(cloud, document)
    for version in cloud.store.documents(versions.KIND):
        versions.settle(cloud, version)


def require(cloud: Cloud, name: str) -> Document:
    """The key of that name.

    Raises:
        NotFound: there is none.
    """
    document = cloud.store.get(KIND, name)
    if document is None:
        raise not_found(name)
    return rotate(cloud, document)


def update_primary(call: Call) -> Document:
    """``:updatePrimaryVersion``."""
    document = require(call.cloud, call.name)
    if document["purpose"] != "ENCRYPT_DECRYPT":
        raise InvalidArgument(f"{call.name} has purpose {document['purpose']}, which has no primary version.")
    name = f"{call.name}/cryptoKeyVersions/{call.body.get('cryptoKeyVersionId', '')}"
    version = versions.require(call.cloud, name)
    versions.refuse_unusable(version)
    document["_primary"] = name
    call.cloud.store.put(KIND, call.name, document)
    return CryptoKey().view(call, document)


HANDLERS = {"cloudkms.cryptoKeys.updatePrimaryVersion": update_primary}
