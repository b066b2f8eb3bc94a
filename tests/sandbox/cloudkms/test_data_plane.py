from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import google_crc32c
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from tests.sandbox.conftest import Caller

from .conftest import LOCATION, MakeKey


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_is_encrypted_is_decrypted_by_its_own_version(admin: Caller, make_key: MakeKey) -> None:
    name = make_key()
    body = {"plaintext": text(b"secret"), "additionalAuthenticatedData": text(b"context")}
    status, sealed = admin("POST", f"/cloudkms/v1/{name}:encrypt", body)
    assert (status, sealed["name"]) == (200, f"{name}/cryptoKeyVersions/1")
    assert sealed["ciphertextCrc32c"] == str(google_crc32c.value(base64.b64decode(sealed["ciphertext"])))
    admin("POST", f"/cloudkms/v1/{name}/cryptoKeyVersions", {})
    admin("POST", f"/cloudkms/v1/{name}:updatePrimaryVersion", {"cryptoKeyVersionId": "2"})
    back = {"ciphertext": sealed["ciphertext"], "additionalAuthenticatedData": text(b"context")}
    status, opened = admin("POST", f"/cloudkms/v1/{name}:decrypt", back)
    assert (status, base64.b64decode(opened["plaintext"]), opened["usedPrimary"]) == (200, b"secret", False)
    for wrong in ({**back, "additionalAuthenticatedData": text(b"other")}, {"ciphertext": text(b"nonsense")}):
        status, body = admin("POST", f"/cloudkms/v1/{name}:decrypt", wrong)
        assert (status, body["error"]["message"]) == (400, "Decryption failed: the ciphertext is invalid.")


def test_checksums_are_verified(admin: Caller, make_key: MakeKey) -> None:
    path = f"/cloudkms/v1/{make_key()}:encrypt"
    good = {"plaintext": text(b"x"), "plaintextCrc32c": str(google_crc32c.value(b"x"))}
    assert admin("POST", path, good)[1]["verifiedPlaintextCrc32c"]
    status, body = admin("POST", path, {**good, "plaintextCrc32c": "1"})
    assert (status, "checksum" in body["error"]["message"]) == (400, True)


def test_a_disabled_version_neither_encrypts_nor_decrypts(admin: Caller, make_key: MakeKey) -> None:
    name = make_key()
    sealed = admin("POST", f"/cloudkms/v1/{name}:encrypt", {"plaintext": text(b"x")})[1]["ciphertext"]
    admin("PATCH", f"/cloudkms/v1/{name}/cryptoKeyVersions/1?updateMask=state", {"state": "DISABLED"})
    for action, body in (("encrypt", {"plaintext": text(b"x")}), ("decrypt", {"ciphertext": sealed})):
        status, answer = admin("POST", f"/cloudkms/v1/{name}:{action}", body)
        assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
        assert answer["error"]["message"].endswith("is not enabled, current state is: DISABLED.")


def test_using_a_key_needs_its_own_permission(
    admin: Caller, make_key: MakeKey, as_member: Callable[[str], Caller]
) -> None:
    name, user = make_key(), as_member("user:jo@example.com")
    status, body = user("POST", f"/cloudkms/v1/{name}:encrypt", {"plaintext": text(b"x")})
    assert (status, body["error"]["details"][0]["metadata"]["permission"]) == (
        403,
        "cloudkms.cryptoKeyVersions.useToEncrypt",
    )
    binding = {"role": "roles/cloudkms.cryptoKeyEncrypter", "members": ["user:jo@example.com"]}
    admin("POST", f"/cloudkms/v1/{name}:setIamPolicy", {"policy": {"bindings": [binding]}})
    status, sealed = user("POST", f"/cloudkms/v1/{name}:encrypt", {"plaintext": text(b"x")})
    assert status == 200
    assert user("POST", f"/cloudkms/v1/{name}:decrypt", {"ciphertext": sealed["ciphertext"]})[0] == 403


@pytest.mark.parametrize(
    "algorithm",
    [
        "EC_SIGN_P256_SHA256",
        "EC_SIGN_P384_SHA384",
        "EC_SIGN_ED25519",
        "RSA_SIGN_PSS_2048_SHA256",
        "RSA_SIGN_PKCS1_2048_SHA256",
    ],
)
def test_signatures_verify_with_the_public_key(admin: Caller, make_key: MakeKey, algorithm: str) -> None:
    version = make_key(purpose="ASYMMETRIC_SIGN", versionTemplate={"algorithm": algorithm}) + "/cryptoKeyVersions/1"
    pem = admin("GET", f"/cloudkms/v1/{version}/publicKey")[1]
    assert pem["algorithm"] == algorithm
    key = serialization.load_pem_public_key(pem["pem"].encode())
    name = "sha384" if "384" in algorithm else "sha256"
    digest = hashlib.new(name, b"data").digest()
    body = {"data": text(b"data")} if algorithm == "EC_SIGN_ED25519" else {"digest": {name: text(digest)}}
    status, answer = admin("POST", f"/cloudkms/v1/{version}:asymmetricSign", body)
    assert status == 200, answer
    signature = base64.b64decode(answer["signature"])
    prehashed = utils.Prehashed(hashes.SHA384() if name == "sha384" else hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, b"data")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, digest, ec.ECDSA(prehashed))
        with pytest.raises(InvalidSignature):
            key.verify(signature, hashlib.new(name, b"other").digest(), ec.ECDSA(prehashed))
    else:
        assert isinstance(key, rsa.RSAPublicKey)
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if "PSS" in algorithm else padding.PKCS1v15()
        key.verify(signature, digest, scheme, prehashed)


def test_a_digest_of_another_length_is_refused(admin: Caller, make_key: MakeKey) -> None:
    template = {"algorithm": "EC_SIGN_P256_SHA256"}
    version = make_key(purpose="ASYMMETRIC_SIGN", versionTemplate=template) + "/cryptoKeyVersions/1"
    status, body = admin("POST", f"/cloudkms/v1/{version}:asymmetricSign", {"digest": {"sha256": text(b"short")}})
    assert (status, "needs a SHA256 digest of 32 bytes" in body["error"]["message"]) == (400, True)


def test_oaep_and_macs(admin: Caller, make_key: MakeKey) -> None:
    template = {"algorithm": "RSA_DECRYPT_OAEP_2048_SHA256"}
    version = make_key("rsa", purpose="ASYMMETRIC_DECRYPT", versionTemplate=template) + "/cryptoKeyVersions/1"
    key = serialization.load_pem_public_key(admin("GET", f"/cloudkms/v1/{version}/publicKey")[1]["pem"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    sealed = key.encrypt(b"hello", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    opened = admin("POST", f"/cloudkms/v1/{version}:asymmetricDecrypt", {"ciphertext": text(sealed)})[1]
    assert base64.b64decode(opened["plaintext"]) == b"hello"
    version = make_key("mac", purpose="MAC") + "/cryptoKeyVersions/1"
    code = admin("POST", f"/cloudkms/v1/{version}:macSign", {"data": text(b"x")})[1]["mac"]
    assert admin("POST", f"/cloudkms/v1/{version}:macVerify", {"data": text(b"x"), "mac": code})[1]["success"]
    assert not admin("POST", f"/cloudkms/v1/{version}:macVerify", {"data": text(b"y"), "mac": code})[1]["success"]


def test_a_symmetric_key_does_not_sign(admin: Caller, make_key: MakeKey) -> None:
    version = f"{make_key()}/cryptoKeyVersions/1"
    status, body = admin("POST", f"/cloudkms/v1/{version}:asymmetricSign", {"digest": {"sha256": text(bytes(32))}})
    assert (status, "this operation needs ASYMMETRIC_SIGN" in body["error"]["message"]) == (400, True)
    assert admin("GET", f"/cloudkms/v1/{version}/publicKey")[0] == 400


@pytest.mark.usefixtures("ring")
def test_random_bytes_have_the_asked_length(admin: Caller) -> None:
    path = f"/cloudkms/v1/{LOCATION}:generateRandomBytes"
    data = admin("POST", path, {"lengthBytes": 16, "protectionLevel": "HSM"})[1]["data"]
    assert len(base64.b64decode(data)) == 16
    assert admin("POST", path, {"lengthBytes": 4})[0] == 400
