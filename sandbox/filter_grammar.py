"""The grammar that filters of several services share: tokens, terms, ``OR``, and ``AND`` that may be left out."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from sandbox.errors import InvalidArgument

Test = Callable[[dict[str, Any]], bool]


class FilterGrammar(ABC):
    """Reads tokens ``(kind, text)``; a service says what a term is and how it words a failure.

    Source: https://docs.cloud.google.com/logging/docs/view/logging-query-language and
    https://docs.cloud.google.com/monitoring/api/v3/filters (read 2026-08): ``OR`` binds tighter than ``AND``.
    """

    #: One token, after the space before it; its kind is the name of the group that matched.
    token: ClassVar[re.Pattern[str]]

    _tokens: list[tuple[str, str]]
    _at: int

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = []
        self._at = 0
        position, end = 0, len(text.rstrip())
        while position < end:
            found = self.token.match(text, position)
            if found is None or found.lastgroup is None:
                raise self.failure()
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    @abstractmethod
    def failure(self) -> InvalidArgument:
        """The service's words for a filter that cannot be read."""

    @abstractmethod
    def term(self) -> Test:
        """One comparison, negation or parenthesis."""

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        """A token; an empty one past the end."""
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "")

    def take(self, *kinds: str) -> str:
        """The next token's text; refuses the filter when it is of another kind."""
        kind, text = self.peek()
        if kind not in kinds:
            raise self.failure()
        self._at += 1
        return text

    def whole(self) -> Test:
        """The whole filter."""
        test = self.both()
        if self.peek()[0]:
            raise self.failure()
        return test

    def both(self) -> Test:
        """Terms that must all hold; ``AND`` may be left out."""
        tests = [self.either()]
        while self.peek()[0] not in {"", "close"}:
            if self.peek() == ("word", "AND"):
                self._at += 1
            tests.append(self.either())
        return lambda document: all(test(document) for test in tests)

    def either(self) -> Test:
        """Alternatives, which bind tighter than ``AND``."""
        tests = [self.term()]
        while self.peek() == ("word", "OR"):
            self._at += 1
            tests.append(self.term())
        return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)
