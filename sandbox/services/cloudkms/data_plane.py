"""The data plane: encrypt, decrypt, sign, authenticate; checksums are verified as Cloud KMS does."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from typing import Any

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.services.cloudkms import crypto_keys, material, versions

Document = dict[str, Any]

LONGEST_PLAINTEXT = 64 * 1024
FEWEST_RANDOM, MOST_RANDOM = 8, 1024
VERSION = "/cryptoKeyVersions/"


def taken(call: Call, field: str) -> bytes:
    """A bytes field of the request; its checksum, when given, must fit.

    Raises:
        InvalidArgument: no base64, or another checksum.
    """
    try:
        text = str(call.body.get(field, "")).replace("-", "+").replace("_", "/")
        value = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise InvalidArgument(f"Invalid value at '{field}': Base64 decoding failed.") from None
    given = call.body.get(f"{field}Crc32c")
    if given is not None and str(given) != material.crc32c(value):
        raise InvalidArgument(
            f"The checksum in field {field}_crc32c did not match the data in field {field}.",
        )
    return value


def verified(call: Call, *fields: str) -> Document:
    """``verified…Crc32c`` for every checksum that the request had."""
    return {f"verified{field[0].upper()}{field[1:]}Crc32c": True for field in fields if f"{field}Crc32c" in call.body}


def usable(call: Call, name: str, purpose: str) -> Document:
    """An enabled version of a key of the wanted purpose."""
    version = versions.require(call.cloud, name)
    key = crypto_keys.require(call.cloud, name.partition(VERSION)[0])
    if key["purpose"] != purpose:
        raise InvalidArgument(f"{name} has purpose {key['purpose']}: this operation needs {purpose}.")
    versions.refuse_unusable(version)
    return version


def encode(data: bytes) -> str:
    """Base64 as in JSON."""
    return base64.b64encode(data).decode()


def encrypt(call: Call) -> Document:
    """``:encrypt`` by the primary version, or by a named one."""
    plaintext, associated = taken(call, "plaintext"), taken(call, "additionalAuthenticatedData")
    if len(plaintext) > LONGEST_PLAINTEXT:
        raise InvalidArgument("Request.plaintext must be at most 65536 bytes.")
    name = call.name
    if VERSION not in name:
        name = crypto_keys.require(call.cloud, name).get("_primary", "")
        if not name:
            raise InvalidArgument(f"{call.name} has no primary version.")
    version = usable(call, name, "ENCRYPT_DECRYPT")
    sealed = material.encrypt(version["_material"], int(name.rpartition("/")[2]), plaintext, associated)
    return {
        "name": name,
        "ciphertext": encode(sealed),
        "ciphertextCrc32c": material.crc32c(sealed),
        **verified(call, "plaintext", "additionalAuthenticatedData"),
        "protectionLevel": version["protectionLevel"],
    }


def decrypt(call: Call) -> Document:
    """``:decrypt`` by the version that encrypted."""
    sealed, associated = taken(call, "ciphertext"), taken(call, "additionalAuthenticatedData")
    key = crypto_keys.require(call.cloud, call.name)
    if key["purpose"] != "ENCRYPT_DECRYPT":
        raise InvalidArgument(f"{call.name} has purpose {key['purpose']}: this operation needs ENCRYPT_DECRYPT.")
    name = f"{call.name}{VERSION}{material.version_number(sealed)}"
    if call.cloud.store.get(versions.KIND, name) is None:
        raise material.undecryptable()
    version = usable(call, name, "ENCRYPT_DECRYPT")
    plaintext = material.decrypt(version["_material"], sealed, associated)
    return {
        "plaintext": encode(plaintext),
        "plaintextCrc32c": material.crc32c(plaintext),
        "usedPrimary": key.get("_primary") == name,
        "protectionLevel": version["protectionLevel"],
    }


def sign(call: Call) -> Document:
    """``:asymmetricSign``."""
    version = usable(call, call.name, "ASYMMETRIC_SIGN")
    digest = call.body.get("digest", {})
    data = taken(call, "data") if "data" in call.body else None
    for value in digest.values():
        raw = base64.b64decode(value)
        given = call.body.get("digestCrc32c")
        if given is not None and str(given) != material.crc32c(raw):
            raise InvalidArgument("The checksum in field digest_crc32c did not match the data in field digest.")
    signature = material.sign(version["_material"], version["algorithm"], data=data, digest=digest)
    return {
        "name": call.name,
        "signature": encode(signature),
        "signatureCrc32c": material.crc32c(signature),
        **verified(call, "digest", "data"),
        "protectionLevel": version["protectionLevel"],
    }


def unseal(call: Call) -> Document:
    """``:asymmetricDecrypt``."""
    version = usable(call, call.name, "ASYMMETRIC_DECRYPT")
    plaintext = material.open_sealed(version["_material"], version["algorithm"], taken(call, "ciphertext"))
    return {
        "plaintext": encode(plaintext),
        "plaintextCrc32c": material.crc32c(plaintext),
        **verified(call, "ciphertext"),
        "protectionLevel": version["protectionLevel"],
    }


def public_key(call: Call) -> Document:
    """``/publicKey`` of an asymmetric version."""
    name = call.name.removesuffix("/publicKey")
    version = versions.require(call.cloud, name)
    if not version["algorithm"].startswith(("RSA_", "EC_")):
        raise InvalidArgument(f"{name} has algorithm {version['algorithm']}, which has no public key.")
    versions.refuse_unusable(version)
    pem = material.public_pem(version["_material"])
    return {
        "pem": pem,
        "algorithm": version["algorithm"],
        "pemCrc32c": material.crc32c(pem.encode()),
        "name": name,
        "protectionLevel": version["protectionLevel"],
        "publicKeyFormat": "PEM",
    }


def mac_sign(call: Call) -> Document:
    """``:macSign``."""
    version = usable(call, call.name, "MAC")
    code = material.mac(version["_material"], version["algorithm"], taken(call, "data"))
    return {
        "name": call.name,
        "mac": encode(code),
        "macCrc32c": material.crc32c(code),
        **verified(call, "data"),
        "protectionLevel": version["protectionLevel"],
    }


def mac_verify(call: Call) -> Document:
    """``:macVerify``."""
    version = usable(call, call.name, "MAC")
    code = material.mac(version["_material"], version["algorithm"], taken(call, "data"))
    success = hmac.compare_digest(code, taken(call, "mac"))
    return {
        "name": call.name,
        "success": success,
        **verified(call, "data", "mac"),
        "verifiedSuccessIntegrity": success,
        "protectionLevel": version["protectionLevel"],
    }


def random_bytes(call: Call) -> Document:
    """``:generateRandomBytes`` of a location."""
    count = int(call.body.get("lengthBytes", 0))
    if not FEWEST_RANDOM <= count <= MOST_RANDOM:
        raise InvalidArgument("length_bytes must be between 8 and 1024.")
    data = os.urandom(count)
    return {"data": encode(data), "dataCrc32c": material.crc32c(data)}


HANDLERS = {
    "cloudkms.cryptoKeys.encrypt": encrypt,
    "cloudkms.cryptoKeys.decrypt": decrypt,
    "cloudkms.cryptoKeyVersions.asymmetricSign": sign,
    "cloudkms.cryptoKeyVersions.asymmetricDecrypt": unseal,
    "cloudkms.cryptoKeyVersions.getPublicKey": public_key,
    "cloudkms.cryptoKeyVersions.macSign": mac_sign,
    "cloudkms.cryptoKeyVersions.macVerify": mac_verify,
    "cloudkms.locations.generateRandomBytes": random_bytes,
}
