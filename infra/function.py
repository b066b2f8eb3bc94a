"""The generation function: source, build, service, and who may call it.

It runs inside the perimeter: every packet leaves through the campaign's network, nothing reaches it from outside
Google's network, and what is stored of it (source, container image, revisions) is encrypted with the campaign's key.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, naming
from infra.component import Component
from infra.network import Network
from infra.source import WHEELS

RUNTIME = "python312"
"""Supported until 2028-10 (cloud.google.com/functions/docs/runtime-support, 2026-11)."""
ENTRY_POINT = "images"
INVOKER = "roles/run.invoker"
DEFAULT_CURRENCY = "USD"
"""Of the models' list prices."""


@dataclass(frozen=True)
class Deployment:
    """What the function is built from and runs with.

    Attributes:
        archive: path of the packed source.
        digest: its SHA-256.
        source_bucket: where the archive goes.
        images_bucket: where images go.
        repository: full name of the repository that holds the container image.
        key: full name of the key that encrypts all of it.
        build_account: full name of the identity that builds.
        runtime_email: e-mail of the identity that runs.
        index: address that builds install packages from; None for wheels in the archive.
        worker_pool: full name of the private pool that builds run on; None for Cloud Build's own machines.
        queue: full name of the queue for requests that may wait; None for none.
        references_bucket: where requests may take reference pictures from; None for nowhere.
    """

    archive: Path
    digest: str
    source_bucket: pulumi.Input[str]
    images_bucket: pulumi.Input[str]
    repository: pulumi.Input[str]
    key: pulumi.Input[str]
    build_account: pulumi.Input[str]
    runtime_email: pulumi.Input[str]
    index: pulumi.Input[str] | None = None
    worker_pool: pulumi.Input[str] | None = None
    queue: pulumi.Input[str] | None = None
    references_bucket: pulumi.Input[str] | None = None


class ImageFunction(Component):
    """The function of one campaign.

    Attributes:
        function: the function.
        uri: where it answers.
        name: its full name; the last part is also the name of the Cloud Run service below it.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        region: str,
        network: Network,
        deployment: Deployment,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Function", campaign.name, after=after, opts=opts)
        labels = campaign.labels.as_labels()
        source = gcp.storage.BucketObject(
            f"{campaign.name}-source",
            bucket=deployment.source_bucket,
            name=pulumi.Output.from_input(deployment.key).apply(partial(naming.source_object, deployment.digest)),
            source=pulumi.FileAsset(str(deployment.archive)),
            content_type="application/zip",
            opts=self._options(delete_before_replace=False),
        )
        size = campaign.function
        self.function = gcp.cloudfunctionsv2.Function(
            f"{campaign.name}-{naming.FUNCTION}",
            name=naming.FUNCTION,
            project=project.project_id,
            location=region,
            description="Generates and edits the campaign's images.",
            kms_key_name=deployment.key,
            labels=labels,
            build_config=gcp.cloudfunctionsv2.FunctionBuildConfigArgs(
                runtime=RUNTIME,
                entry_point=ENTRY_POINT,
                docker_repository=deployment.repository,
                service_account=deployment.build_account,
                worker_pool=deployment.worker_pool,
                environment_variables={"PIP_INDEX_URL": deployment.index}
                if deployment.index is not None
                else {"GOOGLE_VENDOR_PIP_DEPENDENCIES": WHEELS},
                source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceArgs(
                    storage_source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceStorageSourceArgs(
                        bucket=source.bucket,
                        object=source.name,
                        # Otherwise an update asks for the generation of the object before it.
                        generation=source.generation,
                    )
                ),
            ),
            service_config=gcp.cloudfunctionsv2.FunctionServiceConfigArgs(
                service_account_email=deployment.runtime_email,
                binary_authorization_policy="default" if size.binary_authorization else None,
                available_cpu=str(size.processors),
                available_memory=size.memory,
                timeout_seconds=size.timeout_seconds,
                min_instance_count=size.min_instances,
                max_instance_count=size.max_instances,
                max_instance_request_concurrency=size.concurrency,
                all_traffic_on_latest_revision=True,
                ingress_settings="ALLOW_INTERNAL_ONLY",
                direct_vpc_egress="VPC_EGRESS_ALL_TRAFFIC",
                direct_vpc_network_interfaces=[
                    gcp.cloudfunctionsv2.FunctionServiceConfigDirectVpcNetworkInterfaceArgs(
                        network=network.network.id, subnetwork=network.subnet.id
                    )
                ],
                environment_variables=_environment(campaign, project, deployment),
                secret_environment_variables=[
                    gcp.cloudfunctionsv2.FunctionServiceConfigSecretEnvironmentVariableArgs(
                        key=key,
                        project_id=version.split("/")[1],
                        secret=version.split("/")[3],
                        version=version.split("/")[5],
                    )
                    for key, version in sorted(size.secrets.items())
                ],
            ),
            # Its name is fixed, so a new one cannot exist beside the old one.
            opts=self._options(delete_before_replace=True),
        )
        self.name = self.function.id
        self.uri = self.function.service_config.apply(lambda config: config.uri if config else None)
        # The role on the function itself does not let a caller in: Cloud Run answers, so Cloud Run decides.
        self.invokers = [
            gcp.cloudrunv2.ServiceIamMember(
                f"{campaign.name}-invoker-{invoker}",
                project=project.project_id,
                location=region,
                name=self.function.name,
                role=INVOKER,
                member=invoker,
                opts=self._options(),
            )
            for invoker in campaign.invokers
        ]
        if deployment.queue is not None:
            # Tasks call the function as the function's own identity.
            self.invokers.append(
                gcp.cloudrunv2.ServiceIamMember(
                    f"{campaign.name}-invoker-queue",
                    project=project.project_id,
                    location=region,
                    name=self.function.name,
                    role=INVOKER,
                    member=pulumi.Output.from_input(deployment.runtime_email).apply(naming.service_account_member),
                    opts=self._options(),
                )
            )
        self.register_outputs({"uri": self.uri})


def _environment(
    campaign: campaign_model.Campaign, project: gcp.organizations.Project, deployment: Deployment
) -> Mapping[str, pulumi.Input[str]]:
    location, budget = campaign.function.model_location, campaign.budget
    optional = {
        "PLANTAIN_QUEUE": deployment.queue,
        "PLANTAIN_REFERENCE_BUCKETS": deployment.references_bucket,
        # A model that is called anywhere in the world has no residency to hold requests to.
        "PLANTAIN_RESIDENCY": None if location == "global" else location,
    }
    return {
        **{key: value for key, value in optional.items() if value is not None},
        "GOOGLE_CLOUD_PROJECT": project.project_id,
        "GOOGLE_CLOUD_LOCATION": location,
        "PLANTAIN_CAMPAIGN": campaign.name,
        "PLANTAIN_BUCKET": deployment.images_bucket,
        "PLANTAIN_MODEL": campaign.function.model,
        "PLANTAIN_SERVICE_ACCOUNT": deployment.runtime_email,
        "PLANTAIN_CALLERS_PER_MINUTE": str(campaign.capacity.images_per_minute),
        "PLANTAIN_BUDGET": json.dumps(
            {"amount": budget.amount, "currency": budget.currency or DEFAULT_CURRENCY, "window": "month"},
            sort_keys=True,
        ),
        "PLANTAIN_LABELS": json.dumps(campaign.labels.as_labels(), sort_keys=True),
        # functions-framework starts so many server processes; one uses one processor.
        "WORKERS": str(campaign.function.processors),
    }
