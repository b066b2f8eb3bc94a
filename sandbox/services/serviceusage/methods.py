"""Methods of Service Usage."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.hierarchy import AGENTS
from sandbox.paging import page
from sandbox.services.compute import default_network
from sandbox.services.serviceusage import agents
from sandbox.services.serviceusage.catalogue import require_known, titles
from sandbox.services.serviceusage.enablement import KIND, dependents, disable, enable

Document = dict[str, Any]

BATCH_LIMIT = 20
READ_LIMIT = 30
PACKAGE = "google.api.serviceusage.v1"


def shape(call: Call, host: str, *, enabled: bool) -> Document:
    """A service as its project sees it."""
    number = call.cloud.hierarchy.project_number(call.project or "")
    return {
        "name": f"projects/{number}/services/{host}",
        "config": {
            "name": host,
            "title": titles().get(host) or call.cloud.services.title(host.removesuffix(".googleapis.com")),
        },
        "state": "ENABLED" if enabled else "DISABLED",
        "parent": f"projects/{number}",
    }


def finish(call: Call, message: str, response: Document) -> Document:
    """A finished operation."""
    number = call.cloud.hierarchy.project_number(call.project or "")
    make = call.cloud.identifiers.uuid
    slot = call.cloud.operations.slots.claim(
        "serviceusage", call.name, lambda: f"acat.p2-{number}-{make('operations')}"
    )
    return call.cloud.operations.finished(
        "serviceusage", f"operations/{slot}", {"@type": f"type.googleapis.com/{PACKAGE}.{message}", **response}
    )


def enable_one(call: Call) -> Document:
    """Enable an API."""
    host = call.segment("services")
    require_known(host)
    enable(call.cloud, call.project or "", [host])
    default_network.appear(call, call.project or "")
    return finish(call, "EnableServiceResponse", {"service": shape(call, host, enabled=True)})


def enable_batch(call: Call) -> Document:
    """Enable up to 20 APIs at once."""
    hosts = call.body.get("serviceIds", [])
    if not 0 < len(hosts) <= BATCH_LIMIT:
        raise InvalidArgument(f"A batch enables 1 to {BATCH_LIMIT} services, not {len(hosts)}.")
    require_known(*hosts)
    enable(call.cloud, call.project or "", hosts)
    default_network.appear(call, call.project or "")
    return finish(
        call, "BatchEnableServicesResponse", {"services": [shape(call, host, enabled=True) for host in hosts]}
    )


def disable_one(call: Call) -> Document:
    """Disable an API, and on demand those that need it.

    Raises:
        FailedPrecondition: it is not enabled, or another needs it.
    """
    host = call.segment("services")
    require_known(host)
    project = call.project or ""
    if not call.cloud.service_enabled(project, host):
        raise FailedPrecondition(f"Service {host} is not enabled for project {project}, so it cannot be disabled.")
    others = dependents(call.cloud, project, host)
    if others and not call.body.get("disableDependentServices"):
        raise FailedPrecondition(
            f"The service {host} is depended on by the following active service(s): {','.join(others)}; Please specify "
            "disable_dependent_services=true if you want to proceed with disabling all services."
        )
    for one in (*others, host):
        disable(call.cloud, project, one)
    return finish(call, "DisableServiceResponse", {"service": shape(call, host, enabled=False)})


def get(call: Call) -> Document:
    """One API and whether it is enabled."""
    host = call.segment("services")
    require_known(host)
    return shape(call, host, enabled=call.cloud.service_enabled(call.project or "", host))


def listing(call: Call) -> Document:
    """The project's APIs, and without ``state:ENABLED`` those besides that have a title."""
    enabled = {document["name"] for document in call.cloud.store.documents(KIND, f"projects/{call.project}/services")}
    wanted = call.query.get("filter", "")
    names = set() if "DISABLED" in wanted else set(enabled)
    if "ENABLED" not in wanted.replace("DISABLED", ""):
        names |= titles().keys() - enabled
    shown, following = page(sorted(names), call.query, default=50)
    answer: Document = {"services": [shape(call, host, enabled=host in enabled) for host in shown]} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def get_batch(call: Call) -> Document:
    """Up to 30 APIs and whether they are enabled.

    Raises:
        InvalidArgument: too many, or one of another project.
    """
    names = parse_qs(urlsplit(call.url).query).get("names", [])
    if not 0 < len(names) <= READ_LIMIT:
        raise InvalidArgument(f"A batch reads 1 to {READ_LIMIT} services, not {len(names)}.")
    found = []
    for name in names:
        place, _, host = call.cloud.hierarchy.canonical(name).rpartition("/services/")
        if place != f"projects/{call.project}":
            raise InvalidArgument(f"Invalid name {name!r}: it must lie below projects/{call.project}.")
        found.append(shape(call, host, enabled=call.cloud.service_enabled(call.project or "", host)))
    return {"services": found}


def identity(call: Call) -> Document:
    """Create a service's agent. Storage and Logging answer without an address, as in reality."""
    label = call.segment("services").removesuffix(".googleapis.com")
    package = "type.googleapis.com/google.api.serviceusage.v1beta1.ServiceIdentity"
    name = f"operations/finished.DONE_OPERATION.{call.cloud.identifiers.uuid('operations')}"
    response: Document = {"@type": package}
    if label not in agents.WITHOUT_IDENTITY:
        email = agents.ensure(call.cloud, label, call.project or "")
        stored = call.cloud.store.get(AGENTS, email) or {}
        response |= {"email": email, "uniqueId": stored.get("uniqueId", "")}
    return call.cloud.operations.finished("serviceusage", name, response)


HANDLERS = {
    "serviceusage.services.enable": enable_one,
    "serviceusage.services.batchEnable": enable_batch,
    "serviceusage.services.disable": disable_one,
    "serviceusage.services.batchGet": get_batch,
    "serviceusage.services.get": get,
    "serviceusage.services.list": listing,
    "serviceusage.services.generateServiceIdentity": identity,
}
