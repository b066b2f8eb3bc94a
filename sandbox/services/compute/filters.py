"""The ``filter`` parameter of Compute Engine lists.

Two notations, see https://docs.cloud.google.com/compute/docs/reference/rest/v1/networks/list (read 2026-08):
``(name = "a") AND (destRange != "b")`` with the operators ``= != > < <= >= :``, and the older
``name eq regular-expression`` or ``name ne regular-expression``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.call import Call
from sandbox.fields import pick
from sandbox.services.compute.failures import Invalid
from sandbox.services.compute.links import ANY_LINK

Document = dict[str, Any]
Test = Callable[[Document], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<operator>!=|<=|>=|[=<>:])"
    r'|"(?P<double>(?:[^"\\]|\\.)*)"|\'(?P<single>[^\']*)\'|(?P<word>[^\s()=<>!:"\'](?:[^\s()=<>!:"\']|:(?=//))*))'
)
WORD_OPERATORS = {"eq", "ne"}


def matching(call: Call, documents: list[Document]) -> list[Document]:
    """The documents that a list call's filter admits.

    Raises:
        Invalid: the filter cannot be read.
    """
    text = call.query.get("filter", "").strip()
    if not text:
        return documents
    test = Parser(text).whole()
    return [document for document in documents if test(document)]


def plain(value: Any) -> str:
    """A field's or operand's text; links are compared by their path, whatever the host and version."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    found = ANY_LINK.match(text)
    return found[1] if found else text


class Parser:
    """Recursive descent over one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            found = TOKEN.match(text, position)
            if not found or found.lastgroup is None:
                raise self.failure()
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._at = 0

    def failure(self) -> Invalid:
        """Google's words for a filter that cannot be read."""
        return Invalid(f"Invalid value for field 'filter': '{self._text}'. Invalid list filter expression.")

    def peek(self) -> tuple[str, str]:
        """The next token; an empty one at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def take(self) -> tuple[str, str]:
        """The next token, consumed."""
        token = self.peek()
        if not token[0]:
            raise self.failure()
        self._at += 1
        return token

    def whole(self) -> Test:
        """The whole expression."""
        test = self.either()
        if self.peek()[0]:
            raise self.failure()
        return test

    def either(self) -> Test:
        """Alternatives."""
        tests = [self.both()]
        while self.peek() == ("word", "OR"):
            self.take()
            tests.append(self.both())
        return lambda document: any(test(document) for test in tests)

    def both(self) -> Test:
        """Terms that must all hold; ``AND`` may be left out."""
        tests = [self.term()]
        while self.peek()[0] not in {"", "close"} and self.peek() != ("word", "OR"):
            if self.peek() == ("word", "AND"):
                self.take()
            tests.append(self.term())
        return lambda document: all(test(document) for test in tests)

    def term(self) -> Test:
        """One comparison, negation or parenthesis."""
        kind, text = self.take()
        if kind == "open":
            inner = self.either()
            if self.take()[0] != "close":
                raise self.failure()
            return inner
        if (kind, text) == ("word", "NOT"):
            negated = self.term()
            return lambda document: not negated(document)
        if kind != "word":
            raise self.failure()
        return self.comparison(text)

    def comparison(self, field: str) -> Test:
        """``field operator operand``."""
        kind, operator = self.take()
        if kind != "operator" and not (kind == "word" and operator in WORD_OPERATORS):
            raise self.failure()
        operand_kind, operand = self.take()
        if operand_kind in {"open", "close", "operator"}:
            raise self.failure()
        return lambda document: compare(pick(document, field)[1], operator, operand)


def compare(value: Any, operator: str, operand: str) -> bool:
    """One comparison; a list compares when any of its items does."""
    if isinstance(value, list):
        found = any(compare(item, operator.replace("!=", "=").replace("ne", "eq"), operand) for item in value)
        return found != (operator in {"!=", "ne"})
    if operator in {"=", "!="}:
        wanted = re.escape(plain(operand)).replace(r"\*", ".*")
        equal = value is not None and re.fullmatch(wanted, plain(value)) is not None
        return equal == (operator == "=")
    if operator in WORD_OPERATORS:
        equal = value is not None and (plain(value) == plain(operand) or matches(operand, str(value)))
        return equal == (operator == "eq")
    if operator == ":":
        return value is not None and (operand == "*" or plain(operand).lower() in plain(value).lower())
    return value is not None and ordered(value, operator, operand)


def matches(expression: str, text: str) -> bool:
    """Whether a regular expression holds for the whole text; a malformed one never does."""
    try:
        return re.fullmatch(expression, text) is not None
    except re.error:
        return False


def ordered(value: Any, operator: str, operand: str) -> bool:
    """Numeric or textual order."""
    left: Any = value
    right: Any = operand
    try:
        left, right = float(value), float(operand)
    except (TypeError, ValueError):
        left, right = str(value), operand
    result: bool = {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[operator]
    return result
