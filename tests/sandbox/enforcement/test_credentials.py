from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

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
