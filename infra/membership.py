"""Members of the perimeter: how a campaign joins one that somebody else owns, and how an owner loses none.

A perimeter's members are one list, and the provider sends all of it when anything else in the same configuration
changes. So every update of an owner could drop what others added since. Pulumi.yaml has the state refreshed before
each update; with that, a delegated owner sends the members it found, and an inline owner stops here.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra import error_hooks, naming, perimeter_rules
from infra.component import Component
from infra.errors import MembershipError, Problem
from infra.perimeter_settings import Enforcement, JoinedPerimeter, OwnedPerimeter

EVERYTHING = "*"
CONFIGURATIONS = ("status", "spec")


class Membership(Component):
    """One campaign's membership of a perimeter that somebody else owns."""

    def __init__(
        self,
        name: str,
        perimeter: JoinedPerimeter,
        *,
        number: pulumi.Output[str],
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Membership", name, after=after, opts=opts)
        self._patience = error_hooks.conflicting()
        enforced = perimeter.enforcement is Enforcement.ENFORCED
        resource = number.apply(naming.project_member)
        join = (
            gcp.accesscontextmanager.ServicePerimeterResource
            if enforced
            else gcp.accesscontextmanager.ServicePerimeterDryRunResource
        )
        self.member = join(
            f"{name}-member",
            perimeter_name=perimeter.perimeter,
            resource=resource,
            opts=self._options(delete_before_replace=True, hooks=self._patience),
        )
        self.ingress: pulumi.Resource | None = None
        if perimeter.deployers:
            admit = (
                gcp.accesscontextmanager.ServicePerimeterIngressPolicy
                if enforced
                else gcp.accesscontextmanager.ServicePerimeterDryRunIngressPolicy
            )
            arguments: Any = {
                "ingress_from": {
                    "identities": sorted(perimeter.deployers),
                    "sources": [{"access_level": EVERYTHING}],
                },
                "ingress_to": {"resources": [resource], "operations": [{"service_name": EVERYTHING}]},
            }
            self.ingress = admit(
                f"{name}-deployers",
                perimeter=perimeter.perimeter,
                title=f"{name} deployers",
                # A rule may only name projects that are members already.
                opts=self._options(after=[self.member], delete_before_replace=True, hooks=self._patience),
                **arguments,
            )
        self._rules(name, perimeter, resource)
        self.register_outputs({})

    def _rules(self, name: str, perimeter: JoinedPerimeter, resource: pulumi.Output[str]) -> None:
        """Rules of the settings, narrowed to this campaign."""
        context = gcp.accesscontextmanager
        enforced = perimeter.enforcement is Enforcement.ENFORCED
        into: Any = context.ServicePerimeterIngressPolicy if enforced else context.ServicePerimeterDryRunIngressPolicy
        out: Any = context.ServicePerimeterEgressPolicy if enforced else context.ServicePerimeterDryRunEgressPolicy
        # Titles tell rules apart in the whole perimeter, where other stacks may have one of the same purpose.
        for rule in perimeter.ingress:
            body = perimeter_rules.ingress(rule, lambda level: level)
            body["ingress_to"]["resources"] = [resource]
            into(
                f"{name}-{rule.title}",
                perimeter=perimeter.perimeter,
                opts=self._options(after=[self.member], delete_before_replace=True, hooks=self._patience),
                **body | {"title": f"{name}: {rule.title}"},
            )
        for leaving in perimeter.egress:
            out(
                f"{name}-{leaving.title}",
                perimeter=perimeter.perimeter,
                opts=self._options(after=[self.member], delete_before_replace=True, hooks=self._patience),
                **perimeter_rules.egress(leaving, lambda level: level) | {"title": f"{name}: {leaving.title}"},
            )


def refuse_to_drop(
    perimeter: OwnedPerimeter,
    arguments: pulumi.ResourceHookArgs,
    *,
    protect: bool,
    own: Collection[str] = frozenset(),
) -> None:
    """Stop an update of a perimeter that would drop members.

    Members that this stack never added are never dropped. Those it did are not dropped while it is protected: the
    engine updates the perimeter before it deletes a project, which would stay, outside the perimeter.

    Args:
        perimeter: the owner's settings.
        arguments: what the engine knows. The old outputs were just refreshed, so they are what Google Cloud has;
            the old inputs are what this stack asked for the last time.
        protect: whether the stack is protected against deletion.
        own: members that this stack adds besides the list; it takes them out itself.

    Raises:
        MembershipError: naming each such member.
    """
    problems = [
        _foreign(perimeter.title, member) if foreign else _protected(perimeter.title, member)
        for member, foreign in _dropped(arguments, inline=perimeter.membership == "inline")
        if (foreign or protect) and member not in own
    ]
    if problems:
        raise MembershipError(problems)


def _foreign(perimeter: str, member: str) -> Problem:
    return Problem(
        file=perimeter,
        key=member,
        cause="a member of the perimeter that this stack did not add, which the update would drop",
        rule="an inline perimeter lists plantain:perimeter.otherMembers besides its campaigns; a delegated one goes "
        "back to dry-run after its members did",
        cure="list it under plantain:perimeter.otherMembers or, if it does not belong there, run gcloud "
        f"access-context-manager perimeters update {perimeter} --remove-resources={member}",
    )


def _protected(perimeter: str, member: str) -> Problem:
    return Problem(
        file=perimeter,
        key=member,
        cause="a project of this stack that would leave the perimeter, although it is protected and would stay",
        rule="a campaign of a protected stack stays in the perimeter",
        cure="bring its file back; to end the campaign, run pulumi config set plantain:deletionProtection false and "
        "pulumi up before its file is removed",
    )


def _dropped(arguments: pulumi.ResourceHookArgs, *, inline: bool) -> Iterator[tuple[str, bool]]:
    """Members an update would drop, each with whether somebody else added it."""
    dropped: dict[str, bool] = {}
    for configuration in CONFIGURATIONS:
        found = _resources(arguments.old_outputs, configuration) or set()
        asked_for = _resources(arguments.old_inputs, configuration) or set()
        if (arguments.new_inputs or {}).get(configuration) is None:
            # The whole configuration goes; what this stack listed is in the other one still.
            leaving = found - asked_for
        elif inline:
            wanted = _resources(arguments.new_inputs, configuration)
            # A new campaign's project has no number in a preview: the update will know it.
            leaving = found - wanted if wanted is not None else set()
        else:
            # A delegated owner ignores its members, so those that were found are sent.
            leaving = set()
        for member in leaving:
            dropped[member] = dropped.get(member, False) or member not in asked_for
    yield from sorted(dropped.items())


def _resources(properties: Mapping[str, Any] | None, configuration: str) -> set[str] | None:
    """Members in one configuration; none when there is no such configuration, None when they are not known yet."""
    rules = (properties or {}).get(configuration)
    if not isinstance(rules, Mapping):
        return set() if rules is None else None
    resources = rules.get("resources")
    if resources is None:
        return set()
    if not isinstance(resources, Sequence) or not all(isinstance(resource, str) for resource in resources):
        return None
    return set(resources)
