"""One recording: its exchanges, replayed in order against a sandbox in this process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message

from tests.conformance import obstacles
from tests.conformance.bindings import Bindings
from tests.conformance.comparison import Comparison, is_operation
from tests.conformance.names import Names
from tests.conformance.versions import Versions

RECORDINGS = Path(__file__).with_name("recordings")
ORGANIZATION, BILLING_ACCOUNT = "123456789012", "010101-010101-010101"
RESOURCE_MANAGER = "https://cloudresourcemanager.googleapis.com"
ERROR = 400


@dataclass(frozen=True, slots=True)
class Row:
    """The outcome of one exchange.

    Attributes:
        service: first label of the host.
        why: the first differences; empty for an exact one.
        obstacle: why no server could answer as recorded; empty for most.
    """

    scenario: str
    index: int
    service: str
    verb: str
    url: str
    agrees: bool
    exact: bool
    why: str
    obstacle: str


async def request(app: ASGIApp, verb: str, url: str, body: Any) -> tuple[int, Any]:
    """Send one request with the path just as the recording has it; status and decoded answer."""
    split = urlsplit(url)
    raw = body["__raw__"] if isinstance(body, dict) and "__raw__" in body else json.dumps(body)
    content = b"" if body is None else raw.encode()
    headers = {"host": split.netloc, "authorization": "Bearer sandbox", "content-type": "application/json"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": verb,
        "scheme": "https",
        "path": split.path,
        "raw_path": split.path.encode(),
        "query_string": split.query.encode(),
        "root_path": "",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 443),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(answer) if answer.strip() else None


class Scenario:
    """A recording and what its placeholders stand for.

    Args:
        app: the sandbox's application.
        path: the recording.
        strict: see ``Bindings``.
    """

    def __init__(self, app: ASGIApp, path: Path, *, strict: bool) -> None:
        self.app, self.name = app, path.stem
        self.exchanges: list[dict[str, Any]] = json.loads(path.read_text())["exchanges"]
        self._strict = strict
        self._versions = Versions()
        self._names = Names()

    async def replay(self) -> list[Row]:
        """Every exchange in order."""
        bindings = Bindings(await self._prepare(), strict=self._strict)
        return [await self._exchange(index, exchange, bindings) for index, exchange in enumerate(self.exchanges)]

    async def _prepare(self) -> dict[str, str]:
        """The project, and where it is named the folder, that a recording takes for granted."""
        tag = hashlib.sha256(self.name.encode()).hexdigest()[:8]
        project = f"replay-{tag}"
        parent = {"type": "organization", "id": ORGANIZATION}
        await self._call("POST", f"{RESOURCE_MANAGER}/v1/projects", {"projectId": project, "parent": parent})
        found = await self._call("GET", f"{RESOURCE_MANAGER}/v1/projects/{project}", None)
        billing = f"https://cloudbilling.googleapis.com/v1/projects/{project}/billingInfo"
        await self._call("PUT", billing, {"billingAccountName": f"billingAccounts/{BILLING_ACCOUNT}"})
        hosts = sorted({urlsplit(exchange["url"]).netloc for exchange in self.exchanges})
        services = f"https://serviceusage.googleapis.com/v1/projects/{project}/services:batchEnable"
        await self._call("POST", services, {"serviceIds": hosts})
        values = {
            "uniqueId": tag,
            "projectId": project,
            "projectNumber": found["projectNumber"],
            "organizationID": ORGANIZATION,
            "billingAccountID": BILLING_ACCOUNT,
            "billingAccountId": BILLING_ACCOUNT,
            "Namespace": "replay",
        }
        if "${folderID}" in json.dumps(self.exchanges):
            body = {"displayName": project, "parent": f"organizations/{ORGANIZATION}"}
            made = await self._call("POST", f"{RESOURCE_MANAGER}/v3/folders", body)
            values["folderID"] = made["response"]["name"].rpartition("/")[2]
        return values

    async def _call(self, verb: str, url: str, body: Any) -> Any:
        status, answer = await request(self.app, verb, url, body)
        if status >= ERROR:
            raise AssertionError(f"{self.name} cannot be prepared: {verb} {url} is answered {status}: {answer}")
        return answer

    async def _exchange(self, index: int, exchange: dict[str, Any], bindings: Bindings) -> Row:
        verb, url, recorded = exchange["method"], exchange["url"], exchange["response"]
        address, body = bindings.fill(url), bindings.fill(exchange["request"])
        if not self._strict:
            address = self._names.fill(address, body, bindings)
        obstacle = obstacles.find((address, body), recorded, self.name, index)
        if not self._strict:
            body = self._versions.fill(address, body)
        status, got = await request(self.app, verb, address, body)
        self._versions.note(address, got)
        if status < ERROR:
            self._names.note(verb, address, body, got)

        def row(why: str, *, agrees: bool, exact: bool) -> Row:
            service = urlsplit(url).netloc.split(".")[0]
            return Row(self.name, index, service, verb, url, agrees, exact, why, "" if agrees else obstacle)

        if status != exchange["status"]:
            message = (got or {}).get("error", {}).get("message", "") if isinstance(got, dict) else ""
            return row(f"status {status} for {exchange['status']}: {message[:160]}", agrees=False, exact=False)
        if status >= ERROR:
            want, have = ((document or {}).get("error", {}) for document in (recorded, got))
            same = all(want.get(key) == have.get(key) for key in ("code", "status"))
            exact = same and bindings.match(want.get("message", ""), have.get("message", ""))
            return row("" if exact else "message differs" if same else "error differs", agrees=same, exact=exact)
        operation = is_operation(recorded)
        bindings.begin(changes=verb != "GET" or operation)
        comparison = Comparison(bindings, operation=operation)
        found = list(comparison.differences(recorded or {}, got or {}))
        bindings.end()
        wrong = [item for item in found if item[0] != "extra"]
        why = "; ".join(f"{kind} {path}" for kind, path in (wrong or found)[:6])
        return row(why, agrees=not wrong, exact=not found)
