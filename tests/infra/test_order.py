"""What must exist before what: the order that works on an empty project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.project import APIS
from tests.infra.stacks import joined, make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording, Registered

# Resources by the API their creation calls. What is missing here needs no API of the campaign's project.
CALLS = {
    "artifactregistry/repository:Repository": "artifactregistry",
    "artifactregistry/repositoryIamMember:RepositoryIamMember": "artifactregistry",
    "billing/budget:Budget": "monitoring",  # of the project; the budget's own API is the quota project's
    "cloudfunctionsv2/function:Function": "cloudfunctions",
    "cloudrunv2/serviceIamMember:ServiceIamMember": "run",
    "cloudbuild/workerPool:WorkerPool": "cloudbuild",
    "cloudtasks/queue:Queue": "cloudtasks",
    "cloudtasks/queueIamMember:QueueIamMember": "cloudtasks",
    "compute/firewall:Firewall": "compute",
    "compute/network:Network": "compute",
    "compute/route:Route": "compute",
    "compute/subnetwork:Subnetwork": "compute",
    "dns/managedZone:ManagedZone": "dns",
    "dns/policy:Policy": "dns",
    "dns/recordSet:RecordSet": "dns",
    "kms/cryptoKey:CryptoKey": "cloudkms",
    "kms/cryptoKeyIAMMember:CryptoKeyIAMMember": "cloudkms",
    "kms/keyRing:KeyRing": "cloudkms",
    "logging/metric:Metric": "logging",
    "logging/projectBucketConfig:ProjectBucketConfig": "logging",
    "logging/projectExclusion:ProjectExclusion": "logging",
    "logging/projectSink:ProjectSink": "logging",
    "monitoring/alertPolicy:AlertPolicy": "monitoring",
    "monitoring/customService:CustomService": "monitoring",
    "monitoring/dashboard:Dashboard": "monitoring",
    "monitoring/notificationChannel:NotificationChannel": "monitoring",
    "monitoring/slo:Slo": "monitoring",
    "projects/iAMAuditConfig:IAMAuditConfig": "cloudresourcemanager",
    "projects/iAMMember:IAMMember": "cloudresourcemanager",
    "projects/serviceIdentity:ServiceIdentity": "serviceusage",
    "serviceaccount/account:Account": "iam",
    "serviceaccount/iAMMember:IAMMember": "iam",
    "storage/bucket:Bucket": "storage",
    "storage/bucketIAMMember:BucketIAMMember": "storage",
    "storage/bucketObject:BucketObject": "storage",
}
BEFORE_APIS = {
    "accesscontextmanager/accessLevel:AccessLevel",
    "accesscontextmanager/accessPolicy:AccessPolicy",
    "accesscontextmanager/servicePerimeter:ServicePerimeter",
    "organizations/project:Project",
    "projects/service:Service",
    "resourcemanager/lien:Lien",
}
ENCRYPTED = {
    "artifactregistry/repository:Repository": ("kmsKeyName",),
    "cloudfunctionsv2/function:Function": ("kmsKeyName",),
    "logging/projectBucketConfig:ProjectBucketConfig": ("cmekSettings", "kmsKeyName"),
    "storage/bucket:Bucket": ("encryption", "defaultKmsKeyName"),
}


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root)


def names_before(stack: Recording, resource: Registered, token: str) -> set[str]:
    return {other.name for other in stack.comes_after(resource) if other.type == f"gcp:{token}"}


def key_of(resource: Registered) -> str:
    value = resource.inputs
    for step in ENCRYPTED[resource.type.removeprefix("gcp:")]:
        value = value[step]
    assert isinstance(value, str)
    return value


class TestApis:
    """Every API is enabled before anything calls it, and none is ever disabled."""

    def test_the_table_of_this_test_knows_every_kind_of_resource(self, stack: Recording) -> None:
        kinds = {resource.type.removeprefix("gcp:") for resource in stack.cloud()}
        assert kinds == set(CALLS) | BEFORE_APIS

    def test_all_apis_are_enabled_before_anything_that_needs_one(self, stack: Recording) -> None:
        for resource in stack.of_type(*CALLS):
            enabled = {
                name.removeprefix("spring-launch-")
                for name in names_before(stack, resource, "projects/service:Service")
            }
            assert CALLS[resource.type.removeprefix("gcp:")] in enabled, f"{resource.name} may come before its API"

    def test_no_api_is_disabled_when_its_resource_goes(self, stack: Recording) -> None:
        services = stack.of_type("projects/service:Service")
        assert {service.inputs["service"] for service in services} == set(APIS)
        assert all(service.inputs["disableOnDestroy"] is False for service in services)


class TestKeys:
    """Whoever encrypts with a key has been granted it before."""

    def test_a_consumer_comes_after_all_grants_of_its_key(self, stack: Recording) -> None:
        grants = stack.of_type("kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
        for consumer in stack.of_type(*ENCRYPTED):
            needed = {grant.urn for grant in grants if grant.inputs["cryptoKeyId"] == key_of(consumer)}
            assert needed, f"nobody may use the key of {consumer.name}"
            assert needed <= stack.ancestors(consumer), f"{consumer.name} may come before a grant of its key"

    def test_the_functions_key_is_granted_to_every_agent_that_handles_the_function(self, stack: Recording) -> None:
        granted = {
            grant.name.removeprefix("spring-launch-function-")
            for grant in stack.of_type("kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
            if "function" in grant.name
        }
        assert granted == {"artifactregistry", "cloudfunctions", "eventarc", "run", "storage"}

    def test_function_repository_and_source_share_one_key(self, stack: Recording) -> None:
        function = stack.only("cloudfunctionsv2/function:Function")
        repository = stack.only("artifactregistry/repository:Repository")
        source = stack.named("storage/bucket:Bucket", "spring-launch-source-bucket")
        assert key_of(function) == key_of(repository) == key_of(source)

    def test_everything_that_takes_a_key_has_one(self, stack: Recording) -> None:
        assert {resource.type.removeprefix("gcp:") for resource in stack.cloud()} >= set(ENCRYPTED)
        assert all(key_of(consumer) for consumer in stack.of_type(*ENCRYPTED))


class TestPerimeter:
    """A project is a member before anything inside it is made that the perimeter protects."""

    def test_protected_resources_come_after_the_perimeter(self, stack: Recording) -> None:
        perimeter = stack.only("accesscontextmanager/servicePerimeter:ServicePerimeter")
        for token in (*ENCRYPTED, "compute/network:Network", "serviceaccount/account:Account"):
            for resource in stack.of_type(token):
                assert perimeter.urn in stack.ancestors(resource), f"{resource.name} may come before the perimeter"

    def test_the_perimeter_comes_after_the_projects_it_lists(self, root: Path) -> None:
        stack = record(root, [make_campaign("autumn"), make_campaign("summer")])
        perimeter = stack.only("accesscontextmanager/servicePerimeter:ServicePerimeter")
        assert names_before(stack, perimeter, "organizations/project:Project") == {"autumn", "summer"}

    def test_a_joining_campaign_is_a_member_before_its_resources(self, root: Path) -> None:
        stack = record(root, perimeter=joined())
        member = stack.only("accesscontextmanager/servicePerimeterResource:ServicePerimeterResource")
        for token in ENCRYPTED:
            for resource in stack.of_type(token):
                assert member.urn in stack.ancestors(resource)


class TestFunction:
    """The function is built and started only when everything it meets on its first call is there."""

    def test_it_comes_after_the_roles_of_both_its_identities(self, stack: Recording) -> None:
        function = stack.only("cloudfunctionsv2/function:Function")
        before = {resource.name for resource in stack.comes_after(function)}
        grants = {
            resource.name
            for resource in stack.of_type(
                "projects/iAMMember:IAMMember",
                "serviceaccount/iAMMember:IAMMember",
                "storage/bucketIAMMember:BucketIAMMember",
                "artifactregistry/repositoryIamMember:RepositoryIamMember",
            )
        }
        assert grants <= before

    def test_it_comes_after_the_way_out_of_its_network(self, stack: Recording) -> None:
        before = stack.ancestors(stack.only("cloudfunctionsv2/function:Function"))
        for resource in stack.of_type("compute/route:Route", "compute/firewall:Firewall", "dns/recordSet:RecordSet"):
            assert resource.urn in before


class TestAgents:
    def test_the_two_agents_that_cannot_be_made_are_asked_for(self, stack: Recording) -> None:
        assert {token.split(":")[-1] for token, _ in stack.calls} == {
            "getProjectServiceAccount",
            "getProjectCmekSettings",
        }
