"""Signatures in the function's own name without a key: IAM's signBlob does them.

google-cloud-storage can call signBlob by itself, but reports a refusal as a bare string; here it becomes a failure that
names the role which is missing.
"""

import base64
from typing import Any

import requests
from google.auth.credentials import Credentials, Signing
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from generation.credentials import identity_failure
from generation.errors import Reason, failure
from generation.refusals import SIGNING, Refusal, translate
from generation.settings import Settings
from generation.transport import prepared

SECONDS = 10.0
OK = 200


class Signer(Signing):
    """What google-cloud-storage takes for a credential that can sign."""

    def __init__(self, settings: Settings, session: AuthorizedSession) -> None:
        self._settings = settings
        self._session = session

    @property
    def signer(self) -> None:
        """There is no local key."""

    @property
    def signer_email(self) -> str:
        """The identity in whose name it is signed."""
        return self._settings.service_account

    def sign_bytes(self, message: bytes) -> bytes:
        """An RSA-SHA256 signature. Blocks.

        Raises:
            GenerationError: SIGNING_DENIED with the missing grant, IDENTITY_UNAVAILABLE, or another refusal of IAM.
        """
        email = self._settings.service_account
        url = f"https://{SIGNING}/v1/projects/-/serviceAccounts/{email}:signBlob"
        try:
            response = self._session.post(url, json={"payload": base64.b64encode(message).decode()}, timeout=SECONDS)
        except GoogleAuthError as error:
            raise identity_failure(error) from error
        except requests.exceptions.RequestException as error:
            raise failure(
                Reason.IDENTITY_UNAVAILABLE,
                f"{SIGNING} cannot be reached, so no signed URL could be made: {type(error).__name__}",
                hint=f"Check that the network resolves {SIGNING} to restricted.googleapis.com (199.36.153.4/30)",
                retry_after=1.0,
            ) from error
        if response.status_code != OK:
            raise translate(self._refusal(response, email), self._settings)
        return base64.b64decode(response.json()["signedBlob"])

    def close(self) -> None:
        """Close the HTTP session."""
        self._session.close()

    @staticmethod
    def _refusal(response: requests.Response, email: str) -> Refusal:
        try:
            body: Any = response.json()
        except ValueError:
            body = {}
        headers = {key.lower(): value for key, value in response.headers.items()}
        return Refusal(SIGNING, response.status_code, body if isinstance(body, dict) else {}, headers, email)


def signing_session(credentials: Credentials) -> AuthorizedSession:
    """The only place where a session for signing is made."""
    session = AuthorizedSession(credentials)
    prepared(session)
    return session
