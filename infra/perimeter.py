"""A VPC Service Controls perimeter that this stack owns.

An owner is one of two kinds. *inline*: the stack lists its own campaigns as members, nobody else joins.
*delegated*: the stack lists no members and leaves those it finds alone, other stacks join (see `membership`).
A state must not hold both an owner that leaves members alone and campaigns that add themselves: members that were
added in the same update are not in the list the owner sends. `stack.check` refuses that combination. The log project of
a delegated owner is the one exception: it joins after the perimeter, in every update. Listed, it would be left out of
the enforced configuration of a perimeter that began in dry-run, because a list that is left alone stays as it was:
absent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import error_hooks, naming, perimeter_rules
from infra.access_levels import AccessLevels
from infra.component import Component
from infra.membership import refuse_to_drop
from infra.perimeter_settings import Enforcement, OwnedPerimeter, Proposal
from infra.restricted_services import RESTRICTED_SERVICES
from infra.retention import Retention
from infra.settings import Settings


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
        sinks: Sequence[pulumi.Input[str]] = (),
        log_project: pulumi.Input[str] | None = None,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the perimeter.

        Args:
            settings: the stack's settings.
            perimeter: the perimeter's part of them.
            members: project numbers by campaign; empty for a delegated perimeter.
            retention: whether the perimeter may be deleted.
            sinks: identities that write audit logs into the log project from outside.
            log_project: number of the log project, a member too.
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
        # A component without resources would be the first thing that a refused destroy takes away.
        self._levels = (
            AccessLevels(short, policy=policy, levels=perimeter.access_levels, opts=self._options())
            if perimeter.access_levels
            else None
        )
        self._sinks, self._log_project = sinks, log_project
        self._delegated = perimeter.membership == "delegated"
        enforced = self._rules(perimeter, members)
        proposed = self._rules(perimeter, members, perimeter.proposed) if perimeter.proposed else enforced
        self.perimeter = gcp.accesscontextmanager.ServicePerimeter(
            perimeter.title,
            name=policy.apply(lambda policy: f"{policy}/servicePerimeters/{short}"),
            parent=policy,
            title=perimeter.title,
            description=f"Campaigns of Plantain, membership {perimeter.membership}.",
            perimeter_type="PERIMETER_TYPE_REGULAR",
            use_explicit_dry_run_spec=True,
            spec=proposed,
            status=enforced if perimeter.enforcement is Enforcement.ENFORCED else None,
            deletion_policy=retention.perimeter,
            opts=self._options(
                delete_before_replace=True,
                protect=retention.protect,
                ignore_changes=["status.resources", "spec.resources"] if self._delegated else None,
                hooks=_keep_members(perimeter, retention, log_project if self._delegated else None),
            ),
        )
        self.name = self.perimeter.name
        if self._delegated and log_project is not None:
            self._join(perimeter, log_project)
        self.register_outputs({"name": self.name})

    def _join(self, perimeter: OwnedPerimeter, log_project: pulumi.Input[str]) -> None:
        """Make the log project a member of each configuration that there is."""
        kinds: list[Any] = [gcp.accesscontextmanager.ServicePerimeterDryRunResource]
        if perimeter.enforcement is Enforcement.ENFORCED:
            kinds.append(gcp.accesscontextmanager.ServicePerimeterResource)
        for kind in kinds:
            kind(
                f"{perimeter.title}-logs",
                perimeter_name=self.name,
                resource=pulumi.Output.from_input(log_project).apply(naming.project_member),
                opts=self._options(delete_before_replace=True, hooks=error_hooks.conflicting()),
            )

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

    def _named(self, level: str) -> pulumi.Input[str]:
        """The full name of a level that a rule asks for: one of this perimeter's, or one that exists already."""
        return self._levels.named(level) if self._levels else level

    def _rules(
        self, perimeter: OwnedPerimeter, members: Mapping[str, pulumi.Output[str]], proposal: Proposal | None = None
    ) -> Any:
        """One configuration: what is enforced, or with a proposal what is tried."""
        tried = proposal or Proposal()
        listed = self._log_project is not None and not self._delegated
        numbers = [*members.values(), *([self._log_project] if listed else [])]
        fixed = [
            perimeter_rules.deployers(perimeter.deployers, self.level.name),
            *(
                [perimeter_rules.auditors(perimeter.auditors, [*map(self._named, perimeter.auditor_levels)])]
                if perimeter.auditors
                else []
            ),
            *(
                [
                    perimeter_rules.sink_writers(
                        self._sinks,
                        # A rule may only name members, and this one is not yet.
                        perimeter_rules.EVERYTHING
                        if self._delegated
                        else pulumi.Output.from_input(self._log_project).apply(naming.project_member),
                    )
                ]
                if self._sinks and self._log_project is not None
                else []
            ),
        ]
        rules: dict[str, Any] = {
            "resources": pulumi.Output.all(*numbers).apply(
                lambda numbers: sorted({*map(naming.project_member, numbers), *perimeter.other_members})
            ),
            "restricted_services": sorted(
                {*RESTRICTED_SERVICES, *perimeter.additional_services, *tried.additional_services}
            ),
            "vpc_accessible_services": {"enable_restriction": True, "allowed_services": ["RESTRICTED-SERVICES"]},
            "ingress_policies": [
                *fixed,
                *(
                    perimeter_rules.ingress(rule, self._named)
                    for rule in (*perimeter.ingress, *tried.ingress)
                    if rule.title not in tried.without
                ),
            ],
        }
        leaving = [
            perimeter_rules.egress(rule, self._named)
            for rule in (*perimeter.egress, *tried.egress)
            if rule.title not in tried.without
        ]
        return rules | ({"egress_policies": leaving} if leaving else {})


def _keep_members(
    perimeter: OwnedPerimeter, retention: Retention, log_project: pulumi.Input[str] | None
) -> pulumi.ResourceHookBinding:
    own: set[str] = set()
    if log_project is not None:
        pulumi.Output.from_input(log_project).apply(lambda number: own.add(naming.project_member(number)))

    def keep_members(arguments: pulumi.ResourceHookArgs) -> None:
        refuse_to_drop(perimeter, arguments, protect=retention.protect, own=own)

    hook = pulumi.ResourceHook("keep-members", keep_members, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(before_update=[hook])
