"""The model, through google-genai. One call here is one HTTP request: retries are decided in `retry`."""

import asyncio
import warnings
from json import JSONDecodeError
from typing import Protocol

import httpx
from google import genai
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.genai import errors, types
from pydantic import ValidationError

from generation.conversation import ModelCall
from generation.credentials import identity_failure
from generation.errors import GenerationError, Reason, failure
from generation.refusals import MODEL, Refusal, translate
from generation.settings import Settings

API_VERSION = "v1"
"""google-genai defaults to v1beta1; Google's samples for these models use v1 (2026-08)."""


class ImageModel(Protocol):
    """Whatever makes images."""

    async def generate(self, call: ModelCall, *, within: float) -> types.GenerateContentResponse:
        """One answer, or one failure, within so many seconds."""
        ...

    async def check(self, model: str) -> None:
        """Fail when the model could not be called now."""
        ...

    async def close(self) -> None:
        """Give up connections."""
        ...


def vertex_client(settings: Settings, credentials: Credentials) -> genai.Client:
    """The only place where a model client is made."""
    # The client warns of enum values that are newer than itself; here they have meanings of their own.
    warnings.filterwarnings("ignore", message=".* is not a valid ", category=UserWarning, module="google.genai")
    return genai.Client(
        vertexai=True,
        project=settings.project,
        location=settings.location,
        credentials=credentials,
        http_options=types.HttpOptions(api_version=API_VERSION),
    )


class VertexModel:
    """Publisher models on Vertex AI."""

    def __init__(self, settings: Settings, client: genai.Client) -> None:
        self._settings = settings
        self._client = client

    async def generate(self, call: ModelCall, *, within: float) -> types.GenerateContentResponse:
        """One HTTP request.

        Raises:
            GenerationError: whatever the model, the network or the credentials failed with.
        """
        options = types.HttpOptions(timeout=max(1, int(within * 1000)), headers=call.headers)
        config = call.config.model_copy(update={"http_options": options})
        try:
            async with asyncio.timeout(within):
                return await self._client.aio.models.generate_content(
                    model=call.model, contents=call.contents, config=config
                )
        except Exception as error:
            raise self._failure(error, call.model) from error

    async def check(self, model: str) -> None:
        """Count the tokens of one word, which costs nothing and takes the same permission.

        Raises:
            GenerationError: as for `generate`.
        """
        try:
            await self._client.aio.models.count_tokens(model=model, contents="ready")
        except Exception as error:
            raise self._failure(error, model) from error

    async def close(self) -> None:
        """Close both HTTP clients that google-genai opens."""
        await self._client.aio.aclose()
        self._client.close()

    def _failure(self, error: Exception, model: str) -> GenerationError | Exception:
        if isinstance(error, errors.APIError):
            body = error.details if isinstance(error.details, dict) else {}
            headers = {key.lower(): value for key, value in getattr(error.response, "headers", {}).items()}
            return translate(Refusal(MODEL, error.code, body, headers), self._settings, model=model)
        if isinstance(error, GoogleAuthError):
            return identity_failure(error)
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            return failure(
                Reason.DEADLINE_EXCEEDED,
                f"{model} did not answer in time, so there is no image",
                hint="Raise timeoutSeconds, or ask for a smaller image or fewer references",
                retry_after=1.0,
            )
        if isinstance(error, httpx.TransportError):
            return failure(
                Reason.MODEL_UNAVAILABLE,
                f"{MODEL} cannot be reached: {type(error).__name__}",
                hint=f"Check that the network resolves {MODEL} to restricted.googleapis.com (199.36.153.4/30)",
                retry_after=1.0,
            )
        if isinstance(error, errors.UnknownApiResponseError | JSONDecodeError | ValidationError):
            return failure(
                Reason.MODEL_FAILED, f"The answer of {model} cannot be read: {type(error).__name__}", retry_after=1.0
            )
        return error
