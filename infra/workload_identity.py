"""Pipelines that deploy without a key: their own signed tokens are exchanged for a deployer's, for an hour.

A token is accepted when it was made for this repository, by number, since names become free and are taken over. Only
one branch may deploy; every other run of the same repository may preview.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.bootstrap_settings import Bootstrap, Esc, GitHub, GitLab
from infra.component import Component

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments (2026-11)."""
ESC_ISSUER = "https://api.pulumi.com/oidc"
"""pulumi.com/docs/esc/guides/configuring-oidc/gcp (2026-11)."""
USER = "roles/iam.workloadIdentityUser"


@dataclass(frozen=True)
class Trust:
    """What is believed of one issuer's tokens.

    Attributes:
        name: id of the provider.
        issuer: who signs.
        mapping: attributes of the federated identity by claims of the token.
        condition: which tokens are accepted at all.
        deploying: value of `attribute.ref` that may deploy.
        source: value of `attribute.source` that may preview; empty for none.
        audiences: whom its tokens are for; empty for the provider itself, as Google has it.
    """

    name: str
    issuer: str
    mapping: dict[str, str]
    condition: str
    deploying: str
    source: str
    audiences: tuple[str, ...] = ()


def github(settings: GitHub) -> Trust:
    """Workflows of one repository (claims: docs.github.com, OpenID Connect reference, 2026-11)."""
    return Trust(
        name="github",
        issuer=GITHUB_ISSUER,
        mapping={
            "google.subject": "assertion.sub",
            "attribute.source": "assertion.repository_id",
            "attribute.ref": "assertion.repository_id + '@' + assertion.ref",
        },
        condition=(
            f"assertion.repository_id == '{settings.repository_id}' && "
            f"assertion.repository == '{settings.repository}' && "
            # A workflow of this event runs with the base branch's rights on code of a fork.
            "assertion.event_name != 'pull_request_target'"
        ),
        deploying=f"{settings.repository_id}@refs/heads/{settings.branch}",
        source=settings.repository_id,
    )


def gitlab(settings: GitLab) -> Trust:
    """Pipelines of one project (claims: docs.gitlab.com/ci/secrets/id_token_authentication, 2026-11)."""
    return Trust(
        name="gitlab",
        issuer=settings.issuer,
        mapping={
            "google.subject": "assertion.sub",
            "attribute.source": "assertion.project_id",
            "attribute.ref": "assertion.project_id + '@' + assertion.ref_type + '/' + assertion.ref",
        },
        condition=(
            f"assertion.project_id == '{settings.project_id}' && assertion.project_path == '{settings.project}'"
        ),
        deploying=f"{settings.project_id}@branch/{settings.branch}",
        source=settings.project_id,
    )


def esc(settings: Esc) -> Trust:
    """One environment of Pulumi ESC, which is opened by whoever Pulumi Cloud lets open it (claims: as `ESC_ISSUER`)."""
    subject = f"pulumi:environments:org:{settings.organization}:env:{settings.environment}"
    return Trust(
        name="pulumi",  # Google wants four characters at least
        issuer=ESC_ISSUER,
        mapping={"google.subject": "assertion.sub", "attribute.ref": "assertion.sub"},
        condition=f"assertion.sub == '{subject}'",
        deploying=subject,
        source="",
        audiences=(f"gcp:{settings.organization}",),
    )


def trusts(settings: Bootstrap) -> list[Trust]:
    """The issuers a stack trusts."""
    return [
        *([github(settings.github)] if settings.github else []),
        *([gitlab(settings.gitlab)] if settings.gitlab else []),
        *([esc(settings.esc)] if settings.esc else []),
    ]


class WorkloadIdentity(Component):
    """A pool with one provider for each issuer, and who may act as whom.

    Attributes:
        pool: the pool.
        providers: full names of the providers by issuer, which a pipeline needs.
    """

    def __init__(
        self,
        *,
        project: gcp.organizations.Project,
        trusted: Sequence[Trust],
        deployer: gcp.serviceaccount.Account,
        previewer: gcp.serviceaccount.Account,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("WorkloadIdentity", "pipelines", after=after, opts=opts)
        self.pool = gcp.iam.WorkloadIdentityPool(
            "pipelines",
            project=project.project_id,
            workload_identity_pool_id="pipelines",
            display_name="Pipelines that deploy campaigns",
            opts=self._options(),
        )
        self.providers = {
            trust.name: gcp.iam.WorkloadIdentityPoolProvider(
                trust.name,
                project=project.project_id,
                workload_identity_pool_id=self.pool.workload_identity_pool_id,
                workload_identity_pool_provider_id=trust.name,
                attribute_mapping=trust.mapping,
                attribute_condition=trust.condition,
                oidc=gcp.iam.WorkloadIdentityPoolProviderOidcArgs(
                    issuer_uri=trust.issuer, allowed_audiences=list(trust.audiences) or None
                ),
                opts=self._options(),
            )
            for trust in trusted
        }
        for trust in trusted:
            for verb, account, attribute, value in (
                ("deploys", deployer, "ref", trust.deploying),
                *([("previews", previewer, "source", trust.source)] if trust.source else []),
            ):
                gcp.serviceaccount.IAMMember(
                    f"{trust.name}-{verb}",
                    service_account_id=account.name,
                    role=USER,
                    member=pulumi.Output.concat(
                        "principalSet://iam.googleapis.com/", self.pool.name, f"/attribute.{attribute}/{value}"
                    ),
                    opts=self._options(),
                )
        self.register_outputs({name: provider.name for name, provider in self.providers.items()})
