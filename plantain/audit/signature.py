"""Signatures of evidence: DSSE envelopes around in-toto statements, with ed25519 files or Cloud KMS keys.

Sources: https://github.com/secure-systems-lab/dsse (v1), https://github.com/in-toto/attestation (Statement v1,
predicate test-result v0.1), read 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from plantain.audit.canonical import canonical, sha256
from plantain.audit.errors import SigningKeyError, SourceError
from plantain.google_cloud import GoogleCloud

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
KMS_SCHEME = "gcp-kms://"
KEY_COMMAND = "plantain audit key FILE"


class Signer(Protocol):
    """Signs bytes."""

    def sign(self, data: bytes) -> bytes:
        """The signature of some bytes."""

    @property
    def public_key(self) -> bytes:
        """The public key, PEM."""


class FileSigner:
    """An ed25519 key in a file.

    Args:
        path: PEM, unencrypted, readable by its owner only.

    Raises:
        SigningKeyError: there is no such key, or others may read it.
    """

    def __init__(self, path: Path) -> None:
        try:
            data = path.read_bytes()
            mode = path.stat().st_mode
            key = serialization.load_pem_private_key(data, None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SigningKeyError(f"{path} is no key that can sign: {error}", cure=KEY_COMMAND) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyError(f"{path} holds a key that is not ed25519, so it cannot sign.", cure=KEY_COMMAND)
        if mode & 0o077:
            raise SigningKeyError(
                f"{path} can be read by others, so its signature would prove nothing.", cure=f"chmod 600 {path}"
            )
        self._key = key

    def sign(self, data: bytes) -> bytes:
        """The signature of some bytes."""
        return self._key.sign(data)

    @property
    def public_key(self) -> bytes:
        """The public key, PEM."""
        return _pem(self._key.public_key())


class KmsSigner:
    """An asymmetric key of Cloud KMS; whoever signs needs roles/cloudkms.signerVerifier, and no right to deploy.

    Source: https://cloud.google.com/kms/docs/create-validate-signatures (read 2026-11).

    Args:
        version: full name of the key's version.
        cloud: Google's APIs.

    Raises:
        GoogleCloudError: the key cannot be read.
        SigningKeyError: it is no key of a kind that ``verify`` knows.
    """

    def __init__(self, version: str, cloud: GoogleCloud) -> None:
        self._version, self._cloud = version, cloud
        answer = cloud.call("GET", "cloudkms", f"v1/{version}/publicKey")
        self._pem = str(answer.get("pem", "")).encode()
        self._key = load_public_key(self._pem, version)

    def sign(self, data: bytes) -> bytes:
        """The signature of some bytes.

        Raises:
            GoogleCloudError: Cloud KMS refuses.
        """
        body: dict[str, Any]
        if isinstance(self._key, Ed25519PublicKey):
            body = {"data": base64.b64encode(data).decode()}
        else:
            body = {"digest": {"sha256": base64.b64encode(bytes.fromhex(sha256(data))).decode()}}
        answer = self._cloud.call("POST", "cloudkms", f"v1/{self._version}:asymmetricSign", body=body)
        return base64.b64decode(answer["signature"])

    @property
    def public_key(self) -> bytes:
        """The public key, PEM."""
        return self._pem


def signer(key: str, cloud: GoogleCloud | None) -> Signer:
    """The signer that ``--key`` names: a file, or gcp-kms://projects/.../cryptoKeyVersions/1.

    Raises:
        SigningKeyError: the key cannot be used.
        GoogleCloudError: Cloud KMS refuses.
    """
    if not key.startswith(KMS_SCHEME):
        return FileSigner(Path(key))
    if cloud is None:
        raise SigningKeyError("A key of Cloud KMS cannot sign offline.", cure="give a key file with --key")
    return KmsSigner(key.removeprefix(KMS_SCHEME), cloud)


def create_key(path: Path) -> Path:
    """Make an ed25519 pair: the private half at ``path``, the public one beside it with ``.pub``.

    Raises:
        SigningKeyError: there is a file already.
    """
    public = path.with_name(f"{path.name}.pub")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        public.write_bytes(_pem(key.public_key()))
    except OSError as error:
        raise SigningKeyError(
            f"The key cannot be written ({error.strerror}: {path}); nothing that exists is overwritten.",
            cure="choose another file",
        ) from None
    return public


def statement(manifest: bytes, result: str, tests: Mapping[str, Sequence[str]], configuration: bytes) -> dict[str, Any]:
    """The in-toto statement about a manifest.

    Args:
        manifest: the bytes of the manifest.
        result: PASSED, WARNED or FAILED.
        tests: ids of controls under passedTests, warnedTests, failedTests.
        configuration: the bytes of the catalogue's file.
    """
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "manifest.json", "digest": {"sha256": sha256(manifest)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": result,
            "configuration": [{"name": "controls.json", "digest": {"sha256": sha256(configuration)}}],
            **{name: list(ids) for name, ids in tests.items()},
        },
    }


def envelope(document: Mapping[str, Any], by: Signer) -> bytes:
    """A signed DSSE envelope, in canonical form, so that each of its bytes counts."""
    payload = canonical(document)
    signed = by.sign(encoded(PAYLOAD_TYPE, payload))
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id(by.public_key), "sig": base64.b64encode(signed).decode()}],
        }
    )


def encoded(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def opened(data: bytes, public_pem: bytes) -> dict[str, Any]:
    """The statement in an envelope, once its signature holds.

    Raises:
        ValueError: with what is wrong with it.
    """
    try:
        found = json.loads(data)
        (signature,) = found["signatures"]
        payload = _strict(found["payload"])
        signed = _strict(signature["sig"])
        well_formed = (
            set(found) == {"payload", "payloadType", "signatures"}
            and set(signature) == {"keyid", "sig"}
            and found["payloadType"] == PAYLOAD_TYPE
            and canonical(found) == data
        )
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error, SourceError):
        raise ValueError("it is no DSSE envelope") from None
    if not well_formed:
        raise ValueError("it is no canonical DSSE envelope")
    if signature["keyid"] != key_id(public_pem):
        raise ValueError(f"it was signed with key {signature['keyid'][:16]}, which is not the trusted one")
    try:
        _check(load_public_key(public_pem, "the trusted key"), signed, encoded(PAYLOAD_TYPE, payload))
    except InvalidSignature:
        raise ValueError("its signature does not hold") from None
    document: dict[str, Any] = json.loads(payload)
    return document


def key_id(public_pem: bytes) -> str:
    """SHA-256 of the key's DER form, in hexadecimal."""
    key = load_public_key(public_pem, "the key")
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(der)


def load_public_key(pem: bytes, where: str) -> PublicKeyTypes:
    """A public key of a kind that is supported: ed25519, P-256, RSA.

    Raises:
        SigningKeyError: it is none.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyError(f"{where} is no public key: {error}", cure=KEY_COMMAND) from None
    if isinstance(key, Ed25519PublicKey | rsa.RSAPublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise SigningKeyError(
        f"{where} is of a kind that cannot be verified here.",
        cure="use ed25519, EC_SIGN_P256_SHA256 or RSA with SHA-256",
    )


def _check(key: PublicKeyTypes, signed: bytes, data: bytes) -> None:
    if isinstance(key, Ed25519PublicKey):
        key.verify(signed, data)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signed, data, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, rsa.RSAPublicKey):
        try:
            key.verify(
                signed, data, padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size), hashes.SHA256()
            )
        except InvalidSignature:
            key.verify(signed, data, padding.PKCS1v15(), hashes.SHA256())


def _strict(text: str) -> bytes:
    """Base64 of which every character counts: unused bits must be zero."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not in canonical base64")
    return data


def _pem(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
