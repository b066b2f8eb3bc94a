"""Functions: names, defaults, and the operation that builds and deploys."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument, NotFound
from sandbox.fields import apply_mask, mask_paths
from sandbox.resources import Resource
from sandbox.services import locations
from sandbox.services.cloudfunctions import archives, deployment, event_triggers, first_generation
from sandbox.services.run import services as run

Document = dict[str, Any]
KIND = "cloudfunctions.functions"
NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
TYPE = "type.googleapis.com/google.cloud.functions.v2"

#: https://docs.cloud.google.com/functions/docs/runtime-support (read 2026-08).
RUNTIME = re.compile(r"python3\d{1,2}")

DEFAULT_INSTANCES = 100
TOKEN_SECONDS = 3600

#: https://docs.cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions (read 2026-08).
SERVICE_DEFAULTS = {
    "availableMemory": "256M",
    "availableCpu": "0.1666",
    "timeoutSeconds": 60,
    "maxInstanceCount": DEFAULT_INSTANCES,
    "maxInstanceRequestConcurrency": 1,
    "ingressSettings": "ALLOW_ALL",
    "allTrafficOnLatestRevision": True,
}


class Function(Resource):
    """A second-generation function."""

    kind = KIND
    package = "google.cloud.functions.v2"
    message = "Function"

    def prepare(self, call: Call, document: Document) -> None:
        """Validate and fill defaults; the build runs in the operation."""
        if not NAME.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument(
                "Function names have at most 63 lower-case letters, digits and hyphens, a letter first."
            )
        document["environment"] = first_generation.GENERATION if old(call) else "GEN_2"
        complete(call, document)
        document["state"] = "DEPLOYING"

    def new_name(self, call: Call) -> str:
        """In the body, for the first generation."""
        return call.cloud.hierarchy.canonical(call.body.get("name", "")) if old(call) else super().new_name(call)

    def accept(self, call: Call) -> Document:
        """In the second generation's shape."""
        accepted: Document = super().accept(call)
        return first_generation.stored(call, accepted) if old(call) else accepted

    def read(self, call: Call) -> Document:
        """The older API knows the first generation alone."""
        document = super().read(call)
        if old(call) and document["environment"] != first_generation.GENERATION:
            raise self.missing(call)
        return document

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """As ``read``."""
        return [d for d in documents if not old(call) or d["environment"] == first_generation.GENERATION]

    def view(self, call: Call, document: Document) -> Document:
        """In the shape of the asked version."""
        return first_generation.shown(document) if old(call) else super().view(call, document)

    def create(self, call: Call) -> Document:
        """Store, then build and deploy in the background."""
        super().create(call)
        return self.deploy(call, self.new_name(call), "CREATE")

    def patch(self, call: Call) -> Document:
        """Store, then build and deploy what the change touches."""
        if old(call):
            before = self.read(call)
            paths = mask_paths(call.query.get("updateMask", "")) or list(call.body)
            body = apply_mask(first_generation.shown(before), call.body, paths)
            kept: Document = {key: before[key] for key in ("environment", "_image", "createTime") if key in before}
            after: Document = {**first_generation.stored(call, {**body, "name": call.name}), **kept}
            after["_version"] = before.get("_version", 1) + 1
            self.save(call, before, after)
        else:
            super().patch(call)
        return self.deploy(call, call.name, "UPDATE")

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Validate as at creation."""
        complete(call, after)
        after["state"] = "DEPLOYING"
        after["_rebuild"] = after.get("buildConfig") != before.get("buildConfig") or before.get("state") != "ACTIVE"

    def answer(self, call: Call, name: str, document: Document) -> Document:
        """Replaced by the operation of ``deploy``."""
        return {}

    def deploy(self, call: Call, name: str, kind: str) -> Document:
        """Start the operation that builds and deploys."""
        operation = self.operation_name(call, name)
        cloud, document = call.cloud, call.cloud.store.get(KIND, name) or {}

        async def work() -> Document:
            deployed = await deployment.deploy(cloud, name, call.principal)
            return {"@type": kind_of(call), **self.view(call, deployed)}

        if old(call):
            older: Document = {
                "@type": f"{first_generation.TYPE}.OperationMetadataV1",
                "target": name,
                "type": f"{kind}_FUNCTION",
                "request": {"@type": kind_of(call), **self.view(call, document)},
                "versionId": str(document.get("_version", 1)),
                "updateTime": cloud.clock.timestamp(),
            }
            return cloud.operations.background("cloudfunctions", operation, work, older)
        metadata = {
            "@type": f"{TYPE}.OperationMetadata",
            "createTime": cloud.clock.timestamp(),
            "target": name,
            "verb": kind.lower(),
            "cancelRequested": False,
            "apiVersion": call.method.version,
            "requestResource": {"@type": kind_of(call), **self.view(call, document)},
            "operationType": f"{kind}_FUNCTION",
        }
        return cloud.operations.background("cloudfunctions", operation, work, metadata)

    def delete(self, call: Call) -> Document:
        """Take its service down, then the function."""
        document = self.read(call)
        event_triggers.remove(call.cloud, document)
        run.remove(call.cloud, deployment.service_name(document))
        call.cloud.store.delete(KIND, call.name)
        return self.operation(call, call.name, {"@type": "type.googleapis.com/google.protobuf.Empty"})

    def operation_name(self, call: Call, name: str) -> str:
        """Operations of the first generation have flat names."""
        return (
            f"operations/{call.cloud.identifiers.hexadecimal('operations', 40)}"
            if old(call)
            else super().operation_name(call, name)
        )

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f"Resource '{call.name}' was not found")


def old(call: Call) -> bool:
    """Whether a call speaks the first generation's API."""
    return call.method.version == "v1"


def kind_of(call: Call) -> str:
    """Type of a function in the asked version."""
    return f"{first_generation.TYPE}.CloudFunction" if old(call) else f"{TYPE}.Function"


async def invoke(call: Call) -> Document:
    """``:call`` of the first generation: one request with the caller's data.

    Raises:
        NotFound: there is no such function.
    """
    document = Function().read(call)
    identifier = call.cloud.identifiers.hexadecimal("executions", 12)
    url = first_generation.shown(document)["httpsTrigger"]["url"]
    token = call.cloud.tokens.identity_token(call.principal, url, TOKEN_SECONDS)
    reply = await call.cloud.agents.request(
        "POST",
        url,
        project=str(call.project),
        token=token,
        content=str(call.body.get("data", "")).encode(),
        headers={"Content-Type": "application/json"},
    )
    told = {"result": reply.text} if reply.is_success else {"error": reply.text}
    return {"executionId": identifier, **told}


def complete(call: Call, document: Document) -> None:
    """Validate the configuration and fill its defaults.

    Raises:
        InvalidArgument: a field is missing or contradicts another.
    """
    build, service = document.setdefault("buildConfig", {}), document.setdefault("serviceConfig", {})
    if not RUNTIME.fullmatch(build.get("runtime", "")):
        raise InvalidArgument(
            f"Invalid runtime {build.get('runtime', '')!r}: the sandbox runs Python functions, as python313."
        )
    if not build.get("entryPoint"):
        raise InvalidArgument("buildConfig.entryPoint is required.")
    if not build.get("source", {}).get("storageSource", {}).get("object"):
        raise InvalidArgument("buildConfig.source.storageSource with bucket and object is required.")
    check_service(service)
    if document.get("kmsKeyName") and not build.get("dockerRepository"):
        raise InvalidArgument(
            "A function with a customer-managed key needs a buildConfig.dockerRepository with the same key."
        )
    project, region = call.project, document["name"].split("/")[3]
    build.setdefault("dockerRepository", f"projects/{project}/locations/{region}/repositories/gcf-artifacts")
    build.setdefault("dockerRegistry", "ARTIFACT_REGISTRY")
    number = call.cloud.hierarchy.project_number(project or "")
    default_account = f"{number}-compute@developer.gserviceaccount.com"
    build.setdefault("serviceAccount", f"projects/{project}/serviceAccounts/{default_account}")
    if not {"onDeployUpdatePolicy", "automaticUpdatePolicy"} & build.keys():
        build["automaticUpdatePolicy"] = {}
    service.setdefault("serviceAccountEmail", default_account)
    for key, value in SERVICE_DEFAULTS.items():
        service.setdefault(key, value)
    event_triggers.complete(document)


def check_service(service: Document) -> None:
    """Refuse fields of a service configuration that contradict each other.

    Raises:
        InvalidArgument: with the fields' names.
    """
    if service.get("vpcConnector") and service.get("directVpcNetworkInterface"):
        raise InvalidArgument("vpcConnector and directVpcNetworkInterface exclude each other.")
    for item in service.get("secretEnvironmentVariables", []):
        if not item.get("key") or not item.get("secret"):
            raise InvalidArgument("A secret environment variable needs a key and a secret.")
        if item["key"] in service.get("environmentVariables", {}):
            raise InvalidArgument(f"Environment variable {item['key']} is set twice, once from a secret.")
    most = int(service.get("maxInstanceCount") or 0) or DEFAULT_INSTANCES
    if int(service.get("minInstanceCount") or 0) > most:
        raise InvalidArgument(f"minInstanceCount must not exceed maxInstanceCount, which is {most}.")


def runtimes(_: Call) -> Document:
    """The runtimes which the sandbox can run."""
    names = ("python311", "python312", "python313", "python314")
    return {
        "runtimes": [
            {"name": name, "displayName": f"Python 3.{name[7:]}", "stage": "GA", "environment": "GEN_2"}
            for name in names
        ]
    }


HANDLERS = {
    **locations.handlers("cloudfunctions", locations.REGIONS, {"@type": f"{TYPE}.LocationMetadata"}),
    "cloudfunctions.functions.call": invoke,
    "cloudfunctions.functions.generateDownloadUrl": archives.download,
    "cloudfunctions.functions.generateUploadUrl": archives.upload,
    "cloudfunctions.runtimes.list": runtimes,
}
