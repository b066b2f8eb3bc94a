"""Common Expression Language as IAM conditions, access levels and attribute mappings use it.

Functions beyond the language's own: https://docs.cloud.google.com/iam/docs/conditions-attribute-reference,
https://docs.cloud.google.com/access-context-manager/docs/custom-access-level-spec and
https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping (read 2026-08).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    import cel

Function = Callable[..., Any]

CACHED_PROGRAMS = 512
PLACEHOLDER = re.compile(r"\{[^}]*\}")


class ExpressionError(Exception):
    """An expression that cannot be read, or that has no value for this request."""


@lru_cache(maxsize=CACHED_PROGRAMS)
def compiled(expression: str) -> cel.Program:
    """The program of an expression.

    Raises:
        ExpressionError: it is no CEL.
    """
    import cel  # noqa: PLC0415 -- its package brings a command line along, a quarter of a second at every start

    try:
        return cel.compile(expression)
    except ValueError as error:
        raise ExpressionError(" ".join(str(error).split())) from None


def evaluate(expression: str, variables: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> Any:
    """The value of an expression.

    Args:
        expression: CEL.
        variables: what it may name; nested mappings are its messages.
        functions: more functions by name. One that is called on a value gets that value as its first argument.

    Raises:
        ExpressionError: it is no CEL, or names something that the request has not.
    """
    import cel  # noqa: PLC0415 -- as above

    program = compiled(expression)
    context = cel.Context()
    for name, value in variables.items():
        context.add_variable(name, value)
    for name, function in {**FUNCTIONS, **(functions or {})}.items():
        context.add_function(name, function)
    try:
        return program.execute(context)
    except Exception as error:  # noqa: BLE001 -- the library raises KeyError, TypeError, RuntimeError, ValueError ...
        raise ExpressionError(" ".join(str(error).split())) from None


def holds(expression: str, variables: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> bool:
    """Whether a condition is true; one that cannot be evaluated is not, as with Google."""
    try:
        return evaluate(expression, variables, functions) is True
    except ExpressionError:
        return False


def extract(text: str, template: str) -> str:
    """The part of ``text`` at the placeholder of ``template``; empty when it does not fit.

    ``"projects/p/buckets/b".extract("/buckets/{name}")`` is ``b``. What precedes the placeholder may stand anywhere in
    the text; the placeholder then reaches to what follows it, or to the text's end.
    """
    parts = PLACEHOLDER.split(template)
    if len(parts) != 2:  # noqa: PLR2004 -- before and after the one placeholder
        return ""
    before, after = parts
    start = text.find(before)
    if start < 0:
        return ""
    rest = text[start + len(before) :]
    if not after:
        return rest
    found, separator, _ = rest.partition(after)
    return found if separator else ""


def in_ip_range(address: str, networks: list[str]) -> bool:
    """Whether an address lies in one of the CIDR blocks."""
    try:
        parsed = ipaddress.ip_address(address)
        return any(parsed in ipaddress.ip_network(network, strict=False) for network in networks)
    except ValueError:
        return False


def has_only(values: list[Any], admitted: list[Any]) -> bool:
    """Whether no value lies outside of ``admitted``."""
    return set(values) <= set(admitted)


def local(moment: datetime, zone: str) -> datetime:
    """A moment in a time zone, ``Europe/Berlin`` or ``UTC``.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        return moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"unknown time zone {zone!r}") from None


def part(read: Callable[[datetime], int]) -> Function:
    """A function over a timestamp with an optional time zone."""

    def of(moment: datetime, zone: str = "UTC") -> int:
        return read(local(moment, zone))

    return of


def date(text: str) -> datetime:
    """Midnight UTC of ``2026-12-31``."""
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


FUNCTIONS: dict[str, Function] = {
    "date": date,
    "extract": extract,
    "getDate": part(lambda moment: moment.day),
    "getDayOfMonth": part(lambda moment: moment.day - 1),
    "getDayOfWeek": part(lambda moment: moment.isoweekday() % 7),
    "getDayOfYear": part(lambda moment: moment.timetuple().tm_yday - 1),
    "getFullYear": part(lambda moment: moment.year),
    "getHours": part(lambda moment: moment.hour),
    "getMinutes": part(lambda moment: moment.minute),
    "getMonth": part(lambda moment: moment.month - 1),
    "getSeconds": part(lambda moment: moment.second),
    "hasOnly": has_only,
    "inIpRange": in_ip_range,
    "join": lambda values, separator="": separator.join(values),
    "lowerAscii": lambda text: text.lower(),
    "split": lambda text, separator: text.split(separator),
    "upperAscii": lambda text: text.upper(),
}
