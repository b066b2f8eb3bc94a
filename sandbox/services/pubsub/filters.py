"""Subscription filters over message attributes.

Grammar: https://docs.cloud.google.com/pubsub/docs/subscription-message-filter (read 2026-08).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from sandbox.errors import InvalidArgument

Test = Callable[[dict[str, str]], bool]

TOKEN = re.compile(r"""\s*(?:(?P<mark>!=|[()=:,.-])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z0-9_-]*))""")
LONGEST = 256


@cache
def compile_filter(text: str) -> Test:
    """The test that a filter stands for; an empty one admits everything.

    Raises:
        InvalidArgument: it does not parse.
    """
    if not text.strip():
        return lambda _: True
    if len(text.encode()) > LONGEST:
        raise refused(text)
    parser = Parser(text)
    test = parser.either()
    if parser.tokens:
        raise refused(text)
    return test


def refused(text: str) -> InvalidArgument:
    """400 for a filter that does not parse."""
    return InvalidArgument(f"Invalid filter expression: {text!r}.")


class Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        position = 0
        stripped = text.rstrip()
        while position < len(stripped):
            found = TOKEN.match(stripped, position)
            if not found:
                raise refused(text)
            self.tokens.append(found[0].strip())
            position = found.end()

    def take(self, *wanted: str) -> str | None:
        """The next token if it is one of ``wanted``."""
        if self.tokens and self.tokens[0] in wanted:
            return self.tokens.pop(0)
        return None

    def value(self) -> str:
        """A quoted text or a bare word."""
        if not self.tokens:
            raise refused(self.text)
        token = self.tokens.pop(0)
        if token.startswith('"'):
            return re.sub(r"\\(.)", r"\1", token[1:-1])
        if not token[0].isalpha() and token[0] != "_":
            raise refused(self.text)
        return token

    def expect(self, token: str) -> None:
        """Consume exactly this token."""
        if not self.take(token):
            raise refused(self.text)

    def either(self) -> Test:
        """Terms joined by OR."""
        tests = [self.both()]
        while self.take("OR"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda a: any(test(a) for test in tests)

    def both(self) -> Test:
        """Factors joined by AND."""
        tests = [self.factor()]
        while self.take("AND"):
            tests.append(self.factor())
        return tests[0] if len(tests) == 1 else lambda a: all(test(a) for test in tests)

    def factor(self) -> Test:
        """A negation, a group, or a comparison."""
        if self.take("NOT", "-"):
            inner = self.factor()
            return lambda a: not inner(a)
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        if self.take("hasPrefix"):
            self.expect("(")
            key = self.attribute()
            self.expect(",")
            prefix = self.value()
            self.expect(")")
            return lambda a: a.get(key, "").startswith(prefix) and key in a
        return self.comparison()

    def attribute(self) -> str:
        """``attributes.KEY``."""
        self.expect("attributes")
        self.expect(".")
        return self.value()

    def comparison(self) -> Test:
        """``attributes:KEY``, ``attributes.KEY = "v"``, ``attributes.KEY != "v"``."""
        self.expect("attributes")
        if self.take(":"):
            key = self.value()
            return lambda a: key in a
        self.expect(".")
        key = self.value()
        operator = self.take("=", "!=")
        wanted = self.value()
        if operator == "=":
            return lambda a: a.get(key) == wanted
        if operator == "!=":
            return lambda a: a.get(key) != wanted
        raise refused(self.text)
