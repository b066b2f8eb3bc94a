"""The live readers: what they make of Google's answers, and of Google's refusals."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from plantain.audit import inventory
from plantain.audit.collection import Request, Source, collect
from plantain.audit.googles_own import made_by_google
from plantain.audit.grants import grants, kind
from plantain.audit.identity import identity
from plantain.audit.judgements import Judgements
from plantain.audit.live import (
    datasets,
    federation,
    groups,
    hierarchy,
    keys,
    network,
    organization,
    serverless,
    storage,
)
from plantain.audit.live.reader import Reader
from plantain.errors import GoogleCloudError
from policies.catalogue import CONTROLS, Context, Resource, Status

from .conftest import ROOT
from .synthetic import export, project_id

PROJECT = project_id(0)


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


FOLDER = {"name": "folders/7", "displayName": "Campaigns", "parent": "folders/6"}
ATTACHED = "cloudresourcemanager.googleapis.com%2F"


def test_a_folder_and_all_folders_above_it_are_read_with_their_grants_sinks_and_policies() -> None:
    granted = {"bindings": [{"role": "roles/storage.admin", "members": ["user:eve@example.com"]}]}
    configured = {"auditConfigs": [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}]}
    google: Any = Google(
        {
            "cloudresourcemanager v3/folders/7": FOLDER,
            "cloudresourcemanager v3/folders/6": {"name": "folders/6", "parent": "organizations/1"},
            "cloudresourcemanager v3/folders/6:getIamPolicy": {**granted, **configured},
            "logging v2/folders/6/sinks": {"sinks": [{"name": "all", "filter": "", "includeChildren": True}]},
            "orgpolicy v2/folders/7/policies": {"policies": [{"name": "folders/7/policies/c", "spec": {"rules": []}}]},
        }
    )
    reading = inventory.read_organization(google, "1", set(), ["folders/7"])
    assert {identity(one) for one in reading.resources} == {
        "gcp:organizations/folder:Folder|folders/6",
        "gcp:organizations/folder:Folder|folders/7",
        "iam|folders/6|roles/storage.admin|user:eve@example.com|",
        "gcp:folder/iamAuditConfig:IamAuditConfig|folders/6/audit_config/allServices",
        "gcp:logging/folderSink:FolderSink|folders/6/sinks/all",
        "gcp:orgpolicy/policy:Policy|folders/7/policies/c",
    }
    assert reading.unread == []


def test_a_folder_that_may_not_be_read_is_stated_and_its_sinks_are_asked_for_all_the_same() -> None:
    refused: Any = Google({"logging v2/folders/7/sinks": {"sinks": [{"name": "all"}]}}, (403, "PERMISSION_DENIED"))
    reading = inventory.read_organization(refused, "1", {"A"}, ["folders/7"])
    assert "gcp:logging/folderSink:FolderSink" in {one.type for one in reading.resources}
    unread = {entry.what for entry in reading.unread}
    assert {"cloudresourcemanager folders", "cloudresourcemanager getIamPolicy", "cloudbilling getIamPolicy"} <= unread
    assert {"iam policies", "compute items", "logging sinks", "billingbudgets budgets"} <= unread


def test_grants_and_sinks_of_a_billing_account_are_read() -> None:
    granted = {"bindings": [{"role": "roles/billing.admin", "members": ["user:eve@example.com"]}]}
    answers = {
        "cloudbilling v1/billingAccounts/A:getIamPolicy": granted,
        "logging v2/billingAccounts/A/sinks": {"sinks": [{"name": "all", "destination": "d"}]},
    }
    found = {identity(one) for one in organization.read(reader(answers), "1", {"A"})}
    assert found == {
        "iam|billingAccounts/A|roles/billing.admin|user:eve@example.com|",
        "gcp:logging/billingAccountSink:BillingAccountSink|billingAccounts/A/sinks/all",
    }


def test_deny_policies_are_read_with_their_rules_which_no_list_tells() -> None:
    path = f"iam v2/policies/{ATTACHED}projects%2Fp/denypolicies"
    rules = [{"denyRule": {"deniedPrincipals": ["principalSet://goog/public:all"]}}]
    answers = {
        path: {"policies": [{"name": "policies/x/denypolicies/keys"}]},
        f"{path}/keys": {"name": "policies/x/denypolicies/keys", "rules": rules},
    }
    [found] = hierarchy.deny_policies(reader(answers), "projects/p")
    assert identity(found) == f"gcp:iam/denyPolicy:DenyPolicy|{ATTACHED}projects%2Fp/keys"
    assert found.at("rules") == rules


def test_firewall_rules_of_an_organisation_are_read_one_by_one() -> None:
    root = "compute compute/v1/locations/global/firewallPolicies"
    rule = {"priority": 10, "action": "allow", "direction": "INGRESS", "match": {"srcIpRanges": ["0.0.0.0/0"]}}
    answers = {
        root: {"items": [{"name": "42", "shortName": "base"}]},
        f"{root}/42": {"name": "42", "rules": [rule]},
    }
    policy, found = hierarchy.firewall_policies(reader(answers), "organizations/1")
    assert policy.at("shortName") == "base"
    assert identity(found).endswith("|locations/global/firewallPolicies/42/rules/10")
    assert found.at("match.srcIpRanges") == ["0.0.0.0/0"]


def test_federation_and_roles_of_a_project_are_named_by_its_id_as_pulumi_does() -> None:
    root = "projects/p/locations/global/workloadIdentityPools"
    numbered = "projects/42/locations/global/workloadIdentityPools/ci"
    answers = {
        f"iam v1/{root}": {"workloadIdentityPools": [{"name": numbered}]},
        f"iam v1/{root}/ci/providers": {
            "workloadIdentityPoolProviders": [{"name": f"{numbered}/providers/git", "attributeCondition": "true"}]
        },
        "iam v1/projects/p/roles": {
            "roles": [
                {"name": "projects/p/roles/reader", "includedPermissions": ["storage.objects.get"]},
                {"name": "projects/p/roles/gone", "deleted": True},
            ]
        },
    }
    pool, provider, role = federation.read(reader(answers), "p")
    assert pool.at("id") == f"{root}/ci"
    assert provider.at("id") == f"{root}/ci/providers/git"
    assert provider.at("attributeCondition") == "true"
    assert role.at("permissions") == ["storage.objects.get"]


def test_groups_that_hold_roles_are_read_with_their_members() -> None:
    grant = {"role": "roles/viewer", "project": "p"}
    resources = [
        Resource("//a", "gcp:projects/iAMMember:IAMMember", "a", {**grant, "member": "group:Team@example.com"}, "live"),
        Resource("//b", "gcp:projects/iAMMember:IAMMember", "b", {**grant, "member": "user:a@example.com"}, "live"),
    ]
    assert groups.holding_roles(resources) == ["team@example.com"]
    member = {"name": "groups/7/memberships/8", "preferredMemberKey": {"id": "eve@example.org"}}
    answers = {
        "cloudidentity v1/groups:lookup": {"name": "groups/7"},
        "cloudidentity v1/groups/7/memberships": {"memberships": [member]},
    }
    group, membership = groups.read(reader(answers), ["team@example.com"])
    assert (group.name, group.at("groupKey.id")) == ("team@example.com", "team@example.com")
    assert membership.at("preferredMemberKey.id") == "eve@example.org"
    assert membership.at("groupAddress") == "team@example.com"


def test_groups_within_groups_are_read_once_each() -> None:
    def holding(*members: tuple[str, str]) -> dict[str, Any]:
        listed = [
            {"name": f"groups/x/memberships/{who}", "preferredMemberKey": {"id": who}, "type": kind}
            for who, kind in members
        ]
        return {"memberships": listed}

    answers = {
        "cloudidentity v1/groups:lookup": {"name": "groups/x"},
        "cloudidentity v1/groups/x/memberships": holding(("inner@example.com", "GROUP"), ("eve@example.org", "USER")),
    }
    found = list(groups.read(reader(answers), ["outer@example.com"]))
    assert [one.name for one in found] == [
        "outer@example.com",
        "inner@example.com in outer@example.com",
        "eve@example.org in outer@example.com",
        "inner@example.com",
        "inner@example.com in inner@example.com",
        "eve@example.org in inner@example.com",
    ]


@pytest.mark.parametrize("above", ["organizations/1", "groups"])
def test_an_api_that_is_disabled_where_the_question_is_paid_for_says_nothing_of_the_organisation(above: str) -> None:
    disabled: Any = Google({}, (403, "SERVICE_DISABLED"))
    asking = Reader(disabled, above)
    assert asking.all("cloudidentity", "v1/x", "items") == []
    assert [entry.project for entry in asking.unread] == [above]


def test_every_project_of_the_campaigns_folder_is_in_the_population() -> None:
    listed = [
        {"projectId": "b"},
        {"projectId": "a", "state": "ACTIVE"},
        {"projectId": "c", "state": "DELETE_REQUESTED"},
    ]
    google: Any = Google({"cloudresourcemanager v3/projects": {"projects": listed}})
    assert inventory.folder_projects(google, "folders/7") == (["a", "b"], None)
    refused: Any = Google({}, (403, "PERMISSION_DENIED"))
    names, unread = inventory.folder_projects(refused, "folders/7")
    assert (names, unread and (unread.project, unread.status)) == ([], ("folders/7", 403))


def test_groups_that_cloud_identity_keeps_to_itself_are_stated() -> None:
    refused: Any = Google({}, (403, "PERMISSION_DENIED"))
    reading = inventory.read_groups(refused, ["team@example.com"])
    assert [(entry.project, entry.what) for entry in reading.unread] == [("groups", "cloudidentity groups")]


def test_who_may_read_a_dataset_is_read_from_its_entries() -> None:
    root = "bigquery bigquery/v2/projects/p/datasets"
    entries = [
        {"role": "OWNER", "userByEmail": "eve@example.org"},
        {"role": "WRITER", "userByEmail": "robot@x.iam.gserviceaccount.com"},
        {"role": "READER", "groupByEmail": "team@example.com"},
        {"role": "roles/bigquery.metadataViewer", "domain": "example.org"},
        {"role": "READER", "specialGroup": "allAuthenticatedUsers"},
        {"role": "READER", "iamMember": "allUsers"},
        {"role": "READER", "specialGroup": "projectReaders"},
        {"view": {"projectId": "p", "datasetId": "d", "tableId": "t"}},
    ]
    answers = {
        root: {"datasets": [{"datasetReference": {"datasetId": "d"}}]},
        f"{root}/d": {
            "location": "EU",
            "access": entries,
            "defaultEncryptionConfiguration": {"kmsKeyName": "k"},
        },
    }
    dataset, *granted = datasets.read(reader(answers), "p")
    assert identity(dataset) == "gcp:bigquery/dataset:Dataset|projects/p/datasets/d"
    assert dataset.at("defaultEncryptionConfiguration.kmsKeyName") == "k"
    assert [identity(one).removeprefix("iam|projects/p/datasets/d|roles/bigquery.") for one in granted] == [
        "dataOwner|user:eve@example.org|",
        "dataEditor|serviceAccount:robot@x.iam.gserviceaccount.com|",
        "dataViewer|group:team@example.com|",
        "metadataViewer|domain:example.org|",
        "dataViewer|allAuthenticatedUsers|",
        "dataViewer|allUsers|",
    ]


def test_grants_on_key_rings_functions_subscriptions_and_access_policies_are_read() -> None:
    granted = {"bindings": [{"role": "roles/x", "members": ["user:eve@example.org"]}]}
    place = "projects/p/locations/eu"
    answers = {
        f"cloudkms v1/{place}/keyRings": {"keyRings": [{"name": f"{place}/keyRings/r"}]},
        f"cloudkms v1/{place}/keyRings/r:getIamPolicy": granted,
        f"cloudfunctions v2/{place}/functions": {"functions": [{"name": f"{place}/functions/f"}]},
        f"cloudfunctions v2/{place}/functions/f:getIamPolicy": granted,
        "pubsub v1/projects/p/subscriptions": {"subscriptions": [{"name": "projects/p/subscriptions/s"}]},
        "pubsub v1/projects/p/subscriptions/s:getIamPolicy": granted,
        "accesscontextmanager v1/accessPolicies": {"accessPolicies": [{"name": "accessPolicies/5"}]},
        "accesscontextmanager v1/accessPolicies/5:getIamPolicy": granted,
    }
    asking = reader(answers)
    found = [*keys.read(asking, "p", ["eu"]), *serverless.read(asking, "p", ["eu"])]
    found += organization.read(asking, "1", set())
    assert [identity(one).split("|")[1] for one in found if kind(one.type) == "Member"] == [
        f"{place}/keyRings/r",
        f"{place}/functions/f",
        "projects/p/subscriptions/s",
        "accessPolicies/5",
    ]


def test_the_policy_of_images_is_read_and_judged_and_googles_own_is_told_from_somebodys() -> None:
    rule = {"evaluationMode": "ALWAYS_ALLOW", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}
    path = "binaryauthorization v1/projects/p/policy"
    [control] = [one for one in CONTROLS if one.id == "image-policy-enforced"]
    around = Context()
    [first] = serverless.read(reader({path: {"name": "projects/p/policy", "defaultAdmissionRule": rule}}), "p", ())
    assert identity(first) == "gcp:binaryauthorization/policy:Policy|projects/p"
    assert control.check(first, around).status is Status.FAIL
    assert made_by_google(first)
    denying = {"defaultAdmissionRule": {**rule, "evaluationMode": "ALWAYS_DENY"}, "updateTime": "2026-11-21T00:00:00Z"}
    [written] = serverless.read(reader({path: denying}), "p", ())
    assert control.check(written, around).status is Status.PASS
    assert not made_by_google(written)
    assert list(serverless.read(reader({}, (403, "SERVICE_DISABLED")), "p", ())) == []


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


def test_the_inventory_has_the_folders_above_its_projects_and_the_groups_that_hold_roles(tmp_path: Path) -> None:
    project = {"projectId": PROJECT, "name": "projects/1", "parent": "folders/7", "labels": {"campaign": "x"}}
    granted = {"bindings": [{"role": "roles/viewer", "members": ["group:team@example.com"]}]}
    google: Any = Google(
        {
            f"cloudresourcemanager v3/projects/{PROJECT}": project,
            f"cloudresourcemanager v1/projects/{PROJECT}:getIamPolicy": granted,
            "cloudresourcemanager v3/folders/7": FOLDER,
            "cloudresourcemanager v3/folders/6": {"name": "folders/6", "parent": "organizations/1"},
            "cloudidentity v1/groups:lookup": {"name": "groups/7"},
            "cloudidentity v1/groups/7/memberships": {
                "memberships": [{"name": "groups/7/memberships/8", "preferredMemberKey": {"id": "eve@example.org"}}]
            },
        }
    )
    google.sandbox = None
    source = Source("prod", export(0), settings={"organization": "1"})
    day = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    collect(Request(ROOT, [source], Judgements(), day, day.date(), google, groups=True), tmp_path)
    found = json.loads((tmp_path / "inventory.json").read_bytes())
    stack, above = found["units"]
    assert stack["projects"] == [PROJECT]
    assert above["groups"] == {"holdingRoles": ["team@example.com"], "membersRead": True}
    assert above["live"] == {
        "gcp:cloudidentity/group:Group": 1,
        "gcp:cloudidentity/groupMembership:GroupMembership": 1,
        "gcp:organizations/folder:Folder": 2,
    }
    assert above["asked"]["organizations/1"]["cloudidentity memberships"] == 1
