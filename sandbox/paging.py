"""Page tokens of list methods."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from sandbox.errors import InvalidArgument

LARGEST_PAGE = 1000


def page(items: list[Any], query: Mapping[str, str], *, default: int = LARGEST_PAGE) -> tuple[list[Any], str | None]:
    """One page of ``items`` and the token of the next.

    Args:
        items: all of them, in a stable order.
        query: ``pageSize`` or ``maxResults``, and ``pageToken``.
        default: page size when none is asked for.

    Raises:
        InvalidArgument: on a size that is no number or a token that was not issued here.
    """
    try:
        size = int(query.get("pageSize") or query.get("maxResults") or default)
    except ValueError:
        raise InvalidArgument("Page size must be a number.") from None
    if size < 0:
        raise InvalidArgument("The page size must not be negative.")
    size = min(size or default, LARGEST_PAGE)
    start = 0
    if token := query.get("pageToken"):
        try:
            start = int(base64.urlsafe_b64decode(token).decode().removeprefix("from:"))
        except ValueError:
            raise InvalidArgument("The page token is invalid.") from None
    end = start + size
    following = base64.urlsafe_b64encode(f"from:{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following
