from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from starlette.testclient import TestClient

from sandbox.call import Principal
from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

ACCOUNTS = "/iam/v1/projects/test-project/serviceAccounts"
PROJECT = "/cloudresourcemanager/v1/projects/test-project"
NAMES = ("first-account", "second-account", "target-account")


def email(name: str) -> str:
    return f"{name}@test-project.iam.gserviceaccount.com"


@pytest.fixture(autouse=True)
def accounts(admin: Caller, enable: Callable[..., None]) -> None:
    enable("iam", "iamcredentials")
    for name in NAMES:
        assert admin("POST", ACCOUNTS, {"accountId": name})[0] == 200


def let(admin: Caller, account: str, member: str) -> None:
    binding = {"role": "roles/iam.serviceAccountTokenCreator", "members": [member]}
    path = f"{ACCOUNTS}/{email(account)}:setIamPolicy"
    assert admin("POST", path, {"policy": {"bindings": [binding]}})[0] == 200


def test_a_chain_of_impersonation_needs_every_link(admin: Caller, as_member: Callable[[str], Caller]) -> None:
    jo = as_member("user:jo@example.com")
    delegates = [f"projects/-/serviceAccounts/{email(name)}" for name in NAMES[:2]]

    def token() -> tuple[int, Any]:
        path = f"/iamcredentials/v1/projects/-/serviceAccounts/{email(NAMES[2])}:generateAccessToken"
        return jo("POST", path, {"scope": ["cloud-platform"], "delegates": delegates})

    let(admin, NAMES[0], "user:jo@example.com")
    assert token()[0] == 403
    let(admin, NAMES[1], f"serviceAccount:{email(NAMES[0])}")
    status, body = token()
    assert (status, body["error"]["details"][0]["metadata"]["permission"]) == (
        403,
        "iam.serviceAccounts.getAccessToken",
    )
    let(admin, NAMES[2], f"serviceAccount:{email(NAMES[1])}")
    assert token()[0] == 200
    delegates[0] = "projects/-/serviceAccounts/nobody@test-project.iam.gserviceaccount.com"
    assert token()[0] == 400


def test_tokens_of_a_disabled_account_mean_nothing_until_it_is_enabled(
    admin: Caller, as_member: Callable[[str], Caller]
) -> None:
    caller = as_member(f"serviceAccount:{email(NAMES[0])}")
    assert caller("GET", PROJECT)[0] == 403
    assert admin("POST", f"{ACCOUNTS}/{email(NAMES[0])}:disable", {})[0] == 200
    assert caller("GET", PROJECT)[0] == 401
    assert admin("POST", f"{ACCOUNTS}/{email(NAMES[0])}:enable", {})[0] == 200
    assert caller("GET", PROJECT)[0] == 403


@pytest.fixture
def key(admin: Caller) -> dict[str, Any]:
    """A downloaded key file of the first account, which may look at the project."""
    policy = admin("POST", f"{PROJECT}:getIamPolicy", {})[1]
    policy["bindings"].append({"role": "roles/browser", "members": [f"serviceAccount:{email(NAMES[0])}"]})
    assert admin("POST", f"{PROJECT}:setIamPolicy", {"policy": policy})[0] == 200
    made = admin("POST", f"{ACCOUNTS}/{email(NAMES[0])}/keys", {})[1]
    return dict(json.loads(base64.b64decode(made["privateKeyData"])))


def signed(key: dict[str, Any], **claims: Any) -> str:
    whole = {"iss": key["client_email"], "sub": key["client_email"], "exp": 4102444800, **claims}
    return jwt.encode(whole, key["private_key"], "RS256", {"kid": key["private_key_id"]})


def test_a_key_s_signature_is_exchanged_for_a_token(client: TestClient, key: dict[str, Any]) -> None:
    def exchange(assertion: str) -> Any:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return client.post("/token", data=form, headers={"Host": "oauth2.googleapis.com"})

    token = exchange(signed(key)).json()["access_token"]
    assert Caller(client, token)("GET", PROJECT)[0] == 200
    assert "id_token" in exchange(signed(key, target_audience="https://example.com")).json()
    assert exchange(signed(key, exp=1)).status_code == 400
    assert exchange("no.token.atall").status_code == 400


def test_a_token_that_a_key_signed_itself_is_taken_until_the_key_is_gone(
    admin: Caller, client: TestClient, key: dict[str, Any]
) -> None:
    own = Caller(client, signed(key, aud="https://cloudresourcemanager.googleapis.com/"))
    assert own("GET", PROJECT)[0] == 200
    assert Caller(client, signed(key, exp=1))("GET", PROJECT)[0] == 401
    assert admin("DELETE", f"{ACCOUNTS}/{email(NAMES[0])}/keys/{key['private_key_id']}")[0] == 200
    assert own("GET", PROJECT)[0] == 401


def test_a_disabled_key_signs_for_nobody_until_it_is_enabled(
    admin: Caller, client: TestClient, key: dict[str, Any]
) -> None:
    own = Caller(client, signed(key, aud="https://cloudresourcemanager.googleapis.com/"))
    path = f"{ACCOUNTS}/{email(NAMES[0])}/keys/{key['private_key_id']}"
    assert admin("POST", f"{path}:disable", {}) == (200, {})
    assert admin("GET", path)[1]["disabled"] is True
    assert own("GET", PROJECT)[0] == 401
    assert admin("POST", f"{path}:enable", {}) == (200, {})
    assert "disabled" not in admin("GET", path)[1]
    assert own("GET", PROJECT)[0] == 200
    assert admin("POST", f"{ACCOUNTS}/{email(NAMES[0])}/keys/none:disable", {})[0] == 404


def certificate(pair: rsa.RSAPrivateKey) -> bytes:
    """A self-signed one, good for a day."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(pair.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(pair, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_pair_that_was_made_elsewhere_signs_once_its_certificate_is_uploaded(
    admin: Caller, client: TestClient, key: dict[str, Any]
) -> None:
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = f"{ACCOUNTS}/{email(NAMES[0])}/keys:upload"
    status, made = admin("POST", path, {"publicKeyData": base64.b64encode(certificate(pair)).decode()})
    assert (status, made["keyOrigin"]) == (200, "USER_PROVIDED")
    pem = pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own = {**key, "private_key": pem.decode(), "private_key_id": made["name"].rpartition("/")[2]}
    assert Caller(client, signed(own, aud="https://cloudresourcemanager.googleapis.com/"))("GET", PROJECT)[0] == 200
    status, refused = admin("POST", path, {"publicKeyData": base64.b64encode(b"none").decode()})
    assert (status, "X.509" in refused["error"]["message"]) == (400, True)


@pytest.mark.parametrize(
    "address", ["https://oauth2.googleapis.com/tokeninfo", "https://www.googleapis.com/oauth2/v2/tokeninfo"]
)
def test_whose_a_token_is_can_be_asked_without_a_credential(cloud: Cloud, client: TestClient, address: str) -> None:
    principal = Principal("user:jo@example.com")

    def asked(**params: str) -> Any:
        return client.get(address, params=params)

    access = asked(access_token=cloud.tokens.access_token(principal, 60)).json()
    assert (access["email"], access["email_verified"], access["sub"].isdigit()) == ("jo@example.com", "true", True)
    assert "https://www.googleapis.com/auth/cloud-platform" in access["scope"]
    identity = asked(id_token=cloud.tokens.identity_token(principal, "https://example.com", 60)).json()
    assert (identity["aud"], identity["email"]) == ("https://example.com", "jo@example.com")
    for wrong in ({"access_token": "x"}, {"id_token": "x.y.z"}, {}):
        refusal = asked(**wrong)
        assert (refusal.status_code, refusal.json()["error"]["message"]) == (400, "invalid_token: Invalid Value")
