"""Objects by plain path, ``/bucket/object``: what V4 signed URLs address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from sandbox.errors import NotFound

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.call import Origin
    from sandbox.cloud import Cloud

JSON_ROOTS = ("storage/v1/", "upload/", "download/", "resumable/", "batch/", "b/")


def is_object_path(path: str) -> bool:
    """Whether a path on the storage host is an object's own, not the JSON API's."""
    return bool(path) and not path.startswith(JSON_ROOTS)


async def answer(cloud: Cloud, request: Request, path: str, origin: Origin) -> Response:
    """Serve one object."""
    raise NotFound(f"{cloud}{request}{path}{origin}")
