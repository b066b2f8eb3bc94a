"""What a model's answer means: images, or the reason why there are none.

A filter before the model leaves no candidate but `promptFeedback.blockReason`; one behind it sets `finishReason`. The
model itself declines, or asks back, with finishReason STOP and text only (Agent Platform documentation, limitations of
Gemini image generation, 2026-08-22). Thinking models return drafts as parts with `thought` set: those are no results.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generation.errors import GenerationError, Reason, failure
from generation.models import Model
from generation.picture import read_picture
from generation.usage import Usage, usage_of

REFUSALS = {
    "SAFETY": Reason.SAFETY,
    "IMAGE_SAFETY": Reason.IMAGE_SAFETY,
    "PROHIBITED_CONTENT": Reason.PROHIBITED_CONTENT,
    "IMAGE_PROHIBITED_CONTENT": Reason.IMAGE_PROHIBITED_CONTENT,
    "RECITATION": Reason.RECITATION,
    "IMAGE_RECITATION": Reason.IMAGE_RECITATION,
    "BLOCKLIST": Reason.BLOCKLIST,
    "SPII": Reason.SPII,
    "MODEL_ARMOR": Reason.MODEL_ARMOR,
    "LANGUAGE": Reason.LANGUAGE,
    "MAX_TOKENS": Reason.MAX_TOKENS,
    "STOP": Reason.NO_IMAGE,
    "NO_IMAGE": Reason.NO_IMAGE,
}
HINTS = {
    Reason.NO_IMAGE: "Ask for an image in plain words and say what it shows; the model's own words are in the message",
    Reason.MAX_TOKENS: "Shorten the prompt, or give fewer references",
    Reason.LANGUAGE: "Write the prompt in a supported language, such as English",
}
REWORD = "Reword the prompt or change the references; thresholds are set with safety, people with personGeneration"
SUPPORT_CODES = {
    "child": ("58061214", "17301594"),
    "celebrity": ("29310472", "15236754"),
    "violence": ("61493863", "56562880"),
    "sexual": ("90789179", "63429089", "43188360"),
    "prohibited content": ("89371032", "49114662", "72817394"),
}
"""Source: Agent Platform documentation, responsible AI for Gemini image generation (read 2026-08)."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One image as the model returned it.

    Attributes:
        data: the bytes, never changed: re-encoding would break their content credentials.
        mime_type: as the model says.
        thought_signature: to be sent back when the conversation goes on; may be empty.
    """

    data: bytes = field(repr=False)
    mime_type: str
    thought_signature: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A model's answer.

    Attributes:
        drawn: the images, at least one.
        text: what the model said beside them.
        finish_reason: STOP, or why it ended early.
        usage: its tokens.
        response_id: Google's id of the answer.
        model_version: model that answered.
        ratings: safety ratings by category.
        sources: web pages the answer is grounded on.
    """

    drawn: tuple[Drawn, ...]
    text: str
    finish_reason: str
    usage: Usage
    response_id: str
    model_version: str
    ratings: dict[str, str]
    sources: tuple[str, ...]


def read_outcome(response: Mapping[str, Any], model: Model, size: str) -> Outcome:
    """The images of an answer.

    Args:
        response: the answer's JSON, `inlineData.data` decoded.
        model: that answered.
        size: of the images.

    Raises:
        GenerationError: there are none, its `usage` holds the tokens that were used all the same; or the answer has not
            the shape the API documents (MODEL_FAILED).
    """
    try:
        return _read(response, model, size)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise failure(
            Reason.MODEL_FAILED,
            f"The answer of {model.id} has an unknown shape: {type(error).__name__}",
            hint="Try again; if it lasts, compare the answer with the API's reference",
            retry_after=1.0,
        ) from None


def _read(response: Mapping[str, Any], model: Model, size: str) -> Outcome:
    candidates = response.get("candidates")
    candidate: Mapping[str, Any] = candidates[0] if candidates else {}
    parts = [part for part in (candidate.get("content") or {}).get("parts") or [] if not part.get("thought")]
    drawn = tuple(_drawn(part) for part in parts if (part.get("inlineData") or {}).get("data"))
    usage = usage_of(response, len(drawn), model, size)
    text = "\n".join(part["text"].strip() for part in parts if (part.get("text") or "").strip())
    if not drawn:
        error = _why(response, candidate, text)
        error.usage = usage
        raise error
    return Outcome(
        drawn=drawn,
        text=text,
        finish_reason=candidate.get("finishReason") or "",
        usage=usage,
        response_id=response.get("responseId") or "",
        model_version=response.get("modelVersion") or model.id,
        ratings=_ratings(candidate),
        sources=_sources(candidate),
    )


def _drawn(part: Mapping[str, Any]) -> Drawn:
    inline = part["inlineData"]
    if not isinstance(inline["data"], bytes):
        raise TypeError("inlineData.data was not decoded")
    if read_picture(inline["data"]) is None:
        raise ValueError("inlineData.data is no image")
    return Drawn(inline["data"], inline.get("mimeType") or "", _signature(part.get("thoughtSignature") or ""))


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return base64.urlsafe_b64decode(text)


def _why(response: Mapping[str, Any], candidate: Mapping[str, Any], text: str) -> GenerationError:
    feedback = response.get("promptFeedback") or {}
    if not candidate and feedback.get("blockReason"):
        said = f": {feedback['blockReasonMessage']}" if feedback.get("blockReasonMessage") else ""
        return failure(
            Reason.PROMPT_BLOCKED,
            f"The prompt was blocked before an image was made ({feedback['blockReason']}){said}",
            hint=REWORD,
        )
    finish = candidate.get("finishReason") or ""
    message = candidate.get("finishMessage") or ""
    reason = REFUSALS.get(finish)
    if reason is None:
        return failure(
            Reason.MODEL_FAILED,
            f"The model returned no image ({finish or 'no finish reason'}). {message}".strip(),
            hint="Try again, with another seed if there is one",
            retry_after=1.0,
        )
    if reason is Reason.NO_IMAGE:
        said = f' It said: "{text}"' if text else f" {message}" if message else ""
        return failure(reason, f"The model answered without an image ({finish}).{said}", hint=HINTS[reason])
    topics = _topics(message)
    about = f" The support codes stand for: {', '.join(topics)}." if topics else ""
    said = f" {message.rstrip('.')}." if message else ""
    return failure(reason, f"The model returned no image ({finish}).{said}{about}", hint=HINTS.get(reason, REWORD))


def _topics(message: str) -> list[str]:
    codes = set(re.findall(r"\d{8}", message))
    return [topic for topic, known in SUPPORT_CODES.items() if codes & set(known)]


def _ratings(candidate: Mapping[str, Any]) -> dict[str, str]:
    return {
        rating["category"]: rating.get("probability") or ""
        for rating in candidate.get("safetyRatings") or []
        if rating.get("category")
    }


def _sources(candidate: Mapping[str, Any]) -> tuple[str, ...]:
    chunks = (candidate.get("groundingMetadata") or {}).get("groundingChunks") or []
    return tuple(chunk["web"]["uri"] for chunk in chunks if (chunk.get("web") or {}).get("uri"))
