"""HTML pages of results: one file each, without scripts, fonts or pictures from elsewhere, one look for all verbs.

A page extends ``base.html`` of plantain/templates. Everything is escaped; pictures are data or relative paths.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plantain.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    """Where templates come from: plantain/templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 -- only pages need it

    found = Environment(
        loader=PackageLoader("plantain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["money"] = money
    return found


def money(value: Decimal | float | str, places: int = 2) -> str:
    """An amount with thousands separated."""
    return f"{Decimal(str(value)):,.{places}f}"


def render(template: str, *, title: str, **context: Any) -> str:
    """A page as text.

    Args:
        template: name in plantain/templates.
        title: of the page, shown at its head.
        context: what the template names.
    """
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return environment().get_template(template).render(title=title, made=made, **context)


def write_page(template: str, path: Path, *, title: str, **context: Any) -> Path:
    """Write a page.

    Raises:
        InputError: the path cannot be written.
    """
    text = render(template, title=title, **context)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"The page {path} cannot be written: {error.strerror}.", cure="--html PATH") from None
    return path
