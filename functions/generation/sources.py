"""Finds the input images of a request and checks what only their place of storage knows."""

import asyncio
import hashlib
from collections.abc import Sequence

from generation.bucket import ObjectStore
from generation.digest import Source, Sources
from generation.errors import Reason, Violation, invalid
from generation.models import Model
from generation.picture import read_picture
from generation.request import Reference, Request


async def find_sources(request: Request, models: Sequence[Model], store: ObjectStore) -> Sources:
    """The input images.

    Raises:
        InvalidRequest: naming every one that is missing, too large or of a wrong format.
        GenerationError: one could not be looked up.
    """
    named = [(f"references[{index}]", reference) for index, reference in enumerate(request.references)]
    if request.mask is not None:
        named.append(("mask", request.mask))
    found = await asyncio.gather(*(_find(field, reference, models, store) for field, reference in named))
    violations = [item for item in found if isinstance(item, Violation)]
    if violations:
        raise invalid(violations)
    sources = [item for item in found if isinstance(item, Source)]
    if request.mask is not None:
        return Sources(references=tuple(sources[:-1]), mask=sources[-1])
    return Sources(references=tuple(sources))


async def _find(field: str, reference: Reference, models: Sequence[Model], store: ObjectStore) -> Source | Violation:
    if reference.uri is None:
        data = reference.bytes()
        picture = read_picture(data)
        mime_type = picture.mime_type if picture else reference.mime_type or ""
        return Source("", mime_type, hashlib.sha256(data).hexdigest(), data)
    stored = await store.find(reference.uri)
    if stored is None:
        return Violation(
            f"{field}.uri",
            Reason.REFERENCE_NOT_FOUND,
            f"{reference.uri} does not exist",
            "check the address: gcloud storage objects describe gs://BUCKET/OBJECT",
        )
    mime_type = reference.mime_type or stored.mime_type
    for model in models:
        if stored.bytes > model.input.object_bytes:
            return Violation(
                f"{field}.uri",
                Reason.UNSUPPORTED_BY_MODEL,
                f"{stored.bytes:,} bytes; {model.id} takes {model.input.object_bytes:,}",
                "give a smaller image",
            )
        if mime_type not in model.input.mime_types:
            return Violation(
                f"{field}.mimeType",
                Reason.UNSUPPORTED_BY_MODEL,
                f"the object is {mime_type or 'of no stated format'}, which {model.id} does not take",
                f"store it with a content type of these, or state mimeType: {', '.join(model.input.mime_types)}",
            )
    return Source(reference.uri, mime_type, str(stored.generation))
