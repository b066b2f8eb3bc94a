from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

Document = dict[str, Any]


@pytest.fixture
def url(enable: Callable[..., None], project: str) -> str:
    """Repositories of one region."""
    enable("artifactregistry")
    return f"/artifactregistry/v1/projects/{project}/locations/europe-west4/repositories"


def make(admin: Caller, url: str, name: str = "repo", **body: Any) -> tuple[int, Document]:
    return admin("POST", url, {"format": "DOCKER", **body}, params={"repository_id": name})


def test_a_repository_has_googles_defaults(admin: Caller, url: str, project: str) -> None:
    operation = make(admin, url, labels={"a": "b"})[1]
    assert operation["done"] is True
    assert operation["metadata"] == {
        "@type": "type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata"
    }
    found = admin("GET", f"{url}/repo")[1]
    assert (found["mode"], found["satisfiesPzi"], found["labels"]) == ("STANDARD_REPOSITORY", True, {"a": "b"})
    assert found["registryUri"] == f"europe-west4-docker.pkg.dev/{project}/repo"
    scanning = found["vulnerabilityScanningConfig"]
    assert scanning["enablementState"] == "SCANNING_DISABLED"
    assert scanning["enablementStateReason"] == "API containerscanning.googleapis.com is not enabled."


def test_both_spellings_of_the_id_are_read_and_none_is_refused(admin: Caller, url: str) -> None:
    assert admin("POST", url, {"format": "DOCKER"}, params={"repositoryId": "camel"})[0] == 200
    assert admin("GET", f"{url}/camel")[0] == 200
    status, body = admin("POST", url, {"format": "DOCKER"})
    assert (status, body["error"]["message"]) == (400, "repository_id is required")
    assert make(admin, url, "camel")[0] == 409
    assert admin("GET", f"{url}/gone")[1]["error"]["message"] == "Requested entity was not found."


def test_an_update_is_answered_at_once_and_the_format_stays(admin: Caller, url: str) -> None:
    make(admin, url)
    changed = admin("PATCH", f"{url}/repo", {"description": "new"}, params={"updateMask": "description"})[1]
    assert (changed["description"], changed["format"]) == ("new", "DOCKER")
    status, body = admin("PATCH", f"{url}/repo", {"format": "NPM"}, params={"updateMask": "format"})
    assert (status, "'format' is immutable" in body["error"]["message"]) == (400, True)


def test_a_virtual_repository_needs_its_upstreams_and_holds_them(admin: Caller, url: str, project: str) -> None:
    upstream = f"projects/{project}/locations/europe-west4/repositories/repo"
    config = {"upstreamPolicies": [{"id": "u", "repository": upstream, "priority": 1}]}
    body = {"mode": "VIRTUAL_REPOSITORY", "virtualRepositoryConfig": config}
    assert make(admin, url, "virtual", **body)[0] == 400
    make(admin, url)
    found = make(admin, url, "virtual", **body)[1]["response"]
    assert found["vulnerabilityScanningConfig"]["enablementState"] == "SCANNING_UNSUPPORTED"
    status, answer = admin("DELETE", f"{url}/repo")
    assert (status, "is an upstream of" in answer["error"]["message"]) == (400, True)
    assert admin("DELETE", f"{url}/virtual")[1]["response"]["@type"].endswith("protobuf.Empty")
    assert admin("DELETE", f"{url}/repo")[0] == 200


def test_a_key_needs_a_grant_to_the_agent(
    admin: Caller, enable: Callable[..., None], cloud: Any, url: str, project: str
) -> None:
    enable("cloudkms")
    rings = f"/cloudkms/v1/projects/{project}/locations/europe-west4/keyRings"
    admin("POST", rings, {}, params={"keyRingId": "ring"})
    admin("POST", f"{rings}/ring/cryptoKeys", {"purpose": "ENCRYPT_DECRYPT"}, params={"cryptoKeyId": "key"})
    key = f"projects/{project}/locations/europe-west4/keyRings/ring/cryptoKeys/key"
    status, body = make(admin, url, kmsKeyName=key)
    agent = f"service-{cloud.hierarchy.project_number(project)}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    assert (status, agent in body["error"]["message"]) == (403, True)
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    policy = {"policy": {"bindings": [{"role": role, "members": [f"serviceAccount:{agent}"]}]}}
    assert admin("POST", f"/cloudkms/v1/{key}:setIamPolicy", policy)[0] == 200
    assert make(admin, url, kmsKeyName=key)[1]["response"]["kmsKeyName"] == key


def test_organisation_policy_on_keys_and_places_holds(admin: Caller, url: str) -> None:
    def policy(constraint: str, values: Document) -> None:
        body = {"name": f"{ORGANIZATION}/policies/{constraint}", "spec": {"rules": [{"values": values}]}}
        assert admin("POST", f"/orgpolicy/v2/{ORGANIZATION}/policies", body)[0] == 200

    policy("gcp.resourceLocations", {"allowedValues": ["in:us-locations"]})
    status, body = make(admin, url)
    assert (status, "constraints/gcp.resourceLocations" in body["error"]["message"]) == (400, True)
    policy("gcp.restrictNonCmekServices", {"deniedValues": ["artifactregistry.googleapis.com"]})
    status, body = make(admin, url.replace("europe-west4", "us-east1"))
    assert (status, "constraints/gcp.restrictNonCmekServices" in body["error"]["message"]) == (400, True)


def test_a_reader_reads_and_does_not_create(
    admin: Caller, as_member: Callable[[str], Caller], url: str, project: str
) -> None:
    make(admin, url)
    policy = {"policy": {"bindings": [{"role": "roles/artifactregistry.reader", "members": ["user:jo@example.com"]}]}}
    name = f"projects/{project}/locations/europe-west4/repositories/repo"
    assert admin("POST", f"/artifactregistry/v1/{name}:setIamPolicy", policy)[0] == 200
    jo = as_member("user:jo@example.com")
    assert jo("GET", f"{url}/repo")[0] == 200
    status, body = make(jo, url, "mine")
    assert (status, "artifactregistry.repositories.create" in body["error"]["message"]) == (403, True)


def test_settings_exist_without_being_made(admin: Caller, url: str, project: str) -> None:
    path = f"{url.rpartition('/')[0]}/vpcscConfig"
    assert admin("GET", path)[1]["vpcscPolicy"] == "DENY"
    changed = admin("PATCH", path, {"vpcscPolicy": "ALLOW"}, params={"updateMask": "vpcscPolicy"})[1]
    assert changed["vpcscPolicy"] == "ALLOW"
    assert admin("GET", path)[1] == changed
    found = admin("GET", f"/artifactregistry/v1/projects/{project}/projectSettings")[1]
    assert found["legacyRedirectionState"] == "REDIRECTION_FROM_GCR_IO_DISABLED"


def test_a_mode_that_the_caller_leaves_unspecified_is_the_standard_one(
    admin: Caller, project: str, enable: Callable[..., None]
) -> None:
    enable("artifactregistry")
    url = f"/artifactregistry/v1/projects/{project}/locations/europe-west4/repositories"
    body = {"format": "DOCKER", "mode": "MODE_UNSPECIFIED"}
    assert admin("POST", url, body, params={"repositoryId": "images"})[0] == 200
    assert admin("GET", f"{url}/images")[1]["mode"] == "STANDARD_REPOSITORY"
