"""Days, as options and Google's own dates write them."""

from __future__ import annotations

import datetime as dt

from plantain.errors import InputError


def today() -> dt.date:
    """The day, in Coordinated Universal Time, as Google's dates are."""
    return dt.datetime.now(dt.UTC).date()


def day(text: str | None) -> dt.date | None:
    """The day that an option names; None where it was not given.

    Raises:
        InputError: it is no day.
    """
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no day.", cure="write days as 2027-06-30") from None
