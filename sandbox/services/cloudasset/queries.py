"""The query language of Cloud Asset searches.

Source: https://docs.cloud.google.com/asset-inventory/docs/query-syntax (read 2026-08): ``field:text`` holds words in
any case, with ``*`` at a word's end; ``field=value`` compares whole; ``AND``, ``OR``, ``NOT``, parentheses, free text.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.errors import InvalidArgument
from sandbox.filter_grammar import FilterGrammar, Test

Document = dict[str, Any]

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<operator><=|>=|[=<>:])"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<word>(?:[^\s()=<>:"]|:(?=//))+))'
)
WORDS = re.compile(r"[a-z0-9]+\*?")


class Query(FilterGrammar):
    """Recursive descent over one query."""

    token = TOKEN

    def failure(self) -> InvalidArgument:
        """Cloud Asset's words."""
        return InvalidArgument(f"Invalid query: {self._text}")

    def whole(self) -> Test:
        """``OR`` binds weaker than ``AND`` here."""
        test = self.alternatives()
        if self.peek()[0]:
            raise self.failure()
        return test

    def alternatives(self) -> Test:
        """Terms joined by ``OR``."""
        tests = [self.all_of()]
        while self.peek() == ("word", "OR"):
            self._at += 1
            tests.append(self.all_of())
        return lambda document: any(test(document) for test in tests)

    def all_of(self) -> Test:
        """Terms that must all hold; ``AND`` may be left out."""
        tests = [self.term()]
        while self.peek()[0] not in {"", "close"} and self.peek() != ("word", "OR"):
            if self.peek() == ("word", "AND"):
                self._at += 1
            tests.append(self.term())
        return lambda document: all(test(document) for test in tests)

    def term(self) -> Test:
        """One comparison, negation, parenthesis or free text."""
        kind, text = self.peek()
        if not kind or kind in {"close", "operator"}:
            raise self.failure()
        self._at += 1
        if kind == "open":
            inner = self.alternatives()
            if self.peek()[0] != "close":
                raise self.failure()
            self._at += 1
            return inner
        if (kind, text) == ("word", "NOT"):
            negated = self.term()
            return lambda document: not negated(document)
        if self.peek()[0] != "operator":
            return lambda document: any(has_words(value, plain(text)) for value in values(document))
        return self.compared(text)

    def compared(self, field: str) -> Test:
        """What follows a field: an operator and a value, or ``(a OR b)``."""
        operator = self.peek()[1]
        self._at += 1
        if self.peek()[0] != "open":
            return comparison(field, operator, self.operand())
        self._at += 1
        tests = [comparison(field, operator, self.operand())]
        while self.peek()[0] != "close":
            if self.peek() == ("word", "OR"):
                self._at += 1
            tests.append(comparison(field, operator, self.operand()))
        self._at += 1
        return lambda document: any(test(document) for test in tests)

    def operand(self) -> str:
        """The text that a field is compared with."""
        kind, text = self.peek()
        if kind not in {"word", "quoted"}:
            raise self.failure()
        self._at += 1
        return plain(text)


def plain(text: str) -> str:
    """A token's text without quotes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def values(value: Any) -> list[str]:
    """Every text below a value, keys of mappings included."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (str(key), *values(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in values(inner)]
    return [str(value)]


def selected(document: Document, field: str) -> Any:
    """What a field path finds; an empty list when it is not there."""
    value: Any = document
    for segment in field.split("."):
        value = value.get(segment, []) if isinstance(value, dict) else []
    return value


def has_words(text: str, wanted: str) -> bool:
    """Whether a text holds the wanted words in that order, whatever their case."""
    needle = WORDS.findall(wanted.lower())
    words = [word.removesuffix("*") for word in WORDS.findall(text.lower())]
    if not needle:
        return wanted == "*" and bool(text)
    for start in range(len(words) - len(needle) + 1):
        pairs = zip(needle, words[start:], strict=False)
        if all(have.startswith(want[:-1]) if want.endswith("*") else have == want for want, have in pairs):
            return True
    return False


def comparison(field: str, operator: str, operand: str) -> Test:
    """One comparison of a field."""
    if operator == ":":
        return lambda document: any(has_words(value, operand) for value in values(selected(document, field)))
    if operator == "=":
        return lambda document: operand.lower() in [value.lower() for value in values(selected(document, field))]

    def ordered(document: Document) -> bool:
        for value in values(selected(document, field)):
            if {"<": value < operand, ">": value > operand, "<=": value <= operand, ">=": value >= operand}[operator]:
                return True
        return False

    return ordered


def compile_query(text: str) -> Test:
    """The predicate over search results that a query means.

    Raises:
        InvalidArgument: it cannot be read.
    """
    return Query(text).whole() if text.strip() else bool
