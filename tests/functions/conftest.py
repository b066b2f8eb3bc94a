"""The function in process, its libraries in front of a fake Google."""

import base64
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.oauth2.credentials import Credentials
from starlette.applications import Starlette
from starlette.routing import Route

from generation.app import Application
from generation.clients import Clients, connect
from generation.retry import Policy
from generation.settings import Settings
from tests.functions.fake_google import EMAIL, TOKEN, FakeGoogle, Server
from tests.functions.instance import Start, instances

ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT": "spring-launch-4711",
    "GOOGLE_CLOUD_LOCATION": "global",
    "PLANTAIN_CAMPAIGN": "spring-launch",
    "PLANTAIN_BUCKET": "spring-images",
    "PLANTAIN_MODEL": "gemini-3-pro-image",
    "PLANTAIN_SERVICE_ACCOUNT": EMAIL,
    "PLANTAIN_REFERENCE_BUCKETS": "brand-assets,bucket",
    "PLANTAIN_LABELS": json.dumps({"campaign": "spring-launch", "cost-center": "cc-4711"}),
}
QUICK = Policy(attempts=4, first_delay=0.01, longest_delay=0.02, shortest_call=0.01)
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def token_of(email: str) -> str:
    """An identity token as Cloud Run hands it on: its signature is gone."""
    claims = base64.urlsafe_b64encode(json.dumps({"email": email, "email_verified": True}).encode()).rstrip(b"=")
    return f"e30.{claims.decode()}.SIGNATURE_REMOVED_BY_GOOGLE"


class Function:
    """One instance of the function, and what it wrote to its log."""

    def __init__(
        self, environment: dict[str, str], connector: Callable[[Settings], Awaitable[Clients]] | None = None
    ) -> None:
        self.output = io.StringIO()
        credentials = Credentials(token=TOKEN)
        connector = connector or partial(connect, credentials=credentials, storage_policy=QUICK)
        self.application = Application(environment, connector, policy=QUICK, output=self.output)
        routes = [Route("/{path:path}", self.application.handle, methods=METHODS)]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://function")

    async def post(self, **fields: Any) -> httpx.Response:
        """Ask for images."""
        return await self.http.post("/images", json=fields)

    async def made(self, **fields: Any) -> dict[str, Any]:
        """The answer to a request that succeeds."""
        response = await self.post(**fields)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    async def refused(self, **fields: Any) -> dict[str, Any]:
        """The error of a request that fails."""
        response = await self.post(**fields)
        assert response.status_code >= 400, response.text
        error: dict[str, Any] = response.json()["error"]
        assert error["code"] == response.status_code
        return error

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines."""
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    async def close(self) -> None:
        """End it."""
        await self.http.aclose()
        await self.application.close()


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGoogle]:
    with Server(FakeGoogle(tmp_path_factory.mktemp("google"))) as google:
        yield google


@pytest.fixture
def google(fake: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    fake.reset()
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    return fake


@pytest.fixture
async def function(google: FakeGoogle) -> AsyncIterator[Function]:  # noqa: ARG001 -- its environment must be set first
    running = Function(ENVIRONMENT)
    yield running
    await running.close()


@pytest.fixture
def start(google: FakeGoogle, tmp_path: Path) -> Iterator[Start]:
    """Starts instances in processes of their own; ended with the test."""
    with instances(google, ENVIRONMENT, tmp_path) as starts:
        yield starts
