"""The caller's identity token for a function: the user's own or an impersonated account's, never a key."""

from __future__ import annotations

import threading
import time
import warnings

import google.auth
import google.auth.impersonated_credentials
import google.auth.transport.requests
import google.oauth2.id_token
from google.auth.exceptions import GoogleAuthError

from plantain.errors import GenerationError

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
LOGIN = "gcloud auth application-default login"


FRESH_SECONDS = 45 * 60
"""Identity tokens live for an hour."""


class IdentityTokens:
    """Tokens for one function, fetched anew before they expire. Safe to use from several threads.

    Args:
        audience: the function's URL.
        impersonate: service account to call as.
    """

    def __init__(self, audience: str, impersonate: str | None = None) -> None:
        self._audience, self._impersonate = audience, impersonate
        self._lock = threading.Lock()
        self._token, self._since = "", 0.0

    def __call__(self) -> str:
        """A token that is valid for some more minutes.

        Raises:
            GenerationError: as ``identity_token``.
        """
        with self._lock:
            if not self._token or time.monotonic() - self._since > FRESH_SECONDS:
                self._token, self._since = identity_token(self._audience, self._impersonate), time.monotonic()
            return self._token


def identity_token(audience: str, impersonate: str | None = None) -> str:
    """A token that Cloud Run accepts for ``audience``, the function's URL.

    Source: https://docs.cloud.google.com/run/docs/authenticating/developers (read 2026-08).

    Raises:
        GenerationError: there are no credentials, or they give no identity token.
    """
    request = google.auth.transport.requests.Request()
    try:
        with warnings.catch_warnings():  # a missing quota project matters to API calls, not to an identity token
            warnings.simplefilter("ignore", UserWarning)
            credentials, _ = google.auth.default(scopes=[CLOUD_PLATFORM])
        if impersonate:
            target = google.auth.impersonated_credentials.Credentials(credentials, impersonate, [CLOUD_PLATFORM])
            issued = google.auth.impersonated_credentials.IDTokenCredentials(
                target, target_audience=audience, include_email=True
            )
            issued.refresh(request)
            return str(issued.token)
        credentials.refresh(request)
        own = getattr(credentials, "id_token", None)
        return str(own) if own else str(google.oauth2.id_token.fetch_id_token(request, audience))
    except GoogleAuthError as error:
        raise GenerationError(
            f"No identity token for {audience}: {error}. The function only answers callers it knows.",
            cure=f"{LOGIN}, or --impersonate SERVICE_ACCOUNT with roles/iam.serviceAccountOpenIdTokenCreator on it",
        ) from None
