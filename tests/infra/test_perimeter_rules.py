"""Access levels, ingress and egress rules, and the dry-run configuration beside the enforced one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.errors import SettingsError
from tests.infra.recording_engine import Recording
from tests.infra.stacks import joined, make_settings, owned, record

PARTNER = {
    "title": "partner uploads",
    "identities": ["serviceAccount:up@partner.iam.gserviceaccount.com", "group:partners@example.com"],
    "accessLevels": ["corporate"],
    "services": {"storage.googleapis.com": ["google.storage.objects.create"], "run.googleapis.com": []},
}
SHARED = {
    "title": "shared pictures",
    "identityType": "ANY_SERVICE_ACCOUNT",
    "toProjects": ["projects/5"],
    "services": {"storage.googleapis.com": []},
}
CORPORATE = {"name": "corporate", "ipSubnetworks": ["203.0.113.0/24"], "countries": ["DE"]}


def perimeter(root: Path, **changes: Any) -> Recording:
    return record(root, [], perimeter=owned(membership="delegated", **changes))


def configuration(stack: Recording, name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.only("accesscontextmanager/servicePerimeter:ServicePerimeter").inputs[name]
    return found


def test_an_ingress_rule_is_what_the_settings_say(root: Path) -> None:
    stack = perimeter(root, accessLevels=[CORPORATE], ingress=[PARTNER])
    [rule] = [rule for rule in configuration(stack, "status")["ingressPolicies"] if rule["title"] == PARTNER["title"]]
    assert rule["ingressFrom"]["identities"] == sorted(PARTNER["identities"])
    [source] = rule["ingressFrom"]["sources"]
    assert source["accessLevel"] == "accessPolicies/987654321/accessLevels/plantain_corporate"
    assert [operation["serviceName"] for operation in rule["ingressTo"]["operations"]] == [
        "run.googleapis.com",
        "storage.googleapis.com",
    ]
    assert rule["ingressTo"]["operations"][0]["methodSelectors"] == [{"method": "*"}]


def test_nothing_leaves_unless_a_rule_says_so(root: Path) -> None:
    assert "egressPolicies" not in configuration(perimeter(root), "status")
    [rule] = configuration(perimeter(root, egress=[SHARED]), "status")["egressPolicies"]
    assert rule["egressFrom"]["identityType"] == "ANY_SERVICE_ACCOUNT"
    assert rule["egressTo"]["resources"] == ["projects/5"]


def test_a_proposal_differs_in_the_dry_run_only(root: Path) -> None:
    proposed = {"additionalServices": ["redis.googleapis.com"], "ingress": [PARTNER], "without": ["shared pictures"]}
    stack = perimeter(root, accessLevels=[CORPORATE], egress=[SHARED], proposed=proposed)
    enforced, tried = configuration(stack, "status"), configuration(stack, "spec")
    assert "redis.googleapis.com" in tried["restrictedServices"]
    assert "redis.googleapis.com" not in enforced["restrictedServices"]
    assert PARTNER["title"] in {rule["title"] for rule in tried["ingressPolicies"]}
    assert PARTNER["title"] not in {rule["title"] for rule in enforced["ingressPolicies"]}
    assert "egressPolicies" not in tried
    assert enforced["egressPolicies"]


def test_auditors_reach_logs_and_metrics_from_where_they_should(root: Path) -> None:
    stack = perimeter(
        root, accessLevels=[CORPORATE], auditors=["group:auditors@example.com"], auditorLevels=["corporate"]
    )
    [rule] = [rule for rule in configuration(stack, "status")["ingressPolicies"] if rule["title"] == "auditors"]
    assert {operation["serviceName"] for operation in rule["ingressTo"]["operations"]} == {
        "logging.googleapis.com",
        "monitoring.googleapis.com",
    }
    assert rule["ingressFrom"]["sources"][0]["accessLevel"].endswith("plantain_corporate")


def test_a_level_that_needs_another_comes_after_it(root: Path) -> None:
    device = {
        "name": "a_device",
        "device": {"screenLock": True, "systems": {"DESKTOP_MAC": "14.0.0"}},
        "requires": ["corporate"],
    }
    stack = perimeter(
        root, accessLevels=[device, CORPORATE, {"name": "own", "expression": "origin.region_code == 'DE'"}]
    )
    levels = {level.name: level for level in stack.of_type("accesscontextmanager/accessLevel:AccessLevel")}
    assert levels["plantain-corporate"].urn in stack.ancestors(levels["plantain-a_device"])
    [condition] = levels["plantain-a_device"].inputs["basic"]["conditions"]
    assert condition["devicePolicy"]["osConstraints"] == [{"osType": "DESKTOP_MAC", "minimumVersion": "14.0.0"}]
    assert levels["plantain-own"].inputs["custom"]["expr"]["expression"] == "origin.region_code == 'DE'"


def test_any_of_makes_a_condition_of_each(root: Path) -> None:
    stack = perimeter(root, accessLevels=[CORPORATE | {"anyOf": True}])
    level = stack.named("accesscontextmanager/accessLevel:AccessLevel", "plantain-corporate").inputs["basic"]
    assert level["combiningFunction"] == "OR"
    assert len(level["conditions"]) == 2


@pytest.mark.parametrize("enforcement", ["enforced", "dry-run"])
def test_a_stack_that_joins_narrows_its_rules_to_its_own_campaign(root: Path, enforcement: str) -> None:
    rule = {key: value for key, value in PARTNER.items() if key != "accessLevels"}
    stack = record(root, perimeter=joined(enforcement=enforcement, ingress=[rule], egress=[SHARED]))
    dry = "DryRun" if enforcement == "dry-run" else ""
    kind = f"accesscontextmanager/servicePerimeter{dry}IngressPolicy:ServicePerimeter{dry}IngressPolicy"
    made = stack.only(kind)
    assert made.inputs["title"] == "spring-launch: partner uploads"
    [resource] = made.inputs["ingressTo"]["resources"]
    assert resource.removeprefix("projects/").isdigit()
    leaving = f"accesscontextmanager/servicePerimeter{dry}EgressPolicy:ServicePerimeter{dry}EgressPolicy"
    assert stack.only(leaving).inputs["egressTo"]["resources"] == ["projects/5"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ingress": [PARTNER]}, "accessLevels lacks corporate"),
        ({"egress": [SHARED, SHARED]}, "two rules have the title shared pictures"),
        ({"proposed": {"without": ["nothing"]}}, "proposed.without names no rule"),
        ({"accessLevels": [CORPORATE, CORPORATE]}, "two accessLevels have the same name"),
        ({"accessLevels": [{"name": "a"}]}, "either an expression or at least one other condition"),
        (
            {"accessLevels": [CORPORATE | {"expression": "true"}]},
            "either an expression or at least one other condition",
        ),
        (
            {"accessLevels": [{"name": "a", "requires": ["b"]}, {"name": "b", "requires": ["a"]}]},
            "require each other in a circle: a, b",
        ),
        ({"egress": [SHARED | {"identities": ["group:a@example.com"]}]}, "either identities or an identityType"),
        ({"accessLevels": [{"name": "a", "ipSubnetworks": ["10.0.0.1/8"]}]}, "address ranges in CIDR notation"),
    ],
)
def test_rules_that_make_no_sense_are_refused_before_anything_is_deployed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_settings(perimeter=owned(**changes))
    assert said in str(caught.value)


@pytest.mark.parametrize("part", ["bootstrap", "centralLogs"])
def test_shared_projects_need_labels(part: str) -> None:
    with pytest.raises(SettingsError, match="plantain:labels: missing") as caught:
        make_settings(**{part: {}})
    assert "pulumi config set --path 'plantain:labels.owner' cloud-platform" in str(caught.value)


def test_a_campaign_that_joins_makes_nothing_before_it_is_inside(root: Path) -> None:
    stack = record(root, perimeter=joined())
    [wait] = [resource for resource in stack.resources.values() if resource.type == "pulumi:index:Stash"]
    [condition] = wait.inputs["input"]
    assert condition["field"] == "status.resources"
    member = stack.only("accesscontextmanager/servicePerimeterResource:ServicePerimeterResource")
    assert condition["value"] == member.inputs["resource"]
    assert member.urn in stack.ancestors(wait)
    for kind in ("storage/bucket:Bucket", "cloudfunctionsv2/function:Function"):
        assert all(wait.urn in stack.ancestors(resource) for resource in stack.of_type(kind))
