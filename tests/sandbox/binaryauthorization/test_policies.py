"""A project's policy decides which images Cloud Run serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.cloud import Cloud
from sandbox.services.binaryauthorization import matches
from tests.sandbox.conftest import Caller

Document = dict[str, Any]
REPOSITORY = "europe-west4-docker.pkg.dev/test-project/functions"
ENFORCED, WATCHED = "ENFORCED_BLOCK_AND_AUDIT_LOG", "DRYRUN_AUDIT_LOG_ONLY"


def policy(mode: str = "ALWAYS_DENY", enforcement: str = ENFORCED, **fields: Any) -> Document:
    return {
        "defaultAdmissionRule": {"evaluationMode": mode, "enforcementMode": enforcement},
        "admissionWhitelistPatterns": [{"namePattern": f"{REPOSITORY}/**"}],
        **fields,
    }


@pytest.fixture
def path(admin: Caller, enable: Callable[..., None], project: str) -> str:
    enable("binaryauthorization", "run", "iam")
    assert admin("POST", f"/iam/v1/projects/{project}/serviceAccounts", {"accountId": "runtime"})[0] == 200
    return f"/binaryauthorization/v1/projects/{project}/policy"


@pytest.fixture
def serve(admin: Caller, path: str, project: str) -> Callable[..., tuple[int, Any]]:
    """Ask for a Cloud Run service of an image."""
    assert path

    def ask(image: str, **held: Any) -> tuple[int, Any]:
        body = {
            "template": {
                "serviceAccount": f"runtime@{project}.iam.gserviceaccount.com",
                "containers": [{"image": image}],
            },
            **({"binaryAuthorization": held} if held else {}),
        }
        services = f"/run/v2/projects/{project}/locations/europe-west4/services"
        return admin("POST", services, body, params={"serviceId": "images"})

    return ask


def test_every_project_has_a_policy_that_admits_everything(admin: Caller, path: str) -> None:
    found = admin("GET", path)[1]
    assert found["name"] == "projects/test-project/policy"
    assert found["defaultAdmissionRule"]["evaluationMode"] == "ALWAYS_ALLOW"


def test_a_policy_is_replaced_whole(admin: Caller, path: str) -> None:
    assert admin("PUT", path, policy(description="ours"))[1]["description"] == "ours"
    changed = admin("PUT", path, policy())[1]
    assert "description" not in changed
    assert changed == admin("GET", path)[1]


def test_a_rule_that_requires_attestations_names_who_attests(admin: Caller, path: str) -> None:
    status, answer = admin("PUT", path, policy("REQUIRE_ATTESTATION"))
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "requireAttestationsBy" in answer["error"]["message"]


def test_an_image_that_the_policy_does_not_name_is_refused(
    admin: Caller, path: str, serve: Callable[..., tuple[int, Any]]
) -> None:
    admin("PUT", path, policy())
    status, answer = serve("docker.io/library/nginx", useDefault=True)
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert "not authorized by policy" in answer["error"]["message"]
    assert serve(f"{REPOSITORY}/images@sha256:0", useDefault=True)[0] == 200


@pytest.mark.parametrize("held", [{}, {"useDefault": True, "breakglassJustification": "incident 7"}])
def test_a_service_that_is_held_to_no_policy_serves_any_image(
    admin: Caller, path: str, serve: Callable[..., tuple[int, Any]], held: Document
) -> None:
    admin("PUT", path, policy())
    assert serve("docker.io/library/nginx", **held)[0] == 200


def test_a_policy_in_dry_run_refuses_nothing(admin: Caller, path: str, serve: Callable[..., tuple[int, Any]]) -> None:
    admin("PUT", path, policy(enforcement=WATCHED))
    assert serve("docker.io/library/nginx", useDefault=True)[0] == 200


def test_who_may_not_change_a_policy_is_refused(as_member: Callable[[str], Caller], path: str) -> None:
    status, answer = as_member("user:jo@example.com")("PUT", path, policy())
    assert (status, "binaryauthorization.policy.update" in answer["error"]["message"]) == (403, True)


@pytest.mark.parametrize(
    ("pattern", "image", "admitted"),
    [
        ("a/b/*", "a/b/c", True),
        ("a/b/*", "a/b/c/d", False),
        ("a/b/**", "a/b/c/d@sha256:0", True),
        ("a/b/**", "a/bb/c", False),
        ("a.b/c", "axb/c", False),
    ],
)
def test_one_star_ends_at_a_slash_and_two_do_not(pattern: str, image: str, admitted: bool) -> None:
    assert matches(pattern, image) is admitted


def test_an_attestor_has_a_note_and_the_account_that_reads_it(
    admin: Caller, cloud: Cloud, project: str, enable: Callable[..., None]
) -> None:
    enable("binaryauthorization")
    url = f"/binaryauthorization/v1/projects/{project}/attestors"
    body = {"userOwnedGrafeasNote": {"noteReference": f"projects/{project}/notes/built"}}
    status, made = admin("POST", url, body, params={"attestorId": "built"})
    number = cloud.hierarchy.project_number(project)
    account = f"service-{number}@gcp-sa-binaryauthorization.iam.gserviceaccount.com"
    assert (status, made["name"]) == (200, f"projects/{project}/attestors/built")
    assert made["userOwnedGrafeasNote"]["delegationServiceAccountEmail"] == account
    assert admin("GET", f"{url}/built") == (200, made)
    assert admin("GET", url)[1] == {"attestors": [made]}
    replaced = admin("PUT", f"{url}/built", {**body, "name": made["name"], "description": "CI"})[1]
    assert (replaced["description"], replaced["userOwnedGrafeasNote"]) == ("CI", made["userOwnedGrafeasNote"])
    assert admin("POST", url, body, params={"attestorId": "built"})[0] == 409
    status, refusal = admin("POST", url, {}, params={"attestorId": "other"})
    assert (status, "note_reference must be set" in refusal["error"]["message"]) == (400, True)
    assert admin("POST", url, body, params={"attestorId": "-"})[0] == 400
    assert admin("DELETE", f"{url}/built") == (200, {})
    status, refusal = admin("GET", f"{url}/built")
    assert (status, refusal["error"]["message"]) == (404, "Requested entity was not found.")
