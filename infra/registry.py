"""Repositories: where Cloud Build puts the function's image, and where builds may fetch packages from."""

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
            # As the project does, which scans when the API is enabled.
            vulnerability_scanning_config=gcp.artifactregistry.RepositoryVulnerabilityScanningConfigArgs(
                enablement_config="INHERITED"
            ),
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
            # Another key is another repository, of the same name.
            opts=self._options(delete_before_replace=True),
        )
        self.register_outputs({"repository": self.repository.id})


class Packages(Component):
    """A remote repository: Artifact Registry fetches from the Python Package Index, builds fetch from it.

    Inside a perimeter Artifact Registry fetches nothing from outside unless it is told so
    (cloud.google.com/artifact-registry/docs/repositories/remote-repo, 2026-11).

    Attributes:
        repository: the repository.
        index: address a build installs from.
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
        super().__init__("Packages", name, after=after, opts=opts)
        outside = gcp.artifactregistry.VpcscConfig(
            f"{name}-{naming.PACKAGES}",
            project=project.project_id,
            location=location,
            vpcsc_policy="ALLOW",
            opts=self._options(),
        )
        self.repository = gcp.artifactregistry.Repository(
            f"{name}-{naming.PACKAGES}",
            project=project.project_id,
            location=location,
            repository_id=naming.PACKAGES,
            description="Python packages for builds, fetched once and kept.",
            format="PYTHON",
            mode="REMOTE_REPOSITORY",
            kms_key_name=key,
            labels=dict(labels),
            cleanup_policy_dry_run=True,
            remote_repository_config=gcp.artifactregistry.RepositoryRemoteRepositoryConfigArgs(
                description="Python Package Index",
                python_repository=gcp.artifactregistry.RepositoryRemoteRepositoryConfigPythonRepositoryArgs(
                    public_repository="PYPI"
                ),
            ),
            opts=self._options(after=[outside], delete_before_replace=True),
        )
        self.index = pulumi.Output.concat(
            "https://", location, "-python.pkg.dev/", project.project_id, f"/{naming.PACKAGES}/simple/"
        )
        self.register_outputs({"repository": self.repository.id})
