"""Finds the input images of a request and checks what only their place of storage knows."""

import asyncio
from collections.abc import Sequence

from generation.bucket import ObjectStore, Stored
from generation.digest import Source, Sources
from generation.errors import Reason, Violation, invalid
from generation.models import Model
from generation.request import Reference, Request

SETS = "reference-sets"
UNSTATED = {"", "application/octet-stream", "binary/octet-stream"}
"""Content types of objects that were stored without one."""


async def find_sources(request: Request, models: Sequence[Model], store: ObjectStore, bucket: str) -> Sources:
    """The input images.

    Raises:
        InvalidRequest: naming every one that is missing, too large or of a wrong format.
        GenerationError: one could not be looked up.
    """
    named = [(f"references[{index}]", reference) for index, reference in enumerate(request.references)]
    if request.mask is not None:
        named.append(("mask", request.mask))
    kept = await _named(request, models, store, bucket) if request.reference_set else ()
    if not named:
        return Sources(named=kept)
    found = await asyncio.gather(*(_find(field, reference, models, store) for field, reference in named))
    violations = [item for item in found if isinstance(item, Violation)]
    if violations:
        raise invalid(violations)
    sources = [item for item in found if isinstance(item, Source)]
    if request.mask is not None:
        return Sources(references=tuple(sources[:-1]), mask=sources[-1], named=kept)
    return Sources(references=tuple(sources), named=kept)


async def _named(request: Request, models: Sequence[Model], store: ObjectStore, bucket: str) -> tuple[Source, ...]:
    prefix = f"{SETS}/{request.reference_set}/"
    others = len(request.references) + (request.mask is not None) + (request.previous is not None)
    most = min(model.input.images for model in models) - others
    found = [stored for stored in await store.list(prefix, most=most + 1) if stored.bytes]
    if not found:
        message = f"gs://{bucket}/{prefix} holds no images"
        hint = f"gcloud storage cp FILES gs://{bucket}/{prefix}"
        raise invalid([Violation("referenceSet", Reason.REFERENCE_NOT_FOUND, message, hint)])
    if len(found) > most:
        message = f"it holds more images than the {most} that the model takes beside the others"
        raise invalid([Violation("referenceSet", Reason.UNSUPPORTED_BY_MODEL, message, "give fewer references")])
    checked = [_checked("referenceSet", f"gs://{bucket}/{s.name}", s, s.mime_type, models) for s in found]
    violations = [item for item in checked if isinstance(item, Violation)]
    if violations:
        raise invalid(violations)
    return tuple(item for item in checked if isinstance(item, Source))


async def _find(field: str, reference: Reference, models: Sequence[Model], store: ObjectStore) -> Source | Violation:
    if reference.uri is None:
        inspected = reference.inspected()
        mime_type = inspected.picture.mime_type if inspected.picture else reference.mime_type or ""
        return Source("", mime_type, inspected.sha256, reference.data or "")
    stored = await store.find(reference.uri)
    if stored is None:
        return Violation(
            f"{field}.uri",
            Reason.REFERENCE_NOT_FOUND,
            f"{reference.uri} does not exist",
            "check the address: gcloud storage objects describe gs://BUCKET/OBJECT",
        )
    if reference.mime_type is not None and stored.mime_type not in {reference.mime_type, *UNSTATED}:
        return Violation(
            f"{field}.mimeType",
            Reason.INVALID_FIELD,
            f"the object is {stored.mime_type}, not {reference.mime_type}",
            "leave out mimeType: it is taken from the object",
        )
    return _checked(f"{field}.uri", reference.uri, stored, reference.mime_type or stored.mime_type, models)


def _checked(field: str, uri: str, stored: Stored, mime_type: str, models: Sequence[Model]) -> Source | Violation:
    for model in models:
        if stored.bytes > model.input.object_bytes:
            return Violation(
                field,
                Reason.UNSUPPORTED_BY_MODEL,
                f"{stored.bytes:,} bytes; {model.id} takes {model.input.object_bytes:,}",
                "give a smaller image",
            )
        if mime_type not in model.input.mime_types:
            return Violation(
                field.replace(".uri", ".mimeType"),
                Reason.UNSUPPORTED_BY_MODEL,
                f"the object is {mime_type or 'of no stated format'}, which {model.id} does not take",
                f"store it with a content type of these, or state mimeType: {', '.join(model.input.mime_types)}",
            )
    return Source(uri, mime_type, str(stored.generation))
