"""What Google's JSON parser refuses before a service sees it, and the two spellings that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

RINGS = "/cloudkms/v1/projects/test-project/locations/us-central1/keyRings"
KEYS = f"{RINGS}/ring/cryptoKeys"
UNKNOWN = 'Invalid JSON payload received. Unknown name "{}"{}: Cannot find field.'


@pytest.fixture
def ring(admin: Caller, project: str, enable: Callable[..., None]) -> str:
    """A key ring."""
    del project
    enable("cloudkms", "pubsub")
    assert admin("POST", f"{RINGS}?keyRingId=ring", {})[0] == 200
    return f"{RINGS}/ring"


@pytest.mark.parametrize(
    ("body", "message", "field"),
    [
        ({"purpos": "ENCRYPT_DECRYPT"}, UNKNOWN.format("purpos", ""), ""),
        (
            {"purpose": "ENCRYPT_DECRYPT", "versionTemplate": {"colour": "red"}},
            UNKNOWN.format("colour", " at 'version_template'"),
            "version_template",
        ),
        ({"purpose": "ENCRYPT"}, "Invalid value at 'purpose', \"ENCRYPT\"", "purpose"),
    ],
)
@pytest.mark.usefixtures("ring")
def test_what_the_message_has_not_is_refused_by_name_and_place(
    admin: Caller, body: dict[str, Any], message: str, field: str
) -> None:
    status, answer = admin("POST", f"{KEYS}?cryptoKeyId=images", body)
    error = answer["error"]
    assert (status, error["status"], error["message"]) == (400, "INVALID_ARGUMENT", message)
    assert error["details"][0]["fieldViolations"] == [{"field": field, "description": message}]
    assert admin("GET", f"{KEYS}/images")[0] == 404


@pytest.mark.usefixtures("ring")
def test_names_may_be_spelled_as_in_the_proto_file(admin: Caller) -> None:
    body = {"purpose": "ENCRYPT_DECRYPT", "version_template": {"protection_level": "SOFTWARE"}, "labels": {"a_b": "c"}}
    status, made = admin("POST", f"{KEYS}?cryptoKeyId=images", body)
    assert (status, made["versionTemplate"]["protectionLevel"]) == (200, "SOFTWARE")
    assert made["labels"] == {"a_b": "c"}


@pytest.mark.usefixtures("ring")
def test_a_body_may_repeat_what_the_path_names(admin: Caller) -> None:
    topic = "projects/test-project/topics/news"
    assert admin("PUT", f"/pubsub/v1/{topic}", {"name": topic})[0] == 200
    name = "projects/test-project/subscriptions/news"
    assert admin("PUT", f"/pubsub/v1/{name}", {"name": name, "topic": topic})[0] == 200
    assert admin("POST", f"/pubsub/v1/{name}:pull", {"subscription": name, "maxMessages": 1})[0] == 200


@pytest.mark.usefixtures("ring")
def test_a_field_that_google_calls_immutable_is_not_changed(admin: Caller) -> None:
    assert admin("POST", f"{KEYS}?cryptoKeyId=images", {"purpose": "ENCRYPT_DECRYPT", "importOnly": False})[0] == 200
    path = f"{KEYS}/images?updateMask=destroyScheduledDuration"
    status, answer = admin("PATCH", path, {"destroyScheduledDuration": "172800s"})
    assert (status, "immutable" in answer["error"]["message"]) == (400, True)


@pytest.mark.usefixtures("ring")
def test_a_mask_that_names_no_field_is_refused(admin: Caller) -> None:
    assert admin("POST", f"{KEYS}?cryptoKeyId=images", {"purpose": "ENCRYPT_DECRYPT"})[0] == 200
    status, answer = admin("PATCH", f"{KEYS}/images?updateMask=lables", {"labels": {"a": "b"}})
    assert (status, "'lables'" in answer["error"]["message"]) == (400, True)
    assert admin("PATCH", f"{KEYS}/images?updateMask=labels", {"labels": {"a": "b"}})[0] == 200


@pytest.mark.usefixtures("ring")
def test_parameters_are_read_in_both_spellings_and_enums_as_numbers(admin: Caller) -> None:
    status, made = admin("POST", f"{KEYS}?crypto_key_id=images", {"purpose": 1})
    assert (status, made["purpose"], made["name"].rpartition("/")[2]) == (200, "ENCRYPT_DECRYPT", "images")
    assert admin("PATCH", f"{KEYS}/images?update_mask=labels", {"labels": {"a": "b"}})[1]["labels"] == {"a": "b"}
