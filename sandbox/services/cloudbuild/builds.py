"""Builds that deployments of functions made: to be looked at, not to be started by hand.

Shape: https://docs.cloud.google.com/build/docs/api/reference/rest/v1/projects.builds (read 2026-08).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import NotFound
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "cloudbuild.builds"
TERM = re.compile(r'(\w+)\s*=\s*"?([^"\s]+)"?')


class Build(Resource):
    """A build by its id, below a location or directly below the project."""

    kind = KIND
    package = "google.devtools.cloudbuild.v1"
    message = "Build"

    own_filter = True

    def read(self, call: Call) -> Document:
        """By full name, or by project and id."""
        identity = call.name.rpartition("/")[2]
        for name, document in call.cloud.store.items(KIND):
            if document["id"] == identity and name.startswith(f"projects/{call.project}/"):
                return document
        raise NotFound(f"Requested entity was not found: build {identity}")

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Newest first; ``filter`` compares fields, as ``status="SUCCESS"``."""
        place = call.name.removesuffix("/builds")
        found = [d for name, d in call.cloud.store.items(KIND) if name.startswith(f"{place}/")]
        terms = TERM.findall(call.query.get("filter", ""))
        del documents
        return [d for d in reversed(found) if all(matches(d, key, value) for key, value in terms)]


def matches(build: Document, key: str, value: str) -> bool:
    """Whether a build's field, tag or substitution has a value."""
    if key in {"tags", "tag"}:
        return value in build.get("tags", [])
    return str(build.get(key, "")) == value


def begin(cloud: Cloud, function: Document, *, pool: str = "") -> Document:
    """A build of a function's source that has just started."""
    config = function["buildConfig"]
    project, region = function["name"].split("/")[1], function["name"].split("/")[3]
    identity, now = cloud.identifiers.uuid("builds"), cloud.clock.timestamp()
    number = cloud.hierarchy.project_number(project)
    build: Document = {
        "id": identity,
        "name": f"projects/{number}/locations/{region}/builds/{identity}",
        "projectId": project,
        "status": "WORKING",
        "source": {"storageSource": dict(config["source"]["storageSource"])},
        "createTime": now,
        "startTime": now,
        "serviceAccount": config["serviceAccount"],
        "options": {"logging": "CLOUD_LOGGING_ONLY", **({"pool": {"name": pool}} if pool else {})},
        "substitutions": {"_GCF_FUNCTION": function["name"].rpartition("/")[2]},
        "tags": ["gcf"],
    }
    keep(cloud, build, region)
    return build


def end(cloud: Cloud, build: Document, *, image: str = "", failure: str = "") -> None:
    """The build's outcome: the image that it pushed, or why it failed."""
    build["finishTime"] = cloud.clock.timestamp()
    build["status"] = "FAILURE" if failure else "SUCCESS"
    if failure:
        build["failureInfo"] = {"type": "USER_BUILD_STEP", "detail": failure}
        build["statusDetail"] = failure.partition("\n")[0]
    else:
        name, _, digest = image.partition("@")
        build["results"] = {"images": [{"name": name, "digest": digest, "artifactRegistryPackage": name}]}
    keep(cloud, build, build["name"].split("/")[3])


def keep(cloud: Cloud, build: Document, region: str) -> None:
    """Store a build under the project's id."""
    cloud.store.put(KIND, f"projects/{build['projectId']}/locations/{region}/builds/{build['id']}", build)


def get(call: Call) -> Document:
    """One build."""
    return Build().read(call)


HANDLERS = {"cloudbuild.builds.get": get}
