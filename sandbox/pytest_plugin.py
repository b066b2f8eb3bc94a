"""pytest fixtures: a local Google Cloud for tests of any Google client or Pulumi program.

pytest finds it where this project is installed. From a checkout load it with ``-p sandbox.pytest_plugin``, or with
``pytest_plugins = ["sandbox.pytest_plugin"]`` in the top ``conftest.py``.

``sandbox`` is an empty organisation for each test. The process behind it is started once for each pytest process, so
that tests run in parallel under pytest-xdist without seeing each other, and is emptied before every test.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.process import ProcessError, SandboxProcess

__all__ = ["Refused", "Sandbox", "sandbox", "sandbox_process"]


class Refused(AssertionError):
    """An API call failed that the test needs to succeed.

    Attributes:
        status: HTTP status.
        error: the ``error`` object of Google's envelope.
    """

    def __init__(self, verb: str, path: str, status: int, error: Any) -> None:
        self.status = status
        self.error = error
        message = error.get("message", error) if isinstance(error, dict) else error
        super().__init__(f"{verb} {path}: {status} {message}")


class Sandbox:
    """What a test may ask of its sandbox."""

    organization = "organizations/123456789012"
    billing_account = "billingAccounts/010101-010101-010101"
    administrator = "user:user@example.com"

    def __init__(self, process: SandboxProcess) -> None:
        self.process = process

    @property
    def url(self) -> str:
        """HTTP origin: append ``/storage``, ``/cloudkms`` ... for a client's API endpoint."""
        return self.process.url

    def endpoint(self, service: str) -> str:
        """Base URL of a service, for ``client_options.api_endpoint`` and the like."""
        return f"{self.url}/{service}"

    def token(self, member: str = administrator, *, lifetime: int = 3600) -> str:
        """An access token of any principal, as ``user:jo@example.com``."""
        return str(self.process.control("POST", "tokens", {"member": member, "lifetime": lifetime})["token"])

    def environment(self, member: str = administrator, **origin: Any) -> dict[str, str]:
        """Variables with which unchanged Google clients reach the sandbox.

        Args:
            member: whose credentials.
            origin: from where: ``network``, ``address``, ``region``, ``device``.
        """
        answer = self.process.control("POST", "environment", {"member": member, **origin})
        return dict(answer["set"])

    def call(self, verb: str, path: str, body: Any = None, *, member: str | None = None, **options: Any) -> Any:
        """Call an API by path and return its JSON.

        Args:
            verb: HTTP verb.
            path: service, version and name, as ``storage/v1/b?project=p``.
            body: JSON.
            member: who calls; the administrator by default.
            options: more for ``httpx.Client.request``, as ``params`` or ``content``.

        Raises:
            Refused: the answer is no success.
        """
        reply = self.attempt(verb, path, body, member=member, **options)
        if reply.is_error:
            try:
                error = reply.json().get("error", {})
            except ValueError:
                error = reply.text
            raise Refused(verb, path, reply.status_code, error)
        return reply.json() if reply.content else {}

    def attempt(
        self, verb: str, path: str, body: Any = None, *, member: str | None = None, **options: Any
    ) -> httpx.Response:
        """As ``call``, with whatever answer comes."""
        token = self.token(member) if member else "sandbox"
        return self.process.request(verb, path, token=token, body=body, **options)

    def project(self, project_id: str, *apis: str, parent: str = organization) -> str:
        """Make a project with billing and enabled APIs (``cloudkms``, ``storage`` ...); returns its number."""
        kind, _, number = parent.partition("/")
        body = {"projectId": project_id, "parent": {"type": kind.removesuffix("s"), "id": number}}
        self.call("POST", "cloudresourcemanager/v1/projects", body)
        billing = {"billingAccountName": self.billing_account}
        self.call("PUT", f"cloudbilling/v1/projects/{project_id}/billingInfo", billing)
        for api in apis:
            self.call("POST", f"serviceusage/v1/projects/{project_id}/services/{api}.googleapis.com:enable", {})
        return str(self.call("GET", f"cloudresourcemanager/v1/projects/{project_id}")["projectNumber"])

    def group(self, address: str, *members: str) -> None:
        """Define a group."""
        self.process.control("POST", "groups", {"group": address, "members": list(members)})

    def fault(self, method: str, kind: str = "error", **fields: Any) -> str:
        """Plan a failure, see ``sandbox.faults.Fault``; returns its id."""
        return str(self.process.control("POST", "faults", {"method": method, "kind": kind, **fields})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """What is planned and has not happened in full."""
        return list(self.process.control("GET", "faults"))

    def lag(self, *, identities: int = 0, grants: int = 0, services: float = 0) -> None:
        """Let changes be seen later, see ``sandbox.consistency.Lag``."""
        lag = {"identities": identities, "grants": grants, "services": services}
        self.process.control("POST", "consistency", lag)

    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromisoformat(self.process.control("GET", "clock")["now"])

    def advance(self, by: timedelta) -> None:
        """Move time forward; what is due by then happens."""
        self.process.control("POST", "clock", {"seconds": by.total_seconds()})

    def requests(self, count: int = 100) -> list[dict[str, Any]]:
        """The last requests, oldest first: method, caller, status."""
        return list(self.process.control("GET", f"requests?count={count}"))

    def denials(self, count: int = 30) -> list[dict[str, Any]]:
        """The last refusals, newest first: which rule, what is missing, what mends it."""
        return list(self.process.control("GET", f"denials?count={count}"))

    def restart(self, *, kill: bool = False) -> None:
        """End the process, in order or as ``kill -9`` does, and start it again on its state and its port."""
        if kill:
            self.process.kill()
        else:
            self.process.stop()
        self.process.start()


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The one sandbox process of this pytest process."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    process.start()
    yield process
    process.close()


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> Sandbox:
    """An empty organisation, for this test alone."""
    if not sandbox_process.alive:  # the last test killed it
        sandbox_process.start()
    try:
        sandbox_process.control("POST", "reset")
    except ProcessError as error:
        pytest.fail(f"The sandbox cannot be emptied: {error}")
    return Sandbox(sandbox_process)
