"""A model's facts, for verbs that are given its name."""

from __future__ import annotations

from typing import Any

from plantain.errors import InputError
from plantain.suggestion import did_you_mean


def model_of(name: str) -> Any:
    """A model's facts.

    Raises:
        InputError: the table has no such model.
    """
    from generation.models import table  # noqa: PLC0415

    facts = table().get(name)
    if facts is None:
        near = did_you_mean(name, (one.id for one in table().models))
        raise InputError(
            f"There are no facts about this model: {table().why_not(name)}. {near}", cure="plantain models"
        )
    return facts
