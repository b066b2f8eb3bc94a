from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from sandbox.faults import Fault, Faults
from tests.sandbox.conftest import Caller

PROJECT = "/cloudresourcemanager/v1/projects/test-project"
GET = "cloudresourcemanager.projects.get"


def plan(client: TestClient, **fault: Any) -> dict[str, Any]:
    reply = client.post("/_sandbox/faults", json={"method": GET, **fault})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("code", "status"), [(429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL"), (503, "UNAVAILABLE")])
def test_an_error_happens_as_often_as_asked(admin: Caller, client: TestClient, code: int, status: str) -> None:
    plan(client, code=code, count=2)
    found = [admin("GET", PROJECT) for _ in range(3)]
    assert [answer[0] for answer in found] == [code, code, 200]
    assert found[0][1]["error"]["status"] == status
    assert client.get("/_sandbox/faults").json() == []


@pytest.mark.usefixtures("project")
def test_calls_may_pass_unharmed_first(admin: Caller, client: TestClient) -> None:
    plan(client, skip=2)
    assert [admin("GET", PROJECT)[0] for _ in range(4)] == [200, 200, 503, 200]


@pytest.mark.usefixtures("project")
def test_a_method_is_named_by_a_glob_and_others_are_spared(admin: Caller, client: TestClient) -> None:
    plan(client, method="storage.*")
    assert admin("GET", PROJECT)[0] == 200
    assert admin("GET", "/storage/v1/b?project=test-project")[0] == 503


@pytest.mark.usefixtures("project")
def test_a_path_is_named_by_a_glob_and_others_are_spared(admin: Caller, client: TestClient) -> None:
    plan(client, method="*", path="*/projects/other-*")
    assert [admin("GET", PROJECT)[0], admin("GET", PROJECT.replace("test", "other"))[0]] == [200, 503]


def test_draws_by_probability_are_repeatable_for_a_seed() -> None:
    def happened(seed: int) -> list[bool]:
        faults = Faults()
        faults.add(Fault(method="*", probability=0.3, count=0, seed=seed))
        return [faults.take("x.y.get") is not None for _ in range(200)]

    assert happened(7) == happened(7)
    assert happened(7) != happened(8)
    assert 30 < sum(happened(7)) < 90


@pytest.mark.usefixtures("project")
def test_a_reset_leaves_nothing_done_and_no_answer(admin: Caller, client: TestClient) -> None:
    plan(client, method="cloudresourcemanager.folders.create", kind="reset")
    body = {"displayName": "campaigns", "parent": "organizations/123456789012"}
    with pytest.raises(ConnectionResetError):
        admin("POST", "/cloudresourcemanager/v3/folders", body)
    assert admin("GET", "/cloudresourcemanager/v3/folders?parent=organizations/123456789012")[1] == {}


@pytest.mark.usefixtures("project")
def test_a_lost_answer_leaves_the_work_done(admin: Caller, client: TestClient) -> None:
    plan(client, method="cloudresourcemanager.folders.create", kind="lost")
    body = {"displayName": "campaigns", "parent": "organizations/123456789012"}
    with pytest.raises(ConnectionResetError):
        admin("POST", "/cloudresourcemanager/v3/folders", body)
    (folder,) = admin("GET", "/cloudresourcemanager/v3/folders?parent=organizations/123456789012")[1]["folders"]
    assert folder["displayName"] == "campaigns"


@pytest.mark.usefixtures("project")
def test_a_slow_answer_is_held_back(admin: Caller, client: TestClient) -> None:
    plan(client, kind="slow", seconds=0.05)
    assert admin("GET", PROJECT)[0] == 200
    assert client.get("/_sandbox/requests?count=1").json()[0]["milliseconds"] >= 50


@pytest.mark.usefixtures("project")
def test_a_stale_read_answers_from_before_the_latest_change(admin: Caller, client: TestClient) -> None:
    plan(client, kind="stale", method="cloudresourcemanager.folders.*", count=2)
    body = {"displayName": "campaigns", "parent": "organizations/123456789012"}
    name = admin("POST", "/cloudresourcemanager/v3/folders", body)[1]["response"]["name"]
    assert admin("GET", f"/cloudresourcemanager/v3/{name}")[0] in {403, 404}
    listed = "/cloudresourcemanager/v3/folders?parent=organizations/123456789012"
    assert admin("GET", listed)[1] == {}
    assert admin("GET", f"/cloudresourcemanager/v3/{name}")[0] == 200


@pytest.mark.usefixtures("project")
def test_a_fault_is_taken_back_by_its_id_or_with_all_others(admin: Caller, client: TestClient) -> None:
    first, second = plan(client)["id"], plan(client, code=500)["id"]
    client.delete(f"/_sandbox/faults?id={first}")
    assert [fault["id"] for fault in client.get("/_sandbox/faults").json()] == [second]
    client.delete("/_sandbox/faults")
    assert admin("GET", PROJECT)[0] == 200


@pytest.mark.parametrize(
    ("fault", "field"),
    [({"kind": "explode"}, "kind"), ({"code": 418}, "code"), ({"probability": 2}, "probability"), ({"x": 1}, "x")],
)
def test_a_malformed_fault_is_refused_by_field(client: TestClient, fault: dict[str, Any], field: str) -> None:
    reply = client.post("/_sandbox/faults", json={"method": GET, **fault})
    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith(f"{field}:")


@pytest.mark.usefixtures("project")
def test_a_new_account_is_seen_after_as_many_reads_as_asked(
    admin: Caller, client: TestClient, enable: Callable[..., None]
) -> None:
    enable("iam")
    client.post("/_sandbox/consistency", json={"identities": 2})
    accounts = "/iam/v1/projects/test-project/serviceAccounts"
    assert admin("POST", accounts, {"accountId": "deployer"})[0] == 200
    account = f"{accounts}/deployer@test-project.iam.gserviceaccount.com"
    assert [admin("GET", account)[0] for _ in range(3)] == [404, 404, 200]


@pytest.mark.usefixtures("project")
def test_a_policy_that_names_a_too_new_account_is_refused_as_google_does(
    admin: Caller, client: TestClient, enable: Callable[..., None]
) -> None:
    enable("iam")
    client.post("/_sandbox/consistency", json={"identities": 1})
    admin("POST", "/iam/v1/projects/test-project/serviceAccounts", {"accountId": "deployer"})
    member = "serviceAccount:deployer@test-project.iam.gserviceaccount.com"
    policy = {"policy": {"bindings": [{"role": "roles/browser", "members": [member, "user:user@example.com"]}]}}
    status, body = admin("POST", f"{PROJECT}:setIamPolicy", policy)
    assert status == 400
    assert "does not exist" in body["error"]["message"]
    assert admin("POST", f"{PROJECT}:setIamPolicy", policy)[0] == 200


@pytest.mark.usefixtures("project")
def test_a_new_grant_is_seen_after_as_many_checks_as_asked(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller]
) -> None:
    client.post("/_sandbox/consistency", json={"grants": 2})
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {})[1]
    policy["bindings"].append({"role": "roles/browser", "members": ["user:jo@example.com"]})
    assert admin("POST", f"{PROJECT}:setIamPolicy", {"policy": policy})[0] == 200
    jo = as_member("user:jo@example.com")
    assert [jo("GET", PROJECT)[0] for _ in range(3)][-1] == 200
    assert jo("GET", PROJECT)[0] == 200


@pytest.mark.usefixtures("project")
def test_an_enabled_api_answers_after_a_while(admin: Caller, client: TestClient, enable: Callable[..., None]) -> None:
    client.post("/_sandbox/consistency", json={"services": 30})
    enable("cloudkms")
    rings = "/cloudkms/v1/projects/test-project/locations/us-west1/keyRings"
    assert admin("GET", rings)[1]["error"]["details"][0]["reason"] == "SERVICE_DISABLED"
    client.post("/_sandbox/clock", json={"seconds": 31})
    assert admin("GET", rings)[0] == 200


def test_no_lag_shows_everything_again(client: TestClient) -> None:
    client.post("/_sandbox/consistency", json={"grants": 5})
    client.post("/_sandbox/consistency", json={})
    assert client.get("/_sandbox/consistency").json() == {"identities": 0, "grants": 0, "services": 0.0}
