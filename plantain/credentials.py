"""As whom the command line calls Google's APIs."""

from __future__ import annotations

import threading
from typing import Any

from plantain.errors import CredentialsError

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


class ApplicationDefault:
    """Tokens of the application-default credentials, optionally of an account they impersonate.

    Args:
        impersonate: e-mail of a service account.
    """

    def __init__(self, impersonate: str | None = None) -> None:
        self._impersonate = impersonate
        self._credentials: Any = None
        self._lock = threading.Lock()

    def __call__(self, renew: bool) -> str:
        """A valid token.

        Raises:
            CredentialsError: there are no credentials, or they may not impersonate.
        """
        import google.auth  # noqa: PLC0415 -- costs a third of a second, and a sandbox needs none of it
        import google.auth.impersonated_credentials  # noqa: PLC0415
        import google.auth.transport.requests  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

        with self._lock:
            try:
                if self._credentials is None:
                    found, _ = google.auth.default(scopes=[CLOUD_PLATFORM])
                    self._credentials = (
                        google.auth.impersonated_credentials.Credentials(found, self._impersonate, [CLOUD_PLATFORM])
                        if self._impersonate
                        else found
                    )
                if renew or not self._credentials.valid:
                    self._credentials.refresh(google.auth.transport.requests.Request())
            except GoogleAuthError as error:
                raise CredentialsError(
                    f"No credentials for Google Cloud: {error}",
                    cure="gcloud auth application-default login"
                    + (
                        f", as somebody with roles/iam.serviceAccountTokenCreator on {self._impersonate}"
                        if self._impersonate
                        else ""
                    ),
                ) from None
            return str(self._credentials.token)
