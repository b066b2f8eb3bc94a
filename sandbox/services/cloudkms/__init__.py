"""Cloud Key Management Service."""

from __future__ import annotations

from sandbox.services.cloudkms import crypto_keys, data_plane, key_rings, versions
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudkms",
    title="Cloud Key Management Service (KMS) API",
    prefix="google.cloud.kms.v1",
    resources=(crypto_keys.CryptoKey, key_rings.KeyRing, versions.CryptoKeyVersion),
    handlers={**crypto_keys.HANDLERS, **data_plane.HANDLERS, **versions.HANDLERS},
)
