"""When a model goes, what to use after it, and what that changes in cost. Facts: the table of models."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from generation.models import Model, Table

WARN_DAYS = 90
"""Days before its (earliest) retirement from which a model is warned of."""
STALE_PRICE_DAYS = 120
"""Age from which a price has to be read again; our own choice."""


@dataclass(frozen=True)
class Lifecycle:
    """One model's place in time.

    Attributes:
        model: the model.
        days_left: until its (earliest) retirement; None when none is announced, negative when it has passed.
        state: current, retiring (within WARN_DAYS) or retired.
        successor: what to use instead; None for a model that nothing outlives.
        difference: price of an image by size, successor minus this, for the sizes both make.
        price_days: age of its price.
    """

    model: Model
    days_left: int | None
    state: str
    successor: Model | None
    difference: dict[str, Decimal]
    price_days: int

    @property
    def price_is_stale(self) -> bool:
        """Whether the price is too old to rely on."""
        return self.price_days > STALE_PRICE_DAYS


def lifecycle(table: Table, model: Model, today: dt.date) -> Lifecycle:
    """A model's place in time."""
    days = (model.retirement - today).days if model.retirement else None
    state = "current" if days is None or days > WARN_DAYS else "retiring" if days > 0 else "retired"
    after = successor(table, model, today)
    difference = (
        {size: after.price_of(size) - model.price_of(size) for size in model.sizes if size in after.sizes}
        if after
        else {}
    )
    return Lifecycle(model, days, state, after, difference, (today - month_end(model.price.as_of)).days)


def successor(table: Table, model: Model, today: dt.date) -> Model | None:
    """The model to go to: the nearest in price of those that last longer and make every size this one makes."""
    longer = [
        other
        for other in table.models
        if other.id != model.id
        and not other.retired(today)
        and set(model.sizes) <= set(other.sizes)
        and (other.retirement is None or (model.retirement is not None and other.retirement > model.retirement))
    ]
    size = model.default_size
    return min(longer, key=lambda other: (abs(other.price_of(size) - model.price_of(size)), other.id), default=None)


def month_end(month: str) -> dt.date:
    """The last day of a month ``YYYY-MM``: prices are dated by month, and the reader gets the benefit."""
    first = dt.date.fromisoformat(f"{month}-01")
    return (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
