"""Requests that Google's services make themselves, with their agents' identities, through every check."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.runtime.gateway import LOOPBACK

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from sandbox.cloud import Cloud

TOKEN_SECONDS = 3600


class Agents:
    """Sends requests inside the process; nothing leaves it."""

    def __init__(self, cloud: Cloud, application: Starlette) -> None:
        self._cloud = cloud
        self._application = application

    def token(self, email: str) -> str:
        """An access token of a service account or an agent."""
        return self._cloud.tokens.access_token(Principal(f"serviceAccount:{email}"), TOKEN_SECONDS)

    async def request(
        self,
        verb: str,
        url: str,
        *,
        project: str,
        token: str = "",
        seconds: float | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Answer of the sandbox to a request that comes from a service's own machines.

        Args:
            verb: HTTP method.
            url: the full address; its host routes as it does for any client.
            project: id of the project on whose behalf the service works, inside whose perimeter it therefore is.
            token: bearer token; none is sent when it is empty.
            seconds: how long to wait.
            options: as of ``httpx.AsyncClient.request``.

        Raises:
            TimeoutError: no answer within ``seconds``.
        """
        import httpx  # noqa: PLC0415 -- it brings a command line along, and no start waits for a request

        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **options.pop("headers", {})}
        inside = (LOOPBACK, self._cloud.gateway.inside(project))
        transport = httpx.ASGITransport(app=self._application, client=inside)
        async with asyncio.timeout(seconds), httpx.AsyncClient(transport=transport, trust_env=False) as client:
            return await client.request(verb, url, headers=headers, **options)
