from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from plantain.audit import signature
from plantain.audit.canonical import canonical
from plantain.audit.errors import SigningKeyError

STATEMENT = signature.statement(b"manifest", "PASSED", {"passedTests": ["a"], "failedTests": []}, b"controls")


def pem(key: Any) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


@pytest.fixture
def own(tmp_path: Path) -> signature.FileSigner:
    signature.create_key(tmp_path / "audit.pem")
    return signature.FileSigner(tmp_path / "audit.pem")


def test_an_envelope_opens_with_the_key_that_signed_it(own: signature.FileSigner) -> None:
    assert signature.opened(signature.envelope(STATEMENT, own), own.public_key) == STATEMENT
    assert STATEMENT["_type"] == "https://in-toto.io/Statement/v1"


def test_the_encoding_that_is_signed_is_that_of_dsse() -> None:
    assert signature.encoded("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_another_key_is_named_as_such(own: signature.FileSigner, tmp_path: Path) -> None:
    other = signature.create_key(tmp_path / "other.pem").read_bytes()
    with pytest.raises(ValueError, match="not the trusted one"):
        signature.opened(signature.envelope(STATEMENT, own), other)


def test_a_signature_of_something_else_does_not_hold(own: signature.FileSigner) -> None:
    envelope = signature.envelope(STATEMENT, own)
    other = base64.b64encode(canonical({**STATEMENT, "predicateType": "x"}))
    payload = envelope.split(b'"')[3]
    with pytest.raises(ValueError, match="does not hold"):
        signature.opened(envelope.replace(payload, other), own.public_key)


@pytest.mark.parametrize("change", [b"{}", b"", b"[]", b"null", b'{"payload":"","payloadType":"","signatures":[]}'])
def test_what_is_no_envelope_is_refused(change: bytes, own: signature.FileSigner) -> None:
    with pytest.raises(ValueError, match="no DSSE envelope"):
        signature.opened(change, own.public_key)


def test_white_space_in_an_envelope_is_refused(own: signature.FileSigner) -> None:
    with pytest.raises(ValueError, match="no canonical DSSE envelope"):
        signature.opened(signature.envelope(STATEMENT, own) + b"\n", own.public_key)


def test_a_key_is_never_overwritten_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    signature.create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SigningKeyError, match="nothing that exists is overwritten"):
        signature.create_key(path)
    path.chmod(0o644)
    with pytest.raises(SigningKeyError, match="can be read by others") as raised:
        signature.FileSigner(path)
    assert raised.value.cure == f"chmod 600 {path}"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    path.write_bytes(content)
    with pytest.raises(SigningKeyError, match="no key that can sign"):
        signature.signer(str(path), None)


def test_a_key_of_another_kind_cannot_sign(tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(SigningKeyError, match="not ed25519"):
        signature.FileSigner(path)


class Kms:
    """Cloud KMS with one key, as its API answers."""

    def __init__(self, key: Any) -> None:
        self.key = key

    def call(self, verb: str, service: str, path: str, *, body: Any = None) -> dict[str, Any]:
        assert service == "cloudkms"
        if verb == "GET":
            return {"pem": pem(self.key.public_key()).decode()}
        assert path.endswith(":asymmetricSign")
        if isinstance(self.key, Ed25519PrivateKey):
            made = self.key.sign(base64.b64decode(body["data"]))
        else:
            digest = base64.b64decode(body["digest"]["sha256"])
            if isinstance(self.key, rsa.RSAPrivateKey):
                made = self.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
            else:
                made = self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        return {"signature": base64.b64encode(made).decode()}


@pytest.mark.parametrize(
    "key",
    [Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)],
    ids=["ed25519", "p256", "rsa"],
)
def test_a_key_of_cloud_kms_signs_what_verifies_offline(key: Any) -> None:
    by = signature.signer("gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1", Kms(key))  # type: ignore[arg-type] # a stand-in for the client
    assert signature.opened(signature.envelope(STATEMENT, by), pem(key.public_key())) == STATEMENT


def test_cloud_kms_is_not_to_be_had_offline() -> None:
    with pytest.raises(SigningKeyError, match="cannot sign offline"):
        signature.signer("gcp-kms://x", None)


def test_a_curve_that_cannot_be_verified_is_refused() -> None:
    with pytest.raises(SigningKeyError, match="cannot be verified here"):
        signature.load_public_key(pem(ec.generate_private_key(ec.SECP384R1()).public_key()), "the key")
