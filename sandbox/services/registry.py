"""Finds the code that answers a method: a service's own handler, its resource class, or the generic behaviour."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sandbox.call import Call, Principal, Reply
from sandbox.description import Method
from sandbox.errors import ApiError, NotEmulated, NotFound
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Answer = dict[str, Any] | Reply | None
Handler = Callable[[Call], Answer | Awaitable[Answer]]
Target = Callable[[Call], tuple[str, str]]
Consumer = Callable[[Call], str | None]
#: ``enforced``: code of its own, or shared by all; ``generic``: stored and validated as described; ``501``: refused.
Backing = Literal["enforced", "generic", "501"]

GENERIC = {
    "create": "create",
    "insert": "create",
    "get": "get",
    "list": "listing",
    "patch": "patch",
    "update": "update",
    "delete": "delete",
}


@dataclass(frozen=True)
class Service:
    """What one service adds to the generic behaviour.

    Attributes:
        name: the API's name, as ``cloudkms``.
        title: as in Google's messages: "Cloud Key Management Service (KMS) API".
        resources: resource classes, one for each kind that differs.
        handlers: by short method id, ``cloudkms.cryptoKeys.encrypt``.
        targets: by short method id or kind: whose policy governs the call, when the name does not tell.
        consumer: the project whose API enablement and perimeter count, when the name does not tell.
        public: calls that need no credential; whether they may is left to the permission check.
        bearer: whose call it is when the address itself is the credential, as with an upload session.
        denied: the refusal of a permission, in the service's own words.
        envelope: the JSON body of a failure, where it is not the usual one.
        tick: what the passing of time does; called when the clock was moved.
        resume: takes up again what the end of the process interrupted; called on the event loop at the start.
        audited: told of every audit log entry as it is written.
        refused: short method ids that generic behaviour would answer wrongly: 501.
        prefix: proto package for operations of kinds that have no class of their own.
    """

    name: str
    title: str
    resources: tuple[type[Resource], ...] = ()
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    consumer: Consumer | None = None
    public: Callable[[Call], bool] | None = None
    bearer: Callable[[Call], Principal | None] | None = None
    denied: Callable[[Principal, str, str], ApiError] | None = None
    envelope: Callable[[ApiError], dict[str, Any]] | None = None
    tick: Callable[[Cloud], None] | None = None
    resume: Callable[[Cloud], None] | None = None
    audited: Callable[[Cloud, dict[str, Any]], None] | None = None
    refused: frozenset[str] = frozenset()
    prefix: str = ""


class Services:
    """All services of a sandbox."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = {service.name: service for service in services}
        self._resources = {cls.kind: cls() for service in self._services.values() for cls in service.resources}
        self._handlers = {key: value for service in self._services.values() for key, value in service.handlers.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._services

    def names(self) -> list[str]:
        """Covered services."""
        return sorted(self._services)

    def title(self, name: str) -> str:
        """The API's title."""
        return self._services[name].title if name in self._services else f"{name} API"

    def resource(self, kind: str) -> Resource:
        """The class that answers for a kind; the generic one for a covered service's other kinds."""
        if kind not in self._resources:
            service = self._services[kind.partition(".")[0]]
            generic = type("Generic", (Resource,), {"kind": kind, "package": service.prefix})
            self._resources[kind] = generic()
        return self._resources[kind]

    def handler(self, method: Method) -> Handler:
        """The code that answers a method.

        Raises:
            NotEmulated: no code does.
        """
        if handler := self._handlers.get(method.short):
            return handler
        covered = self._services.get(method.service)
        if covered and method.short not in covered.refused:
            if method.action in POLICY_ACTIONS:
                return POLICY_ACTIONS[method.action]
            if method.kind.endswith(".operations") and method.action in OPERATION_ACTIONS:
                return OPERATION_ACTIONS[method.action]
            if method.collection and not method.custom and method.action in GENERIC:
                resource = self.resource(method.kind)
                answer: Handler = getattr(resource, GENERIC[method.action])
                return answer
        raise NotEmulated(
            f"The sandbox does not emulate {method.id} ({method.version}). The call was not carried out; "
            "GET /_sandbox/status lists such calls."
        )

    def backing(self, method: Method) -> Backing:
        """How far the sandbox knows a method."""
        try:
            self.handler(method)
        except NotEmulated:
            return "501"
        own = method.short in self._handlers or method.action in POLICY_ACTIONS
        if own or method.kind.endswith(".operations") or type(self.resource(method.kind)).__name__ != "Generic":
            return "enforced"
        return "generic"

    def policy_target(self, call: Call) -> tuple[str, str]:
        """Service and resource whose policy governs a call."""
        service = self._services.get(call.method.service)
        if service:
            target = service.targets.get(call.method.short) or service.targets.get(call.method.kind)
            if target:
                return target(call)
        return call.method.service, call.name

    def consumer(self, call: Call) -> str | None:
        """The project that a call is about."""
        service = self._services.get(call.method.service)
        return service.consumer(call) if service and service.consumer else call.project

    def bearer(self, call: Call) -> Principal | None:
        """Whose call it is, by its address alone."""
        service = self._services.get(call.method.service)
        return service.bearer(call) if service and service.bearer else None

    def denied(self, service: str, principal: Principal, needed: str, name: str) -> ApiError | None:
        """A service's own refusal of a permission; None for the usual one."""
        found = self._services.get(service)
        return found.denied(principal, needed, name) if found and found.denied else None

    def envelope(self, service: str, error: ApiError) -> dict[str, Any]:
        """The JSON body of a failed call of a service."""
        found = self._services.get(service)
        return found.envelope(error) if found and found.envelope else error.envelope()

    def tick(self, cloud: Cloud) -> None:
        """Let every service do what is due by now."""
        for service in self._services.values():
            if service.tick:
                service.tick(cloud)

    def audited(self, cloud: Cloud, entry: dict[str, Any]) -> None:
        """Tell every service that waits for audit log entries."""
        for service in self._services.values():
            if service.audited:
                service.audited(cloud, entry)

    def resume(self, cloud: Cloud) -> None:
        """Let every service take up its work."""
        for service in self._services.values():
            if service.resume:
                service.resume(cloud)

    def public(self, call: Call) -> bool:
        """Whether a call may come without a credential."""
        service = self._services.get(call.method.service)
        return bool(service and service.public and service.public(call))


def full_name(call: Call) -> str:
    """The name under which a resource's policy is kept."""
    service, name = call.cloud.services.policy_target(call)
    return f"//{service}.googleapis.com/{name}"


def get_policy(call: Call) -> Answer:
    """``:getIamPolicy`` of any resource."""
    require_resource(call)
    return call.cloud.policies.get(full_name(call))


def set_policy(call: Call) -> Answer:
    """``:setIamPolicy`` of any resource."""
    require_resource(call)
    mask = call.body.get("updateMask")
    return call.cloud.policies.replace(
        full_name(call), call.body.get("policy", {}), mask.split(",") if isinstance(mask, str) else None
    )


def test_permissions(call: Call) -> Answer:
    """``:testIamPermissions``: those of the asked permissions that the caller holds."""
    service, name = call.cloud.services.policy_target(call)
    asked = call.body.get("permissions", [])
    held = [p for p in asked if call.cloud.permissions.grant(call.principal, p, service, name)]
    return {"permissions": held} if held else {}


def require_resource(call: Call) -> None:
    """404 for the policy of a resource that is not there."""
    if call.cloud.store.get(call.method.kind, call.name) is None:
        raise call.cloud.services.resource(call.method.kind).missing(call)


def get_operation(call: Call) -> Answer:
    """Any service's operation by name."""
    operation = call.cloud.operations.collect(call.method.service, call.name)
    if operation is None:
        raise NotFound(f"Operation not found: {call.name}")
    return operation


def list_operations(call: Call) -> Answer:
    """All operations below a parent."""
    parent = re.sub(r"/operations$", "", call.name)
    found = [
        operation
        for name, operation in call.cloud.store.items(f"{call.method.service}.operations")
        if name.startswith(f"{parent}/")
    ]
    return {"operations": found} if found else {}


POLICY_ACTIONS: dict[str, Handler] = {
    "getIamPolicy": get_policy,
    "setIamPolicy": set_policy,
    "testIamPermissions": test_permissions,
}
OPERATION_ACTIONS: dict[str, Handler] = {"get": get_operation, "wait": get_operation, "list": list_operations}
