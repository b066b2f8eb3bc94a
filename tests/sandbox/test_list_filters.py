"""Lists by the language of AIP-160, in the order of AIP-132, and over all locations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.errors import InvalidArgument
from sandbox.list_filters import compile_filter, in_order
from tests.sandbox.conftest import Caller

Document = dict[str, Any]

ONE: Document = {
    "name": "projects/p/things/one",
    "displayName": "The one",
    "createTime": "2026-11-01T00:00:00.5Z",
    "labels": {"env": "prod", "cost.center": "7"},
    "enabled": True,
    "count": 12,
    "rules": [{"kind": "a", "limit": "3"}, {"kind": "b"}],
    "tags": ["blue", "green"],
}


@pytest.mark.parametrize(
    ("text", "admitted"),
    [
        ('display_name = "The one"', True),
        ('displayName = "the one"', False),
        ('display_name = "The *"', True),
        ('display_name = "*two"', False),
        ("display_name : ONE", True),
        ('display_name = starts_with("The")', True),
        ('display_name = ends_with("The")', False),
        ('display_name != has_substring("two")', True),
        ('display_name = one_of("Another", "The one")', True),
        ('display_name = monitoring.regex.full_match("The o.e")', True),
        ("labels.env = prod", True),
        ("labels:env", True),
        ("labels:team", False),
        ("labels = 'env'", True),
        ('labels."cost.center" = 7', True),
        ("labels.cost.center = 7", True),
        ("enabled = true", True),
        ("enabled = false", False),
        ("count > 9 AND count <= 12", True),
        ("count > abc", False),
        ('create_time > "2026-10-31T23:59:59Z"', True),
        ("create_time < 2026-11-01T00:00:00Z", False),
        ('create_time >= "2026-11-01T01:00:00.500+01:00"', True),
        ("rules.kind = b", True),
        ("rules.limit:*", True),
        ("rules.missing:*", False),
        ("tags:blue", True),
        ("tags = red", False),
        ("NOT labels.env = prod", False),
        ("-labels.env = dev", True),
        ("labels.env = dev OR labels.env = prod", True),
        ("labels.env = prod count = 13", False),
        ("(labels.env = dev OR count = 12) AND tags:green", True),
        ("things/one", True),
        ("nowhere", False),
        ('in_scope("ALL")', True),
    ],
)
def test_a_filter_admits_what_it_says(text: str, admitted: bool) -> None:
    assert compile_filter(text)(ONE) is admitted


@pytest.mark.parametrize(
    "text",
    ['display_name = "open', "labels.env =", "(count = 1", "count = 1)", "a = b c(", "count = near(1)", "x(1)", "= 3"],
)
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid list filter"):
        compile_filter(text)(ONE)


def test_lists_are_put_in_order_by_several_fields() -> None:
    documents: list[Document] = [
        {"name": "a", "size": 9},
        {"name": "b", "size": 10},
        {"name": "c", "size": 9},
        {"name": "d"},
    ]
    ordered = in_order(documents, documents, "size desc, name desc")
    assert [document["name"] for document in ordered] == ["b", "c", "a", "d"]
    with pytest.raises(InvalidArgument, match="Invalid order_by: size upward"):
        in_order(documents, documents, "size upward")


def test_secrets_are_found_by_label_and_counted_without_a_filter(
    admin: Caller, project: str, enable: Callable[..., None]
) -> None:
    enable("secretmanager")
    url = f"/secretmanager/v1/projects/{project}/secrets"
    for name, env in (("one", "prod"), ("two", "dev")):
        body = {"replication": {"automatic": {}}, "labels": {"env": env}}
        assert admin("POST", url, body, params={"secretId": name})[0] == 200
    everything = admin("GET", url)[1]
    assert everything["totalSize"] == 2
    found = admin("GET", url, params={"filter": "labels.env=dev"})[1]
    assert [secret["name"].rpartition("/")[2] for secret in found["secrets"]] == ["two"]
    assert "totalSize" not in found
    assert admin("GET", url, params={"filter": "labels.env=test"})[1] == {}


def test_channels_are_found_by_type_and_name_as_data_sources_do(
    admin: Caller, project: str, enable: Callable[..., None]
) -> None:
    enable("monitoring")
    url = f"/monitoring/v3/projects/{project}/notificationChannels"
    for name, address in (("On call", "a@example.com"), ("Finance", "b@example.com")):
        channel = {"type": "email", "displayName": name, "labels": {"email_address": address}}
        assert admin("POST", url, channel)[0] == 200
    found = admin("GET", url, params={"filter": 'type="email" AND display_name="Finance"'})[1]
    assert [channel["labels"]["email_address"] for channel in found["notificationChannels"]] == ["b@example.com"]
    assert found["totalSize"] == 1
    ordered = admin("GET", url, params={"orderBy": "display_name"})[1]["notificationChannels"]
    assert [channel["displayName"] for channel in ordered] == ["Finance", "On call"]
    status, refusal = admin("GET", url, params={"filter": "type="})
    assert (status, refusal["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_hyphen_lists_every_location(admin: Caller, project: str, enable: Callable[..., None]) -> None:
    enable("artifactregistry")
    url = f"/artifactregistry/v1/projects/{project}/locations"
    for place in ("europe-west1", "us-central1"):
        parameters = {"repositoryId": f"images-{place}"}
        assert admin("POST", f"{url}/{place}/repositories", {"format": "DOCKER"}, params=parameters)[0] == 200
    everywhere = admin("GET", f"{url}/-/repositories", params={"orderBy": "name desc"})[1]["repositories"]
    assert [found["name"].rpartition("/")[2] for found in everywhere] == ["images-us-central1", "images-europe-west1"]
    assert len(admin("GET", f"{url}/us-central1/repositories")[1]["repositories"]) == 1
