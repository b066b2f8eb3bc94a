"""The ``filter`` and ``orderBy`` parameters of list methods, where a service has no language of its own.

Sources: https://google.aip.dev/160 (filters), https://google.aip.dev/132 (order) and, for the functions at the right of
a comparison, https://docs.cloud.google.com/monitoring/api/v3/sorting-and-filtering (all read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.errors import InvalidArgument
from sandbox.fields import camel
from sandbox.filter_grammar import FilterGrammar, Test

Document = dict[str, Any]
Compare = Callable[[Any], bool]

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
INSTANT = re.compile(MOMENT)
TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<comma>,)|(?P<operator>!=|<=|>=|[=<>:])"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|(?P<minus>-(?=[^\s\d]))'
    rf"|(?P<word>{MOMENT}"
    r'|[^\s()=<>!:,"\']+(?:(?<=\.)"[^"]*")?))'
)
#: What may stand at the right of a comparison instead of a value; the arguments are texts.
FUNCTIONS: dict[str, Callable[[str, list[str]], bool]] = {
    "starts_with": lambda text, given: text.startswith(given[0]),
    "ends_with": lambda text, given: text.endswith(given[0]),
    "has_substring": lambda text, given: given[0] in text,
    "one_of": lambda text, given: text in given,
    "monitoring.regex.full_match": lambda text, given: re.fullmatch(given[0], text) is not None,
}


class ListFilter(FilterGrammar):
    """Recursive descent over one filter; ``OR`` binds tighter than ``AND``."""

    token = TOKEN

    def failure(self) -> InvalidArgument:
        """A filter that cannot be read."""
        return InvalidArgument(f"Invalid list filter: {self._text}")

    def term(self) -> Test:
        """A negation, a parenthesis, a comparison, or a text to be found anywhere."""
        kind, text = self.peek()
        if kind == "minus" or (kind, text) == ("word", "NOT"):
            self._at += 1
            inner = self.term()
            return lambda document: not inner(document)
        if kind == "open":
            self._at += 1
            inner = self.both()
            self.take("close")
            return inner
        field = self.take("word", "quoted")
        if self.peek()[0] == "open":
            return self.scope(field)
        if self.peek()[0] != "operator":
            sought = plain(field).lower()
            return lambda document: any(sought in text.lower() for text in texts(document))
        operator = self.take("operator")
        compare = self.operand(operator)
        path = segments(field)
        if operator == "!=":
            return lambda document: not any(compare(value) for value in reached(document, path))
        return lambda document: any(compare(value) for value in reached(document, path))

    def scope(self, name: str) -> Test:
        """``in_scope("ALL")``, with which Logging lists what is inherited too: nothing more is kept here."""
        arguments = self.arguments()
        if name != "in_scope" or len(arguments) != 1:
            raise self.failure()
        return bool

    def operand(self, operator: str) -> Compare:
        """The right side of a comparison."""
        text = self.take("word", "quoted")
        if self.peek()[0] == "open":
            function, arguments = FUNCTIONS.get(text), self.arguments()
            if function is None or operator not in {"=", "!="} or not arguments:
                raise self.failure()
            return lambda value: function(str(value), arguments)
        return comparison(operator, plain(text))

    def arguments(self) -> list[str]:
        """Texts between parentheses."""
        self.take("open")
        found: list[str] = []
        while self.peek()[0] != "close":
            if found:
                self.take("comma")
            found.append(plain(self.take("word", "quoted")))
        self.take("close")
        return found


def plain(text: str) -> str:
    """A token without its quotes."""
    if text[:1] in {'"', "'"}:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def segments(field: str) -> list[str]:
    """A field's path; a quoted end is the key of a map."""
    head, _, key = field.partition('."')
    return [*plain(head).split("."), *([key.removesuffix('"')] if key else [])]


def reached(value: Any, path: list[str]) -> list[Any]:
    """The values at a path; a list stands for each of its items."""
    if isinstance(value, list):
        return [found for item in value for found in reached(item, path)]
    if not path:
        return [value]
    if not isinstance(value, dict):
        return []
    for count in range(len(path), 0, -1):
        key = ".".join(path[:count])
        for spelled in (key, camel(key)):
            if spelled in value:
                inner = value[spelled]
                return [inner] if count == len(path) else reached(inner, path[count:])
    return []


def comparison(operator: str, text: str) -> Compare:
    """How a value compares with a text."""
    if operator in {"=", "!="}:
        return lambda value: equals(value, text)
    if operator == ":":
        return lambda value: holds(value, text)
    order: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
    }
    compared = order[operator]

    def test(value: Any) -> bool:
        one, other = ordered(value), ordered(text)
        return type(one) is type(other) and compared(one, other)

    return test


def equals(value: Any, text: str) -> bool:
    """A value is a text; a star at either end of the text stands for anything. A map is equal to each of its keys."""
    if isinstance(value, dict):
        return text in value
    if isinstance(value, list):
        return any(equals(item, text) for item in value)
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if INSTANT.fullmatch(text) or isinstance(value, int | float):
        return ordered(value) == ordered(text) or shown == text
    if "*" in (text[:1], text[-1:]):
        pattern = ".*" * text.startswith("*") + re.escape(text.strip("*")) + ".*" * text.endswith("*")
        return re.fullmatch(pattern, shown) is not None
    return shown == text


def holds(value: Any, text: str) -> bool:
    """A map has a key, a list an item, a text a part; ``*`` asks only whether there is anything."""
    if text == "*":
        return value not in (None, "", [], {})
    if isinstance(value, dict):
        return text in value
    if isinstance(value, list):
        return any(holds(item, text) for item in value)
    return text.lower() in str(value).lower()


def ordered(value: Any) -> float | str:
    """A value as it is put in order: times and numbers by size, everything else as text."""
    text = str(value)
    if INSTANT.fullmatch(text):
        return datetime.fromisoformat(text).timestamp()
    try:
        return float(text)
    except ValueError:
        return text


def texts(value: Any) -> list[str]:
    """Every text within a document."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [str(value)]


def compile_filter(text: str) -> Test:
    """The test that a filter means.

    Raises:
        InvalidArgument: it cannot be read.
    """
    return ListFilter(text).whole()


def in_order(documents: list[Document], views: list[Document], text: str) -> list[Document]:
    """Documents in the order that ``orderBy`` asks for: ``create_time desc, name``.

    Raises:
        InvalidArgument: a part is no field with an optional ``asc`` or ``desc``.
    """
    pairs = list(zip(documents, views, strict=True))
    for part in reversed(text.split(",")):
        match part.split():
            case [field]:
                descending = False
            case [field, "asc" | "desc" as way]:
                descending = way == "desc"
            case _:
                raise InvalidArgument(f"Invalid order_by: {text}")
        path = segments(field)

        def key(pair: tuple[Document, Document], path: list[str] = path) -> tuple[bool, float, str]:
            values = reached(pair[1], path)
            value = ordered(values[0]) if values else ""
            return bool(values), value if isinstance(value, float) else 0.0, value if isinstance(value, str) else ""

        pairs.sort(key=key, reverse=descending)
    return [document for document, _ in pairs]
