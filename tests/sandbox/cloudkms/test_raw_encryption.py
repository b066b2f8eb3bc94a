"""Raw encryption: what it makes can be opened with any library."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.cloudkms.conftest import MakeKey
from tests.sandbox.conftest import Caller

Document = dict[str, Any]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def version(make_key: MakeKey) -> Callable[[str], str]:
    """Makes the first version of a key with an algorithm; returns its path."""

    def make(algorithm: str) -> str:
        name = make_key(algorithm.lower(), purpose="RAW_ENCRYPT_DECRYPT", versionTemplate={"algorithm": algorithm})
        return f"/cloudkms/v1/{name}/cryptoKeyVersions/1"

    return make


@pytest.mark.parametrize("algorithm", ["AES_128_GCM", "AES_256_GCM", "AES_128_CBC", "AES_256_CBC", "AES_256_CTR"])
def test_what_was_encrypted_is_decrypted_again(admin: Caller, version: Callable[[str], str], algorithm: str) -> None:
    url, plaintext = version(algorithm), b"sixteen bytes ok" * 2
    sealed = admin("POST", f"{url}:rawEncrypt", {"plaintext": text(plaintext)})[1]
    assert len(base64.b64decode(sealed["ciphertext"])) == len(plaintext) + (16 if "GCM" in algorithm else 0)
    assert sealed.get("tagLength") == (16 if "GCM" in algorithm else None)
    body = {key: sealed[key] for key in ("ciphertext", "ciphertextCrc32c", "initializationVector")}
    opened = admin("POST", f"{url}:rawDecrypt", body)[1]
    assert base64.b64decode(opened["plaintext"]) == plaintext
    assert opened["verifiedCiphertextCrc32c"] is True


def test_the_caller_may_choose_the_initialization_vector(admin: Caller, version: Callable[[str], str]) -> None:
    url = version("AES_256_CTR")
    body = {"plaintext": text(b"a"), "initializationVector": text(bytes(16))}
    first, second = (admin("POST", f"{url}:rawEncrypt", body)[1]["ciphertext"] for _ in range(2))
    assert first == second
    status, refusal = admin("POST", f"{url}:rawEncrypt", {**body, "initializationVector": text(b"short")})
    assert (status, refusal["error"]["message"]) == (400, "initialization_vector must have 16 bytes, not 5.")


@pytest.mark.parametrize(
    ("algorithm", "body", "reason"),
    [
        ("AES_256_CBC", {"plaintext": text(b"odd")}, "plaintext must be a multiple of 16 bytes"),
        ("AES_256_CTR", {"plaintext": text(b"a"), "additionalAuthenticatedData": text(b"b")}, "is not accepted by"),
        ("AES_256_GCM", {"plaintext": text(bytes(65537))}, "at most 65536 bytes"),
    ],
)
def test_what_a_mode_cannot_do_is_refused(
    admin: Caller, version: Callable[[str], str], algorithm: str, body: Document, reason: str
) -> None:
    status, refusal = admin("POST", f"{version(algorithm)}:rawEncrypt", body)
    assert (status, reason in refusal["error"]["message"]) == (400, True)


def test_associated_data_and_tag_are_part_of_the_seal(admin: Caller, version: Callable[[str], str]) -> None:
    url = version("AES_256_GCM")
    sealed = admin("POST", f"{url}:rawEncrypt", {"plaintext": text(b"a"), "additionalAuthenticatedData": text(b"b")})[1]
    body = {key: sealed[key] for key in ("ciphertext", "initializationVector")}
    assert admin("POST", f"{url}:rawDecrypt", {**body, "additionalAuthenticatedData": text(b"b")})[0] == 200
    status, refusal = admin("POST", f"{url}:rawDecrypt", body)
    assert (status, refusal["error"]["message"]) == (400, "Decryption failed: the ciphertext is invalid.")
    status, refusal = admin("POST", f"{url}:rawDecrypt", {**body, "tagLength": 12})
    assert (status, refusal["error"]["message"]) == (400, "tag_length must be 16.")


def test_modes_without_authentication_need_a_permission_of_their_own(
    admin: Caller, as_member: Callable[[str], Caller], version: Callable[[str], str]
) -> None:
    for algorithm in ("AES_256_GCM", "AES_256_CBC"):
        url = version(algorithm)
        policy = {"bindings": [{"role": "roles/cloudkms.cryptoKeyEncrypter", "members": ["user:jo@example.com"]}]}
        key = url.partition("/cryptoKeyVersions")[0]
        assert admin("POST", f"{key}:setIamPolicy", {"policy": policy})[0] == 200
        status, answer = as_member("user:jo@example.com")("POST", f"{url}:rawEncrypt", {"plaintext": text(bytes(16))})
        assert status == (200 if "GCM" in algorithm else 403)
    assert "manageRawAesCbcKeys" in answer["error"]["message"]


def test_a_key_of_another_purpose_encrypts_nothing_raw(admin: Caller, make_key: MakeKey) -> None:
    url = f"/cloudkms/v1/{make_key()}/cryptoKeyVersions/1"
    status, refusal = admin("POST", f"{url}:rawEncrypt", {"plaintext": text(b"a")})
    assert (status, "this operation needs RAW_ENCRYPT_DECRYPT" in refusal["error"]["message"]) == (400, True)
