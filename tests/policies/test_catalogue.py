"""Every control judges right: by pure functions, on plain values."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import mutation
from policies import frameworks
from policies.catalogue import CONTROLS, Context, Control, Parameters, Resource, Severity, Status, Verdict, manual
from policies.errors import FrameworkError
from tests.policies.cases import CASES, Changes
from tests.policies.world import DATE, MODELS, changed, context, world

HERE = Path(__file__).parent
BY_ID = {control.id: control for control in CONTROLS}
KINDS = ("bad", "unknown", "free", "good")
JUDGED = [control for control in CONTROLS if control not in manual.CONTROLS]


def models() -> dict[str, Any]:
    """The table of models, and some more whose retirement depends on the day of the cases."""

    def model(name: str, days: int | None, stage: str = "GA") -> dict[str, Any]:
        retirement = None if days is None else (DATE + dt.timedelta(days)).isoformat()
        return {"id": name, "stage": stage, "retirement": retirement, "locations": ["global"]}

    invented = [
        model("a-preview", None, "PREVIEW"),
        model("a-retired-one", -1),
        model("retires-today", 0),
        model("retires-in-89-days", 89),
        model("retires-in-90-days", 90),
        model("stays", None),
    ]
    return {**MODELS, "models": [*MODELS["models"], *invented]}


def surroundings(control: Control, resources: Mapping[str, Resource]) -> Context:
    parameters = Parameters(**CASES[control.id].parameters)
    return context(resources, models=models(), parameters=parameters)


def verdicts(control: Control, changes: Changes) -> dict[str, Verdict]:
    """What a control says of each of its subjects, or of the stack, after changes."""
    resources = changed(world(), changes)
    around = surroundings(control, resources)
    if control.of_stack:
        return {"": control.check(None, around)}
    return {name: control.check(resources[name], around) for name in CASES[control.id].subjects}


def touched(control: Control, changes: Changes) -> str:
    """The subject that a change is about."""
    if control.of_stack:
        return ""
    names = [re.split("[:@!]", key)[0] for key in changes]
    return next(name for name in names if name in CASES[control.id].subjects)


def each(kind: str) -> list[Any]:
    return [
        pytest.param(control, changes, id=f"{control.id}-{number}")
        for control in JUDGED
        for number, changes in enumerate(getattr(CASES[control.id], kind))
    ]


@pytest.mark.parametrize("control", JUDGED, ids=lambda control: control.id)
def test_the_good_stack_meets_every_control(control: Control) -> None:
    for name, verdict in verdicts(control, {}).items():
        assert verdict.status is Status.PASS, f"{name}: {verdict.reason}"


@pytest.mark.parametrize(("control", "changes"), each("bad"))
def test_what_is_broken_fails(control: Control, changes: Changes) -> None:
    verdict = verdicts(control, changes)[touched(control, changes)]
    assert verdict.status is Status.FAIL, verdict.reason
    assert bool(verdict.offenders) is control.of_stack


@pytest.mark.parametrize(("control", "changes"), each("unknown"))
def test_what_is_not_known_stays_open(control: Control, changes: Changes) -> None:
    verdict = verdicts(control, changes)[touched(control, changes)]
    assert verdict.status is Status.INDETERMINATE, verdict.reason
    assert verdict.reason


@pytest.mark.parametrize(("control", "changes"), each("free"))
def test_what_is_not_concerned_is_not_judged(control: Control, changes: Changes) -> None:
    verdict = verdicts(control, changes)[touched(control, changes)]
    assert verdict.status is Status.NOT_APPLICABLE, verdict.reason
    assert verdict.reason


@pytest.mark.parametrize(("control", "changes"), each("good"))
def test_what_is_allowed_passes(control: Control, changes: Changes) -> None:
    verdict = verdicts(control, changes)[touched(control, changes)]
    assert verdict.status is Status.PASS, verdict.reason


def test_every_control_has_cases_of_every_kind() -> None:
    assert set(CASES) == {control.id for control in JUDGED}
    for control in JUDGED:
        cases = CASES[control.id]
        assert bool(cases.subjects) is not control.of_stack, control.id
        assert cases.bad, control.id
        assert cases.unknown or cases.existence, control.id
        assert cases.free or not control.of_stack, f"{control.id}: other types are what does not concern it"


def values(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from values(f"{path}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            yield from values(path, item)
    elif isinstance(value, str) and len(value) > 8:
        yield path, value


@pytest.mark.parametrize(("control", "changes"), [*each("bad"), *each("unknown")])
def test_a_message_never_shows_a_property(control: Control, changes: Changes) -> None:
    resources = changed(world(), changes)
    reason = verdicts(control, changes)[touched(control, changes)].reason
    # What a check asks for may be said, what it found may not.
    own = f"{control.text} {control.fix} {control.title} cryptoKeyVersions RESTRICTED-SERVICES {control.check.__doc__}"
    for resource in resources.values():
        for path, value in values("", resource.properties):
            if path.endswith(".envs.name"):
                continue  # a variable's name is a key
            if value in reason and value not in own and not value.endswith(".googleapis.com"):
                assert re.search(rf"\b{re.escape(value)}\b", reason) is None, f"{resource.name}{path}: {reason}"


@pytest.mark.parametrize(("control", "changes"), each("bad"))
def test_a_message_is_half_a_sentence_that_says_what_follows(control: Control, changes: Changes) -> None:
    reason = verdicts(control, changes)[touched(control, changes)].reason
    assert not reason.endswith((".", "!")), reason
    assert re.search(r", so |: |, |, which|which | and ", reason), reason


def judgement(control: Control, changes: Changes) -> list[list[Any]]:
    """Everything a control says: subject, outcome, reason, the properties it read, and who offends."""
    return [
        [
            name,
            str(verdict.status),
            verdict.reason,
            sorted({reading.path for reading in verdict.readings}),
            sorted(urn.rpartition("::")[2] for urn in verdict.offenders),
        ]
        for name, verdict in verdicts(control, changes).items()
    ]


def judgements() -> dict[str, list[list[list[Any]]]]:
    """What every control says of every case. Written anew by: python -m tests.policies.judgements."""
    return {
        control.id: [
            judgement(control, changes)
            for changes in ({}, *(change for kind in KINDS for change in getattr(CASES[control.id], kind)))
        ]
        for control in JUDGED
    }


def test_every_judgement_is_the_reviewed_one_with_its_reason_and_its_readings() -> None:
    """Evidence is compared byte for byte over years: what a control says of a case changes only on purpose."""
    reviewed = json.loads((HERE / "judgements.json").read_text())
    for control, found in judgements().items():
        assert found == reviewed[control], f"{control}: read the difference, then python -m tests.policies.judgements"


def test_ids_are_for_ever() -> None:
    assert [control.id for control in CONTROLS] == (HERE / "control_ids.txt").read_text().split()


def test_ids_are_unique() -> None:
    assert len({control.id for control in CONTROLS}) == len(CONTROLS)


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_every_control_says_what_why_and_how(control: Control) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{3,60}", control.id)
    assert control.title
    assert not control.title.endswith(".")
    assert control.text.endswith(".")
    assert control.why.endswith(".")
    assert control.fix
    assert control.url.startswith("https://")
    assert control.crosswalk
    assert isinstance(control.severity, Severity)


def test_every_id_of_a_crosswalk_is_in_its_framework() -> None:
    frameworks.check(CONTROLS)


def test_every_framework_has_a_version_and_is_used() -> None:
    used = {key for control in CONTROLS for key in control.crosswalk}
    assert used == set(frameworks.frameworks())
    for framework in frameworks.frameworks().values():
        assert framework.version
        assert dt.date.fromisoformat(framework.as_of)
        assert len(set(framework.ids)) == len(framework.ids)


def test_a_list_that_is_called_whole_has_as_many_ids_as_its_framework() -> None:
    """Counts by the frameworks themselves: 33 common criteria and 28 of categories, 1007 + 4 + 3 controls, ..."""
    whole = {key: len(found.ids) for key, found in frameworks.frameworks().items() if found.whole}
    assert whole == {
        "cis-gcp-4.0": 84,
        "cis-gcp-5.0": 93,
        "eu-ai-act": 113 + 7,
        "gdpr": 99 + 12,
        "hipaa": 71,
        "iso-27001-2022": 93,
        "nist-800-53-r5": 1007 + 4 + 3,
        "soc2-2017": 33 + 28,
    }
    short = [found for found in frameworks.frameworks().values() if not found.whole]
    assert [found.key for found in short] == ["google"]
    assert short[0].note.startswith("Short: ")


def test_an_id_that_no_framework_has_is_refused() -> None:
    wrong = replace(CONTROLS[0], crosswalk={"cis-gcp-5.0": ("9.9",)})
    with pytest.raises(FrameworkError, match=r"names 9\.9, which .* 5\.0\.0 does not have.*: correct the crosswalk"):
        frameworks.check([wrong])


def test_a_framework_that_does_not_exist_is_refused() -> None:
    wrong = replace(CONTROLS[0], crosswalk={"cis": ("1.1",)})
    with pytest.raises(FrameworkError, match="framework cis, which does not exist"):
        frameworks.check([wrong])


def test_benchmarks_number_the_same_control_differently() -> None:
    """Ids are worth nothing without their version: most moved between 4.0 and 5.0."""
    moved = [
        control.id
        for control in CONTROLS
        if "cis-gcp-4.0" in control.crosswalk
        and control.crosswalk["cis-gcp-4.0"] != control.crosswalk.get("cis-gcp-5.0")
    ]
    assert {"key-rotation", "subnet-flow-logs", "iam-no-account-keys"} <= set(moved)


@pytest.mark.parametrize("control", manual.CONTROLS, ids=lambda control: control.id)
def test_what_no_machine_can_judge_is_never_green(control: Control) -> None:
    assert control.check(None, context(world())).status is Status.MANUAL


@pytest.mark.parametrize("control", JUDGED, ids=lambda control: control.id)
def test_an_empty_stack_passes_nothing(control: Control) -> None:
    if control.of_stack:
        assert control.check(None, Context(date=DATE)).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize("control", JUDGED, ids=lambda control: control.id)
def test_a_check_refuses_what_it_is_not_for(control: Control) -> None:
    wrong = next(iter(world().values())) if control.of_stack else None
    with pytest.raises(TypeError, match=control.id):
        control.check(wrong, context(world()))


@pytest.mark.parametrize("control", JUDGED, ids=lambda control: control.id)
def test_checks_are_pure(control: Control) -> None:
    assert verdicts(control, {}) == verdicts(control, {})


@pytest.mark.parametrize("control", JUDGED, ids=lambda control: control.id)
def test_every_verdict_says_what_was_read(control: Control) -> None:
    if not control.property_paths or control.id == "deletion-guarded":
        return
    named = {re.split(r"[.\[]", path)[0] for path in control.property_paths}
    read = {
        re.split(r"[.\[]", reading.path)[0]
        for changes in ({}, *CASES[control.id].bad)
        for verdict in verdicts(control, changes).values()
        for reading in verdict.readings
    }
    assert read & named, f"{read} has nothing of {named}"


def test_readings_are_json_so_that_evidence_can_keep_them() -> None:
    for control, changes in itertools.chain.from_iterable(
        [(BY_ID[name], change) for change in (*cases.bad, *cases.unknown)] for name, cases in CASES.items()
    ):
        for verdict in verdicts(control, changes).values():
            json.dumps([reading.value for reading in verdict.readings], default=str)


def test_secrets_in_the_environment_are_not_even_in_the_readings() -> None:
    control = BY_ID["service-no-secrets-in-environment"]
    secret = "-----BEGIN RSA PRIVATE KEY-----"
    changes = {"function:serviceConfig.environmentVariables.GREETING": secret}
    assert secret not in repr(verdicts(control, changes)["function"])


def test_the_mutation_run_breaks_every_file_of_checks() -> None:
    files = {
        path.stem
        for path in (HERE.parents[1] / "policies" / "catalogue").glob("*.py")
        if "\nCONTROLS = (" in path.read_text()
    }
    assert {*mutation.CONTROLS_IN, "manual"} == files
