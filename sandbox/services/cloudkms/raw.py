"""Raw symmetric encryption: ciphertexts that any library can open, without a mark of Cloud KMS.

Source: https://docs.cloud.google.com/kms/docs/raw-encryption and the methods' reference (read 2026-11).
"""

from __future__ import annotations

import base64
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.call import Call
from sandbox.errors import InvalidArgument
from sandbox.services.cloudkms import material
from sandbox.services.cloudkms.data_plane import encode, taken, usable, verified

Document = dict[str, Any]

PURPOSE = "RAW_ENCRYPT_DECRYPT"
LONGEST = 64 * 1024
BLOCK = 16
TAG = 16
NONCES = {"GCM": 12, "CBC": BLOCK, "CTR": BLOCK}
#: Modes without authentication need a permission besides.
GUARDED = {
    "CBC": "cloudkms.cryptoKeyVersions.manageRawAesCbcKeys",
    "CTR": "cloudkms.cryptoKeyVersions.manageRawAesCtrKeys",
}


def version_of(call: Call) -> tuple[Document, str, bytes]:
    """The version, its mode, and the associated data.

    Raises:
        InvalidArgument: associated data for a mode that has none.
        PermissionDenied: the mode needs a permission that the caller has not.
    """
    version = usable(call, call.name, PURPOSE)
    mode = str(version["algorithm"]).rpartition("_")[2]
    associated = taken(call, "additionalAuthenticatedData")
    if associated and mode != "GCM":
        raise InvalidArgument(f"additional_authenticated_data is not accepted by {version['algorithm']}.")
    if needed := GUARDED.get(mode):
        call.cloud.permissions.require(call.principal, needed, "cloudkms", call.name)
    return version, mode, associated


def vector(call: Call, mode: str, *, make: bool) -> bytes:
    """The initialization vector of the request, or a new one.

    Raises:
        InvalidArgument: it has another length.
    """
    if make and "initializationVector" not in call.body:
        return os.urandom(NONCES[mode])
    value = taken(call, "initializationVector")
    if len(value) != NONCES[mode]:
        raise InvalidArgument(f"initialization_vector must have {NONCES[mode]} bytes, not {len(value)}.")
    return value


def cipher(key: bytes, mode: str, start: bytes) -> Cipher[Any]:
    """AES in a mode without authentication."""
    return Cipher(algorithms.AES(key), modes.CBC(start) if mode == "CBC" else modes.CTR(start))


def refuse_odd(mode: str, data: bytes, field: str) -> None:
    """CBC takes whole blocks only: the caller pads."""
    if mode == "CBC" and len(data) % BLOCK:
        raise InvalidArgument(f"{field} must be a multiple of {BLOCK} bytes for AES-CBC, it has {len(data)}.")


def encrypt(call: Call) -> Document:
    """``:rawEncrypt``."""
    version, mode, associated = version_of(call)
    plaintext, start = taken(call, "plaintext"), vector(call, mode, make=True)
    if len(plaintext) > LONGEST:
        raise InvalidArgument("RawEncryptRequest.plaintext must be at most 65536 bytes.")
    refuse_odd(mode, plaintext, "plaintext")
    key = base64.b64decode(version["_material"])
    if mode == "GCM":
        sealed = AESGCM(key).encrypt(start, plaintext, associated)
    else:
        work = cipher(key, mode, start).encryptor()
        sealed = work.update(plaintext) + work.finalize()
    return {
        "ciphertext": encode(sealed),
        "ciphertextCrc32c": material.crc32c(sealed),
        "initializationVector": encode(start),
        "initializationVectorCrc32c": material.crc32c(start),
        **({"tagLength": TAG} if mode == "GCM" else {}),
        **verified(call, "plaintext", "additionalAuthenticatedData", "initializationVector"),
        "name": call.name,
        "protectionLevel": version["protectionLevel"],
    }


def decrypt(call: Call) -> Document:
    """``:rawDecrypt``."""
    version, mode, associated = version_of(call)
    sealed, start = taken(call, "ciphertext"), vector(call, mode, make=False)
    refuse_odd(mode, sealed, "ciphertext")
    key = base64.b64decode(version["_material"])
    if mode == "GCM":
        if int(call.body.get("tagLength") or TAG) != TAG:
            raise InvalidArgument(f"tag_length must be {TAG}.")
        try:
            plaintext = AESGCM(key).decrypt(start, sealed, associated)
        except InvalidTag:
            raise material.undecryptable() from None
    else:
        work = cipher(key, mode, start).decryptor()
        plaintext = work.update(sealed) + work.finalize()
    return {
        "plaintext": encode(plaintext),
        "plaintextCrc32c": material.crc32c(plaintext),
        **verified(call, "ciphertext", "additionalAuthenticatedData", "initializationVector"),
        "protectionLevel": version["protectionLevel"],
    }


HANDLERS = {
    "cloudkms.cryptoKeyVersions.rawEncrypt": encrypt,
    "cloudkms.cryptoKeyVersions.rawDecrypt": decrypt,
}
