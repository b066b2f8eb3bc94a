from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.testclient import TestClient

from tests.sandbox.conftest import Caller

GITHUB = "https://token.actions.githubusercontent.com"
POOL = "/iam/v1/projects/test-project/locations/global/workloadIdentityPools"
PROVIDER = {
    "oidc": {"issuerUri": GITHUB},
    "attributeMapping": {
        "google.subject": "assertion.sub",
        "attribute.ref": "assertion.repository_id + '@' + assertion.ref",
    },
    "attributeCondition": "assertion.repository_id == '42'",
}
CLAIMS = {"sub": "repo:plantain/kit:ref:refs/heads/main", "repository_id": "42", "ref": "refs/heads/main"}


class Pipeline:
    """A pipeline outside, with its own issuer's token."""

    def __init__(self, client: TestClient, number: str) -> None:
        self.client = client
        self.pool = f"projects/{number}/locations/global/workloadIdentityPools/pipelines"
        self.audience = f"iam.googleapis.com/{self.pool}/providers/github"

    def token(self, **claims: Any) -> str:
        lifetime = claims.pop("lifetime", 600)
        issuer = claims.pop("issuer", GITHUB)
        body = {
            "issuer": issuer,
            "claims": {"aud": f"https://{self.audience}", **CLAIMS, **claims},
            "lifetime": lifetime,
        }
        return str(self.client.post("/_sandbox/issuers", json=body).json()["token"])

    def exchange(self, subject_token: str, **changes: str) -> tuple[int, Any]:
        form = {
            "audience": f"//{self.audience}",
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token": subject_token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            **changes,
        }
        reply = self.client.post("/v1/token", data=form, headers={"Host": "sts.googleapis.com"})
        return reply.status_code, reply.json()


@pytest.fixture
def pipeline(admin: Caller, client: TestClient, project: str, enable: Callable[..., None]) -> Pipeline:
    enable("sts", "iam", "iamcredentials")
    assert admin("POST", f"{POOL}?workloadIdentityPoolId=pipelines", {})[0] == 200
    path = f"{POOL}/pipelines/providers?workloadIdentityPoolProviderId=github"
    assert admin("POST", path, PROVIDER)[0] == 200
    number = admin("GET", f"/cloudresourcemanager/v1/projects/{project}")[1]["projectNumber"]
    return Pipeline(client, number)


def test_a_pipeline_s_token_becomes_a_federated_one_that_acts_as_its_deployer(
    admin: Caller, client: TestClient, pipeline: Pipeline, project: str
) -> None:
    account = f"deployer@{project}.iam.gserviceaccount.com"
    assert admin("POST", f"/iam/v1/projects/{project}/serviceAccounts", {"accountId": "deployer"})[0] == 200
    status, answer = pipeline.exchange(pipeline.token())
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    federated = Caller(client, answer["access_token"])
    path = f"/iamcredentials/v1/projects/-/serviceAccounts/{account}:generateAccessToken"
    assert federated("POST", path, {"scope": ["cloud-platform"]})[0] == 403
    member = f"principalSet://iam.googleapis.com/{pipeline.pool}/attribute.ref/42@refs/heads/main"
    bindings = [{"role": "roles/iam.workloadIdentityUser", "members": [member]}]
    policy = {"policy": {"bindings": bindings}}
    assert admin("POST", f"/iam/v1/projects/{project}/serviceAccounts/{account}:setIamPolicy", policy)[0] == 200
    assert federated("POST", path, {"scope": ["cloud-platform"]})[0] == 200
    other = Caller(client, pipeline.exchange(pipeline.token(ref="refs/heads/feature"))[1]["access_token"])
    assert other("POST", path, {"scope": ["cloud-platform"]})[0] == 403


@pytest.mark.parametrize("member", ["principal://{}/subject/" + CLAIMS["sub"], "principalSet://{}/*"])
def test_a_federated_identity_may_be_granted_roles_directly(
    admin: Caller, client: TestClient, pipeline: Pipeline, project: str, member: str
) -> None:
    path = f"/cloudresourcemanager/v1/projects/{project}"
    policy = admin("POST", f"{path}:getIamPolicy", {})[1]
    name = member.format(f"iam.googleapis.com/{pipeline.pool}")
    policy["bindings"].append({"role": "roles/browser", "members": [name]})
    assert admin("POST", f"{path}:setIamPolicy", {"policy": policy})[0] == 200
    federated = Caller(client, pipeline.exchange(pipeline.token())[1]["access_token"])
    assert federated("GET", path)[0] == 200


@pytest.mark.parametrize(
    ("claims", "code", "words"),
    [
        ({"repository_id": "7"}, "unauthorized_client", "rejected by the attribute condition"),
        ({"aud": "https://example.com"}, "invalid_grant", "does not match the expected audience"),
        ({"lifetime": -1}, "invalid_grant", "is stale to sign-in"),
        ({"issuer": "https://gitlab.example.com"}, "invalid_grant", "Unable to verify the ID Token signature"),
        ({"sub": "x" * 128}, "invalid_grant", "1 to 127 bytes"),
    ],
)
def test_a_token_that_differs_in_one_respect_is_refused_in_oauth_s_shape(
    pipeline: Pipeline, claims: dict[str, Any], code: str, words: str
) -> None:
    status, body = pipeline.exchange(pipeline.token(**claims))
    assert (status, body["error"]) == (400, code)
    assert words in body["error_description"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"requested_token_type": "x"}, 400, "invalid_request"),
        ({"audience": "//example.com/x"}, 400, "invalid_request"),
    ],
)
def test_a_malformed_exchange_is_refused(pipeline: Pipeline, change: dict[str, str], status: int, code: str) -> None:
    found = pipeline.exchange(pipeline.token(), **change)
    assert (found[0], found[1]["error"]) == (status, code)


def test_credentials_that_the_sandbox_cannot_verify_are_501(pipeline: Pipeline) -> None:
    status, body = pipeline.exchange("x", subject_token_type="urn:ietf:params:aws:token-type:aws4_request")
    assert (status, body["error"]["status"]) == (501, "UNIMPLEMENTED")


def test_a_disabled_or_deleted_pool_believes_nothing_until_it_is_back(admin: Caller, pipeline: Pipeline) -> None:
    assert admin("PATCH", f"{POOL}/pipelines?updateMask=disabled", {"disabled": True})[0] == 200
    assert pipeline.exchange(pipeline.token())[1]["error"] == "invalid_target"
    assert admin("PATCH", f"{POOL}/pipelines?updateMask=disabled", {"disabled": False})[0] == 200
    assert admin("DELETE", f"{POOL}/pipelines")[0] == 200
    assert pipeline.exchange(pipeline.token())[1]["error"] == "invalid_target"
    assert admin("POST", f"{POOL}?workloadIdentityPoolId=pipelines", {})[0] == 409
    assert admin("POST", f"{POOL}/pipelines:undelete", {})[0] == 200
    assert pipeline.exchange(pipeline.token())[0] == 200


def test_without_the_api_no_token_is_exchanged(admin: Caller, pipeline: Pipeline, project: str) -> None:
    path = f"/serviceusage/v1/projects/{project}/services/sts.googleapis.com:disable"
    assert admin("POST", path, {})[0] == 200
    status, body = pipeline.exchange(pipeline.token())
    assert (status, body["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")


def test_a_provider_with_a_key_set_believes_its_keys_only(admin: Caller, pipeline: Pipeline) -> None:
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(pair.public_key())), "kid": "1", "alg": "RS256"}
    oidc = {"issuerUri": GITHUB, "jwksJson": json.dumps({"keys": [key]})}
    assert admin("PATCH", f"{POOL}/pipelines/providers/github?updateMask=oidc", {"oidc": oidc})[0] == 200
    assert pipeline.exchange(pipeline.token())[1]["error"] == "invalid_grant"
    claims = {"iss": GITHUB, "aud": f"https://{pipeline.audience}", "exp": 4102444800, **CLAIMS}
    assert pipeline.exchange(jwt.encode(claims, pair, "RS256", {"kid": "1"}))[0] == 200
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert pipeline.exchange(jwt.encode(claims, stranger, "RS256", {"kid": "1"}))[0] == 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attributeMapping": {"attribute.a": "assertion.sub"}}, "google.subject"),
        ({"attributeMapping": {"google.subject": "assertion."}}, "Error in google.subject"),
        ({"attributeMapping": {"google.subject": "assertion.sub", "colour": "'red'"}}, "Invalid mapped attribute key"),
        ({"oidc": {"issuerUri": "http://example.com"}}, "https"),
        ({"oidc": {"issuerUri": GITHUB, "jwksJson": "{}"}}, "JSON Web Key Set"),
        ({"saml": {"idpMetadataXml": "<x/>"}}, "exactly one"),
    ],
)
@pytest.mark.usefixtures("pipeline")
def test_a_provider_that_google_refuses_is_refused(admin: Caller, change: dict[str, Any], message: str) -> None:
    path = f"{POOL}/pipelines/providers?workloadIdentityPoolProviderId=other"
    status, body = admin("POST", path, {**PROVIDER, **change})
    assert status == 400
    assert message in body["error"]["message"]


def test_organisation_policy_limits_the_issuers(admin: Caller, pipeline: Pipeline, project: str) -> None:
    name = f"projects/{project}/policies/iam.workloadIdentityPoolProviders"
    body = {"name": name, "spec": {"rules": [{"values": {"allowedValues": ["https://gitlab.example.com"]}}]}}
    assert admin("POST", f"/orgpolicy/v2/projects/{project}/policies", body)[0] == 200
    path = f"{POOL}/pipelines/providers?workloadIdentityPoolProviderId=other"
    status, answer = admin("POST", path, PROVIDER)
    assert (status, answer["error"]["message"]) == (400, f"Org Policy violated for value: '{GITHUB}'.")
    assert pipeline.exchange(pipeline.token())[0] == 200


@pytest.mark.usefixtures("pipeline")
def test_a_pool_keeps_its_attestation_rules(admin: Caller) -> None:
    rules = [{"googleCloudResource": "//run.googleapis.com/projects/1/name/agent"}]
    path = f"{POOL}/pipelines"
    assert admin("GET", f"{path}:listAttestationRules") == (200, {})
    assert admin("POST", f"{path}:setAttestationRules", {"attestationRules": rules})[0] == 200
    assert admin("GET", f"{path}:listAttestationRules") == (200, {"attestationRules": rules})
    assert "_attestationRules" not in admin("GET", path)[1]
