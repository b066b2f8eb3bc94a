"""How a request is put to the model: the turns, the settings, the headers.

What the models have no field for goes into the words: what to avoid, and what a mask means.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from google.genai import types

from generation.digest import Source, Sources
from generation.models import Model
from generation.request import INT32_MAX, Capacity, Grounding, Request

AVOID = "Do not show in the image: {}"
MASK = (
    "The next image is a mask for the image before it. Change only what is white in the mask; leave everything that is "
    "black exactly as it is."
)
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
    """One call of a model."""

    model: str
    contents: list[types.Content]
    config: types.GenerateContentConfig
    headers: dict[str, str]


def model_call(
    request: Request,
    model: Model,
    sources: Sources,
    turns: Sequence[Turn],
    labels: dict[str, str],
    *,
    seed: int | None,
) -> ModelCall:
    """The call that makes one image.

    Args:
        request: the request.
        model: the model to call.
        sources: its input images.
        turns: the conversation so far, oldest first.
        labels: of the campaign and of the request.
        seed: of this image; None sends none.
    """
    contents = [content for turn in turns for content in _contents_of(turn)]
    contents.append(types.Content(role="user", parts=_parts(request, sources)))
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"],
        candidate_count=1,
        seed=seed,
        image_config=types.ImageConfig(
            aspect_ratio=request.aspect_ratio,
            image_size=(request.image_size or model.default_size) if model.accepts_image_size else None,
            person_generation=request.person_generation,
            output_mime_type=request.output_mime_type,
        ),
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory(category.value), threshold=types.HarmBlockThreshold(threshold.value)
            )
            for category, threshold in request.safety.items()
        ]
        or None,
        tools=_tools(request.grounding),
        labels=labels or None,
    )
    return ModelCall(model=model.id, contents=contents, config=config, headers=dict(HEADERS[request.capacity]))


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


def _contents_of(turn: Turn) -> list[types.Content]:
    image = types.Part.from_uri(file_uri=turn.uri, mime_type=turn.mime_type)
    if turn.thought_signature:
        image.thought_signature = turn.thought_signature
    return [
        types.Content(role="user", parts=[types.Part.from_text(text=turn.prompt)]),
        types.Content(role="model", parts=[image]),
    ]


def _parts(request: Request, sources: Sources) -> list[types.Part]:
    parts = [_part(source) for source in sources.references]
    if sources.mask is not None:
        parts += [types.Part.from_text(text=MASK), _part(sources.mask)]
    return [*parts, types.Part.from_text(text=prompt_text(request.prompt, request.negative_prompt))]


def prompt_text(prompt: str, negative_prompt: str | None) -> str:
    """The words that go to the model."""
    return f"{prompt}\n\n{AVOID.format(negative_prompt)}" if negative_prompt else prompt


def _part(source: Source) -> types.Part:
    if source.uri:
        return types.Part.from_uri(file_uri=source.uri, mime_type=source.mime_type)
    return types.Part.from_bytes(data=source.data, mime_type=source.mime_type)


def _tools(grounding: Grounding | None) -> list[types.Tool] | None:
    if grounding is Grounding.GOOGLE_SEARCH:
        return [types.Tool(google_search=types.GoogleSearch())]
    if grounding is Grounding.ENTERPRISE_WEB_SEARCH:
        return [types.Tool(enterprise_web_search=types.EnterpriseWebSearch())]
    return None
