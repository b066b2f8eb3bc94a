"""Values that paths of the Logging query language find in an entry, and how they compare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.errors import InvalidArgument

SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
TIMES = {"timestamp", "receiveTimestamp"}


def unquoted(text: str) -> str:
    """A token's text without quotes and escapes."""
    if text[:1] in {'"', "'"} and text[-1:] == text[:1]:
        return re.sub(r'\\(["\'\\])', r"\1", text[1:-1])
    return text


def split_path(path: str) -> list[str]:
    """Segments of a path, of which some may be quoted."""
    return [unquoted(segment) for segment in re.findall(r'"(?:[^"\\]|\\.)*"|[^.]+', path)]


def reach(value: Any, segments: list[str]) -> list[Any]:
    """All values that a path finds; lists are searched, the severity of an entry is ``DEFAULT`` unless given."""
    if isinstance(value, list):
        return [found for item in value for found in reach(item, segments)]
    if not segments:
        return [value]
    if not isinstance(value, dict):
        return []
    head, *rest = segments
    if head in value:
        return reach(value[head], rest)
    camel = re.sub(r"_([a-z])", lambda match: match[1].upper(), head)
    if camel in value:
        return reach(value[camel], rest)
    return ["DEFAULT"] if segments == ["severity"] else []


def holds(segments: list[str], value: Any, operator: str, operand: str) -> bool:
    """One comparison of one value."""
    if operator == ":":
        if operand == "*":
            return True
        if isinstance(value, dict):
            return operand in value
        return operand.lower() in str(value).lower()
    if segments[-1] == "severity":
        return compared(rank(str(value)), operator, rank(operand))
    if segments[-1] in TIMES:
        return compared(moment(str(value)), operator, moment(operand))
    if isinstance(value, bool):
        return compared(str(value).lower(), operator, operand.lower())
    try:
        return compared(float(value), operator, float(operand))
    except (TypeError, ValueError):
        return compared(str(value).lower(), operator, operand.lower())


def compared(left: Any, operator: str, right: Any) -> bool:
    """The comparison itself."""
    result: bool = {
        "=": left == right,
        ">": left > right,
        "<": left < right,
        ">=": left >= right,
        "<=": left <= right,
    }[operator]
    return result


def rank(severity: str) -> int:
    """Place of a severity, or its number divided by 100.

    Raises:
        InvalidArgument: there is no such severity.
    """
    if severity.isdigit():
        return int(severity) // 100
    if severity.upper() not in SEVERITIES:
        raise InvalidArgument(f"Unparseable filter: unknown severity {severity!r}: {', '.join(SEVERITIES)}")
    return SEVERITIES.index(severity.upper())


def moment(text: str) -> datetime:
    """A time; dates begin at midnight UTC.

    Raises:
        InvalidArgument: it is no RFC 3339 time.
    """
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise InvalidArgument(f"Unparseable filter: {text!r} is no RFC 3339 time") from None
    return found if found.tzinfo else datetime.fromisoformat(f"{found.isoformat()}+00:00")


def texts(value: Any) -> Iterator[str]:
    """Every text in an entry."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value)
