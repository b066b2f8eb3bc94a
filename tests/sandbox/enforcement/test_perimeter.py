from __future__ import annotations

from typing import Any

import pytest

from sandbox.enforcement.perimeter import Crossing, Perimeters, Violation

INSIDE, OTHER = "projects/1", "projects/2"
STORAGE = "storage.googleapis.com"
DEPLOYER = "serviceAccount:deployer@seed.iam.gserviceaccount.com"
LEVEL = "accessPolicies/9/accessLevels/office"


def perimeters(dry_run: bool = False, **config: Any) -> Perimeters:
    base = {"resources": [INSIDE], "restrictedServices": [STORAGE], **config}
    document: dict[str, Any] = {"name": "accessPolicies/9/servicePerimeters/p", "status": base}
    if dry_run:
        document = {"name": document["name"], "useExplicitDryRunSpec": True, "spec": base}
    office = {"name": LEVEL, "basic": {"conditions": [{"ipSubnetworks": ["198.51.100.0/24"]}]}}
    return Perimeters((document,), {LEVEL: office})


def crossing(**changes: Any) -> Crossing:
    return Crossing(
        **{
            "service": STORAGE,
            "methods": frozenset({"google.storage.objects.get", "storage.objects.get"}),
            "target": INSIDE,
            "member": "user:jo@example.com",
            **changes,
        }
    )


def found(rules: Perimeters, call: Crossing) -> list[Violation]:
    return list(rules.violations(call))


def test_a_call_from_outside_is_refused() -> None:
    assert [v.reason for v in found(perimeters(), crossing())] == ["NO_MATCHING_ACCESS_LEVEL"]


def test_a_call_from_a_member_network_passes() -> None:
    assert not found(perimeters(), crossing(source=INSIDE))


def test_a_call_from_a_listed_network_of_another_project_passes() -> None:
    network = "//compute.googleapis.com/projects/host/global/networks/shared"
    assert not found(perimeters(resources=[INSIDE, network]), crossing(source=OTHER, network=network))


def test_an_unrestricted_service_is_not_guarded() -> None:
    assert not found(perimeters(), crossing(service="compute.googleapis.com"))


def test_a_project_outside_is_not_guarded() -> None:
    assert not found(perimeters(), crossing(target=OTHER))


def test_an_access_level_admits_its_addresses_only() -> None:
    rules = perimeters(accessLevels=[LEVEL])
    assert not found(rules, crossing(address="198.51.100.7"))
    assert found(rules, crossing(address="203.0.113.9"))


def ingress(**changes: Any) -> dict[str, Any]:
    rule = {
        "ingressFrom": {"identities": [DEPLOYER], "sources": [{"accessLevel": "*"}]},
        "ingressTo": {
            "operations": [{"serviceName": STORAGE, "methodSelectors": [{"method": "*"}]}],
            "resources": [INSIDE],
        },
    }
    for key, value in changes.items():
        side = "ingressFrom" if key in {"identities", "sources", "identityType"} else "ingressTo"
        rule[side][key] = value
    return rule


def test_an_ingress_rule_admits_its_identity_and_nobody_else() -> None:
    rules = perimeters(ingressPolicies=[ingress()])
    assert not found(rules, crossing(member=DEPLOYER))
    assert found(rules, crossing())


@pytest.mark.parametrize(
    "change",
    [
        {"sources": [{"accessLevel": LEVEL}]},
        {"sources": [{"resource": OTHER}]},
        {"sources": []},
        {"operations": [{"serviceName": "aiplatform.googleapis.com", "methodSelectors": [{"method": "*"}]}]},
        {"operations": [{"serviceName": STORAGE, "methodSelectors": [{"method": "google.storage.objects.create"}]}]},
        {"resources": [OTHER]},
        {"identities": [], "identityType": "ANY_USER_ACCOUNT"},
    ],
)
def test_an_ingress_rule_that_misses_in_one_respect_admits_nothing(change: dict[str, Any]) -> None:
    assert found(perimeters(ingressPolicies=[ingress(**change)]), crossing(member=DEPLOYER))


@pytest.mark.parametrize(
    "change",
    [
        {"operations": [{"serviceName": "*"}]},
        {"operations": [{"serviceName": STORAGE, "methodSelectors": [{"permission": "storage.objects.get"}]}]},
        {"resources": ["*"]},
        {"identities": [], "identityType": "ANY_SERVICE_ACCOUNT"},
        {"identities": [], "identityType": "ANY_IDENTITY"},
    ],
)
def test_every_spelling_of_an_ingress_rule_that_fits_admits(change: dict[str, Any]) -> None:
    assert not found(perimeters(ingressPolicies=[ingress(**change)]), crossing(member=DEPLOYER))


def test_what_leaves_the_perimeter_needs_an_egress_rule() -> None:
    outward = crossing(source=INSIDE, target=OTHER)
    assert [v.reason for v in found(perimeters(), outward)] == ["NETWORK_NOT_IN_SAME_SERVICE_PERIMETER"]
    rule = {
        "egressFrom": {"identityType": "ANY_IDENTITY"},
        "egressTo": {
            "operations": [{"serviceName": STORAGE, "methodSelectors": [{"method": "*"}]}],
            "resources": [OTHER],
        },
    }
    assert not found(perimeters(egressPolicies=[rule]), outward)


def test_a_service_that_is_not_accessible_is_refused_even_for_a_member() -> None:
    rules = perimeters(vpcAccessibleServices={"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]})
    assert not found(rules, crossing(source=INSIDE))
    inside_but_unlisted = crossing(source=INSIDE, service="bigquery.googleapis.com")
    assert [v.reason for v in found(rules, inside_but_unlisted)] == ["SERVICE_NOT_ALLOWED_FROM_VPC"]


def test_a_dry_run_configuration_only_reports() -> None:
    assert [(v.reason, v.dry_run) for v in found(perimeters(dry_run=True), crossing())] == [
        ("NO_MATCHING_ACCESS_LEVEL", True)
    ]


def test_a_bridge_refuses_nothing() -> None:
    bridge = {"perimeterType": "PERIMETER_TYPE_BRIDGE", "status": {"resources": [INSIDE]}}
    assert not found(Perimeters((bridge,)), crossing())


def test_a_decision_names_the_rule_that_admits_and_what_the_others_miss() -> None:
    rules = perimeters(ingressPolicies=[ingress(resources=[OTHER], title="other"), ingress()])
    (decision,) = rules.decisions(crossing(member=DEPLOYER))
    assert (decision.allowed, decision.rule, decision.direction) == (True, "ingressPolicies[1]", "ingress")
    (near,) = decision.near_misses
    assert (near.rule, near.misses) == ("ingressPolicies[0]", (f"resources: {OTHER} does not hold {INSIDE}",))


def test_a_refusal_says_in_every_respect_what_a_rule_misses() -> None:
    rule = ingress(operations=[{"serviceName": STORAGE, "methodSelectors": [{"method": "storage.buckets.get"}]}])
    (decision,) = perimeters(ingressPolicies=[rule]).decisions(crossing())
    assert decision.near_misses[0].misses == (
        f"identities: {DEPLOYER} does not hold user:jo@example.com",
        f"methodSelectors of {STORAGE}: storage.buckets.get does not hold storage.objects.get",
    )
    assert decision.because == "the internet address 203.0.113.1 is outside of the perimeter that holds projects/1"


def test_a_network_of_another_project_is_told_apart_from_the_internet() -> None:
    assert [v.reason for v in found(perimeters(), crossing(source=OTHER))] == ["NETWORK_NOT_IN_SAME_SERVICE_PERIMETER"]


def test_a_bridge_joins_two_perimeters() -> None:
    one, two = perimeters().perimeters[0], perimeters(resources=[OTHER]).perimeters[0]
    bridge = {
        "name": "accessPolicies/9/servicePerimeters/bridge",
        "perimeterType": "PERIMETER_TYPE_BRIDGE",
        "status": {"resources": [INSIDE, OTHER]},
    }
    across = crossing(source=OTHER)
    assert found(Perimeters((one, two)), across)
    assert not found(Perimeters((one, two, bridge)), across)
    assert found(Perimeters((one, two, bridge)), crossing())


def test_a_group_in_a_rule_admits_its_members() -> None:
    rules = perimeters(ingressPolicies=[ingress(identities=["group:team@example.com"])])
    assert found(rules, crossing())
    assert not found(rules, crossing(identities=frozenset({"group:team@example.com"})))


def test_an_egress_rule_with_restricted_sources_admits_those_only() -> None:
    rule = {
        "egressFrom": {
            "identityType": "ANY_IDENTITY",
            "sources": [{"resource": "projects/7"}],
            "sourceRestriction": "SOURCE_RESTRICTION_ENABLED",
        },
        "egressTo": {"operations": [{"serviceName": "*"}], "resources": ["*"]},
    }
    rules = perimeters(resources=[INSIDE, "projects/7"], egressPolicies=[rule])
    assert found(rules, crossing(source=INSIDE, target=OTHER))
    assert not found(rules, crossing(source="projects/7", target=OTHER))
