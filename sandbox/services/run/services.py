"""Cloud Run services: defaults, URLs, revisions, conditions."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from sandbox.call import Call
from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.hierarchy import ACCOUNTS
from sandbox.resources import Resource
from sandbox.runtime.instances import HOSTS, SERVICES
from sandbox.services.binaryauthorization import require_admitted

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]
NAME = re.compile(r"[a-z]([a-z0-9-]{0,47}[a-z0-9])?")
REVISIONS = "run.revisions"
READY = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}


class RunService(Resource):
    """A service."""

    kind = SERVICES
    package = "google.cloud.run.v2"
    message = "Service"

    def read(self, call: Call) -> Document:
        """Functions of the first generation do not run here, as far as anybody can see."""
        document = super().read(call)
        if document.get("_firstGeneration"):
            raise self.missing(call)
        return document

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """As ``read``."""
        return [document for document in documents if not document.get("_firstGeneration")]

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults and the first revision."""
        if not NAME.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument(
                "Service names have at most 49 lower-case letters, digits and hyphens, a letter first."
            )
        document["creator"] = document["lastModifier"] = call.principal.email
        document["generation"] = "0"
        document["uid"] = call.cloud.identifiers.uuid("uid")
        complete(call.cloud, document)
        new_revision(call.cloud, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """A changed template makes a new revision."""
        after["lastModifier"] = call.principal.email
        complete(call.cloud, after)
        new_revision(call.cloud, after)

    def patch(self, call: Call) -> Any:
        """Without a mask a patch replaces all that the caller may write."""
        if call.query.get("updateMask"):
            return super().patch(call)
        return self.update(call)

    def created(self, call: Call, document: Document) -> None:
        """Its hosts lead to it."""
        register_hosts(call.cloud, document)

    def delete(self, call: Call) -> Document:
        """Answers with the service; its instances end."""
        document = self.read(call)
        self.check_etag(call, document)
        shown = {"@type": f"type.googleapis.com/{self.package}.Service", **self.view(call, document)}
        operation = self.operation(call, call.name, shown)
        remove(call.cloud, call.name)
        return operation

    def operation_metadata(self, call: Call, name: str) -> Document:
        """The metadata is the service itself."""
        document = call.cloud.store.get(SERVICES, name) or {}
        shown = {key: value for key, value in document.items() if key != "uid"}
        return {"@type": f"type.googleapis.com/{self.package}.Service", **self.view(call, shown)}

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f'service "{call.name}" not found')


def complete(cloud: Cloud, document: Document) -> None:
    """Fill the defaults of a service.

    Source: recorded answers of Cloud Run v2 (2024-04, 2025-01).

    Raises:
        FailedPrecondition: the service account does not exist.
    """
    project = document["name"].split("/")[1]
    template = document.setdefault("template", {})
    number = cloud.hierarchy.project_number(project)
    template.setdefault("serviceAccount", f"{number}-compute@developer.gserviceaccount.com")
    template.setdefault("timeout", "300s")
    template.setdefault("maxInstanceRequestConcurrency", 80)
    template.setdefault("executionEnvironment", "EXECUTION_ENVIRONMENT_GEN2")
    template.setdefault("scaling", {}).setdefault("maxInstanceCount", 100)
    limit(template)
    document.setdefault("ingress", "INGRESS_TRAFFIC_ALL")
    document.setdefault("launchStage", "GA")
    document.setdefault("traffic", [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}])
    require_account(cloud, template["serviceAccount"], project)


def limit(template: Document) -> None:
    """What a container gets that asks for nothing."""
    for container in template.setdefault("containers", [{}]):
        limits = container.setdefault("resources", {}).setdefault("limits", {})
        limits.setdefault("cpu", "1000m")
        limits.setdefault("memory", "512Mi")


def require_account(cloud: Cloud, account: str, project: str) -> None:
    """The identity of what is deployed must exist.

    Raises:
        FailedPrecondition: it does not.
    """
    if cloud.store.get(ACCOUNTS, f"projects/{account_project(account, project)}/serviceAccounts/{account}") is None:
        raise FailedPrecondition(f"Service account {account} does not exist.")


def account_project(email: str, fallback: str) -> str:
    """The project in a service account's address."""
    found = re.search(r"@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com$", email)
    return found[1] if found else fallback


def new_revision(cloud: Cloud, document: Document) -> None:
    """Count up the generation and name the revision that serves it.

    Raises:
        FailedPrecondition: the project's policy of Binary Authorization refuses the image.
    """
    require_admitted(cloud, document)
    generation = int(document.get("generation", "0")) + 1
    document["generation"] = document["observedGeneration"] = str(generation)
    name = document["name"]
    suffix = cloud.identifiers.hexadecimal("revisions", 3)
    revision = f"{name}/revisions/{name.rpartition('/')[2]}-{generation:05d}-{suffix}"
    now = cloud.clock.timestamp()
    condition = {**READY, "lastTransitionTime": now}
    cloud.store.put(
        REVISIONS, revision, {"name": revision, "createTime": now, **document["template"], "conditions": [condition]}
    )
    project, region, label = name.split("/")[1], name.split("/")[3], name.rpartition("/")[2]
    number = cloud.hierarchy.project_number(project)
    digest = hashlib.sha256(f"{project}/{region}".encode()).hexdigest()[:10]
    urls = [f"https://{label}-{number}.{region}.run.app", f"https://{label}-{digest}-{short(region)}.a.run.app"]
    document |= {
        "latestReadyRevision": revision,
        "latestCreatedRevision": revision,
        "urls": urls,
        "uri": urls[1],
        "terminalCondition": condition,
        "conditions": [
            {"type": "RoutesReady", "state": "CONDITION_SUCCEEDED", "lastTransitionTime": now},
            {"type": "ConfigurationsReady", "state": "CONDITION_SUCCEEDED", "lastTransitionTime": now},
        ],
        "trafficStatuses": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
    }


def short(region: str) -> str:
    """A region's two-letter code in service URLs, as ``uc`` for us-central1."""
    area, _, place = region.partition("-")
    return f"{area[0]}{place[:1] or 'x'}"


def register_hosts(cloud: Cloud, document: Document) -> None:
    """Let the service's host names lead to it."""
    for url in document["urls"]:
        cloud.store.put(HOSTS, url.removeprefix("https://"), {"service": document["name"]})


def remove(cloud: Cloud, name: str) -> None:
    """Delete a service, its revisions, hosts, policy and instances."""
    document = cloud.store.get(SERVICES, name)
    if document is None:
        return
    for url in document["urls"]:
        cloud.store.delete(HOSTS, url.removeprefix("https://"))
    cloud.store.delete(SERVICES, name)
    cloud.store.delete("iam.policies", f"//run.googleapis.com/{name}")
    cloud.store.delete_below(name)
    cloud.instances.stop_later(name)
