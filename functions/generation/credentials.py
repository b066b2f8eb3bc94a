"""Who the function is: the default credentials of its environment, on Cloud Run those of the metadata server."""

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, TransportError
from google.auth.transport.requests import Request

from generation.errors import GenerationError, Reason, failure

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


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
    """The same credentials with a token that is valid now. Blocks while it is fetched.

    Raises:
        GenerationError: UNAUTHENTICATED or IDENTITY_UNAVAILABLE.
    """
    try:
        if not credentials.valid:
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
