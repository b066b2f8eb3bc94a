"""Services that every API offers beside its own: operations, allow policies, locations.

Their HTTP rules name no version, and the same method stands on many hosts. Which API is meant follows from the host
through which the call came, else from the name that it asks for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.errors import InvalidArgument, NotFound
from sandbox.grpc.descriptors import Binding, Rpc
from sandbox.grpc.transcoding import SEGMENT

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from sandbox.cloud import Cloud

#: Service, and the field of its requests that names a resource.
MIXINS = {
    "google.longrunning.Operations": "name",
    "google.iam.v1.IAMPolicy": "resource",
    "google.cloud.location.Locations": "name",
}
#: Method to verb and what follows the name in the path.
FORMS = {
    "GetOperation": ("GET", ""),
    "ListOperations": ("GET", "/operations"),
    "CancelOperation": ("POST", ":cancel"),
    "DeleteOperation": ("DELETE", ""),
    "WaitOperation": ("POST", ":wait"),
    "GetIamPolicy": ("", ":getIamPolicy"),
    "SetIamPolicy": ("POST", ":setIamPolicy"),
    "TestIamPermissions": ("POST", ":testIamPermissions"),
    "GetLocation": ("GET", ""),
    "ListLocations": ("GET", "/locations"),
}


def resolve(cloud: Cloud, rpc: Rpc, message: Message, host: str) -> Rpc:
    """The method with the host and the HTTP rule of the API that is meant.

    Args:
        cloud: the sandbox.
        rpc: a method of ``MIXINS``.
        message: its request.
        host: through which it came; empty when unknown.

    Raises:
        InvalidArgument: it names nothing.
        NotFound: no API has what it names.
    """
    field = MIXINS[rpc.service]
    name: str = getattr(message, field)
    if not name:
        raise InvalidArgument(f"The field {field} is required.")
    verb, suffix = FORMS[rpc.name]
    named = cloud.description.service_of_host(host)
    services = [named] if named else list(cloud.description.services)
    found = [
        candidate
        for service in services
        for candidate in rules(cloud, service, rpc, name, verb, suffix)
        if named or exists(cloud, service, rpc, name, candidate)
    ]
    if not found:
        raise NotFound(f"No service has {name}: {rpc.full_name} was not carried out.")
    service, binding = found[0]
    return replace(rpc, host=host if named else cloud.description.services[service], bindings=(binding,))


def rules(cloud: Cloud, service: str, rpc: Rpc, name: str, verb: str, suffix: str) -> list[tuple[str, Binding]]:
    """The HTTP rules by which one service answers a mixin's method for a name."""
    versions = [known.partition(".")[2] for known in cloud.description.sources if known.startswith(f"{service}.")]
    field = MIXINS[rpc.service]
    found = []
    for version in versions:
        for attempt in (verb,) if verb else ("GET", "POST"):
            path = f"{version}/{quote(name, safe=SEGMENT)}{suffix}"
            if cloud.description.match(service, attempt, path):
                body = "*" if attempt == "POST" else ""
                found.append((service, Binding(attempt, f"/{version}/{{{field}=**}}{suffix}", body)))
    return found


def exists(cloud: Cloud, service: str, rpc: Rpc, name: str, candidate: tuple[str, Binding]) -> bool:
    """Whether a service holds what the name says, where no host tells which one is meant."""
    if rpc.service == "google.longrunning.Operations":
        return cloud.store.get(f"{service}.operations", name) is not None
    binding = candidate[1]
    path = binding.path.lstrip("/").replace(f"{{{MIXINS[rpc.service]}=**}}", quote(name, safe=SEGMENT))
    route: Any = cloud.description.match(service, binding.verb, path)
    return cloud.store.get(route.method.kind, cloud.hierarchy.canonical(name)) is not None
