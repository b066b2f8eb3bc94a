"""Requests that a service sends to an address of its customer's: a task, a pushed message, an event.

They carry an identity token when one is asked for, count as internal for the ingress of the project's own services,
and reach nothing outside the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.call import Principal
from sandbox.hierarchy import ACCOUNTS
from sandbox.services.serviceusage.agent_roles import provide

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

TOKEN_SECONDS = 3600
ACCOUNTS_DOMAIN = "iam.gserviceaccount.com"
#: By status of the answer: https://docs.cloud.google.com/tasks/docs/reference/rest/Shared.Types/Code (read 2026-08).
CODES = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    409: 10,
    429: 8,
    499: 1,
    500: 13,
    501: 12,
    503: 14,
    504: 4,
}
UNKNOWN = 2


@dataclass(frozen=True)
class Outgoing:
    """One request.

    Attributes:
        service: the service that sends it, as ``cloudtasks``.
        project: id of the project on whose behalf it is sent.
        account: e-mail of the service account whose token it carries; empty for none.
        access: whether that is an access token, for Google's own APIs, instead of an identity token.
        audience: whom the identity token is for; the address without its query when it is empty.
        seconds: how long the service waits for the answer.
    """

    service: str
    project: str
    url: str
    verb: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    account: str = ""
    access: bool = False
    audience: str = ""
    seconds: float = 600


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    Attributes:
        status: HTTP status of the answer.
        message: why there is none from the address itself; empty otherwise.
    """

    status: int
    message: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the address took it."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def rpc_status(self) -> dict[str, Any]:
        """As a ``google.rpc.Status``; empty for success."""
        if self.accepted:
            return {}
        code = CODES.get(self.status, UNKNOWN)
        return {"code": code, "message": self.message or f"HTTP status code {self.status}"}


async def send(cloud: Cloud, outgoing: Outgoing) -> Outcome:
    """Send it and wait for the answer; every failure is an outcome."""
    host = urlsplit(outgoing.url).netloc.lower()
    if not (cloud.instances.serves(host) or cloud.description.service_of_host(host)):
        return Outcome(503, f"The sandbox reaches no host outside itself: {host} was not called.")
    token = ""
    if outgoing.account:
        name = account_name(outgoing.account, outgoing.project)
        sender = Principal(f"serviceAccount:{provide(cloud, outgoing.service, outgoing.project)}")
        needed = f"iam.serviceAccounts.{'getAccessToken' if outgoing.access else 'getOpenIdToken'}"
        if cloud.permissions.grant(sender, needed, "iam", name) is None:
            return Outcome(403, f"{sender.email} lacks {needed} on {outgoing.account}.")
        document = cloud.store.get(ACCOUNTS, name)
        if document is None or document.get("disabled"):
            return Outcome(401, f"{outgoing.account} does not exist or is disabled.")
        token = credential(cloud, outgoing)
    try:
        reply = await cloud.agents.request(
            outgoing.verb,
            outgoing.url,
            project=outgoing.project,
            token=token,
            seconds=outgoing.seconds,
            headers=outgoing.headers,
            content=outgoing.content,
        )
    except TimeoutError:
        return Outcome(504, f"No answer within {outgoing.seconds:.0f} s.")
    return Outcome(reply.status_code)


def credential(cloud: Cloud, outgoing: Outgoing) -> str:
    """The token that a request carries."""
    if outgoing.access:
        return cloud.agents.token(outgoing.account)
    audience = outgoing.audience or outgoing.url.partition("?")[0]
    return cloud.tokens.identity_token(Principal(f"serviceAccount:{outgoing.account}"), audience, TOKEN_SECONDS)


def account_name(email: str, fallback: str) -> str:
    """Resource name of a service account; ``fallback`` is the project of one whose address does not tell it."""
    project, _, domain = email.partition("@")[2].partition(".")
    return f"projects/{project if domain == ACCOUNTS_DOMAIN else fallback}/serviceAccounts/{email}"
