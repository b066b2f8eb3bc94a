"""A VPC Service Controls perimeter that this stack owns.

An owner is one of two kinds. *inline*: the stack lists its own campaigns as members, nobody else joins.
*delegated*: the stack lists no members and leaves those it finds alone, other stacks join (see `membership`).
A state must not hold both an owner that leaves members alone and members that add themselves: members that were
added in the same update are not in the list the owner sends. `stack.check` refuses that combination.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component
from infra.membership import EVERYTHING, refuse_to_drop
from infra.perimeter_settings import Enforcement, OwnedPerimeter
from infra.retention import Retention
from infra.settings import Settings

RESTRICTED_SERVICES = (
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudtasks.googleapis.com",
    "compute.googleapis.com",
    "containeranalysis.googleapis.com",
    "dns.googleapis.com",
    "eventarc.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
)
"""What a campaign uses and what could carry its data away, all supported by VPC Service Controls
(cloud.google.com/vpc-service-controls/docs/supported-products, 2026-11)."""


class Perimeter(Component):
    """A perimeter this stack owns, with the access level and ingress rule of those who deploy.

    Attributes:
        name: full name, accessPolicies/{policy}/servicePerimeters/{name}.
    """

    def __init__(
        self,
        settings: Settings,
        perimeter: OwnedPerimeter,
        *,
        members: Mapping[str, pulumi.Output[str]],
        retention: Retention,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the perimeter.

        Args:
            settings: the stack's settings.
            perimeter: the perimeter's part of them.
            members: project numbers by campaign; empty for a delegated perimeter.
            retention: whether the perimeter may be deleted.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("Perimeter", perimeter.title, after=after, opts=opts)
        policy = self._policy(settings, perimeter)
        short = naming.access_context_name(perimeter.title)
        self.level = gcp.accesscontextmanager.AccessLevel(
            f"{perimeter.title}-deployers",
            name=policy.apply(lambda policy: f"{policy}/accessLevels/{short}_deployers"),
            parent=policy,
            title=f"{perimeter.title} deployers",
            basic=gcp.accesscontextmanager.AccessLevelBasicArgs(
                conditions=[
                    gcp.accesscontextmanager.AccessLevelBasicConditionArgs(
                        members=sorted(perimeter.deployers),
                        ip_subnetworks=sorted(perimeter.ip_subnetworks) or None,
                    )
                ]
            ),
            # Titles are unique in a policy, so the new one cannot exist beside the old one.
            opts=self._options(delete_before_replace=True),
        )
        rules = self._rules(perimeter, members)
        self.perimeter = gcp.accesscontextmanager.ServicePerimeter(
            perimeter.title,
            name=policy.apply(lambda policy: f"{policy}/servicePerimeters/{short}"),
            parent=policy,
            title=perimeter.title,
            description=f"Campaigns of Plantain, membership {perimeter.membership}.",
            perimeter_type="PERIMETER_TYPE_REGULAR",
            use_explicit_dry_run_spec=True,
            spec=rules,
            status=rules if perimeter.enforcement is Enforcement.ENFORCED else None,
            deletion_policy=retention.perimeter,
            opts=self._options(
                delete_before_replace=True,
                protect=retention.protect,
                ignore_changes=["status.resources", "spec.resources"] if perimeter.membership == "delegated" else None,
                hooks=_keep_members(perimeter, retention),
            ),
        )
        self.name = self.perimeter.name
        self.register_outputs({"name": self.name})

    def _policy(self, settings: Settings, perimeter: OwnedPerimeter) -> pulumi.Output[str]:
        if perimeter.access_policy is not None:
            return pulumi.Output.from_input(perimeter.access_policy)
        policy = gcp.accesscontextmanager.AccessPolicy(
            f"{perimeter.title}-policy",
            parent=f"organizations/{settings.organization}",
            title=perimeter.title,
            scopes=settings.folder,
            opts=self._options(),
        )
        return policy.name.apply(lambda number: f"accessPolicies/{number}")

    def _rules(self, perimeter: OwnedPerimeter, members: Mapping[str, pulumi.Output[str]]) -> Any:
        """One configuration, used as the dry-run one and, when enforced, as the enforced one too."""
        return {
            "resources": pulumi.Output.all(*members.values()).apply(
                lambda numbers: sorted({*map(naming.project_member, numbers), *perimeter.other_members})
            ),
            "restricted_services": sorted({*RESTRICTED_SERVICES, *perimeter.additional_services}),
            "vpc_accessible_services": {"enable_restriction": True, "allowed_services": ["RESTRICTED-SERVICES"]},
            "ingress_policies": [
                {
                    "title": "deployers",
                    "ingress_from": {
                        "identities": sorted(perimeter.deployers),
                        "sources": [{"access_level": self.level.name}],
                    },
                    # Every member, because a campaign that is added later must be reachable from its first call.
                    "ingress_to": {"resources": [EVERYTHING], "operations": [{"service_name": EVERYTHING}]},
                }
            ],
        }


def _keep_members(perimeter: OwnedPerimeter, retention: Retention) -> pulumi.ResourceHookBinding:
    def keep_members(arguments: pulumi.ResourceHookArgs) -> None:
        refuse_to_drop(perimeter, arguments, protect=retention.protect)

    hook = pulumi.ResourceHook("keep-members", keep_members, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(before_update=[hook])
