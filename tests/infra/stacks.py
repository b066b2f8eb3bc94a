"""Settings, campaigns and recorded stacks that tests start from and change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from infra import campaign_file, settings, stack
from infra.campaign_model import Campaign
from tests.infra.recording_engine import LABELS, Recording, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEPLOYER = "serviceAccount:deployer@seed.iam.gserviceaccount.com"
JOINED = "accessPolicies/987654321/servicePerimeters/theirs"


def raw_settings(**changes: Any) -> dict[str, str]:
    """The smallest complete configuration, as Pulumi hands it over; None removes a key."""
    values: dict[str, Any] = {
        "organization": "123456789012",
        "billingAccount": "010101-ABCDEF-010101",
        "region": "europe-west4",
        "perimeter": owned(),
        "wheels": "wheels",
    }
    values |= changes
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }


def owned(**changes: Any) -> dict[str, Any]:
    perimeter = {"membership": "inline", "enforcement": "enforced", "deployers": [DEPLOYER]} | changes
    return {key: value for key, value in perimeter.items() if value is not None}


def joined(**changes: Any) -> dict[str, Any]:
    return {"membership": "join", "enforcement": "enforced", "perimeter": JOINED} | changes


def make_settings(**changes: Any) -> settings.Settings:
    return settings.parse(raw_settings(**changes), stack="test")


def document(name: str = "spring-launch", **changes: Any) -> dict[str, Any]:
    """The smallest complete campaign file."""
    content: dict[str, Any] = {
        "labels": {**LABELS, "campaign": name},
        "invokers": ["group:brand-studio@example.com"],
        "contacts": ["oncall@example.com"],
    }
    return content | changes


def make_campaign(name: str = "spring-launch", **changes: Any) -> Campaign:
    campaign = campaign_file.parse(yaml.safe_dump(document(name, **changes)), file=f"campaigns/{name}.yaml")
    assert isinstance(campaign, Campaign), [str(problem) for problem in campaign]
    return campaign


def record_documents(root: Path, document: Mapping[str, Any], campaign: Mapping[str, Any] | None) -> Recording:
    """What a stack of these settings and this campaign file registers."""
    made = [make_campaign(campaign["labels"]["campaign"], **campaign)] if campaign else []
    known = make_settings(**{"perimeter": None, **({} if campaign else {"campaigns": ""}), **document})
    return run(lambda: stack.deploy(known, made, root=root, stack="test"))


def record(root: Path, campaigns: Sequence[Campaign] | None = None, **changes: Any) -> Recording:
    """What a stack of these campaigns registers."""
    chosen = [make_campaign()] if campaigns is None else campaigns
    matching = {} if chosen else {"campaigns": ""}
    return run(lambda: stack.deploy(make_settings(**matching, **changes), chosen, root=root, stack="test"))
