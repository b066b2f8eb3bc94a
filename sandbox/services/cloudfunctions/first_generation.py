"""First-generation functions: the API's older shape over the same deployment.

Source: https://docs.cloud.google.com/functions/docs/reference/rest/v1/projects.locations.functions (read 2026-11). Only
functions that answer HTTP requests are run; event triggers and source repositories of the first generation are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sandbox.errors import InvalidArgument, NotEmulated

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

GENERATION = "GEN_1"
PACKAGE = "google.cloud.functions.v1"
TYPE = f"type.googleapis.com/{PACKAGE}"
ARCHIVE = re.compile(r"gs://(?P<bucket>[^/]+)/(?P<object>.+)")
DEFAULT_MEMORY, DEFAULT_TIMEOUT = 256, "60s"
STATES = {"ACTIVE": "ACTIVE", "FAILED": "OFFLINE", "DEPLOYING": "DEPLOY_IN_PROGRESS", "DELETING": "DELETE_IN_PROGRESS"}

#: Fields of the same meaning: of the first generation, and part and name in the second.
SAME = {
    "runtime": ("buildConfig", "runtime"),
    "entryPoint": ("buildConfig", "entryPoint"),
    "buildEnvironmentVariables": ("buildConfig", "environmentVariables"),
    "buildWorkerPool": ("buildConfig", "workerPool"),
    "buildServiceAccount": ("buildConfig", "serviceAccount"),
    "dockerRepository": ("buildConfig", "dockerRepository"),
    "dockerRegistry": ("buildConfig", "dockerRegistry"),
    "environmentVariables": ("serviceConfig", "environmentVariables"),
    "secretEnvironmentVariables": ("serviceConfig", "secretEnvironmentVariables"),
    "serviceAccountEmail": ("serviceConfig", "serviceAccountEmail"),
    "minInstances": ("serviceConfig", "minInstanceCount"),
    "maxInstances": ("serviceConfig", "maxInstanceCount"),
    "ingressSettings": ("serviceConfig", "ingressSettings"),
    "vpcConnector": ("serviceConfig", "vpcConnector"),
    "vpcConnectorEgressSettings": ("serviceConfig", "vpcConnectorEgressSettings"),
}
PLAIN = ("name", "description", "labels", "kmsKeyName")
#: What only this generation knows.
OWN = ("httpsTrigger", "sourceArchiveUrl", "sourceUploadUrl", "network")


def stored(call: Call, body: Document) -> Document:
    """A function's document, as the second generation's, of its first-generation form.

    Raises:
        InvalidArgument: there is no source, or no trigger.
        NotEmulated: it waits for events, or its source lies in a repository.
    """
    for field in ("eventTrigger", "sourceRepository", "secretVolumes"):
        if body.get(field):
            raise NotEmulated(
                f"The sandbox does not emulate {field} of first-generation functions: use the second generation, or "
                "an HTTP function whose source is an archive."
            )
    if "httpsTrigger" not in body:
        raise InvalidArgument("The function must have exactly one trigger: httpsTrigger or eventTrigger.")
    document: Document = {key: body[key] for key in PLAIN if body.get(key)}
    document["_first"] = {key: body[key] for key in OWN if key in body}
    for field, (part, name) in SAME.items():
        if body.get(field):
            document.setdefault(part, {})[name] = body[field]
    build, service = document.setdefault("buildConfig", {}), document.setdefault("serviceConfig", {})
    build["source"] = {"storageSource": source(body)}
    build.setdefault("entryPoint", str(body.get("name", "")).rpartition("/")[2].replace("-", "_"))
    service["availableMemory"] = f"{body.get('availableMemoryMb') or DEFAULT_MEMORY}M"
    service["timeoutSeconds"] = int(float(str(body.get("timeout") or DEFAULT_TIMEOUT).removesuffix("s")))
    service.setdefault("serviceAccountEmail", f"{call.project}@appspot.gserviceaccount.com")
    return document


def source(body: Document) -> Document:
    """Bucket and object of the source.

    Raises:
        InvalidArgument: neither an archive nor an upload is named.
    """
    if found := ARCHIVE.fullmatch(body.get("sourceArchiveUrl", "")):
        return found.groupdict()
    bucket, _, name = unquote(urlsplit(body.get("sourceUploadUrl", "")).path).lstrip("/").partition("/")
    if not name:
        raise InvalidArgument("The function needs a source: sourceArchiveUrl gs://bucket/object, or sourceUploadUrl.")
    return {"bucket": bucket, "object": name}


def shown(document: Document) -> Document:
    """The first-generation form of a document."""
    found: Document = {key: document[key] for key in PLAIN if key in document}
    found |= document.get("_first", {})
    for field, (part, name) in SAME.items():
        if document.get(part, {}).get(name) not in (None, "", {}, []):
            found[field] = document[part][name]
    _, project, _, region, _, label = document["name"].split("/")
    url = f"https://{region}-{project}.cloudfunctions.net/{label}"
    found["httpsTrigger"] = {"securityLevel": "SECURE_OPTIONAL", **found.get("httpsTrigger", {}), "url": url}
    found["availableMemoryMb"] = int(str(document["serviceConfig"]["availableMemory"]).removesuffix("M"))
    found["timeout"] = f"{document['serviceConfig']['timeoutSeconds']}s"
    found["status"] = STATES.get(document.get("state", ""), "UNKNOWN")
    found["versionId"] = str(document.get("_version", 1))
    if "updateTime" in document:
        found["updateTime"] = document["updateTime"]
    return found
