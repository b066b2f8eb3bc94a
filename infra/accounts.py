"""The two identities of a campaign: one runs the function, one builds it. Neither can do what the other does."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component


class RuntimeAccount(Component):
    """The identity the function runs as.

    Attributes:
        account: the service account.
        member: the same as an IAM member.
        grants: what the function waits for.
    """

    ROLES = ("roles/aiplatform.user",)
    """What Cloud Run writes of the function's output to the logs it writes itself: that takes no role."""
    BUCKET_ROLES = ("roles/storage.objectCreator", "roles/storage.objectViewer")

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        bucket: pulumi.Input[str],
        references: pulumi.Input[str] | None,
        secrets: Sequence[str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the identity.

        Args:
            name: prefix of logical names.
            project: where it lives.
            bucket: where it stores images.
            references: where it reads reference pictures; None for nowhere.
            secrets: full names of the secrets it reads.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("RuntimeAccount", name, after=after, opts=opts)
        self.account = gcp.serviceaccount.Account(
            f"{name}-{naming.RUNTIME_ACCOUNT}",
            project=project.project_id,
            account_id=naming.RUNTIME_ACCOUNT,
            display_name="Runs the campaign's image function",
            opts=self._options(),
        )
        self.member = self.account.email.apply(naming.service_account_member)
        self.grants: list[pulumi.Resource] = [
            *(
                gcp.projects.IAMMember(
                    f"{name}-runtime-{_word(role)}",
                    project=project.project_id,
                    role=role,
                    member=self.member,
                    opts=self._options(),
                )
                for role in self.ROLES
            ),
            *(
                gcp.storage.BucketIAMMember(
                    f"{name}-runtime-{_word(role)}",
                    bucket=bucket,
                    role=role,
                    member=self.member,
                    opts=self._options(),
                )
                for role in self.BUCKET_ROLES
            ),
            # Signing a URL without a key file means asking IAM to sign as oneself.
            gcp.serviceaccount.IAMMember(
                f"{name}-runtime-sign-as-itself",
                service_account_id=self.account.name,
                role="roles/iam.serviceAccountTokenCreator",
                member=self.member,
                opts=self._options(),
            ),
        ]
        if references is not None:
            self.grants.append(
                gcp.storage.BucketIAMMember(
                    f"{name}-runtime-references-viewer",
                    bucket=references,
                    role="roles/storage.objectViewer",
                    member=self.member,
                    opts=self._options(),
                )
            )
        self.grants.extend(
            gcp.secretmanager.SecretIamMember(
                f"{name}-runtime-{secret.rpartition('/')[2]}",
                project=secret.split("/")[1],
                secret_id=secret.rpartition("/")[2],
                role="roles/secretmanager.secretAccessor",
                member=self.member,
                opts=self._options(),
            )
            for secret in secrets
        )
        self.register_outputs({"email": self.account.email})


class BuildAccount(Component):
    """The identity Cloud Build works as. New organisations give the default one no role, so builds need their own.

    Attributes:
        account: the service account.
        grants: what a build waits for.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        repository: gcp.artifactregistry.Repository,
        packages: gcp.artifactregistry.Repository | None,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("BuildAccount", name, after=after, opts=opts)
        self.account = gcp.serviceaccount.Account(
            f"{name}-{naming.BUILD_ACCOUNT}",
            project=project.project_id,
            account_id=naming.BUILD_ACCOUNT,
            display_name="Builds the campaign's image function",
            opts=self._options(),
        )
        member = self.account.email.apply(naming.service_account_member)
        self.grants: list[pulumi.Resource] = [
            gcp.projects.IAMMember(
                f"{name}-build-log-writer",
                project=project.project_id,
                role="roles/logging.logWriter",
                member=member,
                opts=self._options(),
            ),
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-build-writer",
                project=project.project_id,
                location=repository.location,
                repository=repository.name,
                role="roles/artifactregistry.writer",
                member=member,
                opts=self._options(),
            ),
            # Cloud Functions itself copies the source from the campaign's bucket into one of its own, which does not
            # exist before the first build: a build reads only the copy
            # (github.com/hashicorp/terraform-provider-google/issues/20571, 2026-11).
            gcp.projects.IAMMember(
                f"{name}-build-copied-source-viewer",
                project=project.project_id,
                role="roles/storage.objectViewer",
                member=member,
                condition=gcp.projects.IAMMemberConditionArgs(
                    title="copied function source",
                    description="Only the buckets Cloud Functions copies sources to.",
                    expression="resource.name.startsWith('projects/_/buckets/gcf-v2-sources-')",
                ),
                opts=self._options(),
            ),
        ]
        if packages is not None:
            self.grants.append(
                gcp.artifactregistry.RepositoryIamMember(
                    f"{name}-build-packages-reader",
                    project=project.project_id,
                    location=packages.location,
                    repository=packages.name,
                    role="roles/artifactregistry.reader",
                    member=member,
                    opts=self._options(),
                )
            )
        self.register_outputs({"email": self.account.email})


def _word(role: str) -> str:
    return role.removeprefix("roles/").replace(".", "-")
