"""The name of an image: SHA-256 of the canonical form of the request that made it.

Canonical form: the fields that decide what the image looks like, with defaults filled in, as JSON with sorted keys and
no white space (RFC 8785; the values are strings, integers, lists and objects, for which that is all it asks). Labels,
requestId, timeoutSeconds, delivery, capacity, fallback and async do not decide what is drawn, so they are left out.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.models import Model
from generation.request import Request

VERSION = 1
"""Part of every digest: a change of the canonical form, or of how a request is put to the model, makes new images."""


@dataclass(frozen=True, slots=True)
class Source:
    """An input image after it was found.

    Attributes:
        uri: gs:// address; empty for inline bytes.
        mime_type: format.
        fingerprint: SHA-256 of inline bytes, or the object's generation: the same name may get other contents.
        data: inline bytes, in base64 as they came: they are passed on and not decoded for it.
    """

    uri: str
    mime_type: str
    fingerprint: str
    data: str = field(default="", repr=False)

    def canonical(self) -> dict[str, str]:
        """What identifies the input."""
        return {"fingerprint": self.fingerprint, "mimeType": self.mime_type} | ({"uri": self.uri} if self.uri else {})


@dataclass(frozen=True, slots=True)
class Sources:
    """All input images of a request.

    Attributes:
        references: in the order of the request.
        mask: what of the last image may change.
        named: images of the request's reference set, by name.
    """

    references: Sequence[Source] = ()
    mask: Source | None = None
    named: Sequence[Source] = ()


def canonical(request: Request, model: Model, sources: Sources) -> bytes:
    """The canonical form of a request put to a model."""
    fields: dict[str, Any] = {
        "version": VERSION,
        "model": model.id,
        "prompt": request.prompt,
        "negativePrompt": request.negative_prompt,
        "references": [source.canonical() for source in sources.references] or None,
        "mask": sources.mask.canonical() if sources.mask else None,
        "referenceSet": request.reference_set,
        "referenceSetImages": [source.canonical() for source in sources.named] or None,
        "systemInstruction": request.system_instruction,
        "previous": request.previous,
        "aspectRatio": request.aspect_ratio,
        "imageSize": request.image_size or model.default_size,
        "seed": request.seed,
        "count": request.count,
        "safety": {category.value: threshold.value for category, threshold in request.safety.items()} or None,
        "personGeneration": request.person_generation,
        "grounding": request.grounding,
        "outputMimeType": request.output_mime_type,
        "outputQuality": request.output_quality,
        "thinkingLevel": request.thinking_level,
    }
    given = {key: value for key, value in fields.items() if value is not None}
    return canonical_json(given)


def canonical_json(document: Any) -> bytes:
    """JSON by RFC 8785 for documents of strings, integers, booleans, lists and objects.

    Raises:
        TypeError: it holds a floating-point number, whose canonical form would need more rules.
    """
    _refuse_floats(document)
    return json.dumps(_sorted(document), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def image_id(request: Request, model: Model, sources: Sources) -> str:
    """64 hexadecimal digits."""
    return digest_of(canonical(request, model, sources))


def digest_of(form: bytes) -> str:
    """The id of a canonical form."""
    return hashlib.sha256(form).hexdigest()


def _sorted(value: Any) -> Any:
    # RFC 8785 sorts by UTF-16 code units, json.dumps by code points; they differ above the basic plane.
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: str(key).encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a floating-point number has no canonical form here")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        _refuse_floats(item)
