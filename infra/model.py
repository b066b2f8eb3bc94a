"""What every part of a campaign file has in common."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A part of a campaign file cannot be changed and knows no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models a type consists of: itself, the members of a list or map, the alternatives of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def parts(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every model below a model with the path of keys that leads to it; `[]` marks a list."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        many = "[]" if get_origin(field.annotation) is tuple else ""
        for part in models_in(field.annotation):
            yield key + many, part
            yield from ((f"{key}{many}.{below}", found) for below, found in parts(part))
