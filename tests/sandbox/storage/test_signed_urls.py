from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials, Signing
from google.cloud import storage as google_storage  # type: ignore[attr-defined,import-untyped,unused-ignore]  # no types

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

from .conftest import BUCKET, Storage, account, grant

NAME = "images/é 1.txt"
ORIGIN = "http://127.0.0.1"


class SandboxSigner(AnonymousCredentials, Signing):
    """Signs with the account's key, as signBlob does."""

    def __init__(self, cloud: Cloud, email: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # google-auth has no annotations here
        self._cloud = cloud
        self._email = email

    def sign_bytes(self, message: bytes) -> bytes:
        return self._cloud.tokens.sign(self._email, message)

    @property
    def signer_email(self) -> str:
        return self._email

    @property
    def signer(self) -> Any:
        raise NotImplementedError


@dataclass
class Signer:
    email: str
    credentials: SandboxSigner

    def url(self, name: str = NAME, endpoint: str = ORIGIN, **options: Any) -> str:
        """What the official client signs."""
        client = google_storage.Client(project="test-project", credentials=AnonymousCredentials())
        blob = client.bucket(BUCKET).blob(name)
        url = blob.generate_signed_url(
            version="v4",
            expiration=options.pop("expiration", 300),
            credentials=self.credentials,
            api_access_endpoint=endpoint,
            **options,
        )
        return str(url)


@pytest.fixture
def signer(admin: Caller, cloud: Cloud, storage: Storage, enable: Callable[..., None]) -> Signer:
    """A service account that may read the bucket's one object."""
    email = account(admin, enable, "signer-account")
    storage.put(NAME, b"signed content")
    grant(admin, BUCKET, "roles/storage.objectViewer", f"serviceAccount:{email}")
    return Signer(email, SandboxSigner(cloud, email))


def code(text: str) -> str:
    found = re.search(r"<Code>(\w+)</Code>", text)
    return found[1] if found else ""


def test_a_signed_url_opens_one_object_without_a_credential(admin: Caller, signer: Signer) -> None:
    reply = admin.client.get(signer.url())
    assert (reply.status_code, reply.content) == (200, b"signed content")
    assert reply.headers["content-type"] == "text/plain"
    assert admin.client.head(signer.url(method="HEAD")).headers["content-length"] == "14"


def test_googles_own_host_is_signed_and_served(admin: Caller, signer: Signer) -> None:
    url = signer.url(endpoint="https://storage.googleapis.com")
    reply = admin.client.get(
        url.replace("https://storage.googleapis.com", ORIGIN), headers={"Host": "storage.googleapis.com"}
    )
    assert reply.content == b"signed content"


def test_a_host_that_names_the_bucket_is_served(admin: Caller, signer: Signer) -> None:
    url = signer.url(endpoint="https://storage.googleapis.com", virtual_hosted_style=True)
    host, _, rest = url.removeprefix("https://").partition("/")
    assert host == f"{BUCKET}.storage.googleapis.com"
    assert admin.client.get(f"/{rest}", headers={"Host": host}).content == b"signed content"


def test_a_changed_url_does_not_match(admin: Caller, signer: Signer) -> None:
    url = signer.url()
    for changed in (url.replace("1.txt", "2.txt"), f"{url}&extra=1", url[:-2] + "00"):
        reply = admin.client.get(changed)
        assert (reply.status_code, code(reply.text)) == (403, "SignatureDoesNotMatch")
        assert "<StringToSign>GOOG4-RSA-SHA256" in reply.text
    reply = admin.client.delete(url)
    assert (reply.status_code, code(reply.text)) == (403, "SignatureDoesNotMatch")


def test_an_expired_url_says_when_it_expired(admin: Caller, cloud: Cloud, signer: Signer) -> None:
    url = signer.url(expiration=60)
    cloud.clock.advance(61)
    reply = admin.client.get(url)
    assert (reply.status_code, code(reply.text)) == (400, "ExpiredToken")
    assert "Request signature expired at: 20" in reply.text


@pytest.mark.usefixtures("signer")
def test_a_url_signed_by_nobody_known_is_refused(admin: Caller, cloud: Cloud) -> None:
    stranger = "stranger@test-project.iam.gserviceaccount.com"
    reply = admin.client.get(Signer(stranger, SandboxSigner(cloud, stranger)).url())
    assert (reply.status_code, code(reply.text)) == (403, "InvalidSecurity")


def test_the_signers_own_permission_decides(admin: Caller, signer: Signer) -> None:
    url = signer.url()
    policy = admin("GET", f"/storage/v1/b/{BUCKET}/iam")[1]
    policy["bindings"] = [b for b in policy["bindings"] if b["role"] != "roles/storage.objectViewer"]
    assert admin("PUT", f"/storage/v1/b/{BUCKET}/iam", policy)[0] == 200
    reply = admin.client.get(url)
    assert (reply.status_code, code(reply.text)) == (403, "AccessDenied")
    assert f"{signer.email} does not have storage.objects.get access" in reply.text


def test_a_missing_object_and_a_missing_bucket_are_told_apart(admin: Caller, signer: Signer) -> None:
    reply = admin.client.get(signer.url("absent"))
    assert (reply.status_code, code(reply.text)) == (404, "NoSuchKey")
    assert f"<Details>No such object: {BUCKET}/absent</Details>" in reply.text
    admin("DELETE", f"/storage/v1/b/{BUCKET}/o/images%2F%C3%A9%201.txt")
    admin("DELETE", f"/storage/v1/b/{BUCKET}")
    reply = admin.client.get("/storage/gone-bucket/x", headers={"Authorization": "Bearer sandbox"})
    assert (reply.status_code, code(reply.text)) == (404, "NoSuchBucket")


def test_a_signed_upload_must_send_the_signed_headers(admin: Caller, signer: Signer) -> None:
    grant(admin, BUCKET, "roles/storage.objectAdmin", f"serviceAccount:{signer.email}")
    url = signer.url("up", method="PUT", content_type="image/png", headers={"x-goog-meta-seed": "7"})
    headers = {"Content-Type": "image/png", "x-goog-meta-seed": "7"}
    assert admin.client.put(url, content=b"png", headers=headers).status_code == 200
    shown = admin("GET", f"/storage/v1/b/{BUCKET}/o/up")[1]
    assert (shown["contentType"], shown["metadata"]) == ("image/png", {"seed": "7"})
    reply = admin.client.put(url, content=b"png", headers={"Content-Type": "image/png"})
    assert (reply.status_code, code(reply.text)) == (400, "MalformedSecurityHeader")
    reply = admin.client.put(url, content=b"png", headers={**headers, "x-goog-meta-more": "1"})
    assert (reply.status_code, code(reply.text)) == (400, "MalformedSecurityHeader")


def test_a_signed_post_opens_an_upload_session(admin: Caller, signer: Signer, storage: Storage) -> None:
    grant(admin, BUCKET, "roles/storage.objectAdmin", f"serviceAccount:{signer.email}")
    reply = admin.client.post(signer.url("session", method="RESUMABLE"), headers={"x-goog-resumable": "start"})
    assert reply.status_code == 201
    assert admin.client.put(reply.headers["location"], content=b"later").status_code == 200
    assert storage.content("session") == (200, b"later")


def test_response_headers_can_be_overridden(admin: Caller, signer: Signer) -> None:
    url = signer.url(response_type="image/webp", response_disposition="attachment")
    headers = admin.client.get(url).headers
    assert (headers["content-type"], headers["content-disposition"]) == ("image/webp", "attachment")


@pytest.mark.usefixtures("signer")
def test_a_bearer_token_reads_by_plain_path(admin: Caller) -> None:
    headers = {"Authorization": "Bearer sandbox"}
    path = f"/{BUCKET}/images/%C3%A9%201.txt"
    assert admin.client.get(path, headers=headers).content == b"signed content"
    reply = admin.client.get(path)
    assert (reply.status_code, code(reply.text)) == (403, "AccessDenied")
    reply = admin.client.get(path, headers={"Authorization": "Bearer nonsense"})
    assert (reply.status_code, code(reply.text)) == (401, "AccessDenied")


def test_the_perimeter_of_the_buckets_project_holds_for_signed_urls(
    admin: Caller, cloud: Cloud, signer: Signer
) -> None:
    url = signer.url()
    number = cloud.hierarchy.project_number("test-project")
    name = "accessPolicies/1/servicePerimeters/p"
    perimeter = {
        "name": name,
        "perimeterType": "PERIMETER_TYPE_REGULAR",
        "status": {"resources": [f"projects/{number}"], "restrictedServices": ["storage.googleapis.com"]},
    }
    cloud.store.put("accesscontextmanager.servicePerimeters", name, perimeter)
    reply = admin.client.get(url)
    assert (reply.status_code, code(reply.text)) == (403, "SecurityPolicyViolated")
    assert "vpcServiceControlsUniqueIdentifier" in reply.text
    status, body = admin("GET", f"/storage/v1/b/{BUCKET}")
    assert (status, body["error"]["errors"][0]["reason"]) == (403, "vpcServiceControls")
