"""What Google's own agents must be allowed to do so that a function is built and served.

Roles: https://docs.cloud.google.com/iam/docs/service-agents; messages:
https://docs.cloud.google.com/functions/docs/troubleshooting and https://docs.cloud.google.com/run/docs/troubleshooting
(all read 2026-08); how sources are copied: https://docs.cloud.google.com/functions/docs/building (read 2026-11).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.errors import FailedPrecondition
from sandbox.services.run.services import account_project
from sandbox.services.serviceusage.agents import address
from sandbox.services.storage import generations

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

COPIED = "function-source.zip"
KEY_DIGITS = 8


def agent(cloud: Cloud, service: str, document: Document) -> Principal:
    """A service's agent in the function's project."""
    number = cloud.hierarchy.project_number(document["name"].split("/")[1])
    return Principal(f"serviceAccount:{address(service, number)}")


def account(email: str, document: Document) -> str:
    """Full name of a service account that the function names by its address."""
    return f"projects/{account_project(email, document['name'].split('/')[1])}/serviceAccounts/{email}"


def source_bucket(cloud: Cloud, document: Document) -> str:
    """Where Cloud Functions copies the source to: a bucket of its own in the customer's project, one for each key.

    The sandbox shows no such bucket; the project's policy governs it all the same.
    """
    project, region = document["name"].split("/")[1], document["name"].split("/")[3]
    name = f"gcf-v2-sources-{cloud.hierarchy.project_number(project)}-{region}"
    if key := document.get("kmsKeyName"):
        name += f"-{hashlib.sha256(key.encode()).hexdigest()[:KEY_DIGITS]}"
    return name


def require_builders(cloud: Cloud, document: Document) -> None:
    """The agent of Cloud Functions copies the source and starts the build, which Cloud Build's agent carries out.

    Raises:
        FailedPrecondition: an agent, or the build's own account, lacks a permission.
    """
    config = document["buildConfig"]
    source, project = config["source"]["storageSource"], document["name"].split("/")[1]
    functions, build = agent(cloud, "cloudfunctions", document), agent(cloud, "cloudbuild", document)
    builder = Principal(f"serviceAccount:{config['serviceAccount'].rpartition('/')[2]}")
    copied, label = source_bucket(cloud, document), document["name"].rpartition("/")[2]
    grant = cloud.permissions.grant
    original = generations.key(source["bucket"], source["object"])
    if grant(functions, "storage.objects.get", "storage", original) is None:
        raise FailedPrecondition(
            f"Failed to copy the source gs://{source['bucket']}/{source['object']}: {functions.email} does not have "
            "storage.objects.get access to the Google Cloud Storage object."
        )
    repository = config["dockerRepository"]
    if grant(functions, "artifactregistry.repositories.get", "artifactregistry", repository) is None:
        raise FailedPrecondition(
            f"Unable to retrieve the repository metadata for {repository}. Ensure that the Cloud Functions service "
            "account has 'artifactregistry.repositories.list' and 'artifactregistry.repositories.get' permissions. "
            "You can add the permissions by granting the role 'roles/artifactregistry.reader'."
        )
    if grant(functions, "cloudbuild.builds.create", "cloudresourcemanager", f"projects/{project}") is None:
        raise FailedPrecondition(
            f"Build failed: {functions.email} lacks cloudbuild.builds.create on project {project} "
            "(roles/cloudfunctions.serviceAgent)."
        )
    if grant(build, "iam.serviceAccounts.getAccessToken", "iam", account(builder.email, document)) is None:
        raise FailedPrecondition(
            f"Build failed: {build.email} cannot act as {builder.email}: it lacks iam.serviceAccounts.getAccessToken "
            "(roles/cloudbuild.serviceAgent)."
        )
    if grant(builder, "storage.objects.get", "storage", generations.key(copied, f"{label}/{COPIED}")) is None:
        raise FailedPrecondition(
            "Build failed with status: FAILURE and message: failed to Fetch: failed to download archive "
            f"gs://{copied}/{label}/{COPIED}: Access to bucket {copied} denied. You must grant Storage Object Viewer "
            f"permission to {builder.email}. If you are using VPC Service Controls, you must also grant it access to "
            "your service perimeter."
        )


def require_servers(cloud: Cloud, document: Document) -> None:
    """The agent of Cloud Functions makes the service; that of Cloud Run reads the image and lends the identity.

    Raises:
        FailedPrecondition: an agent lacks a permission.
    """
    project, config = document["name"].split("/")[1], document["serviceConfig"]
    functions, run = agent(cloud, "cloudfunctions", document), agent(cloud, "run", document)
    runtime = account(config["serviceAccountEmail"], document)
    grant = cloud.permissions.grant
    if grant(functions, "run.services.create", "cloudresourcemanager", f"projects/{project}") is None:
        raise FailedPrecondition(
            f"Could not create Cloud Run service: {functions.email} lacks run.services.create on project {project} "
            "(roles/cloudfunctions.serviceAgent)."
        )
    repository = document["buildConfig"]["dockerRepository"]
    if grant(run, "artifactregistry.repositories.downloadArtifacts", "artifactregistry", repository) is None:
        raise FailedPrecondition(
            f"Google Cloud Run Service Agent {run.email} must have permission to read the image, "
            f"{document['_image']}. Ensure that the provided container image URL is correct and that the above "
            "account has permission to access the image."
        )
    if grant(run, "iam.serviceAccounts.getAccessToken", "iam", runtime) is None:
        raise FailedPrecondition(
            f"Cloud Run Service Agent {run.email} lacks iam.serviceAccounts.getAccessToken on "
            f"{config['serviceAccountEmail']} (roles/run.serviceAgent)."
        )


def require_network(cloud: Cloud, document: Document, subnetwork: str) -> None:
    """Instances with a network interface take their addresses from the subnetwork.

    Raises:
        FailedPrecondition: Cloud Run's agent may not use it.
    """
    run = agent(cloud, "run", document)
    if cloud.permissions.grant(run, "compute.subnetworks.use", "compute", subnetwork) is None:
        raise FailedPrecondition(
            f"VPC direct connection can not be created: {run.email} lacks compute.subnetworks.use on {subnetwork} "
            "(roles/compute.networkUser)."
        )
