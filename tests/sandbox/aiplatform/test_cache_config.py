"""Whether models may keep beginnings of prompts in memory."""

from __future__ import annotations

from collections.abc import Callable

from tests.sandbox.conftest import Caller


def test_caching_is_on_until_it_is_switched_off(admin: Caller, enable: Callable[..., None], project: str) -> None:
    enable("aiplatform")
    path = f"/aiplatform/v1/projects/{project}/cacheConfig"
    assert admin("GET", path) == (200, {"name": f"projects/{project}/cacheConfig"})
    status, operation = admin("PATCH", path, {"name": f"projects/{project}/cacheConfig", "disableCache": True})
    assert (status, operation["done"], operation["response"]["disableCache"]) == (200, True, True)
    assert admin("GET", path)[1]["disableCache"] is True
    assert admin("GET", f"/aiplatform/v1/{operation['name']}")[1]["done"] is True
    assert admin("PATCH", path, {"disableCache": False})[0] == 200
    assert "disableCache" not in admin("GET", path)[1]
