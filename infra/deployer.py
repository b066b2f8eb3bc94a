"""The identities that pulumi runs as: one deploys, one only looks.

A pipeline that runs for a change request runs code nobody has approved. So it acts as the previewer, which can read and
cannot write: a preview that was tampered with learns what is deployed, and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component
from infra.settings import Settings


class Level(StrEnum):
    """What a role is granted on."""

    BILLING = "billing account"
    ORGANIZATION = "organisation"
    SCOPE = "folder, or organisation without one"
    SEED = "seed project"


@dataclass(frozen=True)
class Condition:
    """Where a right ends.

    Attributes:
        title: its name.
        description: what it leaves.
        expression: in the Common Expression Language, over what IAM conditions know.
    """

    title: str
    description: str
    expression: str


@dataclass(frozen=True)
class Right:
    """One role of an identity.

    Attributes:
        role: the role; the id of a role of our own where there are permissions.
        level: what it is granted on.
        why: what fails without it.
        foundation: whether only a stack with foundation parts needs it.
        permissions: what a role of our own holds, which no narrow role of Google's does.
        condition: where it ends.
    """

    role: str
    level: Level
    why: str
    foundation: bool = False
    permissions: tuple[str, ...] = ()
    condition: Condition | None = None


FUNCTION_SOURCES = Condition(
    "sources of functions",
    "Only the archives that functions are built from, no images.",
    "resource.type == 'storage.googleapis.com/Object' && "
    "resource.name.extract('projects/_/buckets/{bucket}/objects/').endsWith('-source')",
)

# In a project that it created, the deployer is owner, as every creator is: so there is no role here for what happens
# inside campaigns' projects (cloud.google.com/iam/docs/understanding-roles, 2026-11).
DEPLOYER_RIGHTS = (
    Right("roles/resourcemanager.projectCreator", Level.SCOPE, "campaign projects cannot be created"),
    Right("roles/billing.user", Level.BILLING, "projects cannot be linked to the billing account"),
    Right("roles/billing.costsManager", Level.BILLING, "budgets cannot be created"),
    Right("roles/accesscontextmanager.policyEditor", Level.ORGANIZATION, "projects cannot join the perimeter"),
    Right("roles/serviceusage.serviceUsageConsumer", Level.SEED, "calls cannot be charged to the seed project"),
    Right("roles/orgpolicy.policyAdmin", Level.ORGANIZATION, "organisation policies cannot be set", True),
    Right("roles/iam.denyAdmin", Level.ORGANIZATION, "deny policies cannot be set", True),
    Right("roles/logging.configWriter", Level.SCOPE, "the sink of audit logs cannot be created", True),
    Right("roles/essentialcontacts.admin", Level.SCOPE, "contacts cannot be set", True),
    Right("roles/resourcemanager.tagAdmin", Level.ORGANIZATION, "tag keys and values cannot be created", True),
    Right("roles/resourcemanager.tagUser", Level.ORGANIZATION, "tags cannot be bound to projects", True),
)
PREVIEWER_RIGHTS = (
    Right("roles/iam.securityReviewer", Level.SCOPE, "grants and service accounts cannot be read"),
    Right("roles/cloudkms.viewer", Level.SCOPE, "keys cannot be read"),
    Right("roles/storage.bucketViewer", Level.SCOPE, "buckets cannot be read"),
    Right(
        "roles/storage.objectViewer",
        Level.SCOPE,
        "archives of the functions' source cannot be looked at",
        condition=FUNCTION_SOURCES,
    ),
    # Every role of Google's that may read settings of Cloud Logging may change them, too
    # (cloud.google.com/iam/docs/roles-permissions, 2026-08).
    Right(
        "plantainPreviewer",
        Level.SCOPE,
        "settings of Cloud Logging, quotas, worker pools and policies of Binary Authorization cannot be read",
        permissions=(
            "logging.settings.get",
            "cloudquotas.quotas.get",
            "cloudbuild.workerpools.get",
            "binaryauthorization.policy.get",
        ),
    ),
    Right("roles/logging.viewer", Level.SCOPE, "sinks and log buckets cannot be read"),
    Right("roles/monitoring.viewer", Level.SCOPE, "alert policies cannot be read"),
    Right("roles/artifactregistry.reader", Level.SCOPE, "repositories cannot be read"),
    Right("roles/cloudfunctions.viewer", Level.SCOPE, "functions and enabled APIs cannot be read"),
    Right("roles/compute.networkViewer", Level.SCOPE, "networks cannot be read"),
    Right("roles/dns.reader", Level.SCOPE, "zones cannot be read"),
    Right("roles/cloudtasks.viewer", Level.SCOPE, "queues cannot be read"),
    Right("roles/pubsub.viewer", Level.SCOPE, "topics cannot be read"),
    Right("roles/accesscontextmanager.policyReader", Level.ORGANIZATION, "the perimeter cannot be read"),
    Right("roles/billing.viewer", Level.BILLING, "billing links and budgets cannot be read"),
    Right("roles/serviceusage.serviceUsageConsumer", Level.SEED, "calls cannot be charged to the seed project"),
    Right("roles/orgpolicy.policyViewer", Level.ORGANIZATION, "organisation policies cannot be read", True),
    Right("roles/iam.denyReviewer", Level.ORGANIZATION, "deny policies cannot be read", True),
    Right("roles/essentialcontacts.viewer", Level.SCOPE, "contacts cannot be read", True),
    Right("roles/resourcemanager.tagViewer", Level.ORGANIZATION, "tags cannot be read", True),
)


class PulumiIdentity(Component):
    """A service account that pulumi runs as, with its rights.

    Attributes:
        account: the service account.
        member: the same as an IAM member.
        grants: its rights.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        purpose: str,
        rights: Sequence[Right],
        project: gcp.organizations.Project,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the identity.

        Args:
            settings: organisation, folder and billing account that rights are granted on.
            name: its account id.
            purpose: its display name.
            rights: what it may do.
            project: the seed project.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("PulumiIdentity", name, after=after, opts=opts)
        self._settings = settings
        self._project = project
        self.account = gcp.serviceaccount.Account(
            name,
            project=project.project_id,
            account_id=name,
            display_name=purpose,
            opts=self._options(),
        )
        self.member = self.account.email.apply(naming.service_account_member)
        self.grants = [self._grant(f"{name}-{_word(right.role)}", right) for right in rights]
        self.register_outputs({"email": self.account.email})

    def _grant(self, name: str, right: Right) -> pulumi.Resource:
        role = self._role(name, right) if right.permissions else right.role
        if right.level is Level.BILLING:
            return gcp.billing.AccountIamMember(
                name,
                billing_account_id=self._settings.billing_account,
                role=role,
                member=self.member,
                opts=self._options(),
            )
        if right.level is Level.SEED:
            return gcp.projects.IAMMember(
                name, project=self._project.project_id, role=role, member=self.member, opts=self._options()
            )
        limit = right.condition
        if right.level is Level.SCOPE and self._settings.folder:
            return gcp.folder.IAMMember(
                name,
                folder=self._settings.folder,
                role=role,
                member=self.member,
                condition=gcp.folder.IAMMemberConditionArgs(**asdict(limit)) if limit else None,
                opts=self._options(),
            )
        return gcp.organizations.IAMMember(
            name,
            org_id=self._settings.organization,
            role=role,
            member=self.member,
            condition=gcp.organizations.IAMMemberConditionArgs(**asdict(limit)) if limit else None,
            opts=self._options(),
        )

    def _role(self, name: str, right: Right) -> pulumi.Output[str]:
        """A role of the organisation's own; its full name."""
        return gcp.organizations.IAMCustomRole(
            name,
            org_id=self._settings.organization,
            role_id=right.role,
            title="Plantain previewer",
            description="What pulumi preview reads besides what the viewers of single services may.",
            permissions=list(right.permissions),
            opts=self._options(),
        ).name


def _word(role: str) -> str:
    return role.removeprefix("roles/").replace(".", "-")
