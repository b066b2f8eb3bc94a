"""The grammar that filters of Logging and Monitoring share: terms, ``OR``, and ``AND`` that may be left out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sandbox.errors import InvalidArgument

Test = Callable[[dict[str, Any]], bool]


class FilterGrammar(ABC):
    """Reads tokens ``(kind, text)``; a service says what a term is and how it words a failure.

    Source: https://docs.cloud.google.com/logging/docs/view/logging-query-language and
    https://docs.cloud.google.com/monitoring/api/v3/filters (read 2026-08): ``OR`` binds tighter than ``AND``.
    """

    _tokens: list[tuple[str, str]]
    _at: int

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
