"""From pydantic's findings to problems a platform engineer can act on.

A model's field descriptions are written as rules ("a region, such as europe-west4"), so the same sentence serves
the message, the JSON schema and the reference page. Values are never shown, any of them may be a secret.
"""

import difflib
from collections.abc import Callable, Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from infra.errors import Problem

Location = tuple[str | int, ...]
Cure = Callable[[str, str], str]
"""From a key and the kind of finding ("extra_forbidden", "missing", …) to a command."""

_CAUSES = {
    "missing": "missing",
    "union_tag_not_found": "missing",
    # pydantic's own sentence repeats the value
    "union_tag_invalid": "not one of the allowed words",
    "string_pattern_mismatch": "not of the required form",
    "too_short": "empty",
}


def found_in(error: ValidationError, model: type[BaseModel], *, file: str, prefix: str, cure: Cure) -> list[Problem]:
    """Every finding of one validation as a problem in `file`, keys prefixed with `prefix`."""
    findings = error.errors(include_url=False, include_input=False, include_context=False)
    # A list whose members are wrong counts as too short as well, which would send the reader the wrong way.
    parents = {finding["loc"][:-1] for finding in findings}
    return [
        _problem(model, finding["type"], finding["loc"], finding["msg"], file=file, prefix=prefix, cure=cure)
        for finding in findings
        if finding["type"] != "too_short" or finding["loc"] not in parents
    ]


def _problem(
    model: type[BaseModel], kind: str, location: Location, message: str, *, file: str, prefix: str, cure: Cure
) -> Problem:
    steps = list(_walk(model, location))
    if not steps:
        keys = ", ".join(map(str, _fields(model)))
        return Problem(file, "the file", "not a map of keys", f"a map with the keys {keys}", cure("", kind))
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        steps.extend(_walk(_first_model(steps[-1][1]), ("membership",)))
    key = prefix + _spell([part for part, _ in steps])
    parent = steps[-2][1] if len(steps) > 1 else model
    last, annotation = steps[-1]
    if kind == "extra_forbidden":
        known = sorted(map(str, _fields(_first_model(parent))))
        close = difflib.get_close_matches(str(last), known, n=1)
        cause = f"unknown key, did you mean {close[0]}?" if close else "unknown key"
        return Problem(file, key, cause, f"one of {', '.join(known)}", cure(key, kind))
    rule = _description(parent, last) or _rule(annotation)
    cause = _CAUSES.get(kind) or message.removeprefix("Value error, ")
    return Problem(file, key, cause[:1].lower() + cause[1:], rule, cure(key, kind))


def _walk(annotation: Any, location: Location) -> Iterator[tuple[str | int, Any]]:
    """The steps of a location that the user wrote, each with the annotation it leads to."""
    for part in location:
        models = list(_models(annotation))
        if len(models) > 1 and any(_tag(model) and part in _tag(model) for model in models):
            # pydantic names the chosen member of a union in its locations; the file does not.
            annotation = next(model for model in models if part in _tag(model))
            continue
        field = next((fields[part] for model in models if part in (fields := _fields(model))), None)
        if field is not None:
            annotation = field.annotation
        elif not models:
            arguments = get_args(_unwrapped(annotation))
            annotation = next((argument for argument in reversed(arguments) if argument is not Ellipsis), Any)
        else:
            annotation = Any
        yield part, annotation


def _fields(model: type[BaseModel]) -> dict[str | int, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    annotation = _unwrapped(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _models(member)


def _first_model(annotation: Any) -> type[BaseModel]:
    return next(iter(_models(annotation)))


def _tag(model: type[BaseModel]) -> tuple[Any, ...]:
    field = model.model_fields.get("membership")
    return get_args(field.annotation) if field else ()


def _unwrapped(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _description(parent: Any, part: str | int) -> str | None:
    for model in _models(parent):
        field = _fields(model).get(part)
        if field is not None:
            return field.description
    return None


def _rule(annotation: Any) -> str:
    """What the type itself says, for members of lists and maps, which have no field of their own."""
    for metadata in get_args(annotation)[1:] if get_origin(annotation) is Annotated else ():
        if isinstance(metadata, FieldInfo) and metadata.description:
            return metadata.description
    return "see docs/infrastructure.md"


def _spell(parts: Sequence[str | int]) -> str:
    spelled = ""
    for part in parts:
        spelled += f"[{part}]" if isinstance(part, int) else f".{part}" if spelled else str(part)
    return spelled
