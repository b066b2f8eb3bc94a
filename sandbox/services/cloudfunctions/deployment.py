"""From a function's configuration to a running Cloud Run service, with the permissions that Google asks for on the way.

Build identity: https://docs.cloud.google.com/functions/docs/securing/build-custom-sa; customer-managed keys:
https://docs.cloud.google.com/functions/docs/securing/cmek (both read 2026-08).
"""

from __future__ import annotations

import asyncio
import copy
import time
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.enforcement.encryption import require_key
from sandbox.errors import ApiError, FailedPrecondition, NotFound, PermissionDenied
from sandbox.hierarchy import ACCOUNTS
from sandbox.runtime.builds import build
from sandbox.runtime.instances import HOSTS, IMAGES, SERVICES
from sandbox.runtime.secret_variables import require_all
from sandbox.services.cloudbuild import builds
from sandbox.services.cloudbuild.worker_pools import require_pool, without_internet
from sandbox.services.cloudfunctions import agents, event_triggers
from sandbox.services.run.services import account_project, complete, new_revision, register_hosts
from sandbox.services.serviceusage.agents import address
from sandbox.services.storage import generations
from sandbox.services.storage.encryption import require_readable

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]
KIND = "cloudfunctions.functions"

INGRESS = {
    "ALLOW_ALL": "INGRESS_TRAFFIC_ALL",
    "ALLOW_INTERNAL_ONLY": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "ALLOW_INTERNAL_AND_GCLB": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}
EGRESS = {"VPC_EGRESS_ALL_TRAFFIC": "ALL_TRAFFIC", "VPC_EGRESS_PRIVATE_RANGES_ONLY": "PRIVATE_RANGES_ONLY"}

#: Agents that use a function's key: code, image, instances, artifacts, events.
KEY_AGENTS = ("cloudfunctions", "run", "artifactregistry", "storage", "eventarc")

#: APIs that a deployment uses besides Cloud Functions itself.
NEEDED_APIS = ("cloudbuild.googleapis.com", "run.googleapis.com", "artifactregistry.googleapis.com")


def service_name(document: Document) -> str:
    """Full name of the Cloud Run service behind a function."""
    return str(document["name"]).replace("/functions/", "/services/")


async def deploy(cloud: Cloud, name: str, principal: Principal) -> Document:
    """Build if need be, deploy, and wait until an instance listens.

    Raises:
        ApiError: what the operation ends with; the function's state becomes FAILED.
    """
    document = cloud.store.get(KIND, name)
    if document is None:
        raise NotFound(f"Resource '{name}' was not found")
    started = time.monotonic()
    try:
        check(cloud, document, principal)
        if document.pop("_rebuild", True):
            await build_image(cloud, document)
        service = serve(cloud, document)
        await cloud.instances.running(service["name"])
        event_triggers.provide(cloud, document)
    except ApiError as error:
        document["state"] = "FAILED"
        document["stateMessages"] = [{"severity": "ERROR", "type": "DeploymentFailed", "message": error.message}]
        if cloud.store.get(KIND, name):
            cloud.store.put(KIND, name, document)
        raise
    finally:
        cloud.log.deployment_seconds += time.monotonic() - started
    document.pop("stateMessages", None)
    document |= {"state": "ACTIVE", "updateTime": cloud.clock.timestamp(), "_rebuild": False}
    project, region, label = name.split("/")[1], name.split("/")[3], name.rpartition("/")[2]
    host = f"{region}-{project}.cloudfunctions.net"
    document["url"] = f"https://{host}/{label}"
    cloud.store.put(HOSTS, host, {"functions": f"projects/{project}/locations/{region}"})
    address = {"_functionUrl": document["url"], "_firstGeneration": document["environment"] == "GEN_1"}
    cloud.store.put(SERVICES, service["name"], {**(cloud.store.get(SERVICES, service["name"]) or service), **address})
    document["serviceConfig"] |= {
        "service": service["name"],
        "uri": service["uri"],
        "revision": service["latestReadyRevision"].rpartition("/")[2],
    }
    cloud.store.put(KIND, name, document)
    return document


def check(cloud: Cloud, document: Document, principal: Principal) -> None:
    """APIs, identities, network, keys."""
    project = document["name"].split("/")[1]
    for host in NEEDED_APIS:
        if not cloud.service_enabled(project, host):
            raise FailedPrecondition(f"{host} is not enabled in project {project}: it is needed to deploy functions.")
    service, builder = document["serviceConfig"], document["buildConfig"]["serviceAccount"].rpartition("/")[2]
    for email in (service["serviceAccountEmail"], builder):
        account = f"projects/{account_project(email, project)}/serviceAccounts/{email}"
        if cloud.store.get(ACCOUNTS, account) is None:
            raise NotFound(f"Service account {account} was not found.")
        if cloud.permissions.grant(principal, "iam.serviceAccounts.actAs", "iam", account) is None:
            raise PermissionDenied(
                f"Caller {principal.email} is missing permission 'iam.serviceaccounts.actAs' on service account "
                f"{account}. Grant the role 'roles/iam.serviceAccountUser' to the caller on the service account."
            )
    check_network(cloud, document)
    if pool := document["buildConfig"].get("workerPool"):
        require_pool(cloud, pool)
    if key := document.get("kmsKeyName"):
        number = cloud.hierarchy.project_number(project)
        for agent in KEY_AGENTS:
            require_key(cloud, key, address(agent, number))


def check_network(cloud: Cloud, document: Document) -> None:
    """The subnetworks of a direct VPC egress must exist, and Cloud Run may use them."""
    project, region = document["name"].split("/")[1], document["name"].split("/")[3]
    for interface in document["serviceConfig"].get("directVpcNetworkInterface", []):
        if subnetwork := existing_subnetwork(cloud, project, region, interface):
            agents.require_network(cloud, document, subnetwork)


def existing_subnetwork(cloud: Cloud, project: str, region: str, interface: Document) -> str:
    """The subnetwork of a direct VPC egress, which must lie in the function's region; empty when none is named."""
    reference = interface.get("subnetwork", "").partition("/v1/")[2] or interface.get("subnetwork", "")
    if not reference:
        return ""
    path = (
        reference
        if reference.startswith("projects/")
        else f"projects/{project}/regions/{region}/subnetworks/{reference}"
    )
    if cloud.store.get("compute.subnetworks", path) is None:
        raise NotFound(f"VPC direct connection can not be created: subnetwork {path} was not found.")
    return path


async def build_image(cloud: Cloud, document: Document) -> None:
    """Fetch the source as the build identity and build it.

    Raises:
        FailedPrecondition: the build identity or an agent lacks a permission, or the build failed.
    """
    config = document["buildConfig"]
    source = config["source"]["storageSource"]
    project = document["name"].split("/")[1]
    builder = Principal(f"serviceAccount:{config['serviceAccount'].rpartition('/')[2]}")
    agents.require_builders(cloud, document)
    needs = (
        ("logging.logEntries.create", "cloudresourcemanager", f"projects/{project}", "roles/logging.logWriter"),
        (
            "artifactregistry.repositories.uploadArtifacts",
            "artifactregistry",
            config["dockerRepository"],
            "roles/artifactregistry.writer",
        ),
    )
    for permission, service, resource, role in needs:
        if cloud.permissions.grant(builder, permission, service, resource) is None:
            raise FailedPrecondition(
                "Build failed with status: FAILURE. Could not build the function due to a missing permission on the "
                f"build service account {builder.email}: {permission} on {resource} ({role}). If you didn't revoke "
                "that permission explicitly, this could be caused by a change in the organization policies."
            )
    found = generations.find(cloud, source["bucket"], source["object"], source.get("generation"))
    if found is None:
        raise NotFound(f"The source gs://{source['bucket']}/{source['object']} was not found.")
    require_readable(cloud, cloud.store.get("storage.buckets", f"b/{source['bucket']}") or {}, found)
    content = cloud.blobs.read(found["_digest"])
    source["generation"] = found["generation"]
    config["sourceProvenance"] = {"resolvedStorageSource": copy.deepcopy(source)}
    vendored = config.get("environmentVariables", {}).get("GOOGLE_VENDOR_PIP_DEPENDENCIES", "")
    pool = config.get("workerPool", "")
    offline = bool(pool) and without_internet(require_pool(cloud, pool))
    record = builds.begin(cloud, document, pool=pool)
    try:
        image = await asyncio.to_thread(build, content, cloud.settings.cache, vendored=vendored, offline=offline)
    except ApiError as error:
        builds.end(cloud, record, failure=error.message)
        raise
    region, label = document["name"].split("/")[3], document["name"].rpartition("/")[2]
    repository = config["dockerRepository"].rpartition("/")[2]
    reference = f"{region}-docker.pkg.dev/{project}/{repository}/{label}@sha256:{image.digest}"
    stored = {"digest": image.digest, "source": str(image.source), "python": str(image.python)}
    cloud.store.put(IMAGES, reference, {**stored, "entryPoint": config["entryPoint"]})
    builds.end(cloud, record, image=reference)
    config["build"] = record["name"]
    document["_image"] = reference


def secret_variable(item: Document) -> Document:
    """A function's secret variable as its Cloud Run service has it."""
    secret = f"projects/{item['projectId']}/secrets/{item['secret']}" if item.get("projectId") else item["secret"]
    reference = {"secret": secret, "version": item.get("version") or "latest"}
    return {"name": item["key"], "valueSource": {"secretKeyRef": reference}}


def serve(cloud: Cloud, document: Document) -> Document:
    """Create or update the Cloud Run service behind the function."""
    agents.require_servers(cloud, document)
    config, name = document["serviceConfig"], service_name(document)
    environment = {**config.get("environmentVariables", {}), "FUNCTION_TARGET": document["buildConfig"]["entryPoint"]}
    if document.get("eventTrigger"):
        environment["FUNCTION_SIGNATURE_TYPE"] = "cloudevent"
    scaling = {"maxInstanceCount": config["maxInstanceCount"]}
    if config.get("minInstanceCount"):
        scaling["minInstanceCount"] = config["minInstanceCount"]
    secrets = [secret_variable(item) for item in config.get("secretEnvironmentVariables", [])]
    interfaces = config.get("directVpcNetworkInterface", [])
    template: Document = {
        "serviceAccount": config["serviceAccountEmail"],
        "timeout": f"{config['timeoutSeconds']}s",
        "maxInstanceRequestConcurrency": config["maxInstanceRequestConcurrency"],
        "scaling": scaling,
        "containers": [
            {
                "name": "worker",
                "image": document["_image"],
                "env": [*({"name": key, "value": value} for key, value in sorted(environment.items())), *secrets],
                "resources": {"limits": {"cpu": config["availableCpu"], "memory": config["availableMemory"]}},
            }
        ],
    }
    if interfaces:
        egress = EGRESS.get(config.get("directVpcEgress", ""), "PRIVATE_RANGES_ONLY")
        template["vpcAccess"] = {"egress": egress, "networkInterfaces": interfaces}
    if document.get("kmsKeyName"):
        template["encryptionKey"] = document["kmsKeyName"]
    previous = cloud.store.get(SERVICES, name) or {
        "name": name,
        "generation": "0",
        "uid": cloud.identifiers.uuid("uid"),
        "createTime": cloud.clock.timestamp(),
        "creator": "service-agent",
        "etag": '"0"',
    }
    service = {
        **previous,
        "labels": {**document.get("labels", {}), "goog-managed-by": "cloudfunctions"},
        "ingress": INGRESS[config["ingressSettings"]],
        "template": template,
        "updateTime": cloud.clock.timestamp(),
        "lastModifier": "service-agent",
    }
    service.pop("binaryAuthorization", None)
    if policy := config.get("binaryAuthorizationPolicy"):
        service["binaryAuthorization"] = {"useDefault": True} if policy == "default" else {"policy": policy}
    complete(cloud, service)
    require_all(cloud, service)
    new_revision(cloud, service)
    service["etag"] = f'"{cloud.identifiers.hexadecimal("etag", 12)}"'
    cloud.store.put(SERVICES, name, service)
    register_hosts(cloud, service)
    return service
