"""A stack from its settings: which perimeter, which campaigns, in which order. It declares no resource of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from infra import campaign_model, channels, provider, source
from infra import wheels as vendor
from infra.campaign import Campaign, CampaignFoundation
from infra.component import Component
from infra.errors import MembershipError, Problem
from infra.guard import Guard
from infra.membership import Membership
from infra.perimeter import Perimeter
from infra.perimeter_settings import JoinedPerimeter
from infra.placement_model import Dependencies
from infra.retention import retention
from infra.settings import Settings

FUNCTIONS = "functions"
BUILD = Path(".plantain") / "build"


def check(settings: Settings, campaigns: Sequence[campaign_model.Campaign], *, stack: str) -> None:
    """Refuse what would lose members of the perimeter.

    Raises:
        MembershipError: when a stack owns a delegated perimeter and has campaigns.
    """
    if settings.perimeter.membership == "delegated" and campaigns:
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


def deploy(
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
    google = pulumi.ResourceOptions(provider=provider.google(settings, stack=stack))
    kept = retention(deletion_protection=settings.deletion_protection)

    foundations = {
        campaign.name: CampaignFoundation(
            campaign,
            parent=settings.parent,
            billing_account=settings.billing_account,
            region=settings.region,
            retention=kept,
            opts=google,
        )
        for campaign in campaigns
    }
    memberships: Mapping[str, Sequence[Component]]
    if isinstance(settings.perimeter, JoinedPerimeter):
        perimeter_name: pulumi.Input[str] = settings.perimeter.perimeter
        memberships = {
            name: [Membership(name, settings.perimeter, number=foundation.project.number, opts=google)]
            for name, foundation in foundations.items()
        }
    else:
        perimeter = Perimeter(
            settings,
            settings.perimeter,
            members={name: foundation.project.number for name, foundation in foundations.items()},
            retention=kept,
            opts=google,
        )
        Guard("perimeter", guarded=[perimeter], protect=kept.protect)
        perimeter_name = perimeter.name
        memberships = {name: [perimeter] for name in foundations}

    outputs: dict[str, Any] = {}
    if campaigns:
        archives = _archives(campaigns, root=root, wheels=settings.wheels)
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
            guarded = [foundations[campaign.name], *memberships[campaign.name], deployed]
            Guard(campaign.name, guarded=guarded, protect=kept.protect)
            outputs[campaign.name] = deployed.outputs
    return {"perimeter": perimeter_name, "campaigns": outputs}


def _archives(
    campaigns: Sequence[campaign_model.Campaign], *, root: Path, wheels: str
) -> Mapping[Dependencies, source.Archive]:
    """The function's source for each way of building it that a campaign has chosen."""
    folder = root / FUNCTIONS
    source.check(folder)
    return {
        way: source.pack(
            folder,
            wheels=vendor.folder(folder, root=root, wheels=wheels) if way == Dependencies.VENDORED else None,
        )
        for way in sorted({campaign.build.dependencies for campaign in campaigns})
    }
