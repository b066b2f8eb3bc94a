"""What a model's answer means: images, or the reason why there are none.

A filter before the model leaves no candidate but `promptFeedback.blockReason`; one behind it sets `finishReason`. The
model itself declines, or asks back, with finishReason STOP and text only (Agent Platform documentation, limitations of
Gemini image generation, 2026-08-22). Thinking models return drafts as parts with `thought` set: those are no results.
"""

import re
from dataclasses import dataclass

from google.genai import types

from generation.errors import GenerationError, Reason, failure
from generation.models import Model
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

    data: bytes
    mime_type: str
    thought_signature: bytes = b""


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


def read_outcome(response: types.GenerateContentResponse, model: Model, size: str) -> Outcome:
    """The images of an answer.

    Raises:
        GenerationError: there are none; its `usage` holds the tokens that were used all the same.
    """
    candidate = response.candidates[0] if response.candidates else None
    parts = [part for part in _parts(candidate) if not part.thought]
    drawn = tuple(
        Drawn(part.inline_data.data, part.inline_data.mime_type or "", part.thought_signature or b"")
        for part in parts
        if part.inline_data and part.inline_data.data
    )
    usage = usage_of(response, len(drawn), model, size)
    text = "\n".join(part.text.strip() for part in parts if part.text and part.text.strip())
    if not drawn:
        error = _why(response, candidate, text)
        error.usage = usage
        raise error
    return Outcome(
        drawn=drawn,
        text=text,
        finish_reason=_finish_reason(candidate),
        usage=usage,
        response_id=response.response_id or "",
        model_version=response.model_version or model.id,
        ratings=_ratings(candidate),
        sources=_sources(candidate),
    )


def _why(response: types.GenerateContentResponse, candidate: types.Candidate | None, text: str) -> GenerationError:
    feedback = response.prompt_feedback
    if candidate is None and feedback and feedback.block_reason:
        said = f": {feedback.block_reason_message}" if feedback.block_reason_message else ""
        return failure(
            Reason.PROMPT_BLOCKED,
            f"The prompt was blocked before an image was made ({feedback.block_reason.value}){said}",
            hint=REWORD,
        )
    finish = _finish_reason(candidate)
    message = candidate.finish_message if candidate and candidate.finish_message else ""
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


def _parts(candidate: types.Candidate | None) -> list[types.Part]:
    return (candidate.content.parts or []) if candidate and candidate.content else []


def _finish_reason(candidate: types.Candidate | None) -> str:
    return candidate.finish_reason.value if candidate and candidate.finish_reason else ""


def _topics(message: str) -> list[str]:
    codes = set(re.findall(r"\d{8}", message))
    return [topic for topic, known in SUPPORT_CODES.items() if codes & set(known)]


def _ratings(candidate: types.Candidate | None) -> dict[str, str]:
    return {
        rating.category.value: rating.probability.value if rating.probability else ""
        for rating in (candidate.safety_ratings or [] if candidate else [])
        if rating.category
    }


def _sources(candidate: types.Candidate | None) -> tuple[str, ...]:
    grounding = candidate.grounding_metadata if candidate else None
    chunks = grounding.grounding_chunks or [] if grounding else []
    return tuple(chunk.web.uri for chunk in chunks if chunk.web and chunk.web.uri)
