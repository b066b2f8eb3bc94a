"""The repository that Cloud Build puts the function's container image in."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component

KEPT_VERSIONS = 5
UNTAGGED_SECONDS = "2592000s"


class Registry(Component):
    """One Docker repository, encrypted with the function's key.

    Attributes:
        repository: the repository.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        location: str,
        key: pulumi.Input[str],
        labels: Mapping[str, str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Registry", name, after=after, opts=opts)
        self.repository = gcp.artifactregistry.Repository(
            f"{name}-{naming.REPOSITORY}",
            project=project.project_id,
            location=location,
            repository_id=naming.REPOSITORY,
            description="Container images of the campaign's function.",
            format="DOCKER",
            mode="STANDARD_REPOSITORY",
            kms_key_name=key,
            labels=dict(labels),
            # Every deployment leaves an image behind, and nobody else removes them.
            cleanup_policy_dry_run=False,
            cleanup_policies=[
                gcp.artifactregistry.RepositoryCleanupPolicyArgs(
                    id="delete-old",
                    action="DELETE",
                    condition=gcp.artifactregistry.RepositoryCleanupPolicyConditionArgs(
                        tag_state="ANY", older_than=UNTAGGED_SECONDS
                    ),
                ),
                gcp.artifactregistry.RepositoryCleanupPolicyArgs(
                    id="keep-recent",
                    action="KEEP",
                    most_recent_versions=gcp.artifactregistry.RepositoryCleanupPolicyMostRecentVersionsArgs(
                        keep_count=KEPT_VERSIONS
                    ),
                ),
            ],
            opts=self._options(),
        )
        self.register_outputs({"repository": self.repository.id})
