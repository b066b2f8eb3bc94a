"""Filters over time series and descriptors.

Language: https://docs.cloud.google.com/monitoring/api/v3/filters (read 2026-08).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sandbox.errors import InvalidArgument
from sandbox.filter_grammar import FilterGrammar, Test
from sandbox.list_filters import FUNCTIONS

Document = dict[str, Any]

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<comma>,)|(?P<operator>!=|>=|<=|=~|!~|[=<>:])"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')'
    r'|(?P<word>[^\s()=<>!:,"\']+))'
)


@lru_cache(maxsize=1024)
def compile_filter(text: str) -> Test:
    """The predicate over ``{"metric": ..., "resource": ..., "project": ...}`` that a filter means.

    Raises:
        InvalidArgument: it cannot be read.
    """
    return Parser(text).whole() if text.strip() else accept_all


def accept_all(document: Document) -> bool:
    """The empty filter."""
    del document
    return True


def metric_types(text: str) -> list[str]:
    """The metric types that a filter names with ``=``."""
    return [found[1] or found[2] for found in re.finditer(r"metric\.type\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", text)]


class Parser(FilterGrammar):
    """Recursive descent over one filter."""

    token = TOKEN

    def failure(self) -> InvalidArgument:
        """Monitoring's words."""
        return InvalidArgument(
            f'Field filter had an invalid value of "{self._text}": The lefthand side of each expression must be '
            "prefixed with one of {group, metadata, metric, project, resource}."
        )

    def term(self) -> Test:
        """One comparison, negation or parenthesis."""
        if self.peek()[0] == "open":
            self.take("open")
            inner = self.both()
            self.take("close")
            return inner
        selector = self.take("word")
        if selector in {"NOT", "-"}:
            negated = self.term()
            return lambda document: not negated(document)
        path = split(selector)
        if path[0] not in {"group", "metadata", "metric", "project", "resource"}:
            raise self.failure()
        while self.peek()[0] == "quoted" and selector.endswith("."):
            path.append(plain(self.take("quoted")))
        operator = self.take("operator")
        kind, text = self.peek()
        self.take("word", "quoted")
        if kind == "word" and text in FUNCTIONS and self.peek()[0] == "open":
            return self.function(path, operator, text)
        return comparison(path, operator, plain(text))

    def function(self, path: list[str], operator: str, name: str) -> Test:
        """``selector = starts_with("x")``."""
        self.take("open")
        arguments = []
        while self.peek()[0] != "close":
            kind, _ = self.peek()
            text = self.take("quoted", "word", "comma")
            if kind != "comma":
                arguments.append(plain(text))
        self.take("close")
        if not arguments:
            raise self.failure()
        wanted = operator != "!="
        check = FUNCTIONS[name]
        return lambda document: any(check(value, arguments) for value in values(document, path)) == wanted


def split(selector: str) -> list[str]:
    """Segments of a selector; ``label`` is another name of ``labels``."""
    head, _, rest = selector.rstrip(".").partition(".")
    if not rest:
        return [head]
    middle, _, last = rest.partition(".")
    if middle == "label":
        middle = "labels"
    return [head, middle, last] if last else [head, middle]


def plain(text: str) -> str:
    """A token's text without quotes."""
    if text[:1] in {'"', "'"}:
        return re.sub(r'\\(["\'\\])', r"\1", text[1:-1])
    return text


def values(document: Document, path: list[str]) -> list[str]:
    """What a selector finds: nothing, or one value."""
    value: Any = document
    for segment in path:
        if not isinstance(value, dict) or segment not in value:
            return []
        value = value[segment]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def comparison(path: list[str], operator: str, operand: str) -> Test:
    """One comparison."""
    if operator == "!=":
        return lambda document: operand not in values(document, path)
    if operator in {"=~", "!~"}:
        expression = re.compile(operand)
        wanted = operator == "=~"
        return lambda document: any(expression.search(value) for value in values(document, path)) == wanted
    if operator == ":":
        return lambda document: any(operand in value for value in values(document, path))
    if operator == "=":
        return lambda document: operand in values(document, path)
    return lambda document: any(ordered(value, operator, operand) for value in values(document, path))


def ordered(value: str, operator: str, operand: str) -> bool:
    """Numeric order where both are numbers, else that of text."""
    try:
        left: Any = float(value)
        right: Any = float(operand)
    except ValueError:
        left, right = value, operand
    result: bool = {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[operator]
    return result
