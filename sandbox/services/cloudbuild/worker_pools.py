"""Private worker pools.

https://docs.cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.workerPools (read 2026-08).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "cloudbuild.workerPools"
TYPE = "type.googleapis.com/google.devtools.cloudbuild.v1"
NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
DEFAULT_MACHINE = {"machineType": "e2-standard-2", "diskSizeGb": "100"}


class WorkerPool(Resource):
    """A pool of build machines in Google's network, with or without a way to the internet."""

    kind = KIND
    package = "google.devtools.cloudbuild.v1"
    message = "WorkerPool"
    immutable = (
        "privatePoolV1Config.networkConfig.peeredNetwork",
        "privatePoolV1Config.networkConfig.peeredNetworkIpRange",
        "privatePoolV1Config.privateServiceConnect",
    )

    def prepare(self, call: Call, document: Document) -> None:
        """Name, machines, network."""
        if not NAME.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument(
                "invalid worker pool id: it must have 1 to 63 lower-case letters, digits and hyphens, a letter first."
            )
        self.complete(call, document)
        document["state"] = "RUNNING"

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Validate as at creation."""
        del before
        self.complete(call, after)

    def complete(self, call: Call, document: Document) -> None:
        """Fill the defaults; what the pool is attached to must exist."""
        config = document.setdefault("privatePoolV1Config", {})
        machine = config.setdefault("workerConfig", {})
        for key, value in DEFAULT_MACHINE.items():
            machine.setdefault(key, value)
        attached = config.get("privateServiceConnect", {})
        network = config.get("networkConfig", {})
        if attached and network.get("peeredNetwork"):
            raise InvalidArgument("network_config.peered_network and private_service_connect exclude each other.")
        if attached:
            require(call, "compute.networkAttachments", attached.get("networkAttachment", ""))
        else:
            network = config.setdefault("networkConfig", {})
            network.setdefault("egressOption", "PUBLIC_EGRESS")
        if peered := network.get("peeredNetwork"):
            require(call, "compute.networks", peered)

    def operation_metadata(self, call: Call, name: str) -> Document:
        """``CreateWorkerPoolOperationMetadata`` and the like."""
        verb = {"create": "Create", "patch": "Update", "delete": "Delete"}[call.method.action]
        now = call.cloud.clock.timestamp()
        times = {"createTime": now, "completeTime": now}
        return {"@type": f"{TYPE}.{verb}WorkerPoolOperationMetadata", "workerPool": name, **times}

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f"worker pool not found: {call.name}")


def require(call: Call, kind: str, reference: str) -> None:
    """Refuse a pool whose network is not there."""
    name = call.cloud.hierarchy.canonical(reference.partition("/compute/v1/")[2] or reference)
    if call.cloud.store.get(kind, name) is None:
        raise FailedPrecondition(f"{reference} was not found, or the caller may not use it.")


def require_pool(cloud: Cloud, name: str) -> Document:
    """The pool that a build asks for.

    Raises:
        NotFound: there is none.
    """
    pool = cloud.store.get(KIND, cloud.hierarchy.canonical(name))
    if pool is None:
        raise NotFound(f"worker pool not found: {name}")
    return pool


def without_internet(pool: Document) -> bool:
    """Whether the pool's machines cannot reach the internet."""
    config = pool.get("privatePoolV1Config", {})
    attached = config.get("privateServiceConnect", {})
    closed = config.get("networkConfig", {}).get("egressOption") == "NO_PUBLIC_EGRESS"
    return bool(closed or attached.get("publicIpAddressDisabled"))
