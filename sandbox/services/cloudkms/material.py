"""Key material and the real cryptography done with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any

import google_crc32c
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.errors import InvalidArgument, NotEmulated

Document = dict[str, Any]

NONCE = 12
VERSION_BYTES = 4
#: First bytes of every ciphertext, so that foreign bytes are told from a wrong key.
MARK = b"\x0a\x24\x00"

CURVES: dict[str, ec.EllipticCurve] = {
    "P256": ec.SECP256R1(),
    "P384": ec.SECP384R1(),
    "SECP256K1": ec.SECP256K1(),
}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA1": hashes.SHA1(),  # noqa: S303 -- one of Cloud KMS's own algorithms
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
MAC_BYTES = {"HMAC_SHA1": 20, "HMAC_SHA224": 28, "HMAC_SHA256": 32, "HMAC_SHA384": 48, "HMAC_SHA512": 64}
SYMMETRIC_BYTES = {
    "GOOGLE_SYMMETRIC_ENCRYPTION": 32,
    **{f"AES_{bits}_{mode}": bits // 8 for bits in (128, 256) for mode in ("GCM", "CBC", "CTR")},
}


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A ``CryptoKeyVersionAlgorithm`` taken apart."""

    name: str

    @property
    def digest(self) -> str:
        """Name of the hash, empty when it has none."""
        last = self.name.rpartition("_")[2]
        return last if last in HASHES else ""

    @property
    def bits(self) -> int:
        """RSA modulus length."""
        return next(int(part) for part in self.name.split("_") if part in {"2048", "3072", "4096"})


def generate(algorithm: str) -> str:
    """New material: base64 of raw bytes, or PEM of a private key.

    Raises:
        NotEmulated: an algorithm that the sandbox does not compute.
    """
    size = SYMMETRIC_BYTES.get(algorithm) or MAC_BYTES.get(algorithm)
    if size:
        return base64.b64encode(os.urandom(size)).decode()
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    if algorithm.startswith("RSA_"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=Algorithm(algorithm).bits)
    elif algorithm == "EC_SIGN_ED25519":
        key = ed25519.Ed25519PrivateKey.generate()
    elif algorithm.startswith("EC_SIGN_"):
        key = ec.generate_private_key(CURVES[algorithm.split("_")[2]])
    else:
        raise NotEmulated(f"The sandbox computes no {algorithm}.")
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def private_key(material: str) -> Any:
    """The private key of stored PEM."""
    return serialization.load_pem_private_key(material.encode(), None)


def public_pem(material: str) -> str:
    """PEM of the public key."""
    key = private_key(material).public_key()
    data: bytes = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return data.decode()


def encrypt(material: str, number: int, plaintext: bytes, associated: bytes) -> bytes:
    """AES-GCM; the ciphertext names the version that made it."""
    nonce = os.urandom(NONCE)
    sealed = AESGCM(base64.b64decode(material)).encrypt(nonce, plaintext, associated)
    return MARK + number.to_bytes(VERSION_BYTES) + nonce + sealed


def version_number(ciphertext: bytes) -> int:
    """Which version made a ciphertext.

    Raises:
        InvalidArgument: it was not made here.
    """
    head = len(MARK) + VERSION_BYTES
    if not ciphertext.startswith(MARK) or len(ciphertext) < head + NONCE:
        raise undecryptable()
    return int.from_bytes(ciphertext[len(MARK) : head])


def decrypt(material: str, ciphertext: bytes, associated: bytes) -> bytes:
    """The reverse of ``encrypt``.

    Raises:
        InvalidArgument: another key, other associated data, or damaged bytes.
    """
    head = len(MARK) + VERSION_BYTES
    nonce, sealed = ciphertext[head : head + NONCE], ciphertext[head + NONCE :]
    try:
        return AESGCM(base64.b64decode(material)).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise undecryptable() from None


def undecryptable() -> InvalidArgument:
    """Cloud KMS tells a wrong key from a damaged ciphertext as little as the mathematics does."""
    return InvalidArgument("Decryption failed: the ciphertext is invalid.")


def sign(material: str, algorithm: str, *, data: bytes | None, digest: Document) -> bytes:
    """A signature over data, or over its digest.

    Raises:
        InvalidArgument: neither fits the algorithm.
    """
    key, parts = private_key(material), Algorithm(algorithm)
    if algorithm == "EC_SIGN_ED25519" or "_RAW_" in algorithm:
        if data is None:
            raise InvalidArgument(f"Algorithm {algorithm} signs data, not a digest.")
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(data)
        return raw_pkcs1(key, data)
    hash_algorithm = HASHES[parts.digest]
    given = digest.get(parts.digest.lower())
    value = base64.b64decode(given) if given else (None if data is None else hash_of(parts.digest, data))
    if value is None or len(value) != hash_algorithm.digest_size:
        raise InvalidArgument(
            f"Algorithm {algorithm} needs a {parts.digest} digest of {hash_algorithm.digest_size} bytes."
        )
    prehashed = utils.Prehashed(hash_algorithm)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(value, ec.ECDSA(prehashed))
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if "_PSS_" in algorithm:
        scheme = padding.PSS(padding.MGF1(hash_algorithm), hash_algorithm.digest_size)
    signature: bytes = key.sign(value, scheme, prehashed)
    return signature


def raw_pkcs1(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    """PKCS #1 v1.5 over data without a DigestInfo, as ``RSA_SIGN_RAW_PKCS1_*``."""
    return key.sign(data, padding.PKCS1v15(), utils.NoDigestInfo())


def hash_of(name: str, data: bytes) -> bytes:
    """A digest by its name."""
    return hashlib.new(name.lower(), data).digest()


def open_sealed(material: str, algorithm: str, ciphertext: bytes) -> bytes:
    """RSA-OAEP decryption.

    Raises:
        InvalidArgument: the ciphertext was made for another key.
    """
    hash_algorithm = HASHES[Algorithm(algorithm).digest]
    scheme = padding.OAEP(padding.MGF1(hash_algorithm), hash_algorithm, None)
    try:
        plaintext: bytes = private_key(material).decrypt(ciphertext, scheme)
    except ValueError:
        raise undecryptable() from None
    return plaintext


def mac(material: str, algorithm: str, data: bytes) -> bytes:
    """An HMAC."""
    return hmac.new(base64.b64decode(material), data, algorithm.removeprefix("HMAC_").lower()).digest()


def crc32c(data: bytes) -> str:
    """The checksum as Cloud KMS spells it: a decimal string."""
    return str(google_crc32c.value(data))
