from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Caller

from .conftest import Make

Document = dict[str, Any]


def test_a_rule_has_googles_defaults(make: Make, network: Document) -> None:
    rule = make("global/firewalls", {"name": "f", "network": network["selfLink"], "allowed": [{"IPProtocol": "tcp"}]})
    expected = {
        "kind": "compute#firewall",
        "direction": "INGRESS",
        "priority": 1000,
        "disabled": False,
        "logConfig": {"enable": False},
        "sourceRanges": ["0.0.0.0/0"],
    }
    assert {key: rule[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"allowed": []}, "Exactly one of 'allowed' and 'denied'"),
        ({"denied": [{"IPProtocol": "all"}]}, "Exactly one of 'allowed' and 'denied'"),
        ({"priority": 70000}, "between 0 and 65535"),
        ({"sourceRanges": ["10.0.0.300/8"]}, "valid CIDR"),
        ({"direction": "EGRESS", "sourceTags": ["a"]}, "not allowed in egress"),
        ({"network": "global/networks/nowhere"}, "cannot be found"),
    ],
)
def test_contradictory_rules_are_refused(
    admin: Caller, url: str, network: Document, change: Document, reason: str
) -> None:
    body = {"name": "f", "network": network["selfLink"], "allowed": [{"IPProtocol": "tcp"}], **change}
    status, answer = admin("POST", f"{url}/global/firewalls", body)
    assert status == 400
    assert reason in answer["error"]["message"]


def test_a_policy_has_final_rules_and_takes_more(admin: Caller, url: str, make: Make) -> None:
    policy = make("global/firewallPolicies", {"name": "p"})
    assert [rule["action"] for rule in policy["rules"]] == ["goto_next"] * 4
    rule = {
        "priority": 100,
        "action": "deny",
        "direction": "EGRESS",
        "match": {"destIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "all"}]},
    }
    path = f"{url}/global/firewallPolicies/p"
    assert admin("POST", f"{path}/addRule", rule)[0] == 200
    status, answer = admin("POST", f"{path}/addRule", rule)
    assert (status, "same priorities" in answer["error"]["message"]) == (400, True)
    assert admin("GET", f"{path}/getRule", params={"priority": 100})[1]["enableLogging"] is False
    admin("POST", f"{path}/patchRule", {"enableLogging": True}, params={"priority": 100})
    assert admin("GET", f"{path}/getRule", params={"priority": 100})[1]["enableLogging"] is True
    assert admin("POST", f"{path}/removeRule", params={"priority": 100})[0] == 200
    status, answer = admin("GET", f"{path}/getRule", params={"priority": 100})
    assert (status, "does not contain a rule" in answer["error"]["message"]) == (400, True)


def test_an_associated_policy_stays_and_a_network_follows_one(
    admin: Caller, url: str, make: Make, network: Document
) -> None:
    for name in ("p", "q"):
        make("global/firewallPolicies", {"name": name})
    body = {"name": "a", "attachmentTarget": network["selfLink"]}
    assert admin("POST", f"{url}/global/firewallPolicies/p/addAssociation", body)[0] == 200
    assert admin("POST", f"{url}/global/firewallPolicies/q/addAssociation", body)[0] == 400
    status, answer = admin("DELETE", f"{url}/global/firewallPolicies/p")
    assert (status, answer["error"]["errors"][0]["reason"]) == (400, "resourceInUseByAnotherResource")
    found = admin("GET", f"{url}/global/firewallPolicies/p/getAssociation", params={"name": "a"})[1]
    assert found["attachmentTarget"] == network["selfLink"]
    effective = admin("GET", f"{url}/global/networks/net/getEffectiveFirewalls")[1]
    assert [policy["name"] for policy in effective["firewallPolicys"]] == ["p"]
    admin("POST", f"{url}/global/firewallPolicies/p/removeAssociation", params={"name": "a"})
    assert admin("DELETE", f"{url}/global/firewallPolicies/p")[0] == 200
