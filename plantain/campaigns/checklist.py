"""The production checklist: a line for each thing production asks, with an owner and a proof, or named as open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.campaigns.vital_signs import VitalSigns
from plantain.model_lifecycle import lifecycle

if TYPE_CHECKING:
    from infra.campaign_model import Campaign
    from infra.settings import Settings

PLATFORM = "platform team"


@dataclass(frozen=True)
class Line:
    """One thing.

    Attributes:
        item: what production asks.
        owner: who answers for it.
        done: whether there is proof.
        proof: what shows it, or what is missing.
        cure: how to get there; empty when it is done.
    """

    item: str
    owner: str
    done: bool
    proof: str
    cure: str = ""


def checklist(
    campaign: Campaign,
    settings: Settings,
    outputs: Mapping[str, Any] | None,
    signs: VitalSigns | None,
    quota: int | None,
    today: dt.date,
) -> list[Line]:
    """All lines, from the campaign's file, the stack's settings, its outputs and what was read live.

    ``quota`` is the number of images a minute the project may make, -1 without a limit, None when it is not known.
    """
    owner = campaign.labels.owner
    return [
        _contract(campaign, owner, today),
        _price_mode(campaign, owner),
        _credential(campaign, settings),
        _quota(campaign, quota),
        _ceiling(campaign, owner),
        _data_handling(campaign, settings, owner),
        _perimeter(settings),
        _keys(outputs),
        _alerts(signs),
        _fallback(campaign, owner),
        _rollback(settings, signs),
    ]


def _contract(campaign: Campaign, owner: str, today: dt.date) -> Line:
    from generation.models import table  # noqa: PLC0415

    facts = table().get(campaign.function.model)
    if facts is None:
        return Line(
            "model contract", owner, done=False, proof=table().why_not(campaign.function.model), cure="function.model"
        )
    life = lifecycle(table(), facts, today)
    outlives = facts.retirement is None or facts.retirement > campaign.labels.ends_on
    proof = f"{facts.id}, {facts.stage}, retired {facts.retirement_rule} {facts.retirement or ''}".rstrip()
    if facts.stage != "GA" or not outlives:
        after = life.successor.id if life.successor else "another model"
        return Line(
            "model contract",
            owner,
            done=False,
            proof=f"{proof}; the campaign runs until {campaign.labels.ends_on}",
            cure=f"plan the change to {after} before then (plantain models show {facts.id})",
        )
    return Line("model contract", owner, done=True, proof=proof)


def _price_mode(campaign: Campaign, owner: str) -> Line:
    units = campaign.capacity.provisioned_units
    proof = f"{units} throughput units" if units else "pay as you go, chosen by capacity.provisionedUnits: 0"
    return Line("price mode", owner, done=True, proof=f"{proof}; forecast: plantain cost forecast {campaign.name}")


def _credential(campaign: Campaign, settings: Settings) -> Line:
    people = [one for one in campaign.invokers if one.startswith("user:")]
    deployers = settings.perimeter.deployers if settings.perimeter else ()
    persons = [one for one in deployers if one.startswith("user:")]
    if people or persons:
        return Line(
            "credential",
            PLATFORM,
            done=False,
            proof=f"single people: {', '.join([*people, *persons])}",
            cure="groups as invokers, a service account as deployer (plantain:impersonate)",
        )
    return Line("credential", PLATFORM, done=True, proof=f"groups call ({', '.join(campaign.invokers)}); no key exists")


def _quota(campaign: Campaign, quota: int | None) -> Line:
    wanted = campaign.capacity.images_per_minute
    if quota is None:
        return Line(
            "quota",
            PLATFORM,
            done=False,
            proof="the quota of image generation was not read",
            cure="plantain doctor --only quotas after the first update",
        )
    if 0 <= quota < wanted:
        return Line(
            "quota",
            PLATFORM,
            done=False,
            proof=f"{quota} images a minute, {wanted} are asked for",
            cure="raise it, or lower capacity.imagesPerMinute",
        )
    return Line("quota", PLATFORM, done=True, proof="no limit" if quota < 0 else f"{quota} images a minute")


def _ceiling(campaign: Campaign, owner: str) -> Line:
    budget = campaign.budget
    amount = " ".join(filter(None, (str(budget.amount), budget.currency)))
    return Line(
        "cost ceiling",
        owner,
        done=True,
        proof=f"budget of {amount} a month tells at 50, 85 and 100 %; "
        f"{campaign.capacity.images_per_minute} images a minute at most",
    )


def _data_handling(campaign: Campaign, settings: Settings, owner: str) -> Line:
    location = campaign.function.location or "global"
    days = (campaign.images.delete_after_days, campaign.logs.retention_days)
    kept = f"images {days[0]} days, logs {days[1]} days in {settings.region}"
    if campaign.labels.data_class in {"confidential", "restricted"} and location == "global":
        return Line(
            "data handling",
            owner,
            done=False,
            proof=f"data class {campaign.labels.data_class}, but the model is called at global, without residency",
            cure="another model with a location of your region (plantain models), or have the risk accepted in writing",
        )
    return Line(
        "data handling", owner, done=True, proof=f"data class {campaign.labels.data_class}; {kept}; model at {location}"
    )


def _perimeter(settings: Settings) -> Line:
    if settings.perimeter is None:
        return Line(
            "perimeter", PLATFORM, done=False, proof="the stack has no perimeter", cure="set plantain:perimeter"
        )
    if settings.perimeter.enforcement != "enforced":
        return Line(
            "perimeter",
            PLATFORM,
            done=False,
            proof="dry-run: it logs, it refuses nothing",
            cure="plantain perimeter report, then plantain perimeter enforce",
        )
    return Line("perimeter", PLATFORM, done=True, proof=f"enforced, membership {settings.perimeter.membership}")


def _keys(outputs: Mapping[str, Any] | None) -> Line:
    keys = (outputs or {}).get("keys", {})
    if not keys:
        return Line("keys", PLATFORM, done=False, proof="the campaign is not deployed", cure="pulumi up")
    return Line(
        "keys", PLATFORM, done=True, proof=", ".join(f"{use}: {name.rpartition('/')[2]}" for use, name in keys.items())
    )


def _alerts(signs: VitalSigns | None) -> Line:
    if signs is None or not signs.alerts:
        return Line(
            "alerts",
            PLATFORM,
            done=False,
            proof="no alert policy was read",
            cure="pulumi up, then plantain campaign show",
        )
    if signs.open_incidents:
        return Line(
            "alerts", PLATFORM, done=False, proof=f"firing: {', '.join(signs.open_incidents)}", cure="mend what fires"
        )
    return Line("alerts", PLATFORM, done=True, proof=f"{len(signs.alerts)} alert policies, none firing")


def _fallback(campaign: Campaign, owner: str) -> Line:
    from generation.models import table  # noqa: PLC0415

    facts = table().get(campaign.function.model)
    others = [one.id for one in table().models if facts and one.id != facts.id and set(facts.sizes) <= set(one.sizes)]
    if not others:
        return Line("fallback", owner, done=False, proof="no other model makes the same sizes", cure="plantain models")
    return Line(
        "fallback",
        owner,
        done=True,
        proof=f'requests may name {", ".join(others)} in "fallback"; refused requests are kept in run.jsonl',
    )


def _rollback(settings: Settings, signs: VitalSigns | None) -> Line:
    if not settings.deletion_protection:
        return Line(
            "rollback",
            PLATFORM,
            done=False,
            proof="plantain:deletionProtection is false",
            cure="pulumi config set plantain:deletionProtection true",
        )
    if signs is None or signs.function != "ACTIVE":
        return Line(
            "rollback", PLATFORM, done=False, proof="the function is not seen running", cure="plantain campaign show"
        )
    return Line(
        "rollback", PLATFORM, done=True, proof="git revert and pulumi up: every source archive is kept in its bucket"
    )
