"""The live readers: what they make of Google's answers, and of Google's refusals."""

from __future__ import annotations

from typing import Any

import pytest

from plantain.audit import inventory
from plantain.audit.grants import grants
from plantain.audit.identity import identity
from plantain.audit.live import network, organization, serverless, storage
from plantain.audit.live.reader import Reader
from plantain.errors import GoogleCloudError
from policies.catalogue import Resource


class Google:
    """Answers from a table of paths; everything else is not found, or refused."""

    def __init__(self, answers: dict[str, Any], refuse: tuple[int, str] = (404, "NOT_FOUND")) -> None:
        self.answers, self.refuse = answers, refuse

    def call(self, verb: str, service: str, path: str, **_: Any) -> dict[str, Any]:
        for part, answer in self.answers.items():
            if part == f"{service} {path}":
                return dict(answer)
        raise GoogleCloudError(*self.refuse, "refused", service, path)

    def pages(self, service: str, path: str, field: str, **_: Any) -> Any:
        yield from self.call("GET", service, path).get(field, ())


def reader(answers: dict[str, Any], refuse: tuple[int, str] = (404, "NOT_FOUND")) -> Reader:
    google: Any = Google(answers, refuse)
    return Reader(google, "p")


@pytest.mark.parametrize(
    ("refuse", "unread"),
    [
        ((404, "NOT_FOUND"), 0),
        ((403, "SERVICE_DISABLED"), 0),
        ((403, "PERMISSION_DENIED"), 1),
        ((403, "VPC_SERVICE_CONTROLS"), 1),
        ((501, "UNIMPLEMENTED"), 1),
        ((0, "UNREACHABLE"), 1),
    ],
)
def test_nothing_there_is_told_apart_from_not_read(refuse: tuple[int, str], unread: int) -> None:
    one = reader({}, refuse)
    assert one.all("cloudkms", "v1/x", "keyRings") == []
    assert one.all("cloudkms", "v1/y", "keyRings") == []
    assert one.one("GET", "cloudkms", "v1/x", "getIamPolicy") is None
    assert len([entry for entry in one.unread if entry.what == "cloudkms keyRings"]) == unread


def test_a_refused_project_is_unread_and_a_deleted_one_is_not_there() -> None:
    refused: Any = Google({}, (403, "PERMISSION_DENIED"))
    reading = inventory.read_project(refused, "p", frozenset({"global"}))
    assert [entry.what for entry in reading.unread] == ["cloudresourcemanager projects"]
    deleted: Any = Google({"cloudresourcemanager v3/projects/p": {"projectId": "p", "state": "DELETE_REQUESTED"}})
    reading = inventory.read_project(deleted, "p", frozenset({"global"}))
    assert (reading.resources, reading.unread) == ((), [])


def test_a_bucket_has_the_shape_that_pulumi_gives_it() -> None:
    found = storage.bucket(
        {
            "name": "b",
            "location": "EU",
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"},
            "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 1, "isLive": False}}]},
            "retentionPolicy": {"retentionPeriod": "10", "isLocked": True},
            "softDeletePolicy": {"retentionDurationSeconds": "604800"},
            "encryption": {"defaultKmsKeyName": "k"},
        },
        "p",
    )
    assert identity(found) == "gcp:storage/bucket:Bucket|b"
    assert found.at("uniformBucketLevelAccess") is True
    assert found.at("encryption.defaultKmsKeyName") == "k"
    assert found.at("retentionPolicy.retentionPeriod") == 10
    assert found.at("lifecycleRules")[0]["condition"] == {"age": 1, "withState": "ARCHIVED"}
    bare = storage.bucket({"name": "b"}, "p")
    assert bare.at("publicAccessPrevention") == "inherited"
    assert bare.at("versioning.enabled") is False


@pytest.mark.parametrize(("gateway", "closed"), [("default-internet-gateway", False), ("vpn", True)])
def test_a_network_with_a_way_out_is_told_from_one_without(gateway: str, closed: bool) -> None:
    root = "https://www.googleapis.com/compute/v1/projects/p/global"
    route = {
        "name": "r",
        "destRange": "0.0.0.0/0",
        "network": f"{root}/networks/n",
        "nextHopGateway": f"{root}/gateways/{gateway}",
    }
    one = reader({"compute compute/v1/projects/p/global/routes": {"items": [route]}})
    found = list(network.read(one, "p", [{"name": "n", "selfLink": f"{root}/networks/n"}]))
    [made] = [entry for entry in found if entry.type.endswith(":Network")]
    assert made.at("deleteDefaultRoutesOnCreate") is closed


def test_a_service_of_cloud_run_has_the_shape_that_pulumi_gives_it() -> None:
    name = "projects/p/locations/l/services/s"
    service = {"name": name, "template": {"containers": [{"image": "i", "env": [{"name": "A", "value": "b"}]}]}}
    policy = {"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]}
    answers = {"run v2/projects/p/locations/l/services": {"services": [service]}, f"run v2/{name}:getIamPolicy": policy}
    made, grant = serverless.read(reader(answers), "p", ["l"])
    assert made.at("template.containers")[0]["envs"] == [{"name": "A", "value": "b"}]
    assert [one.scope for one in grants(grant)] == [name]


def test_an_organisations_policies_are_read_as_pulumi_writes_them() -> None:
    rules = {"spec": {"rules": [{"enforce": True}, {"values": {"allowedValues": ["a"]}}]}}
    answers = {
        "orgpolicy v2/organizations/1/policies": {"policies": [{"name": "organizations/1/policies/c", **rules}]},
        "accesscontextmanager v1/accessPolicies": {"accessPolicies": [{"name": "accessPolicies/7"}]},
        "accesscontextmanager v1/accessPolicies/7/servicePerimeters": {
            "servicePerimeters": [{"name": "accessPolicies/7/servicePerimeters/x", "status": {"resources": []}}]
        },
        "billingbudgets v1/billingAccounts/A/budgets": {
            "budgets": [{"name": "billingAccounts/A/budgets/b", "notificationsRule": {"pubsubTopic": "t"}}]
        },
    }
    found = {one.type.rpartition(":")[2]: one for one in organization.read(reader(answers), "1", {"A"})}
    assert found["Policy"].at("spec.rules")[0] == {"enforce": "TRUE"}
    assert found["ServicePerimeter"].at("perimeterType") == "PERIMETER_TYPE_REGULAR"
    assert found["Budget"].at("allUpdatesRule.pubsubTopic") == "t"


def test_policies_of_a_folder_that_a_stack_names_are_read() -> None:
    listed = {"policies": [{"name": "folders/7/policies/c", "spec": {"rules": []}}]}
    google: Any = Google({"orgpolicy v2/folders/7/policies": listed})
    reading = inventory.read_organization(google, "1", set(), ["folders/7"])
    assert [identity(one) for one in reading.resources] == ["gcp:orgpolicy/policy:Policy|folders/7/policies/c"]


def test_projects_of_no_campaign_are_not_in_the_population() -> None:
    listed = [{"projectId": "a", "labels": {"campaign": "x"}}, {"projectId": "b"}, {"projectId": "c", "labels": {}}]
    google: Any = Google({"cloudresourcemanager v3/projects:search": {"projects": listed}})
    assert inventory.campaign_projects(google) == (["a"], None)
    refused: Any = Google({}, (403, "PERMISSION_DENIED"))
    names, unread = inventory.campaign_projects(refused)
    assert names == []
    assert unread
    assert unread.what == "cloudresourcemanager projects"


def test_places_are_those_that_declared_resources_name() -> None:
    made = [
        Resource("u", "t", "n", {"location": "EU"}),
        Resource("u", "t", "n", {"region": "europe-west4"}),
        Resource("u", "t", "n", {"location": None}),
    ]
    assert inventory.located(made) == {"eu", "europe-west4"}
