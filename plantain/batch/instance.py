"""One line of a job's input: what the model is asked, and by what its answer is known again.

The service echoes the request with its answer and promises neither order nor ids: answers are found by content.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generation.models import Model

INT31 = 2**31 - 1
FINGERPRINT_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Instance:
    """One request.

    Attributes:
        fingerprint: by what the answer is known again.
        document: the body of generateContent.
    """

    fingerprint: str
    document: dict[str, Any]


def instance(row: dict[str, Any], model: Model, labels: dict[str, str]) -> Instance:
    """The line for a request of the function's own form.

    A request without a seed gets one that follows from its content, so that preparing twice gives the same file.

    Raises:
        ValueError: the request is wrong, or asks for what batch does not do.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from generation.conversation import model_call  # noqa: PLC0415 -- a tenth of a second that other steps do not need
    from generation.digest import Source, Sources  # noqa: PLC0415
    from generation.request import Request  # noqa: PLC0415

    try:
        request = Request.model_validate(row, strict=False)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise ValueError(found) from None
    refuse(request, model)
    sources = Sources(
        references=tuple(source(one, Source) for one in request.references),
        mask=source(request.mask, Source) if request.mask else None,
    )
    seed = request.seed
    if seed is None and "seed" not in model.refused_fields:
        text = repr(sorted((key, repr(value)) for key, value in row.items() if key != "labels"))
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") & INT31
    call = model_call(request, model, sources, (), {**labels, **request.labels}, seed=seed)
    return Instance(fingerprint(call.document), call.document)


def refuse(request: Any, model: Model) -> None:
    """Refuse what a batch job cannot do.

    Raises:
        ValueError: with the reason.
    """
    if not request.prompt:
        raise ValueError("prompt: a line of a batch needs its words")
    for name in ("template", "reference_set", "asynchronous"):
        if getattr(request, name, None):
            written = type(request).model_fields[name].alias or name
            raise ValueError(f"{written}: the function's own, not for batch")
    size = request.image_size or model.default_size
    if model.batch is None or size not in model.batch.sizes:
        made = ", ".join(model.batch.sizes) if model.batch else "nothing"
        raise ValueError(f"imageSize: batch makes {made} of {model.id}, not {size}")
    if request.aspect_ratio and request.aspect_ratio not in model.aspect_ratios:
        raise ValueError(f"aspectRatio: {model.id} makes no {request.aspect_ratio}")
    if request.model and request.model != model.id:
        raise ValueError(f"model: this batch is for {model.id}, not {request.model}")
    refuse_conversation(request)
    given = [*request.references, *([request.mask] if request.mask else [])]
    if any(one.uri is None for one in given):
        raise ValueError("references: a batch takes gs:// addresses, no inline data")
    if len(given) > model.input.images:
        raise ValueError(f"references: {model.id} takes {model.input.images} images")


def refuse_conversation(request: Any) -> None:
    """Refuse what needs more than one question and one answer.

    Raises:
        ValueError: with the reason.
    """
    if request.count != 1:
        raise ValueError("count: a line of a batch makes one image; repeat the line with another seed")
    if request.previous:
        raise ValueError("previous: a batch cannot go on from an earlier image")
    if request.grounding:
        raise ValueError("grounding: not for batch")


def source(reference: Any, kind: Any) -> Any:
    """A reference as the conversation takes it; its format by its name where it is not given."""
    ending = reference.uri.rpartition(".")[2].lower()
    formats = {
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "webp": "image/webp",
        "heic": "image/heic",
    }
    mime_type = reference.mime_type or formats.get(ending)
    if mime_type is None:
        raise ValueError(f"references: the format of {reference.uri} is not known; give mimeType")
    return kind(uri=reference.uri, mime_type=mime_type, fingerprint="")


def fingerprint(document: dict[str, Any]) -> str:
    """By what a request is known again in the answer that echoes it: words, pictures, seed, shape."""
    parts: list[str] = []
    for content in document.get("contents") or ():
        for part in content.get("parts") or ():
            if part.get("text"):
                parts.append(f"t{part['text']}")
            if part.get("fileData"):
                parts.append(f"f{part['fileData'].get('fileUri')}")
    config = document.get("generationConfig") or {}
    image = config.get("imageConfig") or {}
    parts.append(f"s{config.get('seed')}")
    parts.append(f"a{image.get('aspectRatio')}")
    parts.append(f"p{image.get('personGeneration')}")
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:FINGERPRINT_DIGITS]
