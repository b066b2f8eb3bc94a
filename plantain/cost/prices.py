"""Prices of what lies around the model, as data with source and date. The model's own are in the table of models."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from plantain.model_lifecycle import STALE_PRICE_DAYS, month_end


class Facts(BaseModel):
    """A part of the file: unchangeable, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Entry(Facts):
    """One price.

    Attributes:
        amount: for one unit.
        unit: what is paid for.
        as_of: month it was read, or became effective, YYYY-MM.
    """

    amount: Decimal
    unit: str
    as_of: str = Field(pattern=r"^\d{4}-\d{2}$")
    source: str

    def stale(self, today: dt.date) -> bool:
        """Whether it has to be read again."""
        return (today - month_end(self.as_of)).days > STALE_PRICE_DAYS


class Prices(Facts):
    """All of them."""

    currency: str
    third_party: bool
    note: str
    entries: Mapping[str, Entry]

    def __getitem__(self, name: str) -> Decimal:
        """Amount of a price."""
        return self.entries[name].amount

    def stale(self, today: dt.date) -> list[str]:
        """Names of the prices that have to be read again."""
        return [name for name, entry in self.entries.items() if entry.stale(today)]


@cache
def prices() -> Prices:
    """The file, read once.

    Raises:
        pydantic.ValidationError: `prices.json` is wrong.
    """
    return Prices.model_validate_json(resources.files("plantain.cost").joinpath("prices.json").read_text("utf-8"))
