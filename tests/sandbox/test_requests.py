from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from sandbox.app import create_app
from sandbox.cloud import Cloud
from sandbox.identifiers import Identifiers
from sandbox.settings import Settings

from .conftest import Caller, build_cloud


def test_host_header_and_path_prefix_lead_to_the_same_service(admin: Caller, project: str) -> None:
    by_prefix = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")
    by_host = admin("GET", f"/v1/projects/{project}", headers={"Host": "cloudresourcemanager.googleapis.com"})
    assert by_prefix == by_host
    assert by_prefix[0] == 200


def test_a_regional_host_leads_to_its_service(admin: Caller, project: str) -> None:
    path = f"/v1/projects/{project}/locations/us-west1/endpoints"
    status, body = admin("GET", path, headers={"Host": "us-west1-aiplatform.googleapis.com"})
    assert (status, body["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")


def test_a_request_without_a_service_says_how_to_name_one(admin: Caller) -> None:
    status, body = admin("GET", "/v1/projects/x")
    assert status == 404
    assert "Host header" in body["error"]["message"]


def test_a_method_that_is_not_emulated_is_501_and_listed(admin: Caller, client: TestClient) -> None:
    status, body = admin("GET", "/cloudresourcemanager/v3/organizations/123456789012/boundaryConfig")
    assert status == 501
    method = "cloudresourcemanager.organizations.getBoundaryConfig"
    assert method in body["error"]["message"]
    assert client.get("/_sandbox/status").json()["notEmulated"] == {method: 1}


def test_an_encoded_colon_before_a_custom_method_counts(admin: Caller, project: str) -> None:
    path = f"/cloudresourcemanager/v1/projects/{project}"
    plain = admin("POST", f"{path}:getIamPolicy", {})
    assert plain[0] == 200
    assert admin("POST", f"{path}%3AgetIamPolicy", {}) == plain
    assert admin("POST", f"{path}%3agetIamPolicy", {}) == plain


def test_a_name_whose_slashes_are_encoded_is_that_name(admin: Caller, project: str) -> None:
    path = "/cloudresourcemanager/v1/projects"
    assert admin("GET", f"{path}%2F{project}") == admin("GET", f"{path}/{project}")
    assert admin("POST", f"{path}%2f{project}%3AgetIamPolicy", {})[0] == 200


def test_colons_and_slashes_of_an_object_s_name_stay_encoded(admin: Caller, project: str) -> None:
    assert admin("POST", f"/storage/v1/b?project={project}", {"name": "odd-names"})[0] == 200
    uploads = "/upload/storage/v1/b/odd-names/o?uploadType=media&name=a%3Ab%2Fc%3Acompose"
    assert admin("POST", uploads)[0] == 200
    assert admin("GET", "/storage/v1/b/odd-names/o/a%3Ab%2Fc%3Acompose")[1]["name"] == "a:b/c:compose"


def test_a_foreign_host_is_refused_and_listed(admin: Caller, client: TestClient) -> None:
    assert admin("GET", "/", headers={"Host": "example.org"})[0] == 404
    assert client.get("/_sandbox/status").json()["refusedHosts"] == {"example.org": 1}


def test_no_token_is_401_and_a_wrong_one_too(client: TestClient, project: str) -> None:
    url = f"/cloudresourcemanager/v1/projects/{project}"
    assert client.get(url).json()["error"]["status"] == "UNAUTHENTICATED"
    assert client.get(url, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_body_that_is_no_json_is_400(client: TestClient) -> None:
    reply = client.post("/cloudresourcemanager/v1/projects", content=b"{", headers={"Authorization": "Bearer sandbox"})
    assert reply.status_code == 400
    assert "Invalid JSON payload" in reply.json()["error"]["message"]


def test_an_injected_fault_happens_as_often_as_asked(admin: Caller, client: TestClient, project: str) -> None:
    fault = {"method": "cloudresourcemanager.projects.get", "code": 503, "count": 2}
    assert client.post("/_sandbox/faults", json=fault).status_code == 200
    url = f"/cloudresourcemanager/v1/projects/{project}"
    assert [admin("GET", url)[0] for _ in range(3)] == [503, 503, 200]


def test_a_malformed_fault_names_each_wrong_field(client: TestClient) -> None:
    reply = client.post("/_sandbox/faults", json={"code": 200, "surplus": 1})
    assert reply.status_code == 400
    assert all(name in reply.json()["error"]["message"] for name in ("method", "code", "surplus"))


def test_a_stranger_may_not_read_a_project(as_member: Callable[[str], Caller], project: str) -> None:
    status, body = as_member("user:stranger@example.org")("GET", f"/cloudresourcemanager/v1/projects/{project}")
    assert (status, body["error"]["details"][0]["reason"]) == (403, "IAM_PERMISSION_DENIED")


def test_a_group_member_has_the_groups_roles(
    admin: Caller, client: TestClient, as_member: Callable[[str], Caller], project: str
) -> None:
    policy = {"bindings": [{"role": "roles/viewer", "members": ["group:readers@example.com"]}]}
    assert admin("POST", f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy", {"policy": policy})[0] == 200
    jo = as_member("user:jo@example.com")
    url = f"/cloudresourcemanager/v1/projects/{project}"
    assert jo("GET", url)[0] == 403
    client.post("/_sandbox/groups", json={"group": "readers@example.com", "members": ["user:jo@example.com"]})
    assert jo("GET", url)[0] == 200


def test_a_stale_policy_etag_is_409(admin: Caller, project: str) -> None:
    url = f"/cloudresourcemanager/v1/projects/{project}"
    _, policy = admin("POST", f"{url}:getIamPolicy", {})
    assert admin("POST", f"{url}:setIamPolicy", {"policy": policy})[0] == 200
    status, body = admin("POST", f"{url}:setIamPolicy", {"policy": policy})
    assert (status, body["error"]["status"]) == (409, "ABORTED")
    assert "concurrent policy changes" in body["error"]["message"]


def test_a_policy_may_not_name_a_service_account_that_does_not_exist(admin: Caller, project: str) -> None:
    members = [f"serviceAccount:ghost@{project}.iam.gserviceaccount.com"]
    body = {"policy": {"bindings": [{"role": "roles/viewer", "members": members}]}}
    status, answer = admin("POST", f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy", body)
    assert (status, answer["error"]["message"]) == (
        400,
        f"Service account ghost@{project}.iam.gserviceaccount.com does not exist.",
    )


def test_a_service_agent_exists_only_after_it_was_asked_for(admin: Caller, project: str) -> None:
    number = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")[1]["projectNumber"]
    members = [f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"]
    body = {"policy": {"bindings": [{"role": "roles/pubsub.serviceAgent", "members": members}]}}
    url = f"/cloudresourcemanager/v1/projects/{project}:setIamPolicy"
    assert admin("POST", url, body)[0] == 400
    identity = f"/serviceusage/v1beta1/projects/{project}/services/pubsub.googleapis.com:generateServiceIdentity"
    assert admin("POST", identity)[1]["response"]["email"] == members[0].partition(":")[2]
    assert admin("POST", url, body)[0] == 200


def test_state_outlives_a_restart(cloud: Cloud, project: str, tmp_path: Path) -> None:
    cloud.store.put("run.operations", "projects/x/operations/1", {"name": "1", "done": False})
    cloud.close()
    again = build_cloud(tmp_path)
    reader = Caller(TestClient(create_app(again), base_url="http://127.0.0.1"), "sandbox")
    assert reader("GET", f"/cloudresourcemanager/v1/projects/{project}")[0] == 200
    unfinished = again.operations.get("run", "projects/x/operations/1")
    assert unfinished is not None
    assert unfinished["error"]["message"] == "The sandbox was stopped meanwhile."
    again.close()


def test_equal_seeds_give_equal_numbers(tmp_path: Path) -> None:
    first, second = build_cloud(tmp_path / "a"), build_cloud(tmp_path / "b")
    assert first.identifiers.number("x") == second.identifiers.number("x")
    other = Identifiers(first.store, Settings(seed=1).seed)
    assert other.number("y") != second.identifiers.number("y")
    first.close()
    second.close()


def test_a_project_with_a_lien_is_not_deleted(admin: Caller, project: str) -> None:
    number = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")[1]["projectNumber"]
    lien = {"parent": f"projects/{number}", "restrictions": ["resourcemanager.projects.delete"], "reason": "r"}
    name = admin("POST", "/cloudresourcemanager/v1/liens", lien)[1]["name"]
    url = f"/cloudresourcemanager/v1/projects/{project}"
    assert admin("DELETE", url)[1]["error"]["status"] == "FAILED_PRECONDITION"
    assert admin("DELETE", f"/cloudresourcemanager/v1/{name}")[0] == 200
    assert admin("DELETE", url)[0] == 200
    assert admin("GET", url)[1]["lifecycleState"] == "DELETE_REQUESTED"


def test_the_id_of_a_deleted_project_stays_taken(admin: Caller, project: str) -> None:
    admin("DELETE", f"/cloudresourcemanager/v1/projects/{project}")
    body = {"projectId": project, "parent": {"type": "organization", "id": "123456789012"}}
    assert admin("POST", "/cloudresourcemanager/v1/projects", body)[1]["error"]["status"] == "ALREADY_EXISTS"
