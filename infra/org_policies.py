"""Organisation policies: what nobody below the folder can do, whatever their roles.

They stand beside the perimeter and IAM: those say who may call, these say what may exist. In dry-run only constraints
that know dry-run are set; the others would refuse from the first moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_gcp as gcp

from generation import models
from infra.component import Component
from infra.governance_settings import OrganizationPolicies
from infra.perimeter_settings import Enforcement
from infra.project import APIS
from infra.settings import Settings


@dataclass(frozen=True)
class Constraint:
    """One constraint and what it is set to.

    Attributes:
        name: without `constraints/`.
        why: what it prevents.
        enforce: for a boolean constraint.
        allowed: for a list constraint, what it admits.
        denied: for a list constraint, what it refuses.
        deny_all: for a list constraint that admits nothing.
        dry_run: whether it knows dry-run (docs.cloud.google.com/resource-manager/docs/organization-policy, 2026-11).
    """

    name: str
    why: str
    enforce: bool = False
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    deny_all: bool = False
    dry_run: bool = False

    @property
    def rule(self) -> dict[str, Any]:
        """The rule as the provider takes it."""
        if self.enforce:
            return {"enforce": "TRUE"}
        if self.deny_all:
            return {"deny_all": "TRUE"}
        values: dict[str, Any] = {}
        if self.allowed:
            values["allowed_values"] = list(self.allowed)
        if self.denied:
            values["denied_values"] = list(self.denied)
        return {"values": values}


@dataclass(frozen=True)
class CustomRule:
    """A constraint of our own.

    Attributes:
        name: after `custom.`.
        resource: type it looks at.
        condition: in the Common Expression Language; what meets it is refused.
        why: what it prevents.
        methods: calls it looks at.
    """

    name: str
    resource: str
    condition: str
    why: str
    methods: tuple[str, ...] = field(default=("CREATE", "UPDATE"))


ALWAYS = (
    Constraint("storage.publicAccessPrevention", "buckets that everybody can read", enforce=True),
    Constraint("storage.uniformBucketLevelAccess", "objects with access lists of their own", enforce=True),
    Constraint("iam.disableServiceAccountKeyCreation", "keys of service accounts, which leak", enforce=True),
    Constraint("iam.disableServiceAccountKeyUpload", "keys of service accounts made elsewhere", enforce=True),
    Constraint("iam.automaticIamGrantsForDefaultServiceAccounts", "default accounts that may edit", enforce=True),
    Constraint("compute.skipDefaultNetworkCreation", "networks with a way to the internet", enforce=True),
    Constraint("compute.vmExternalIpAccess", "machines with an external address", deny_all=True),
    Constraint(
        "gcp.restrictTLSVersion",
        "calls with TLS older than 1.2",
        denied=("TLS_VERSION_1", "TLS_VERSION_1_1"),
        dry_run=True,
    ),
    Constraint(
        "run.allowedIngress",
        "functions that the internet can call",
        allowed=("internal", "internal-and-cloud-load-balancing"),
    ),
    Constraint("run.allowedVPCEgress", "functions that reach the internet", allowed=("all-traffic",)),
    Constraint("run.managed.requireInvokerIam", "functions that anybody may call", enforce=True, dry_run=True),
)
"""What is set whatever the settings say. Constraints named after Cloud Functions are those of its first generation: the
second obeys Cloud Run's."""

ENCRYPTED_SERVICES = (
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudfunctions.googleapis.com",
    "run.googleapis.com",
    "storage.googleapis.com",
)
"""Services that create nothing without a customer's key. Not Logging, because every project has a bucket from its first
moment that has none, and not Vertex AI, because generation stores nothing."""

FOUNDATION_SERVICES = (
    "accesscontextmanager.googleapis.com",
    "billingbudgets.googleapis.com",
    "binaryauthorization.googleapis.com",
    "cloudasset.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudquotas.googleapis.com",
    "cloudtasks.googleapis.com",
    "essentialcontacts.googleapis.com",
    "orgpolicy.googleapis.com",
    "secretmanager.googleapis.com",
    "sts.googleapis.com",
)

CUSTOM = (
    CustomRule(
        "plantainBucketVersioning",
        "storage.googleapis.com/Bucket",
        "resource.versioning.enabled == false",
        "buckets in which an overwritten object is lost",
    ),
)


def constraints(settings: OrganizationPolicies, scope: str) -> list[Constraint]:
    """Every constraint a stack sets, by name.

    Args:
        settings: what the stack says.
        scope: folder or organisation it is set on.
    """
    known = (f"publishers/google/models/{model}:predict" for model in models.table().ids)
    found = [
        *ALWAYS,
        Constraint("gcp.restrictNonCmekServices", "data encrypted with Google's own keys", denied=ENCRYPTED_SERVICES),
        Constraint(
            "gcp.restrictCmekCryptoKeyProjects",
            "data encrypted with somebody else's keys",
            allowed=settings.key_holders or (f"under:{scope}",),
        ),
        Constraint(
            "gcp.restrictServiceUsage",
            "services that nobody has looked at",
            allowed=tuple(sorted({*APIS, *FOUNDATION_SERVICES, *settings.other_services})),
            dry_run=True,
        ),
        Constraint(
            "vertexai.allowedModels",
            "models that nobody has looked at",
            allowed=tuple(sorted({*known, *settings.models})),
        ),
    ]
    if settings.locations:
        found.append(
            Constraint(
                "gcp.resourceLocations",
                "data outside the regions that were agreed",
                allowed=tuple(sorted({*settings.locations, "global"})),
            )
        )
    if settings.member_customers:
        found.append(
            Constraint(
                "iam.allowedPolicyMemberDomains",
                "roles for identities of others",
                allowed=settings.member_customers,
            )
        )
    if settings.contact_domains:
        found.append(
            Constraint(
                "essentialcontacts.allowedContactDomains",
                "notices about security to addresses of others",
                allowed=settings.contact_domains,
            )
        )
    return sorted(
        (constraint for constraint in found if constraint.name not in settings.leave_out), key=lambda found: found.name
    )


class PolicySet(Component):
    """The organisation policies of a stack.

    Attributes:
        policies: by constraint.
    """

    def __init__(
        self,
        settings: Settings,
        policies: OrganizationPolicies,
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("OrganizationPolicies", "organization-policies", after=after, opts=opts)
        dry = policies.enforcement is Enforcement.DRY_RUN
        own = [rule for rule in CUSTOM if policies.custom and f"custom.{rule.name}" not in policies.leave_out]
        defined = {
            rule.name: gcp.orgpolicy.CustomConstraint(
                rule.name,
                parent=f"organizations/{settings.organization}",
                name=f"custom.{rule.name}",
                resource_types=[rule.resource],
                method_types=list(rule.methods),
                condition=rule.condition,
                action_type="DENY",
                display_name=f"Plantain: {rule.why}"[:200],
                description=f"Prevents {rule.why}.",
                opts=self._options(),
            )
            for rule in own
        }
        self.policies: Mapping[str, gcp.orgpolicy.Policy] = {
            **{
                constraint.name: self._policy(settings.scope, constraint, dry=dry)
                for constraint in constraints(policies, settings.scope)
                if constraint.dry_run or not dry
            },
            **{
                f"custom.{rule.name}": self._policy(
                    settings.scope,
                    Constraint(f"custom.{rule.name}", rule.why, enforce=True, dry_run=True),
                    dry=dry,
                    after=[defined[rule.name]],
                )
                for rule in own
            },
        }
        self.register_outputs({})

    def _policy(
        self, scope: str, constraint: Constraint, *, dry: bool, after: Sequence[pulumi.Resource] = ()
    ) -> gcp.orgpolicy.Policy:
        spec: dict[str, Any] = {"rules": [constraint.rule]}
        arguments: Any = {"dry_run_spec": spec} if dry else {"spec": spec}
        return gcp.orgpolicy.Policy(
            constraint.name,
            name=f"{scope}/policies/{constraint.name}",
            parent=scope,
            opts=self._options(after=after, delete_before_replace=True),
            **arguments,
        )
