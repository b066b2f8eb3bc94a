"""Artifact Registry: repositories, and a project's settings.

Defaults as recorded answers show them; messages of scanning as in those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.constraints import violated
from sandbox.enforcement.encryption import require_key
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.fields import mask_paths
from sandbox.resources import Resource
from sandbox.services import locations
from sandbox.services.registry import Service
from sandbox.services.serviceusage import agents

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

PACKAGE = "google.devtools.artifactregistry.v1"
SCANNED = {"STANDARD_REPOSITORY", "REMOTE_REPOSITORY"}
SETTINGS = "artifactregistry.settings"


class Repository(Resource):
    """A repository of one format in one location."""

    kind = "artifactregistry.repositories"
    package = PACKAGE
    message = "Repository"
    immutable = ("format", "kmsKeyName", "mode")

    def identifier(self, call: Call) -> str:
        """From either spelling of the parameter.

        Raises:
            InvalidArgument: it is missing.
        """
        name = call.query.get("repositoryId") or call.query.get("repository_id") or ""
        if not name:
            raise InvalidArgument("repository_id is required")
        return name

    def prepare(self, call: Call, document: Document) -> None:
        """Format, mode, the customer's key, scanning."""
        if document.get("format", "FORMAT_UNSPECIFIED") == "FORMAT_UNSPECIFIED":
            raise InvalidArgument("repository format must be specified")
        mode = document.setdefault("mode", "STANDARD_REPOSITORY")
        agent = agents.ensure(call.cloud, "artifactregistry", call.project or "")
        keys = [document["kmsKeyName"]] if document.get("kmsKeyName") else []
        place, host = call.segment("locations"), "artifactregistry.googleapis.com"
        if constraint := violated(call.cloud, str(call.project), host, place=place, keys=keys):
            raise FailedPrecondition(f"Constraint constraints/{constraint} violated for {document['name']}.")
        for key in keys:
            require_key(call.cloud, key, agent)
        own = {"VIRTUAL_REPOSITORY": "virtualRepositoryConfig", "REMOTE_REPOSITORY": "remoteRepositoryConfig"}
        for kind, field in own.items():
            if field in document and mode != kind:
                raise InvalidArgument(f"{field} may only be set on a repository of mode {kind}")
        for policy in document.get("virtualRepositoryConfig", {}).get("upstreamPolicies", []):
            upstream = call.cloud.hierarchy.canonical(policy.get("repository", ""))
            if call.cloud.store.get(self.kind, upstream) is None:
                raise InvalidArgument(f"upstream repository {policy.get('repository', '')!r} does not exist")
        document["satisfiesPzi"] = True
        self.scan(call, document)

    @staticmethod
    def scan(call: Call, document: Document) -> None:
        """Whether images are scanned, and why not."""
        config = document.setdefault("vulnerabilityScanningConfig", {})
        config.setdefault("lastEnableTime", call.cloud.clock.timestamp())
        host = "containerscanning.googleapis.com"
        if document["mode"] not in SCANNED:
            state, why = "SCANNING_UNSUPPORTED", f"Repository mode {document['mode']} is not supported."
        elif config.get("enablementConfig") == "DISABLED":
            state, why = "SCANNING_DISABLED", "Scanning is disabled in the repository's settings."
        elif not call.cloud.service_enabled(call.project or "", host):
            state, why = "SCANNING_DISABLED", f"API {host} is not enabled."
        else:
            state, why = "SCANNING_ACTIVE", ""
        config |= {"enablementState": state, "enablementStateReason": why}
        if not why:
            del config["enablementStateReason"]

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Scanning follows its new settings."""
        del before
        self.scan(call, after)

    def view(self, call: Call, document: Document) -> Document:
        """With the address that clients push to."""
        parts = document["name"].split("/")
        project, location, name = parts[1], parts[3], parts[5]
        domain = f"{location}-{document['format'].lower()}.pkg.dev"
        return super().view(call, {**document, "registryUri": f"{domain}/{project.replace(':', '/')}/{name}"})

    def missing(self, call: Call) -> NotFound:
        """Does not name what is missing."""
        del call
        return NotFound("Requested entity was not found.")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Does not name what is there."""
        del call, name
        return AlreadyExists("the repository already exists")

    def deleting(self, call: Call, document: Document) -> None:
        """A repository that a virtual one reads from stays."""
        for other in call.cloud.store.documents(self.kind):
            for policy in other.get("virtualRepositoryConfig", {}).get("upstreamPolicies", []):
                if call.cloud.hierarchy.canonical(policy.get("repository", "")) == call.name:
                    raise FailedPrecondition(f"repository is an upstream of {other['name']}: remove it there first")
        call.cloud.store.delete_below(call.name)

    def operation_metadata(self, call: Call, name: str) -> Document:
        """An empty message."""
        del call, name
        return {"@type": f"type.googleapis.com/{PACKAGE}.OperationMetadata"}


def setting(call: Call, defaults: Document) -> Document:
    """A settings document that exists for every project or location."""
    return {**defaults, **(call.cloud.store.get(SETTINGS, call.name) or {}), "name": call.name}


def change_setting(call: Call, defaults: Document) -> Document:
    """Change a settings document."""
    current = setting(call, defaults)
    paths = mask_paths(call.query.get("updateMask", "")) or list(call.body)
    current |= {path: call.body[path] for path in paths if path in call.body and path != "name"}
    call.cloud.store.put(SETTINGS, call.name, current)
    return current


PROJECT_DEFAULTS: Document = {"legacyRedirectionState": "REDIRECTION_FROM_GCR_IO_DISABLED"}
PERIMETER_DEFAULTS: Document = {"vpcscPolicy": "DENY"}

#: https://docs.cloud.google.com/artifact-registry/docs/repositories/repo-locations (read 2026-08).
MULTI_REGIONS = {"asia": "Asia", "europe": "Europe", "us": "United States"}

SERVICE = Service(
    name="artifactregistry",
    title="Artifact Registry API",
    prefix=PACKAGE,
    resources=(Repository,),
    handlers={
        **locations.handlers("artifactregistry", {**locations.REGIONS, **MULTI_REGIONS}),
        "artifactregistry.projects.getProjectSettings": lambda call: setting(call, PROJECT_DEFAULTS),
        "artifactregistry.projects.updateProjectSettings": lambda call: change_setting(call, PROJECT_DEFAULTS),
        "artifactregistry.locations.getVpcscConfig": lambda call: setting(call, PERIMETER_DEFAULTS),
        "artifactregistry.locations.updateVpcscConfig": lambda call: change_setting(call, PERIMETER_DEFAULTS),
    },
)
