"""The pack judges as the catalogue does, through the policy SDK's real servicer with its proxies and unknown values."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.catalogue import CONTROLS, Control, Resource, Status, Unknown, manual
from tests.policies.cases import CASES, Changes
from tests.policies.test_catalogue import BY_ID, JUDGED, models, touched, verdicts
from tests.policies.world import DATE, SETTINGS, changed, world

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv" / "policies" / "bin" / "python"
KINDS = ("bad", "unknown", "free", "good")
OTHER = "gcp:pubsub/subscription:Subscription"

Answer = dict[str, Any]


def marked(value: Any) -> Any:
    if isinstance(value, Unknown):
        return {"__unknown__": True}
    if isinstance(value, Mapping):
        return {key: marked(item) for key, item in value.items()}
    return [marked(item) for item in value] if isinstance(value, list) else value


def stack(control: Control, resources: Mapping[str, Resource]) -> dict[str, Any]:
    # What a control judges alone it judges alone here too: the rest of the stack only takes time.
    wanted = resources if control.of_stack else {name: resources[name] for name in CASES[control.id].subjects}
    return {
        "control": control.id,
        "parameters": dict(CASES[control.id].parameters),
        "resources": [
            {
                "key": name,
                "urn": resource.urn,
                "type": resource.type,
                "name": resource.name,
                "properties": marked(resource.properties),
                "protect": resource.protect,
                "dependencies": dict(resource.dependencies),
                "judged": not control.of_stack,
            }
            for name, resource in wanted.items()
        ],
    }


def settings(**more: Any) -> dict[str, str]:
    config = {f"plantain:{key}": value for key, value in SETTINGS.items()}
    config |= {"policies:enforcement": {"all": "mandatory"}, "plantain:accessToken": "a token"}
    config |= {f"policies:{key}": value for key, value in more.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


class Process:
    """The pack's own Python with the real servicer in it."""

    def __init__(self) -> None:
        self._running = subprocess.Popen(
            [PYTHON, HERE / "judging.py"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, stacks: list[dict[str, Any]], config: dict[str, str] | None = None, **more: Any) -> Any:
        given = {
            "config": config if config is not None else settings(),
            "models": models(),
            "date": DATE.isoformat(),
            "stacks": stacks,
            **more,
        }
        assert self._running.stdin
        assert self._running.stdout
        self._running.stdin.write(json.dumps(given) + "\n")
        self._running.stdin.flush()
        return json.loads(self._running.stdout.readline())

    def close(self) -> None:
        self._running.communicate(timeout=30)


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    running = Process()
    yield running
    running.close()


def pack_cases() -> list[tuple[Control, str, Changes]]:
    return [
        (control, kind, changes)
        for control in JUDGED
        for kind in KINDS
        for changes in getattr(CASES[control.id], kind)
        # The engine has no live resources: those are the audit's.
        if not any(key.endswith("!source") for key in changes)
    ]


@pytest.fixture(scope="module")
def answers(process: Process) -> dict[int, Answer]:
    """The servicer's answers to every case."""
    given = [stack(control, changed(world(), changes)) for control, _, changes in pack_cases()]
    return dict(enumerate(process.ask(given)))


def outcome(control: Control, answer: Answer, subject: str) -> dict[str, str]:
    said = answer["stack"] if control.of_stack else answer["single"][subject]
    found: dict[str, str] = said.get(control.id, {"outcome": "passed", "text": ""})
    return found


EXPECTED = {
    Status.FAIL: "mandatory",
    Status.PASS: "passed",
    Status.NOT_APPLICABLE: "not_applicable",
    Status.INDETERMINATE: "not_applicable",
}


def test_the_servicer_judges_every_case_as_the_catalogue_does(answers: dict[int, Answer]) -> None:
    for number, (control, kind, changes) in enumerate(pack_cases()):
        subject = touched(control, changes)
        verdict = verdicts(control, changes)[subject]
        said = outcome(control, answers[number], subject)
        assert said["outcome"] == EXPECTED[verdict.status], f"{control.id} {kind} {dict(changes)}: {said}"
        if verdict.status is not Status.PASS:
            assert verdict.reason in said["text"]


def test_every_violation_says_title_cause_cure_and_where_to_read_on(answers: dict[int, Answer]) -> None:
    violations = 0
    for number, (control, kind, changes) in enumerate(pack_cases()):
        if kind != "bad":
            continue
        said = outcome(control, answers[number], touched(control, changes))
        assert said["text"].startswith(control.title)
        assert f"Cure: {control.fix}" in said["text"]
        assert f"See: {control.url}" in said["text"]
        violations += 1
    assert violations > len(JUDGED)


def test_a_violation_of_the_stack_names_a_resource(answers: dict[int, Answer]) -> None:
    for number, (control, kind, _) in enumerate(pack_cases()):
        if kind == "bad" and control.of_stack:
            assert outcome(control, answers[number], "")["urn"].startswith("urn:pulumi:"), control.id


def test_resources_of_other_types_are_not_counted_as_passed(process: Process) -> None:
    resource = {
        "key": "c",
        "urn": f"urn:pulumi:a::b::{OTHER}::c",
        "type": OTHER,
        "name": "c",
        "properties": {},
        "dependencies": {},
        "judged": True,
    }
    [answer] = process.ask([{"resources": [resource]}])
    single = {control.id for control in JUDGED if not control.of_stack}
    assert {name for name, said in answer["single"]["c"].items() if said["outcome"] == "not_applicable"} == single


def test_manual_controls_are_no_policies(answers: dict[int, Answer]) -> None:
    named = {name for answer in answers.values() for name in answer["stack"]}
    assert named
    assert not named & {control.id for control in manual.CONTROLS}


UNIFORM = BY_ID["storage-uniform-access"]
BROKEN = {"images:uniformBucketLevelAccess": False}
UNSURE = {"images:uniformBucketLevelAccess": {"__unknown__": True}}
EXCEPTION = {
    "control": UNIFORM.id,
    "resource": "image*",
    "owner": "platform@example.com",
    "reason": "Moved next month.",
    "approved": "2026-11-01",
    "expires": "2026-12-01",
}


def said(process: Process, changes: Changes, config: dict[str, str] | None = None, **more: Any) -> dict[str, str]:
    [answer] = process.ask([stack(UNIFORM, changed(world(), changes))], config, **more)
    return outcome(UNIFORM, answer, "images")


def test_values_that_are_not_known_are_refused_where_the_settings_say_so(process: Process) -> None:
    assert said(process, UNSURE)["outcome"] == "not_applicable"
    refused = said(process, UNSURE, settings(unknownValues="refuse"))
    assert refused["outcome"] == "mandatory"
    assert "known only after deployment" in refused["text"]


@pytest.mark.parametrize(
    ("enforcement", "expected"),
    [
        ({}, "mandatory"),
        ({"all": "advisory"}, "advisory"),
        ({UNIFORM.id: "advisory", "all": "mandatory"}, "advisory"),
        ({UNIFORM.id: "disabled"}, "passed"),
    ],
)
def test_settings_decide_how_a_control_is_enforced(
    process: Process, enforcement: dict[str, str], expected: str
) -> None:
    assert said(process, BROKEN, settings(enforcement=enforcement))["outcome"] == expected


def test_only_high_and_critical_controls_stop_a_deployment_by_themselves(process: Process) -> None:
    expiring = BY_ID["storage-images-expire"]
    [answer] = process.ask([stack(expiring, changed(world(), {"images:lifecycleRules": []}))], settings(enforcement={}))
    assert outcome(expiring, answer, "images")["outcome"] == "advisory"


def test_an_exception_allows_what_a_control_refuses(process: Process) -> None:
    allowed = said(process, BROKEN, exceptions=[EXCEPTION])
    assert allowed == {"outcome": "not_applicable", "text": "allowed by an exception"}


def test_an_exception_is_about_its_own_resource_and_control(process: Process) -> None:
    for other in ({"resource": "source"}, {"control": "storage-customer-key"}):
        assert said(process, BROKEN, exceptions=[{**EXCEPTION, **other}])["outcome"] == "mandatory"


def test_an_expired_exception_fails_and_names_its_owner(process: Process) -> None:
    expired = {**EXCEPTION, "expires": "2026-11-20"}
    refused = said(process, BROKEN, exceptions=[expired])
    assert refused["outcome"] == "mandatory"
    assert "the exception of platform@example.com expired on 2026-11-20" in refused["text"]


def test_an_exception_covers_a_stack_only_if_it_covers_everything_that_offends(process: Process) -> None:
    control = BY_ID["network-dns-logging"]
    changes = {"dns-policy": None, "other": ("gcp:compute/network:Network", {"id": "projects/x/global/networks/y"})}
    given = stack(control, changed(world(), changes))
    both = {**EXCEPTION, "control": control.id, "resource": "*"}
    one = {**both, "resource": "other"}
    assert outcome(control, process.ask([given], exceptions=[both])[0], "")["outcome"] == "not_applicable"
    assert outcome(control, process.ask([given], exceptions=[one])[0], "")["outcome"] == "mandatory"


def test_a_check_that_breaks_stops_everything_and_shows_no_value(process: Process) -> None:
    secret = "not a number, but a secret"
    given = stack(BY_ID["log-bucket-retention"], changed(world(), {"log-bucket:retentionDays": secret}))
    error = process.ask([given])["error"]
    assert "control log-bucket-retention cannot judge urn:pulumi:" in error
    assert "policies:enforcement.log-bucket-retention' disabled" in error
    assert secret not in error


def test_the_lock_file_has_the_sdk_that_the_decoding_was_written_for() -> None:
    locked = (ROOT / "requirements" / "policies.txt").read_text()
    [version] = re.findall(r"^pulumi-policy==([\d.]+)", locked, re.MULTILINE)
    assert version == "1.21.0", "read policies/pack/decoding.py against the new SDK"
    assert f"pulumi-policy {version}" in (ROOT / "policies" / "pack" / "decoding.py").read_text()


def test_the_pack_has_one_policy_for_each_control_that_can_be_judged() -> None:
    assert len(JUDGED) + len(manual.CONTROLS) == len(CONTROLS)
