"""How a request is put to the model: the turns, the settings, the headers.

What the models have no field for goes into the words: what to avoid, and what a mask means.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.digest import Source, Sources
from generation.models import Model
from generation.request import INT32_MAX, Capacity, Grounding, Request

AVOID = "Do not show in the image: {}"
MASK = (
    "The next image is a mask for the image before it. Change only what is white in the mask; leave everything that is "
    "black exactly as it is."
)
NAMED = "The next images show {}. Keep what they show recognisably the same in the new image."
REQUEST_TYPE = "X-Vertex-AI-LLM-Request-Type"
SHARED_REQUEST_TYPE = "X-Vertex-AI-LLM-Shared-Request-Type"
HEADERS = {
    Capacity.AUTO: {},
    Capacity.DEDICATED: {REQUEST_TYPE: "dedicated"},
    Capacity.SHARED: {REQUEST_TYPE: "shared"},
    Capacity.FLEX: {REQUEST_TYPE: "shared", SHARED_REQUEST_TYPE: "flex"},
}
"""Source: Agent Platform documentation, Provisioned Throughput and Flex PayGo (read 2026-08)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier request with its answer.

    Attributes:
        prompt: what was asked.
        uri: gs:// address of the image that came.
        mime_type: its format.
        thought_signature: what the model wants back with its image; may be empty.
    """

    prompt: str
    uri: str
    mime_type: str
    thought_signature: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model.

    Attributes:
        model: id.
        location: where it is called.
        document: body of generateContent, as the REST API describes it.
        headers: choose the capacity.
    """

    model: str
    location: str
    document: dict[str, Any] = field(repr=False)
    headers: dict[str, str]


def model_call(
    request: Request,
    model: Model,
    sources: Sources,
    turns: Sequence[Turn],
    labels: dict[str, str],
    *,
    seed: int | None,
    location: str = "global",
) -> ModelCall:
    """The call that makes one image.

    Args:
        request: the request.
        model: the model to call.
        sources: its input images.
        turns: the conversation so far, oldest first.
        labels: of the campaign and of the request.
        seed: of this image; None sends none.
        location: where the model is called.
    """
    contents = [content for turn in turns for content in _contents_of(turn)]
    contents.append({"role": "user", "parts": _parts(request, sources)})
    document = {
        "contents": contents,
        "systemInstruction": {"parts": [{"text": request.system_instruction}]} if request.system_instruction else None,
        "generationConfig": _generation_config(request, model, seed),
        "safetySettings": [
            {"category": category.value, "threshold": threshold.value} for category, threshold in request.safety.items()
        ],
        "tools": _tools(request.grounding),
        "labels": labels,
    }
    given = {key: value for key, value in document.items() if value}
    return ModelCall(model=model.id, location=location, document=given, headers=HEADERS[request.capacity])


def _generation_config(request: Request, model: Model, seed: int | None) -> dict[str, Any]:
    output = {"mimeType": request.output_mime_type, "compressionQuality": request.output_quality}
    image = {
        "aspectRatio": request.aspect_ratio,
        "imageSize": (request.image_size or model.default_size) if model.accepts_image_size else None,
        "personGeneration": request.person_generation,
        "imageOutputOptions": _given(output) or None,
    }
    config = {
        "responseModalities": ["TEXT", "IMAGE"],
        "candidateCount": 1,
        "seed": seed,
        "imageConfig": _given(image) or None,
        "thinkingConfig": {"thinkingLevel": request.thinking_level} if request.thinking_level else None,
    }
    return _given(config)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def seed_of(request: Request, model: Model, image: str, index: int) -> int | None:
    """The seed of an image: known and recorded even when the request names none.

    Args:
        request: may name the seed of the first image.
        model: may refuse seeds; then there is none.
        image: id, from which the seed follows when the request names none.
        index: 0 to `count` - 1; images after the first get the following numbers.
    """
    if "seed" in model.refused_fields:
        return None
    first = int(image[:8], 16) if request.seed is None else request.seed
    return (first + index) % (INT32_MAX + 1)


def _contents_of(turn: Turn) -> list[dict[str, Any]]:
    image: dict[str, Any] = {"fileData": {"fileUri": turn.uri, "mimeType": turn.mime_type}}
    if turn.thought_signature:
        image["thoughtSignature"] = base64.b64encode(turn.thought_signature).decode()
    return [{"role": "user", "parts": [{"text": turn.prompt}]}, {"role": "model", "parts": [image]}]


def _parts(request: Request, sources: Sources) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if sources.named:
        parts += [{"text": NAMED.format(request.reference_set)}, *map(_part, sources.named)]
    parts += map(_part, sources.references)
    if sources.mask is not None:
        parts += [{"text": MASK}, _part(sources.mask)]
    return [*parts, {"text": prompt_text(request.prompt, request.negative_prompt)}]


def prompt_text(prompt: str, negative_prompt: str | None) -> str:
    """The words that go to the model."""
    return f"{prompt}\n\n{AVOID.format(negative_prompt)}" if negative_prompt else prompt


def _part(source: Source) -> dict[str, Any]:
    if source.uri:
        return {"fileData": {"fileUri": source.uri, "mimeType": source.mime_type}}
    return {"inlineData": {"mimeType": source.mime_type, "data": source.data}}


def _tools(grounding: Grounding | None) -> list[dict[str, Any]]:
    if grounding is Grounding.GOOGLE_SEARCH:
        return [{"googleSearch": {}}]
    if grounding is Grounding.ENTERPRISE_WEB_SEARCH:
        return [{"enterpriseWebSearch": {}}]
    return []
