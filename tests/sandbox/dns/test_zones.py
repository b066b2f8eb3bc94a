from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

Document = dict[str, Any]


@pytest.fixture
def zones(enable: Callable[..., None], project: str) -> str:
    """Where the project's zones lie."""
    enable("dns")
    return f"/dns/v1/projects/{project}/managedZones"


@pytest.fixture
def zone(admin: Caller, zones: str) -> Document:
    """A public zone."""
    status, body = admin("POST", zones, {"name": "z", "dnsName": "example.com.", "description": "d"})
    assert status == 200, body
    return dict(body)


def record(name: str = "www.example.com.", kind: str = "A", data: str = "192.0.2.1", ttl: int = 300) -> Document:
    return {"name": name, "type": kind, "ttl": ttl, "rrdatas": [data]}


def change(admin: Caller, zones: str, **parts: list[Document]) -> tuple[int, Document]:
    return admin("POST", f"{zones}/z/changes", parts)


def test_a_zone_begins_with_its_own_records(admin: Caller, zones: str, zone: Document) -> None:
    assert zone["kind"] == "dns#managedZone"
    assert zone["cloudLoggingConfig"] == {"kind": "dns#managedZoneCloudLoggingConfig"}
    sets = admin("GET", f"{zones}/z/rrsets")[1]["rrsets"]
    assert [(entry["type"], entry["name"]) for entry in sets] == [("NS", "example.com."), ("SOA", "example.com.")]
    assert sets[0]["rrdatas"] == zone["nameServers"]


def test_a_zone_is_found_by_its_number_too(admin: Caller, zones: str, zone: Document) -> None:
    assert admin("GET", f"{zones}/{zone['id']}")[1] == zone
    assert len(admin("GET", f"{zones}/{zone['id']}/rrsets")[1]["rrsets"]) == 2


def test_an_update_shows_the_zone_before_and_after(admin: Caller, zones: str, zone: Document) -> None:
    body = {"name": "z", "dnsName": "example.com.", "description": "new"}
    operation = admin("PUT", f"{zones}/z", body)[1]
    assert (operation["kind"], operation["status"], operation["type"]) == ("dns#operation", "done", "UPDATE")
    assert operation["zoneContext"]["oldValue"] == zone
    assert operation["zoneContext"]["newValue"] == {**zone, "description": "new"}
    assert admin("GET", f"{zones}/z")[1]["description"] == "new"


def test_a_change_is_done_and_listed_and_counts_the_serial_up(admin: Caller, zones: str, zone: Document) -> None:
    del zone
    status, made = change(admin, zones, additions=[record()])
    assert (status, made["kind"], made["status"]) == (200, "dns#change", "done")
    assert admin("GET", f"{zones}/z/changes/{made['id']}")[1] == made
    found = admin("GET", f"{zones}/z/rrsets", params={"name": "www.example.com.", "type": "A"})[1]
    assert found["rrsets"] == [{**record(), "kind": "dns#resourceRecordSet"}]
    soa = admin("GET", f"{zones}/z/rrsets", params={"name": "example.com.", "type": "SOA"})[1]["rrsets"][0]
    assert soa["rrdatas"][0].split(" ")[2] == "2"


def test_a_deletion_must_repeat_the_record_exactly(admin: Caller, zones: str, zone: Document) -> None:
    del zone
    change(admin, zones, additions=[record()])
    status, body = change(admin, zones, deletions=[record(ttl=60)])
    assert (status, body["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert body["error"]["message"] == "Precondition not met for 'entity.change.deletions[0]'"
    assert change(admin, zones, deletions=[record()])[0] == 200
    status, body = change(admin, zones, deletions=[record()])
    assert (status, "www.example.com. (A)' does not exist" in body["error"]["message"]) == (404, True)


def test_a_failed_change_leaves_nothing_behind(admin: Caller, zones: str, zone: Document) -> None:
    del zone
    change(admin, zones, additions=[record()])
    status, body = change(admin, zones, deletions=[record()], additions=[record(data="192.0.2.2"), record("a.b.")])
    assert (status, "entity.change.additions[1].name" in body["error"]["message"]) == (400, True)
    found = admin("GET", f"{zones}/z/rrsets", params={"name": "www.example.com.", "type": "A"})[1]
    assert found["rrsets"][0]["rrdatas"] == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("bad", "code", "reason"),
    [
        (record("www.example.org."), 400, "additions[0].name"),
        (record("www.example.com"), 400, "additions[0].name"),
        ({"name": "www.example.com.", "type": "A", "ttl": 1}, 400, "rrdata"),
        (record(), 409, "www.example.com. (A)' already exists"),
        (record(kind="CNAME", data="other.example.com."), 400, "beside another record set"),
    ],
)
def test_records_that_do_not_fit_are_refused(
    admin: Caller, zones: str, zone: Document, bad: Document, code: int, reason: str
) -> None:
    del zone
    change(admin, zones, additions=[record()])
    status, body = change(admin, zones, additions=[bad])
    assert status == code
    assert reason in body["error"]["message"]


def test_single_record_sets_can_be_made_changed_and_removed(admin: Caller, zones: str, zone: Document) -> None:
    del zone
    assert admin("POST", f"{zones}/z/rrsets", record())[0] == 200
    path = f"{zones}/z/rrsets/www.example.com./A"
    assert admin("PATCH", path, {**record(), "ttl": 60})[1]["ttl"] == 60
    assert admin("GET", path)[1]["ttl"] == 60
    assert admin("DELETE", path)[0] == 200
    status, body = admin("GET", path)
    assert (status, "www.example.com. (A)" in body["error"]["message"]) == (404, True)
    assert admin("DELETE", f"{zones}/z/rrsets/example.com./NS")[0] == 400


def test_a_zone_with_records_cannot_be_deleted(admin: Caller, zones: str, zone: Document) -> None:
    del zone
    change(admin, zones, additions=[record()])
    status, body = admin("DELETE", f"{zones}/z")
    assert (status, body["error"]["errors"][0]["reason"]) == (400, "containerNotEmpty")
    change(admin, zones, deletions=[record()])
    assert admin("DELETE", f"{zones}/z")[0] == 200
    status, body = admin("GET", f"{zones}/z")
    assert status == 404
    assert body["error"]["message"] == 'managedZone "projects/test-project/managedZones/z" not found'


def test_one_network_resolves_a_private_name_in_one_zone(admin: Caller, zones: str, project: str) -> None:
    networks = {"networks": [{"networkUrl": f"projects/{project}/global/networks/n"}]}
    body = {"dnsName": "googleapis.com.", "visibility": "private", "privateVisibilityConfig": networks}
    assert admin("POST", zones, {"name": "first", **body})[0] == 200
    status, answer = admin("POST", zones, {"name": "second", **body})
    assert (status, "is served by" in answer["error"]["message"]) == (400, True)


def test_both_versions_show_the_same_zone(admin: Caller, zones: str, zone: Document) -> None:
    assert admin("GET", f"{zones.replace('/v1/', '/v1beta2/')}/z")[1] == zone


def test_a_policy_in_use_lets_go_of_its_networks_first(admin: Caller, zones: str, project: str) -> None:
    path = zones.replace("managedZones", "policies")
    networks = [{"networkUrl": f"projects/{project}/global/networks/n"}]
    made = admin("POST", path, {"name": "p", "networks": networks, "enableLogging": True})[1]
    assert (made["kind"], made["networks"][0]["kind"]) == ("dns#policy", "dns#policyNetwork")
    assert admin("POST", path, {"name": "q", "networks": networks})[0] == 409
    status, body = admin("DELETE", f"{path}/p")
    assert (status, body["error"]["errors"][0]["reason"]) == (400, "containerNotEmpty")
    # As the provider does it.
    assert "networks" not in admin("PATCH", f"{path}/p", {"networks": None})[1]["policy"]
    assert admin("DELETE", f"{path}/p")[0] == 200


def test_rules_of_a_response_policy_answer_for_their_own_name(admin: Caller, zones: str) -> None:
    path = zones.replace("managedZones", "responsePolicies")
    assert admin("POST", path, {"responsePolicyName": "rp"})[0] == 200
    data = {"localDatas": [record("x.example.com.")]}
    rule = {"ruleName": "r", "dnsName": "x.example.com.", "localData": data}
    assert admin("POST", f"{path}/rp/rules", rule)[1]["kind"] == "dns#responsePolicyRule"
    assert admin("POST", f"{path}/rp/rules", {**rule, "ruleName": "s", "dnsName": "y.example.com."})[0] == 400
    assert admin("DELETE", f"{path}/rp")[0] == 400
    assert admin("DELETE", f"{path}/rp/rules/r")[0] == 200
    assert admin("DELETE", f"{path}/rp")[0] == 200


def test_a_project_tells_its_quota(admin: Caller, zones: str, project: str) -> None:
    body = admin("GET", zones.removesuffix("/managedZones"))[1]
    assert (body["kind"], body["id"], body["quota"]["managedZones"]) == ("dns#project", project, 10000)
