"""From bytes to a request: everything that is wrong is said at once.

Two layers find problems: the shape of the request, and the rules of the model it names. A field whose shape is wrong
is left out when the model's rules are applied, so that each problem is reported once.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from generation.errors import LONGEST_SAID, InvalidRequest, Reason, Violation, invalid
from generation.labels import RULE, label_problems
from generation.models import Model, table
from generation.request import Capacity, OutputMimeType, Reference, Request, Template
from generation.settings import Settings

PLACEHOLDER = "-"
MOST_MARKS = 1_000_000
"""Commas and opening brackets of a body, those in texts included: three prompts may be made of nothing else."""
MOST_VALUES = 2_000
"""Of one object or list. The data of a template may have as many."""
DEEPEST = 100
"""Objects and lists within each other; the parser of the request's shape takes no more than 200."""
REQUIRED = "say what the image shows"
FIELDS = tuple(field.alias or name for name, field in Request.model_fields.items())


def parse(body: bytes, settings: Settings) -> tuple[Request, tuple[Model, ...]]:
    """A valid request, and the models to try in turn.

    Raises:
        InvalidRequest: with one violation for everything that is wrong.
    """
    document = _object(body)
    violations: list[Violation] = []
    wrong: set[str] = set()
    try:
        request = Request.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        violations += [_violation(problem) for problem in problems]
        wrong = {str(problem["loc"][0]) for problem in problems if problem["loc"]}
        sound = {key: value for key, value in document.items() if key not in wrong}
        request = _request({"prompt": PLACEHOLDER} | sound)
    if not {"prompt", "template"} & {*document}:
        violations.insert(0, Violation("prompt", Reason.INVALID_FIELD, "field required", REQUIRED))
    if request.output_quality is not None and request.output_mime_type != OutputMimeType.JPEG:
        hint = "give outputMimeType image/jpeg, too"
        violations.append(Violation("outputQuality", Reason.INVALID_FIELD, "only a JPEG has a quality", hint))
    if request.asynchronous and settings.queue is None:
        hint = "leave out async, or set function.queue of the campaign and deploy again: pulumi up"
        violations.append(Violation("async", Reason.ASYNC_UNAVAILABLE, "the campaign has no queue", hint))
    violations += _bucket_violations(request, settings)
    violations += _label_violations(request, settings)
    if request.mask is not None and not {"references", "previous", "referenceSet"} & ({*document} | wrong):
        problem = "there is no image it could apply to"
        violations.append(Violation("mask", Reason.INVALID_FIELD, problem, "give references or previous, too"))
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
    otherwise = f", or leave out {blame}" if blame else ""
    if settings.residency is not None and settings.location_of(model) is None:
        served = ", ".join(m.id for m in table().models if settings.location_of(m)) or "none"
        message = f"{model.id} is not served in {settings.residency}, where the campaign's data must stay"
        return [Violation(blame or "model", Reason.RESIDENCY, message, f"use one of {served}{otherwise}")]
    found = [
        Violation(field, Reason.UNSUPPORTED_BY_MODEL, f"{model.id} {message}", hint + otherwise)
        for broken, field, message, hint in (
            *_drawing_rules(request, model),
            *_capacity_rules(request, model, settings),
        )
        if broken
    ]
    for field, reference in _references(request):
        found += _reference_violations(field, reference, model, otherwise)
    return found


Rule = tuple[bool, str, str, str]
"""Whether it is broken, the field, what the model does, what would be right."""


def _drawing_rules(request: Request, model: Model) -> list[Rule]:
    size, ratio, grounding = request.image_size, request.aspect_ratio, request.grounding
    inputs = len(request.references) + (request.mask is not None) + (request.previous is not None)
    most = model.input.images
    return [
        (size not in {None, *model.sizes}, "imageSize", f"makes no {size!r}", f"use one of {', '.join(model.sizes)}"),
        (
            ratio not in {None, *model.aspect_ratios},
            "aspectRatio",
            f"makes no {ratio!r}",
            f"use one of {', '.join(model.aspect_ratios)}",
        ),
        (
            request.seed is not None and "seed" in model.refused_fields,
            "seed",
            "refuses requests with a seed",
            "leave out seed",
        ),
        (
            grounding not in {None, *model.grounding},
            "grounding",
            f"has no {grounding}",
            f"use one of {', '.join(model.grounding)}" if model.grounding else "leave out grounding",
        ),
        (
            request.thinking_level not in {None, *model.thinking_levels},
            "thinkingLevel",
            f"takes no thinkingLevel {request.thinking_level}",
            f"use one of {', '.join(model.thinking_levels)}" if model.thinking_levels else "leave out thinkingLevel",
        ),
        (inputs > most, "references", f"takes {most} images, not {inputs}", f"give at most {most}"),
    ]


def _capacity_rules(request: Request, model: Model, settings: Settings) -> list[Rule]:
    flex = request.capacity is Capacity.FLEX
    dedicated = request.capacity is Capacity.DEDICATED
    places = " or ".join(model.locations)
    location = settings.location_of(model)
    return [
        (
            location is None,
            "model",
            f"is not served at {settings.location!r}",
            f"set GOOGLE_CLOUD_LOCATION to {places}",
        ),
        (flex and not model.flex, "capacity", "has no flex capacity", "use auto, dedicated or shared"),
        (
            flex and location not in {None, "global"},
            "capacity",
            "has flex capacity at location global only",
            "use auto, dedicated or shared",
        ),
        (dedicated and model.throughput is None, "capacity", "has no provisioned throughput", "use auto or shared"),
    ]


def _object(body: bytes) -> dict[str, Any]:
    try:
        _must_be_small(body)
        document = json.loads(body, object_pairs_hook=_without_duplicates, parse_constant=_refused)
        _must_be_flat(document, DEEPEST)
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


def _must_be_small(body: bytes) -> None:
    # A value takes up to 200 bytes of memory where its text takes two: 32 MB of them would be the end of the instance.
    marks = body.count(b",") + body.count(b"{") + body.count(b"[")
    if marks > MOST_MARKS:
        raise ValueError(f"it has {marks:,} commas and brackets, more than {MOST_MARKS:,}")


def _must_be_flat(value: Any, deepest: int) -> None:
    if not isinstance(value, dict | list):
        return
    if len(value) > MOST_VALUES:
        raise ValueError(f"an object or list has {len(value):,} values, more than {MOST_VALUES:,}")
    if not deepest:
        raise ValueError(f"its objects and lists lie within each other more than {DEEPEST} times")
    for item in value.values() if isinstance(value, dict) else value:
        _must_be_flat(item, deepest - 1)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice[:LONGEST_SAID]!r} appears twice")
    return document


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON compliant")


def _text(document: Any) -> bytes:
    # Python's parser takes 1e999 and halves of surrogate pairs, neither of which can be sent on.
    return json.dumps(document, allow_nan=False, ensure_ascii=False).encode()


def _request(document: dict[str, Any]) -> Request:
    # Strict validation of JSON text, unlike that of Python objects, takes strings for enums and lists for tuples.
    return Request.model_validate_json(_text(document))


def _violation(problem: ErrorDetails) -> Violation:
    path = _path(problem["loc"])
    if problem["type"] == "extra_forbidden":
        part = Template if problem["loc"][0] == "template" else Reference
        known = FIELDS if len(problem["loc"]) == 1 else tuple(f.alias or n for n, f in part.model_fields.items())
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
        Violation(f"labels.{key}" if key else "labels", Reason.INVALID_LABEL, problem, f"labels are of {RULE}")
        for key, problem in label_problems(request.labels, settings.labels)
    ]


def _bucket_violations(request: Request, settings: Settings) -> list[Violation]:
    allowed = (settings.bucket, *settings.reference_buckets)
    return [
        Violation(
            f"{field}.uri",
            Reason.REFERENCE_NOT_ALLOWED,
            "references are not read from this bucket",
            f"copy it to one of {', '.join(f'gs://{name}' for name in allowed)}, or add the bucket to "
            "references.buckets of the campaign and deploy again: pulumi up",
        )
        for field, reference in _references(request)
        if reference.uri is not None and reference.uri.removeprefix("gs://").partition("/")[0] not in allowed
    ]


def _models(request: Request, settings: Settings, violations: list[Violation]) -> list[tuple[str, Model]]:
    named = [("model", request.model or settings.model)]
    named += [(f"fallback[{index}]", model) for index, model in enumerate(request.fallback)]
    models: list[tuple[str, Model]] = []
    for field, name in named:
        model = table().get(name)
        if model is None or model.gone(today()):
            hint = f"the models are {', '.join(table().ids)}"
            violations.append(Violation(field, Reason.INVALID_FIELD, table().why_not(name), hint))
        elif any(known.id == name for _, known in models):
            violations.append(Violation(field, Reason.INVALID_FIELD, f"{name} is named twice", "leave one out"))
        else:
            models.append((field, model))
    return models


def today() -> dt.date:
    """The day by which a model is served or gone, in UTC."""
    return dt.datetime.now(dt.UTC).date()


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
    inspected = reference.inspected()
    picture = inspected.picture
    if inspected.bytes > model.input.inline_bytes:
        return [
            *found,
            Violation(
                f"{field}.data",
                Reason.UNSUPPORTED_BY_MODEL,
                f"{inspected.bytes:,} bytes; {model.id} takes {model.input.inline_bytes:,} inline",
                f"upload it and give its gs:// address as uri: up to {model.input.object_bytes:,} bytes{otherwise}",
            ),
        ]
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
    elif picture.mime_type not in model.input.mime_types:
        found.append(
            Violation(
                f"{field}.data",
                Reason.UNSUPPORTED_BY_MODEL,
                f"{model.id} takes no {picture.mime_type}",
                f"use one of {accepted}{otherwise}",
            )
        )
    return found
