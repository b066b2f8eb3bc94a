"""Who the function is: the default credentials of its environment, on Cloud Run those of the metadata server."""

import asyncio
import datetime as dt

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request

from generation.errors import GenerationError, Reason, failure

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
RENEW_BEFORE = dt.timedelta(minutes=4)
"""Metadata servers hand out the same token until four minutes before its end."""
CHECK_SECONDS = 15.0
"""How long a token that was valid is believed to be, between looks at the clock of its credentials."""


class Identity:
    """A token that is fetched once and renewed in the background before it ends."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._renewal: asyncio.Task[None] | None = None
        self._header = ""
        self._checked = 0.0

    async def authorization(self) -> str:
        """The value of the Authorization header.

        Raises:
            GenerationError: UNAUTHENTICATED or IDENTITY_UNAVAILABLE, there is no valid token and none to be had.
        """
        now = asyncio.get_running_loop().time()
        if self._header and now - self._checked < CHECK_SECONDS:
            return self._header
        if not self._credentials.valid:
            await asyncio.shield(self._renewed())
        elif self._ends_soon():
            renewal = self._renewed()
            renewal.add_done_callback(_look_at)
        self._header, self._checked = f"Bearer {self._credentials.token}", now
        return self._header

    async def check(self) -> None:
        """Fail when there is no valid token."""
        await self.authorization()

    def _ends_soon(self) -> bool:
        expiry = self._credentials.expiry
        return expiry is not None and expiry - dt.datetime.now(dt.UTC).replace(tzinfo=None) < RENEW_BEFORE

    def _renewed(self) -> asyncio.Task[None]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.ensure_future(self._renew())
        return self._renewal

    async def _renew(self) -> None:
        await asyncio.to_thread(fresh, self._credentials)


def _look_at(renewal: asyncio.Task[None]) -> None:
    # The old token is still valid, so a renewal that failed is no failure yet; the next call tries again.
    if not renewal.cancelled():
        renewal.exception()


def default_credentials() -> Credentials:
    """The only place where credentials are made.

    Raises:
        AccessDenied: UNAUTHENTICATED, there are none.
    """
    try:
        found, _ = google.auth.default(scopes=[SCOPE])
    except DefaultCredentialsError as error:
        raise identity_failure(error) from error
    return found


def fresh(credentials: Credentials) -> Credentials:
    """The same credentials with a new token. Blocks while it is fetched.

    Raises:
        GenerationError: UNAUTHENTICATED or IDENTITY_UNAVAILABLE.
    """
    try:
        credentials.refresh(Request())
    except GoogleAuthError as error:
        raise identity_failure(error) from error
    return credentials


def identity_failure(error: GoogleAuthError) -> GenerationError:
    """The failure of ours that stands for one of google-auth's."""
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return failure(
            Reason.IDENTITY_UNAVAILABLE,
            f"No access token could be fetched: {error}",
            hint="Try again; the metadata server of the instance did not answer",
            retry_after=1.0,
        )
    return failure(
        Reason.UNAUTHENTICATED,
        f"There are no valid credentials: {error}",
        hint="Deploy it with a service account (pulumi up); on a laptop: gcloud auth application-default login",
    )
