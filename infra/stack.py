"""A stack from its settings: which perimeter, which campaigns, in which order. It declares no resource of its own."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

from infra import campaign_model, channels, error_hooks, naming, provider, source
from infra import wheels as vendor
from infra.campaign_foundation import CampaignFoundation
from infra.component import Component
from infra.errors import MembershipError, Problem
from infra.guard import Guard
from infra.membership import Membership
from infra.perimeter import Perimeter
from infra.perimeter_settings import Enforcement, JoinedPerimeter
from infra.placement_model import Dependencies
from infra.retention import Retention, retention
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.foundation import Foundation

FUNCTIONS = "functions"
BUILD = Path(".plantain") / "build"


def check(settings: Settings, campaigns: Sequence[campaign_model.Campaign], *, stack: str) -> None:
    """Refuse what would lose members of the perimeter.

    Raises:
        MembershipError: when a stack owns a delegated perimeter and has campaigns.
    """
    if settings.perimeter is not None and settings.perimeter.membership == "delegated" and campaigns:
        names = ", ".join(campaign.name for campaign in campaigns)
        raise MembershipError(
            [
                Problem(
                    file=f"Pulumi.{stack}.yaml",
                    key="plantain:perimeter.membership",
                    cause=f"delegated, but plantain:campaigns matches {names}; an update of the perimeter would "
                    "drop members that join from the same stack",
                    rule="inline for a stack with campaigns of its own; delegated for one without any",
                    cure="pulumi config set plantain:campaigns '', and give the campaigns a stack that joins",
                )
            ]
        )


async def deploy(
    settings: Settings, campaigns: Sequence[campaign_model.Campaign], *, root: Path, stack: str
) -> Mapping[str, Any]:
    """Declare everything the stack consists of.

    Args:
        settings: the stack's settings.
        campaigns: its campaigns.
        root: folder of Pulumi.yaml.
        stack: the stack's name.

    Returns:
        The stack's outputs.

    Raises:
        InfraError: when settings, campaigns or the function's source make no sense together.
    """
    check(settings, campaigns, stack=stack)
    channels.check(campaigns, settings.channel_secrets, stack=stack)
    # Before anything is declared: what is declared goes to the engine even when the program then ends in an error.
    archives = _archives(campaigns, root=root, wheels=settings.wheels)
    error_hooks.register()
    google = pulumi.ResourceOptions(provider=provider.google(settings, stack=stack))
    kept = retention(deletion_protection=settings.deletion_protection)

    outputs: dict[str, Any] = {}
    shared = _shared(settings, retention=kept, opts=google)
    if shared:
        Guard("foundation", guarded=[shared], protect=kept.protect)
        outputs |= shared.outputs

    foundations = {
        campaign.name: CampaignFoundation(
            campaign,
            parent=settings.parent,
            billing_account=settings.billing_account,
            region=settings.region,
            retention=kept,
            after=shared.logs.defaults if shared and shared.logs else (),
            opts=google,
        )
        for campaign in campaigns
    }
    memberships: Mapping[str, Sequence[Component]] = {name: [] for name in foundations}
    logs = shared.logs if shared else None
    if isinstance(settings.perimeter, JoinedPerimeter):
        outputs["perimeter"] = settings.perimeter.perimeter
        if logs:
            Membership("logs", settings.perimeter, number=logs.project.number, opts=google)
        memberships = {
            name: _joined(name, settings, settings.perimeter, number=foundation.project.number, opts=google)
            for name, foundation in foundations.items()
        }
    elif settings.perimeter is not None:
        perimeter = Perimeter(
            settings,
            settings.perimeter,
            members={name: foundation.project.number for name, foundation in foundations.items()},
            retention=kept,
            sinks=logs.writers if logs else (),
            log_project=logs.project.number if logs else None,
            opts=google,
        )
        Guard("perimeter", guarded=[perimeter], protect=kept.protect)
        outputs["perimeter"] = perimeter.name
        memberships = {name: [perimeter] for name in foundations}

    deployments: dict[str, Any] = {}
    if campaigns:
        await _registered(foundations.values())
        # Loading what a campaign works with takes as long as all else; the engine has its foundation meanwhile.
        from infra.campaign import Campaign  # noqa: PLC0415 -- not before the engine is at work

        for campaign in campaigns:
            archive = archives[campaign.build.dependencies]
            deployed = Campaign(
                campaign,
                foundations[campaign.name],
                region=settings.region,
                billing_account=settings.billing_account,
                secrets=settings.channel_secrets,
                archive=source.write(archive, root / BUILD),
                digest=archive.digest,
                retention=kept,
                after=memberships[campaign.name],
                opts=google,
            )
            tagged = _tagged(campaign, foundations[campaign.name], settings, shared, opts=google)
            guarded = [foundations[campaign.name], *memberships[campaign.name], *tagged, deployed]
            guarded += _denied(campaign.name, foundations[campaign.name], settings, after=guarded, opts=google)
            Guard(campaign.name, guarded=guarded, protect=kept.protect)
            deployments[campaign.name] = deployed.outputs
            await _registered([deployed])
        if settings.monitoring_project:
            # Few stacks have it, so the others do not load it.
            from infra.overview import Overview  # noqa: PLC0415

            projects = {name: foundation.project.project for name, foundation in foundations.items()}
            Overview(project=settings.monitoring_project, stack=stack, campaigns=projects, opts=google)
    return outputs | {"campaigns": deployments}


async def _registered(components: Iterable[pulumi.ComponentResource]) -> None:
    """Wait until the engine knows these components: meanwhile all that is declared goes to it.

    A program that never waits hands everything over at its end, and the engine idles while it runs. Whether the engine
    takes a component is told by the program's own end, so no error is raised from here.
    """
    await asyncio.wait([asyncio.ensure_future(component.urn.future()) for component in components])


def _joined(
    name: str,
    settings: Settings,
    perimeter: JoinedPerimeter,
    *,
    number: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> list[Component]:
    """A campaign's membership, and the wait until it is inside: what is made before is made unprotected."""
    # Only a stack that joins asks an API itself, so only it loads what asking takes.
    from infra.google_api import GoogleApi  # noqa: PLC0415
    from infra.readiness import Readiness, member_of  # noqa: PLC0415

    membership = Membership(name, perimeter, number=number, opts=opts)
    configuration = "status" if perimeter.enforcement is Enforcement.ENFORCED else "spec"
    inside = Readiness(
        f"{name}-inside",
        GoogleApi.of(settings),
        number.apply(lambda number: [member_of(perimeter.perimeter, naming.project_member(number), configuration)]),
        after=[membership],
    )
    return [membership, inside]


def _shared(settings: Settings, *, retention: Retention, opts: pulumi.ResourceOptions) -> "Foundation | None":
    if not settings.has_foundation:
        return None
    # Its APIs take as long to load as a campaign's; only a stack that has a foundation pays for them.
    from infra.foundation import Foundation  # noqa: PLC0415

    return Foundation(settings, retention=retention, opts=opts)


def _archives(
    campaigns: Sequence[campaign_model.Campaign], *, root: Path, wheels: str
) -> Mapping[Dependencies, source.Archive]:
    """The function's source for each way of building it that a campaign has chosen."""
    folder = root / FUNCTIONS
    if campaigns:
        source.check(folder)
    return {
        way: source.pack(
            folder,
            wheels=vendor.folder(folder, root=root, wheels=wheels) if way == Dependencies.VENDORED else None,
        )
        for way in sorted({campaign.build.dependencies for campaign in campaigns})
    }


def _denied(
    name: str,
    foundation: CampaignFoundation,
    settings: Settings,
    *,
    after: list[Component],
    opts: pulumi.ResourceOptions,
) -> list[Component]:
    if settings.deny_policy is None:
        return []
    from infra.denials import Denials  # noqa: PLC0415 -- as _shared

    project, exceptions = foundation.project.project_id, settings.deny_policy.exceptions
    return [Denials(name, project=project, exceptions=exceptions, after=after, opts=opts)]


def _tagged(
    campaign: campaign_model.Campaign,
    foundation: CampaignFoundation,
    settings: Settings,
    shared: "Foundation | None",
    *,
    opts: pulumi.ResourceOptions,
) -> list[Component]:
    if settings.tags is None:
        return []
    from infra.tags import CampaignTags  # noqa: PLC0415 -- as _shared

    return [
        CampaignTags(
            campaign,
            number=foundation.project.number,
            keys=shared.tags if shared else None,
            bind=settings.tags.bind,
            opts=opts,
        )
    ]
