"""An editor that reads the schema of a stack's settings accepts and refuses what the program does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft202012Validator

from infra import campaign_model, reference, stack_schema
from infra.errors import SettingsError
from infra.settings import Settings, parse
from tests.infra.setting_case import filled_shape
from tests.infra.setting_shapes import SHAPES
from tests.infra.stacks import document, owned, raw_settings

ROOT = Path(__file__).resolve().parents[2]
CHECKER = Draft202012Validator(json.loads(stack_schema.schema()))
CAMPAIGN_CHECKER = Draft202012Validator(json.loads(reference.schema()))
CONTEXT = {"others": "111111111111", "policy": "1", "perimeter": "accessPolicies/1/servicePerimeters/p"}
REQUIRED = {
    "plantain:organization": "123456789012",
    "plantain:billingAccount": "010101-ABCDEF-010101",
    "plantain:region": "europe-west4",
}


def stack(**values: Any) -> dict[str, Any]:
    return {"config": REQUIRED | {f"plantain:{key}": value for key, value in values.items()}}


def complaints(settings: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in CHECKER.iter_errors(settings)]


def refused_by_the_program(values: dict[str, Any]) -> bool:
    try:
        parse(raw_settings(**values), stack="test")
    except SettingsError:
        return True
    return False


@pytest.mark.parametrize("name", ["Pulumi.prod.yaml", "Pulumi.sandbox.yaml"])
def test_the_stacks_of_the_repository_are_accepted(name: str) -> None:
    assert complaints(yaml.safe_load((ROOT / name).read_text())) == []


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_shape_of_a_stack_is_accepted_and_its_campaign_too(name: str) -> None:
    shape = filled_shape(SHAPES[name], CONTEXT)
    assert complaints(stack(**shape.settings)) == []
    if shape.campaign:
        assert CAMPAIGN_CHECKER.is_valid(json.loads(json.dumps(shape.campaign, default=str)))


@pytest.mark.parametrize(
    "values",
    [
        {"perimeter": owned(enforcement="on")},
        {"perimeter": owned(deployer=["user:jo@example.com"])},
        {"perimeter": {"membership": "join", "enforcement": "enforced"}},
        {"region": "Europe"},
        {"organisation": "123456789012"},
        {"contacts": [{"email": "security@example.com", "categories": ["EVERYTHING"]}]},
        {"deletionProtection": "perhaps"},
        {"folder": "234567890123"},
        {"endpoints": {"kms": "kms.example.com"}},
        {"centralLogs": {"retentionDays": 10}, "labels": {"owner": "a", "cost-center": "b"}},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_the_program_refuses_is_refused_while_it_is_written(values: dict[str, Any]) -> None:
    assert refused_by_the_program(values)
    assert complaints(stack(**values)) != []


@pytest.mark.parametrize(
    "values",
    [
        {"deletionProtection": "false"},
        {"deletionProtection": False},
        {"accessToken": {"secure": "v1:abc"}},
        {"channelSecrets": {"slack-token": {"secure": "v1:abc"}, "other": "plain"}},
    ],
)
def test_what_pulumi_config_writes_is_accepted(values: dict[str, Any]) -> None:
    assert complaints(stack(**values)) == []


def test_what_is_missing_is_said_unless_it_may_come_from_an_environment() -> None:
    said = complaints({"config": {"plantain:region": "europe-west4"}})
    assert any("plantain:organization" in line for line in said)
    assert complaints({"environment": ["plantain/prod"], "config": {"plantain:region": "europe-west4"}}) == []


def test_settings_of_other_parts_are_none_of_its_business() -> None:
    assert complaints({"config": {**REQUIRED, "policies:logRetentionDays": "365"}}) == []
    assert complaints({"config": REQUIRED, "unknown": 1}) != []


def test_every_setting_is_described_in_it() -> None:
    described = json.loads(stack_schema.schema())["properties"]["config"]["properties"]
    assert {name.removeprefix("plantain:") for name in described} == {
        field.alias or name for name, field in Settings.model_fields.items()
    }
    assert [name for name, part in described.items() if not part.get("description")] == []


@pytest.mark.parametrize("name", ["Pulumi.prod.yaml", "Pulumi.sandbox.yaml"])
def test_the_stacks_of_the_repository_name_it_in_their_first_line(name: str) -> None:
    first = (ROOT / name).read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={reference.STACK_SCHEMA}"


def test_a_campaign_file_that_the_program_refuses_is_refused_while_it_is_written() -> None:
    assert CAMPAIGN_CHECKER.is_valid(document())
    changes: tuple[dict[str, Any], ...] = (
        {"labels": {}},
        {"function": {"cores": 4}},
        {"images": {"recoverableDays": 3}},
        {"invokers": []},
    )
    for change in changes:
        with pytest.raises(ValueError, match="validation error"):
            campaign_model.Campaign.model_validate(document(**change))
        assert not CAMPAIGN_CHECKER.is_valid(document(**change))
