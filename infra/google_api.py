"""Reads of Google's APIs by the program itself, for what the provider cannot say: whether something is ready.

Nothing here writes. The provider makes every change.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from infra.settings import Settings

HOSTS = {
    "access_context_manager": "https://accesscontextmanager.googleapis.com/v1/",
    "artifact_registry": "https://artifactregistry.googleapis.com/v1/",
    "cloudfunctions2": "https://cloudfunctions.googleapis.com/v2/",
    "iam_beta": "https://iam.googleapis.com/v1/",
    "kms": "https://cloudkms.googleapis.com/v1/",
    "resource_manager": "https://cloudresourcemanager.googleapis.com/v1/",
    "service_usage": "https://serviceusage.googleapis.com/v1/",
    "storage": "https://storage.googleapis.com/storage/v1/",
}
"""Where an API is when the stack's settings name no other place, by the provider's name for it."""
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TIMEOUT_SECONDS = 30
GIVEN_TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105 -- a name
"""What the provider, too, takes before the usual credentials; Pulumi ESC sets it."""


@dataclass(frozen=True)
class Answer:
    """What an API answered.

    Attributes:
        status: HTTP status.
        body: the JSON document, empty when there was none.
    """

    status: int
    body: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """The same for equal answers."""
        return f"{self.status} {json.dumps(self.body, sort_keys=True)}"

    @property
    def reason(self) -> str:
        """The error in one line, or that there was none."""
        error = self.body.get("error")
        said = error.get("message", "") if isinstance(error, Mapping) else ""
        return f"HTTP {self.status}{f': {said}' if said else ''}"


@dataclass(frozen=True)
class GoogleApi:
    """One reader, with the credentials and addresses of the stack.

    Attributes:
        endpoints: addresses by the provider's name of an API.
        token: gives a bearer token for each call.
        quota_project: project that is charged.
        transport: how requests travel; tests put their own here.
    """

    endpoints: Mapping[str, str]
    token: Callable[[], str]
    quota_project: str | None = None
    transport: httpx.BaseTransport | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "GoogleApi":
        """With what the stack's settings say; credentials are looked for at the first call."""
        return cls(settings.endpoints, _tokens(settings), settings.quota_project)

    def get(self, api: str, path: str) -> Answer:
        """One read; a connection that fails counts as an answer with status 0.

        Args:
            api: the provider's name of the API, a key of `HOSTS`.
            path: below the API's version, such as projects/p/services/s.
        """
        headers = {"Authorization": f"Bearer {self.token()}"}
        if self.quota_project:
            headers["X-Goog-User-Project"] = self.quota_project
        url = self.endpoints.get(api, HOSTS[api]) + path
        local = url.startswith("http://")
        try:
            with httpx.Client(timeout=TIMEOUT_SECONDS, transport=self.transport, trust_env=not local) as client:
                reply = client.get(url, headers=headers)
                return Answer(reply.status_code, reply.json() if reply.content else {})
        except (httpx.TransportError, ValueError) as error:
            return Answer(0, {"error": {"message": f"{type(error).__name__}: {error}"}})


def _tokens(settings: Settings) -> Callable[[], str]:
    if settings.access_token is not None:
        return settings.access_token.get_secret_value
    kept: list[Any] = []

    def token() -> str:
        import google.auth  # noqa: PLC0415 -- only where nothing was given; a third of a second
        from google.auth import impersonated_credentials  # noqa: PLC0415
        from google.auth.transport.requests import Request  # noqa: PLC0415
        from google.oauth2.credentials import Credentials  # noqa: PLC0415 -- only who was given a token

        if not kept:
            given = os.environ.get(GIVEN_TOKEN)
            credentials = Credentials(given) if given else google.auth.default(scopes=[SCOPE])[0]
            if settings.impersonate:
                credentials = impersonated_credentials.Credentials(credentials, settings.impersonate, [SCOPE])
            kept.append(credentials)
        if not kept[0].valid:  # one that was given has no end that we know of
            kept[0].refresh(Request())
        return str(kept[0].token)

    return token
