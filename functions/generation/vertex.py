"""The models on Vertex AI. One call here is one HTTP request: retries are decided in `retry`."""

import asyncio
import json
from typing import Protocol

from generation.admission import Room
from generation.connection import NoAnswer
from generation.conversation import ModelCall
from generation.decoding import Document
from generation.errors import GenerationError, Reason, failure
from generation.refusals import MODEL, Refusal, translate
from generation.settings import Settings
from generation.transport import Answer, Transport, unreachable

API_VERSION = "v1"
"""Google's samples for these models use v1 (2026-08)."""
MULTI_REGIONS = {"us", "eu"}
SERVER_TIMEOUT = "X-Server-Timeout"
"""Seconds after which Google's front end gives up; default 600 (Agent Platform documentation, Flex PayGo, 2026-08)."""


class ImageModel(Protocol):
    """Whatever makes images."""

    async def generate(self, call: ModelCall, *, within: float, room: Room) -> Document:
        """One answer, or one failure, within so many seconds; `inlineData.data` holds bytes."""
        ...

    async def check(self, model: str, location: str) -> None:
        """Fail when the model could not be called now."""
        ...


def model_host(location: str) -> str:
    """Host that serves a location (Agent Platform documentation, locations, 2026-08)."""
    if location == "global":
        return MODEL
    return f"aiplatform.{location}.rep.googleapis.com" if location in MULTI_REGIONS else f"{location}-{MODEL}"


class VertexModel:
    """Publisher models on Vertex AI."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport

    async def generate(self, call: ModelCall, *, within: float, room: Room) -> Document:
        """One HTTP request.

        Args:
            call: what is asked.
            within: seconds.
            room: waits until the bytes of the answer may be held.

        Raises:
            GenerationError: whatever the model, the network or the credentials failed with.
        """
        path = self._path(call.model, call.location, "generateContent")
        headers = {**call.headers, SERVER_TIMEOUT: str(max(1, round(within)))}
        body = json.dumps(call.document, ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(within):
                answer = await self._transport.document(
                    model_host(call.location), path, body=body, headers=headers, admit=room.take
                )
        except TimeoutError:
            late = failure(
                Reason.DEADLINE_EXCEEDED,
                f"{call.model} did not answer in time, so there is no image",
                hint="Raise timeoutSeconds, or ask for a smaller image or fewer references",
                retry_after=1.0,
            )
            late.unanswered = True
            raise late from None
        except NoAnswer as error:
            raise unreachable(Reason.MODEL_UNAVAILABLE, MODEL, error) from error
        except ValueError as error:
            raise _unreadable(call.model, error) from None
        if isinstance(answer, Answer):
            raise self._refusal(answer, call.model, call.location)
        return answer

    async def check(self, model: str, location: str) -> None:
        """Count the tokens of one word, which costs nothing and takes the same permission.

        Raises:
            GenerationError: as for `generate`.
        """
        contents = [{"role": "user", "parts": [{"text": "ready"}]}]
        path = self._path(model, location, "countTokens")
        try:
            answer = await self._transport.call(
                model_host(location), "POST", path, body=json.dumps({"contents": contents}).encode()
            )
        except NoAnswer as error:
            raise unreachable(Reason.MODEL_UNAVAILABLE, MODEL, error) from error
        if not answer.ok:
            raise self._refusal(answer, model, location)

    def _path(self, model: str, location: str, method: str) -> str:
        place = f"projects/{self._settings.project}/locations/{location}"
        return f"/{API_VERSION}/{place}/publishers/google/models/{model}:{method}"

    def _refusal(self, answer: Answer, model: str, location: str) -> GenerationError:
        refusal = Refusal(MODEL, answer.status, answer.json(), answer.headers)
        return translate(refusal, self._settings, model=model, location=location)


def _unreadable(model: str, error: ValueError) -> GenerationError:
    # The text of the error may repeat the answer's, so only its kind is told.
    return failure(
        Reason.MODEL_FAILED, f"The answer of {model} cannot be read: {type(error).__name__}", retry_after=1.0
    )
