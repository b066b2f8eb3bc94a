"""Secret Manager: secrets and their versions; names are answered with the project's number."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import google_crc32c

from sandbox.call import Call
from sandbox.enforcement.constraints import violated
from sandbox.enforcement.encryption import require_key
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services import locations
from sandbox.services.registry import Service
from sandbox.services.serviceusage.agents import ensure

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

SECRETS = "secretmanager.secrets"
VERSIONS = "secretmanager.versions"
ID = re.compile(r"[a-zA-Z0-9_-]{1,255}")
LARGEST_PAYLOAD = 65536


class Secret(Resource):
    """A secret by name; its values are versions."""

    kind = SECRETS
    input_only = ("ttl",)
    immutable = ("replication",)

    def identifier(self, call: Call) -> str:
        """The id, which must be given."""
        given = call.query.get("secretId", "")
        if not ID.fullmatch(given):
            raise InvalidArgument(
                f"The provided Secret ID [{given}] does not match the expected format [[a-zA-Z_0-9\\-]+]."
            )
        return given

    def prepare(self, call: Call, document: Document) -> None:
        """Replication must be chosen; a time to live becomes a time of expiry."""
        regional = "/locations/" in call.name
        if not regional and not set(document.get("replication", {})) & {"automatic", "userManaged"}:
            raise InvalidArgument("The replication field must be set: choose automatic or userManaged.")
        keys = key_names(document)
        if found := violated(call.cloud, str(call.project), "secretmanager.googleapis.com", place="", keys=keys):
            raise FailedPrecondition(f"Constraint constraints/{found} violated for {document['name']}.")
        set_expiry(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A new time to live counts from now."""
        set_expiry(call, after)

    def read(self, call: Call) -> Document:
        """The secret; an expired one is gone."""
        document = super().read(call)
        expiry = document.get("expireTime")
        if document.get("_expires") and expiry and datetime.fromisoformat(expiry) <= call.cloud.clock.now():
            call.cloud.store.delete(SECRETS, document["name"])
            call.cloud.store.delete_below(document["name"])
            raise self.missing(call)
        return document

    def deleting(self, call: Call, document: Document) -> None:
        """Its versions go with it."""
        call.cloud.store.delete_below(call.name)

    def listing(self, call: Call) -> Document:
        """A page, with the size of the whole."""
        return counted(call, super().listing(call), self)

    def view(self, call: Call, document: Document) -> Document:
        """By project number."""
        return numbered(call.cloud, super().view(call, document))

    def etag(self, digest: str) -> str:
        """Quoted hexadecimal."""
        return f'"{digest[:14]}"'

    def missing(self, call: Call) -> NotFound:
        """Names the secret."""
        return no_secret(call.cloud, secret_name(call.name))

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the secret."""
        return AlreadyExists(f"Secret [{call.cloud.hierarchy.numbered(name)}] already exists.")


class SecretVersion(Resource):
    """One value of a secret."""

    kind = VERSIONS

    def read(self, call: Call) -> Document:
        """The version, by number or alias."""
        return require_version(call)

    def listing(self, call: Call) -> Document:
        """Newest first."""
        if call.cloud.store.get(SECRETS, secret_name(call.name)) is None:
            raise no_secret(call.cloud, secret_name(call.name))
        return counted(call, super().listing(call), self)

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Newest first."""
        del call
        return sorted(documents, key=lambda d: -int(d["name"].rpartition("/")[2]))

    def view(self, call: Call, document: Document) -> Document:
        """By project number."""
        return numbered(call.cloud, super().view(call, document))

    def etag(self, digest: str) -> str:
        """Quoted hexadecimal."""
        return f'"{digest[:14]}"'


def secret_name(name: str) -> str:
    """The secret's part of a name."""
    return name.partition("/versions")[0]


def numbered(cloud: Cloud, document: Document) -> Document:
    """A copy whose name has the project's number."""
    return {**document, "name": cloud.hierarchy.numbered(document["name"])}


def counted(call: Call, answer: Any, resource: Resource) -> Document:
    """A list's answer with the size of the whole, which Google leaves out when there is a filter."""
    size = 0 if call.query.get("filter") else len(resource.found(call))
    return {**answer, "totalSize": size} if size else answer


def set_expiry(call: Call, document: Document) -> None:
    """``ttl`` counts from now; a time of expiry that has passed already is shown and does nothing."""
    if ttl := call.body.get("ttl"):
        moment = call.cloud.clock.now() + timedelta(seconds=float(str(ttl).removesuffix("s")))
        document["expireTime"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    expiry = document.get("expireTime")
    document["_expires"] = bool(expiry) and datetime.fromisoformat(str(expiry)) > call.cloud.clock.now()


def no_secret(cloud: Cloud, name: str) -> NotFound:
    """404 for a secret."""
    return NotFound(f"Secret [{cloud.hierarchy.numbered(name)}] not found.")


def require_version(call: Call) -> Document:
    """The version of the call: by number, ``latest``, or one of the secret's aliases.

    Raises:
        NotFound: there is none.
    """
    cloud, name = call.cloud, secret_name(call.name)
    secret = cloud.store.get(SECRETS, name)
    if secret is None:
        raise NotFound(f"Secret [{cloud.hierarchy.numbered(name)}] not found or has no versions.")
    number = call.name.rpartition("/versions/")[2]
    if number == "latest":
        number = str(secret.get("_versions", 0))
    elif not number.isdigit():
        number = str(secret.get("versionAliases", {}).get(number, number))
    found = cloud.store.get(VERSIONS, f"{name}/versions/{number}")
    if found is None:
        raise NotFound(f"Secret Version [{cloud.hierarchy.numbered(name)}/versions/{number}] not found.")
    due = found.get("scheduledDestroyTime")
    if due and datetime.fromisoformat(due) <= cloud.clock.now():
        return destroyed(call, found)
    return found


def add_version(call: Call) -> Document:
    """``:addVersion``."""
    cloud, payload = call.cloud, call.body.get("payload", {})
    secret = cloud.store.get(SECRETS, call.name)
    if secret is None:
        raise no_secret(cloud, call.name)
    try:
        data = base64.b64decode(payload.get("data", ""), validate=True)
    except binascii.Error:
        raise InvalidArgument("Invalid value at 'payload.data' (TYPE_BYTES): Base64 decoding failed.") from None
    if not data or len(data) > LARGEST_PAYLOAD:
        raise InvalidArgument(f"The payload must have 1 to {LARGEST_PAYLOAD} bytes, it has {len(data)}.")
    checksum = str(google_crc32c.value(data))
    given = payload.get("dataCrc32c")
    if given is not None and str(given) != checksum:
        raise InvalidArgument("The checksum in the request does not match the data that was received.")
    status = replication_status(call, secret)
    secret["_versions"] = secret.get("_versions", 0) + 1
    cloud.store.put(SECRETS, call.name, secret)
    version: Document = {
        "name": f"{call.name}/versions/{secret['_versions']}",
        "createTime": cloud.clock.timestamp(),
        "state": "ENABLED",
        **status,
        "_data": base64.b64encode(data).decode(),
        "_crc32c": checksum,
    }
    if given is not None:
        version["clientSpecifiedPayloadChecksum"] = True
    return keep(call, version)


def replication_status(call: Call, secret: Document) -> Document:
    """How a version is replicated, its keys' versions included; every key must be usable."""
    agent = ensure(call.cloud, "secretmanager", str(call.project))

    def status(holder: Document) -> Document:
        key = holder.get("customerManagedEncryption", {}).get("kmsKeyName")
        if not key:
            return {}
        version = require_key(call.cloud, key, agent)
        return {"customerManagedEncryption": {"kmsKeyVersionName": version}}

    replication = secret.get("replication", {})
    if "userManaged" in replication:
        replicas = [{"location": r["location"], **status(r)} for r in replication["userManaged"].get("replicas", [])]
        return {"replicationStatus": {"userManaged": {"replicas": replicas}}}
    if "automatic" in replication:
        return {"replicationStatus": {"automatic": status(replication["automatic"])}}
    return status(secret)


def key_names(secret: Document) -> list[str]:
    """The keys of all replicas."""
    replication = secret.get("replication", {})
    holders = [*replication.get("userManaged", {}).get("replicas", []), replication.get("automatic", {}), secret]
    found = (holder.get("customerManagedEncryption", {}).get("kmsKeyName") for holder in holders)
    return [name for name in found if name]


def key_versions(version: Document) -> list[str]:
    """All key versions that a version's replicas are encrypted with."""
    status = version.get("replicationStatus", {})
    holders = [*status.get("userManaged", {}).get("replicas", []), status.get("automatic", {}), version]
    found = (holder.get("customerManagedEncryption", {}).get("kmsKeyVersionName") for holder in holders)
    return [name for name in found if name]


def access(call: Call) -> Document:
    """``:access``: the value itself."""
    version = require_version(call)
    refuse_state(call, version, "ENABLED")
    agent = ensure(call.cloud, "secretmanager", str(call.project))
    for key in key_versions(version):
        require_key(call.cloud, key, agent, decrypt=True)
    payload = {"data": version["_data"], "dataCrc32c": version["_crc32c"]}
    return {"name": call.cloud.hierarchy.numbered(version["name"]), "payload": payload}


def refuse_state(call: Call, version: Document, *allowed: str) -> None:
    """400 for a version in another state."""
    if version["state"] not in allowed:
        name = call.cloud.hierarchy.numbered(version["name"])
        raise FailedPrecondition(f"Secret Version [{name}] is in {version['state']} state.")


def keep(call: Call, version: Document) -> Document:
    """Store a version under a new etag and answer with it."""
    resource = SecretVersion()
    version["etag"] = resource.etag(call.cloud.identifiers.hexadecimal("etag", 14))
    call.cloud.store.put(VERSIONS, version["name"], version)
    return resource.view(call, version)


def enable(call: Call) -> Document:
    """``:enable``."""
    return switch(call, "ENABLED")


def disable(call: Call) -> Document:
    """``:disable``."""
    return switch(call, "DISABLED")


def switch(call: Call, state: str) -> Document:
    """Enable or disable a version that still has its value."""
    version = require_version(call)
    SecretVersion().check_etag(call, version)
    refuse_state(call, version, "ENABLED", "DISABLED")
    version["state"] = state
    version.pop("scheduledDestroyTime", None)
    return keep(call, version)


def destroy(call: Call) -> Document:
    """``:destroy``: at once, or after the secret's delay."""
    version = require_version(call)
    SecretVersion().check_etag(call, version)
    refuse_state(call, version, "ENABLED", "DISABLED")
    secret = call.cloud.store.get(SECRETS, secret_name(version["name"])) or {}
    if delay := secret.get("versionDestroyTtl"):
        moment = call.cloud.clock.now() + timedelta(seconds=float(delay.removesuffix("s")))
        version["state"] = "DISABLED"
        version["scheduledDestroyTime"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return keep(call, version)
    return SecretVersion().view(call, destroyed(call, version))


def destroyed(call: Call, version: Document) -> Document:
    """The version without its value."""
    version["state"] = "DESTROYED"
    version["destroyTime"] = version.pop("scheduledDestroyTime", None) or call.cloud.clock.timestamp()
    version.pop("_data", None)
    keep(call, version)
    return version


SERVICE = Service(
    name="secretmanager",
    title="Secret Manager API",
    prefix="google.cloud.secretmanager.v1",
    resources=(Secret, SecretVersion),
    handlers={
        **locations.handlers("secretmanager", locations.REGIONS),
        "secretmanager.secrets.addVersion": add_version,
        "secretmanager.versions.access": access,
        "secretmanager.versions.enable": enable,
        "secretmanager.versions.disable": disable,
        "secretmanager.versions.destroy": destroy,
    },
)
