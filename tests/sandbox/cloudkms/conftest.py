"""A key ring, and keys of any purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Caller

LOCATION = "projects/test-project/locations/europe-west4"
RING = f"{LOCATION}/keyRings/ring"

MakeKey = Callable[..., str]


@pytest.fixture
def ring(admin: Caller, enable: Callable[..., None]) -> str:
    enable("cloudkms")
    assert admin("POST", f"/cloudkms/v1/{LOCATION}/keyRings?keyRingId=ring")[0] == 200
    return RING


@pytest.fixture
def make_key(admin: Caller, ring: str) -> MakeKey:
    """Makes a key; returns its name."""

    def make(name: str = "key", **fields: Any) -> str:
        body = {"purpose": "ENCRYPT_DECRYPT", **fields}
        status, made = admin("POST", f"/cloudkms/v1/{ring}/cryptoKeys?cryptoKeyId={name}", body)
        assert status == 200, made
        return str(made["name"])

    return make
