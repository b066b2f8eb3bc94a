"""The command line's own client of Google's APIs, talking to a sandbox without sockets."""

from __future__ import annotations

import threading

import httpx
from starlette.testclient import TestClient


class InProcess(httpx.BaseTransport):
    """Hands requests to a sandbox in this process."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self._one_at_a_time = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._one_at_a_time:  # as in the server, where one event loop answers
            reply = self._client.request(
                request.method,
                request.url.raw_path.decode(),
                content=request.read(),
                headers=dict(request.headers),
            )
        return httpx.Response(reply.status_code, headers={"content-type": "application/json"}, content=reply.content)
