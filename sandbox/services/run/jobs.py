"""Cloud Run jobs: kept with the service's defaults, never run.

Source: https://docs.cloud.google.com/run/docs/reference/rest/v2/projects.locations.jobs (read 2026-11).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.run.services import READY, limit, require_account

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]
KIND = "run.jobs"
NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
TYPE = "type.googleapis.com/google.cloud.run.v2.Job"
RETRIES = 3


class RunJob(Resource):
    """A job."""

    kind = KIND
    package = "google.cloud.run.v2"
    message = "Job"

    def prepare(self, call: Call, document: Document) -> None:
        """Defaults of the job and of its tasks."""
        if not NAME.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument("Job names have at most 63 lower-case letters, digits and hyphens, a letter first.")
        document["creator"] = call.principal.email
        document["uid"] = call.cloud.identifiers.uuid("uid")
        document["latestCreatedExecution"] = {}
        deploy(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Every change is a new generation."""
        deploy(call, after)

    def patch(self, call: Call) -> Any:
        """Without a mask a patch replaces all that the caller may write."""
        return super().patch(call) if call.query.get("updateMask") else self.update(call)

    def delete(self, call: Call) -> Document:
        """Answers with the job."""
        document = self.read(call)
        self.check_etag(call, document)
        operation = self.operation(call, call.name, {"@type": TYPE, **self.view(call, document)})
        call.cloud.store.delete(KIND, call.name)
        return operation

    def operation_metadata(self, call: Call, name: str) -> Document:
        """The metadata is the job itself."""
        document = call.cloud.store.get(KIND, name) or {}
        shown = {key: value for key, value in document.items() if key != "uid"}
        return {"@type": TYPE, **self.view(call, shown)}

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f'job "{call.name}" not found')


def deploy(call: Call, document: Document) -> None:
    """Fill the defaults and count up the generation."""
    document["lastModifier"] = call.principal.email
    document["generation"] = document["observedGeneration"] = str(int(document.get("generation", "0")) + 1)
    document["terminalCondition"] = {**READY, "lastTransitionTime": call.cloud.clock.timestamp()}
    document.setdefault("launchStage", "GA")
    complete(call.cloud, document)


def complete(cloud: Cloud, document: Document) -> None:
    """The defaults of an execution and of its tasks.

    Raises:
        FailedPrecondition: the service account does not exist.
    """
    execution = document.setdefault("template", {})
    execution.setdefault("taskCount", 1)
    tasks = execution.setdefault("template", {})
    project = document["name"].split("/")[1]
    number = cloud.hierarchy.project_number(project)
    tasks.setdefault("serviceAccount", f"{number}-compute@developer.gserviceaccount.com")
    tasks.setdefault("timeout", "600s")
    tasks.setdefault("maxRetries", RETRIES)
    tasks.setdefault("executionEnvironment", "EXECUTION_ENVIRONMENT_GEN2")
    limit(tasks)
    require_account(cloud, tasks["serviceAccount"], project)
