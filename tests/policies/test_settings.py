"""What an organisation decides is read from `policies:` in the stack's settings."""

from __future__ import annotations

import json
import subprocess
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from policies.catalogue import CONTROLS, Parameters, Status
from policies.catalogue.parameters import camel, parse
from policies.errors import ParameterError
from tests.policies.cases import ALLOWING, DECIDING
from tests.policies.test_catalogue import BY_ID
from tests.policies.world import changed, context, world

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "policies" / "bin" / "python"


def test_nothing_set_means_defaults() -> None:
    assert parse({}) == Parameters()


def test_every_parameter_can_be_set_as_pulumi_hands_it_over() -> None:
    given: dict[str, Any] = {}
    for entry in fields(Parameters):
        default = getattr(Parameters(), entry.name)
        kind = type(default)
        given[camel(entry.name)] = ["x"] if kind is tuple else "true" if kind is bool else "7"
    found = parse(given)
    for entry in fields(Parameters):
        value = getattr(found, entry.name)
        assert value in (("x",), True, 7), entry.name
        assert type(value) is type(getattr(Parameters(), entry.name)), entry.name


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            {"logRetentionDay": "1"},
            r"policies:logRetentionDay is no parameter .* pulumi config rm policies:logRetention",
        ),
        (
            {"logRetentionDays": "many"},
            r"must be a number above 0, .*: pulumi config set policies:logRetentionDays 365",
        ),
        ({"logRetentionDays": "0"}, "must be a number above 0"),
        ({"logRetentionDays": "-1"}, "must be a number above 0"),
        ({"logRetentionDays": True}, "must be a number above 0"),
        (
            {"allowedLocations": "eu"},
            r"must be a list of texts, .*: pulumi config set --path 'policies:allowedLocations\[0",
        ),
        ({"allowedLocations": [1]}, "must be a list of texts"),
        ({"residency": "perhaps"}, r"must be true or false, .*: pulumi config set policies:residency true"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_with_its_cure(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse(raw)


@pytest.mark.parametrize("text", ["true", True])
def test_truth_is_read_as_text_or_as_itself(text: Any) -> None:
    assert parse({"residency": text}).residency is True
    assert parse({"residency": "false"}).residency is False


@pytest.mark.parametrize(("control", "changes", "parameters"), DECIDING)
def test_a_parameter_decides(control: str, changes: dict[str, Any], parameters: Parameters) -> None:
    resources = changed(world(), changes)
    subjects = ("images", "evidence", "key", "log-bucket", "function")
    found = BY_ID[control]
    around = context(resources, parameters=parameters)
    judged = (
        [None] if found.of_stack else [resources[name] for name in subjects if found.applies_to(resources[name].type)]
    )
    assert Status.FAIL in {found.check(subject, around).status for subject in judged}


@pytest.mark.parametrize(("control", "changes", "parameters"), ALLOWING)
def test_a_parameter_allows(control: str, changes: dict[str, Any], parameters: Parameters) -> None:
    resources = changed(world(), changes)
    found = BY_ID[control]
    around = context(resources, parameters=parameters)
    judged = [None] if found.of_stack else [r for r in resources.values() if found.applies_to(r.type)]
    assert {found.check(subject, around).status for subject in judged} <= {Status.PASS, Status.NOT_APPLICABLE}


def test_without_a_region_nobody_says_where_data_may_lie() -> None:
    resources = world()
    verdict = BY_ID["location-allowed"].check(resources["images"], context(resources, settings={}))
    assert verdict.status is Status.INDETERMINATE
    assert "policies:allowedLocations" in verdict.reason


LOADING = """
    import json, sys
    sys.path.insert(0, {root!r})
    from policies.errors import PolicyError
    from policies.pack import settings
    try:
        found = settings.load(frozenset({known!r}), {{"PULUMI_CONFIG": {config!r}}})
        print(json.dumps([dict(found.stack), dict(found.enforcement), found.unknown_values]))
    except PolicyError as error:
        print(error)
"""


def loaded(**config: Any) -> str:
    texts = {
        key.replace("__", ":"): value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    known = [control.id for control in CONTROLS]
    program = textwrap.dedent(LOADING).format(root=str(ROOT), known=known, config=json.dumps(texts))
    done = subprocess.run([PYTHON, "-c", program], text=True, capture_output=True, check=True)
    return done.stdout.strip()


def test_the_pack_reads_the_stacks_settings_without_its_secrets() -> None:
    found = loaded(
        plantain__region="europe-west4",
        plantain__accessToken="very secret",
        plantain__perimeter={"membership": "inline"},
        policies__enforcement={"all": "advisory"},
    )
    stack = {"region": "europe-west4", "perimeter": {"membership": "inline"}}
    assert json.loads(found) == [stack, {"all": "advisory"}, "pending"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"policies__enforcement": "mandatory"}, "policies:enforcement must be a map"),
        ({"policies__enforcement": {"all": "strict"}}, "enforcement.all must be one of advisory, mandatory, disabled"),
        ({"policies__unknownValues": "guess"}, "policies:unknownValues must be one of pending, refuse"),
        ({"policies__unknown": "1"}, "policies:unknown is no parameter of any control"),
    ],
)
def test_settings_that_make_no_sense_are_named_with_their_cure(config: dict[str, Any], message: str) -> None:
    found = loaded(**config)
    assert message in found
    assert "pulumi config" in found
