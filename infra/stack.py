"""A stack from its settings: which perimeter, which campaigns, in which order. It declares no resource of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from infra import campaign_model, provider, source
from infra.campaign import Campaign, CampaignFoundation
from infra.component import Component
from infra.errors import MembershipError, Problem
from infra.guard import Guard
from infra.membership import Membership
from infra.perimeter import Perimeter
from infra.perimeter_settings import JoinedPerimeter
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
        archive = source.pack(root / FUNCTIONS)
        path = source.write(archive, root / BUILD)
        for campaign in campaigns:
            deployed = Campaign(
                campaign,
                foundations[campaign.name],
                region=settings.region,
                archive=path,
                digest=archive.digest,
                retention=kept,
                after=memberships[campaign.name],
                opts=google,
            )
            guarded = [foundations[campaign.name], *memberships[campaign.name], deployed]
            Guard(campaign.name, guarded=guarded, protect=kept.protect)
            outputs[campaign.name] = deployed.outputs
    return {"perimeter": perimeter_name, "campaigns": outputs}
