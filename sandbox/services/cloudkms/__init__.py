"""Cloud Key Management Service."""

from __future__ import annotations

from sandbox.services.cloudkms import autokey, crypto_keys, data_plane, import_jobs, key_rings, places, raw, versions
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudkms",
    title="Cloud Key Management Service (KMS) API",
    prefix="google.cloud.kms.v1",
    resources=(
        autokey.KeyHandle,
        crypto_keys.CryptoKey,
        import_jobs.ImportJob,
        key_rings.KeyRing,
        versions.CryptoKeyVersion,
    ),
    handlers={
        **autokey.HANDLERS,
        **crypto_keys.HANDLERS,
        **data_plane.HANDLERS,
        **places.HANDLERS,
        **raw.HANDLERS,
        **versions.HANDLERS,
    },
    tick=crypto_keys.tick,
)
