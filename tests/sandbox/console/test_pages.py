"""The console shows what is there, escapes what it is given, and changes nothing for a stranger."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from sandbox.call import Origin
from sandbox.cloud import Cloud
from sandbox.console import graph, picture
from sandbox.console.pages import COOKIE, PAGES
from sandbox.runtime.gateway import Arrival

Call = Callable[..., tuple[int, Any]]


@pytest.fixture(autouse=True)
def token(cloud: Cloud) -> str:
    cloud.control_token = "this-run"
    return cloud.control_token


@pytest.fixture
def bucket(admin: Call, project: str, enable: Callable[..., None]) -> str:
    """A bucket under a key."""
    enable("storage", "cloudkms")
    ring = f"/cloudkms/v1/projects/{project}/locations/europe/keyRings"
    assert admin("POST", f"{ring}?keyRingId=ring", {})[0] == 200
    assert admin("POST", f"{ring}/ring/cryptoKeys?cryptoKeyId=images", {"purpose": "ENCRYPT_DECRYPT"})[0] == 200
    agent = admin("GET", f"/storage/v1/projects/{project}/serviceAccount")[1]["email_address"]
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": [f"serviceAccount:{agent}"]}
    key = f"{ring}/ring/cryptoKeys/images"
    assert admin("POST", f"{key}:setIamPolicy", {"policy": {"bindings": [binding]}})[0] == 200
    body = {
        "name": "pictures",
        "location": "EU",
        "encryption": {"defaultKmsKeyName": key.removeprefix("/cloudkms/v1/")},
    }
    assert admin("POST", f"/storage/v1/b?project={project}", body)[0] == 200
    return "pictures"


def upload(client: TestClient, bucket: str, name: str, content: bytes, kind: str) -> None:
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
    headers = {"Authorization": "Bearer sandbox", "Content-Type": kind}
    assert client.post(path, content=content, headers=headers).status_code == 200


@pytest.mark.parametrize("path", [path for _, path in PAGES])
def test_every_page_opens_on_an_empty_sandbox(client: TestClient, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 200
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_graph_draws_a_reference_between_collections(cloud: Cloud, bucket: str, project: str) -> None:
    found = graph.read(cloud)
    expected = graph.Connection((project, "storage.buckets"), (project, "cloudkms.cryptoKeys"), "refers to")
    assert expected in found.connections
    assert [c.title for c in found.projects[project]] == ["crypto keys", "key rings", "buckets"]
    drawn = picture.draw(found)
    assert [line.text for line in drawn.lines] == ["storage.buckets refers to cloudkms.cryptoKeys (1)"]
    assert found.projects[project][-1].names == (f"b/{bucket}",)


def test_a_perimeter_stands_round_its_members(cloud: Cloud, admin: Call, project: str, client: TestClient) -> None:
    parent = "organizations/123456789012"
    body = {"parent": parent, "title": "default"}
    assert admin("POST", "/accesscontextmanager/v1/accessPolicies", body)[0] == 200
    policy = admin("GET", f"/accesscontextmanager/v1/accessPolicies?parent={parent}")[1]["accessPolicies"][0]["name"]
    member = f"projects/{cloud.hierarchy.project_number(project)}"
    fence = {
        "name": f"{policy}/servicePerimeters/fence",
        "title": "fence",
        "status": {"resources": [member], "restrictedServices": ["storage.googleapis.com"]},
    }
    assert admin("POST", f"/accesscontextmanager/v1/{policy}/servicePerimeters", fence)[0] == 200
    (frame,), (box,) = (drawn := picture.draw(graph.read(cloud))).perimeters, drawn.projects
    assert frame.x < box.x < box.x + box.width < frame.x + frame.width
    assert frame.y < box.y < box.y + box.height <= frame.y + frame.height
    assert "enforced, 1 restricted services, 1 member" in client.get("/").text


def test_a_resource_is_shown_as_google_answers_it(client: TestClient, bucket: str, project: str) -> None:
    text = client.get(f"/_console/resources?project={project}&kind=storage.buckets").text
    assert f"b/{bucket}" in text
    assert "_digest" not in text


def test_pictures_are_shown_and_nothing_that_could_carry_a_script(client: TestClient, bucket: str) -> None:
    png = io.BytesIO()
    Image.new("RGB", (2, 2)).save(png, "PNG")
    upload(client, bucket, "a/plantain.png", png.getvalue(), "image/png")
    upload(client, bucket, "evil.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")
    text = client.get("/_console/images").text
    assert "plantain.png" in text
    assert "evil.svg" not in text
    assert client.get(f"/_console/images/{bucket}/a/plantain.png").content == png.getvalue()
    assert client.get(f"/_console/images/{bucket}/evil.svg").status_code == 404


def test_the_log_names_a_refusal_and_links_to_its_reasons(
    client: TestClient, as_member: Callable[[str], Call], bucket: str
) -> None:
    assert as_member("user:jo@example.com")("GET", f"/storage/v1/b/{bucket}")[0] == 403
    text = client.get("/_console/requests?refused=yes").text
    assert "user:jo@example.com" in text
    link = text.partition("/_console/denials?id=")[2].partition('"')[0]
    assert "storage.buckets.get" in client.get(f"/_console/denials?id={link}").text
    assert "No request matches" in client.get("/_console/requests?method=nothing").text


def test_names_are_escaped(client: TestClient) -> None:
    client.get("/storage/v1/b/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    text = client.get("/_console/requests").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_another_host_name_is_refused(client: TestClient) -> None:
    reply = client.get("/_console/requests", headers={"Host": "evil.example"})
    assert reply.status_code == 403
    assert "this machine's own addresses" in reply.json()["error"]["message"]


def test_an_instance_that_asks_its_metadata_server_gets_no_page(
    client: TestClient, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = Arrival(Origin(), "projects/p/locations/l/services/s")
    monkeypatch.setattr(cloud.gateway, "arrival", lambda _: instance)
    assert client.get("/", headers={"Metadata-Flavor": "Google"}).headers["metadata-flavor"] == "Google"


def test_a_stranger_changes_nothing(client: TestClient, cloud: Cloud) -> None:
    for path, form in (("clock", "hours=24"), ("faults", "method=x")):
        reply = client.post(f"/_console/{path}", content=form)
        assert reply.status_code == 401
        assert "plantain sandbox status" in reply.text
    assert client.get("/?token=wrong").status_code == 401
    assert cloud.clock.offset.total_seconds() == 0
    assert cloud.faults.pending == []


def test_who_has_shown_the_token_moves_the_clock_and_plans_faults(client: TestClient, cloud: Cloud, token: str) -> None:
    assert client.get(f"/?token={token}").status_code == 200
    assert client.cookies[COOKIE] == token
    assert client.post("/_console/clock", content="hours=24").status_code == 200
    assert cloud.clock.offset.total_seconds() == 24 * 3600
    form = "method=storage.objects.*&kind=error&code=429&count=2"
    assert "storage.objects.*" in client.post("/_console/faults", content=form).text
    assert [(p.fault.code, p.left) for p in cloud.faults.pending] == [(429, 2)]
    client.post("/_console/faults", content="clear=yes")
    assert cloud.faults.pending == []


@pytest.mark.parametrize(
    ("path", "form", "message"),
    [
        ("clock", "hours=soon", "Hours must be a number"),
        ("clock", "hours=-1", "Hours must be a number"),
        ("faults", "method=x&count=many", "count: "),
        ("faults", "kind=error", "method: "),
    ],
)
def test_a_bad_form_says_what_is_wrong(client: TestClient, token: str, path: str, form: str, message: str) -> None:
    client.get(f"/?token={token}")
    reply = client.post(f"/_console/{path}", content=form)
    assert reply.status_code == 400
    assert message in reply.text


def test_costs_name_their_source(client: TestClient, admin: Call, project: str, enable: Callable[..., None]) -> None:
    enable("aiplatform")
    path = f"projects/{project}/locations/global/publishers/google/models/gemini-3-pro-image:generateContent"
    body = {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "x"},
                    {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"x").decode()}},
                ],
            }
        ]
    }
    assert admin("POST", f"/aiplatform/v1/{path}", body)[0] == 200
    text = client.get("/_console/costs").text
    assert "gemini-3-pro-image" in text
    assert "Prices as of" in text


def test_names_of_collections_are_plurals_that_fit_their_chips() -> None:
    titles = {
        "compute.addresses": "addresses",
        "cloudkms.cryptoKeys": "crypto keys",
        "artifactregistry.repositories": "repositories",
    }
    for kind, title in titles.items():
        assert graph.Collection("p", kind, ()).title == title
    kinds = ("iam.providers", "iam.workloadIdentityPools", "monitoring.notificationChannels")
    labels = [picture.Chip(graph.Collection("p", kind, ()), 0, 0).label for kind in kinds]
    assert labels == ["workload i… providers", "workload ident… pools", "notification channels"]
