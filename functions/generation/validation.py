"""From bytes to a request: everything that is wrong is said at once.

Two layers find problems: the shape of the request, and the rules of the model it names. A field whose shape is wrong
is left out when the model's rules are applied, so that each problem is reported once.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from generation.errors import InvalidRequest, Reason, Violation, invalid
from generation.labels import label_problems
from generation.models import Model, table
from generation.picture import read_picture
from generation.request import Capacity, Reference, Request
from generation.settings import Settings

PLACEHOLDER = "-"
FIELDS = tuple(field.alias or name for name, field in Request.model_fields.items())


def parse(body: bytes, settings: Settings) -> tuple[Request, tuple[Model, ...]]:
    """A valid request, and the models to try in turn.

    Raises:
        InvalidRequest: with one violation for everything that is wrong.
    """
    document = _object(body)
    violations: list[Violation] = []
    try:
        request = _request(document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        violations += [_violation(problem) for problem in problems]
        wrong = {str(problem["loc"][0]) for problem in problems if problem["loc"]}
        request = _request(
            {"prompt": PLACEHOLDER} | {key: value for key, value in document.items() if key not in wrong}
        )
    violations += _label_violations(request, settings)
    models = _models(request, settings, violations)
    for number, (field, model) in enumerate(models):
        violations += model_violations(request, model, settings, blame=field if number else "")
    if violations:
        raise invalid(list(dict.fromkeys(violations)))
    return request, tuple(model for _, model in models)


def model_violations(request: Request, model: Model, settings: Settings, *, blame: str = "") -> list[Violation]:
    """What a model does not take of a request.

    Args:
        request: a request of the right shape.
        model: one of the models it names.
        settings: where the model is called.
        blame: the field that names the model, when it is not the first choice: leaving it out is a cure, too.
    """
    found: list[Violation] = []
    otherwise = f", or leave out {blame}" if blame else ""

    def refuse(field: str, message: str, hint: str) -> None:
        found.append(Violation(field, Reason.UNSUPPORTED_BY_MODEL, f"{model.id} {message}", hint + otherwise))

    if settings.location not in model.locations:
        places = ", ".join(model.locations)
        refuse(blame or "model", f"is not served at {settings.location!r}", f"set GOOGLE_CLOUD_LOCATION to {places}")
    if request.image_size is not None and request.image_size not in model.sizes:
        refuse("imageSize", f"makes no {request.image_size!r}", f"use one of {', '.join(model.sizes)}")
    if request.aspect_ratio is not None and request.aspect_ratio not in model.aspect_ratios:
        refuse("aspectRatio", f"makes no {request.aspect_ratio!r}", f"use one of {', '.join(model.aspect_ratios)}")
    if request.seed is not None and "seed" in model.refused_fields:
        refuse("seed", "refuses requests with a seed", "leave out seed")
    if request.grounding is not None and request.grounding not in model.grounding:
        refuse("grounding", f"has no {request.grounding}", f"use one of {', '.join(model.grounding) or 'none'}")
    if request.capacity is Capacity.FLEX and not model.flex:
        refuse("capacity", "has no flex capacity", "use auto, dedicated or shared")
    if request.capacity is Capacity.FLEX and settings.location != "global":
        refuse("capacity", "has flex capacity at location global only", "use auto, dedicated or shared")
    if request.capacity is Capacity.DEDICATED and model.throughput is None:
        refuse("capacity", "has no provisioned throughput", "use auto or shared")
    inputs = len(request.references) + (request.mask is not None) + (request.previous is not None)
    if inputs > model.input.images:
        refuse("references", f"takes {model.input.images} images, not {inputs}", f"give at most {model.input.images}")
    for field, reference in _references(request):
        found += _reference_violations(field, reference, model, otherwise)
    if request.mask is not None and not request.references and request.previous is None:
        found.append(
            Violation(
                "mask", Reason.INVALID_FIELD, "there is no image it could apply to", "give references or previous, too"
            )
        )
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body, object_pairs_hook=_without_duplicates)
        _text(document)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(
            Reason.INVALID_JSON,
            f"The body is not JSON: {error}.",
            hint='Send a JSON object with at least a prompt: {"prompt": "a lighthouse at dusk"}',
        ) from None
    if not isinstance(document, dict):
        raise InvalidRequest(
            Reason.INVALID_JSON,
            f"The body is a JSON {type(document).__name__}, not an object.",
            hint='Send a JSON object with at least a prompt: {"prompt": "a lighthouse at dusk"}',
        )
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} appears twice")
    return document


def _text(document: Any) -> bytes:
    # Python's parser takes NaN, 1e999 and halves of surrogate pairs, none of which can be sent on.
    return json.dumps(document, allow_nan=False, ensure_ascii=False).encode()


def _request(document: dict[str, Any]) -> Request:
    # Strict validation of JSON text, unlike that of Python objects, takes strings for enums and lists for tuples.
    return Request.model_validate_json(_text(document))


def _violation(problem: ErrorDetails) -> Violation:
    path = _path(problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = FIELDS if len(problem["loc"]) == 1 else tuple(f.alias or n for n, f in Reference.model_fields.items())
        return Violation(path, Reason.UNKNOWN_FIELD, "there is no such field", f"the fields are {', '.join(known)}")
    message = problem["msg"].removeprefix("Value error, ")
    return Violation(path, Reason.INVALID_FIELD, message[:1].lower() + message[1:], _hint(problem))


def _hint(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return ""
    field = next((f for n, f in Request.model_fields.items() if problem["loc"][0] == (f.alias or n)), None)
    return field.description or "" if field else ""


def _path(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        if part == "[key]":
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _label_violations(request: Request, settings: Settings) -> list[Violation]:
    return [
        Violation(f"labels.{key}" if key else "labels", Reason.INVALID_LABEL, problem, "see the rules of labels")
        for key, problem in label_problems(request.labels, settings.labels)
    ]


def _models(request: Request, settings: Settings, violations: list[Violation]) -> list[tuple[str, Model]]:
    named = [("model", request.model or settings.model)]
    named += [(f"fallback[{index}]", model) for index, model in enumerate(request.fallback)]
    models: list[tuple[str, Model]] = []
    for field, name in named:
        model = table().get(name)
        if model is None:
            hint = f"the models are {', '.join(table().ids)}"
            violations.append(Violation(field, Reason.INVALID_FIELD, table().why_not(name), hint))
        elif any(known.id == name for _, known in models):
            violations.append(Violation(field, Reason.INVALID_FIELD, f"{name} is named twice", "leave one out"))
        else:
            models.append((field, model))
    return models


def _references(request: Request) -> Iterable[tuple[str, Reference]]:
    for index, reference in enumerate(request.references):
        yield f"references[{index}]", reference
    if request.mask is not None:
        yield "mask", request.mask


def _reference_violations(field: str, reference: Reference, model: Model, otherwise: str) -> list[Violation]:
    accepted = ", ".join(model.input.mime_types)
    found: list[Violation] = []
    if reference.mime_type is not None and reference.mime_type not in model.input.mime_types:
        found.append(
            Violation(
                f"{field}.mimeType",
                Reason.UNSUPPORTED_BY_MODEL,
                f"{model.id} takes no {reference.mime_type!r}",
                f"use one of {accepted}{otherwise}",
            )
        )
    if reference.data is None:
        return found
    data = reference.bytes()
    picture = read_picture(data)
    if picture is None:
        found.append(Violation(f"{field}.data", Reason.INVALID_FIELD, "the bytes are no image", f"use {accepted}"))
    elif reference.mime_type is not None and picture.mime_type != reference.mime_type:
        found.append(
            Violation(
                f"{field}.mimeType",
                Reason.INVALID_FIELD,
                f"the bytes are {picture.mime_type}, not {reference.mime_type}",
                "leave out mimeType: it is found out from the bytes",
            )
        )
    if len(data) > model.input.inline_bytes:
        found.append(
            Violation(
                f"{field}.data",
                Reason.UNSUPPORTED_BY_MODEL,
                f"{len(data):,} bytes; {model.id} takes {model.input.inline_bytes:,} inline",
                f"upload it and give its gs:// address as uri: up to {model.input.object_bytes:,} bytes{otherwise}",
            )
        )
    return found
