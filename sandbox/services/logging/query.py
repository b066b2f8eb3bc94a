"""The Logging query language, as filters of entries, sinks, metrics, exclusions and views use it.

Language: https://docs.cloud.google.com/logging/docs/view/logging-query-language (read 2026-08). Covered: comparisons
``= != > < >= <= : =~ !~`` on paths, value lists, ``AND OR NOT -`` with their precedence (``NOT``, then ``OR``, then
``AND``), parentheses, bare words, comments, and the functions ``LOG_ID``, ``SOURCE``, ``sample`` and ``log_id``.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any
from urllib.parse import unquote

from sandbox.errors import InvalidArgument
from sandbox.filter_grammar import FilterGrammar, Test
from sandbox.services.logging.query_values import holds, reach, split_path, texts, unquoted

Document = dict[str, Any]

TOKEN = re.compile(
    r"\s*(?:--[^\n]*\n?\s*)*(?:"
    r"(?P<open>\()|(?P<close>\))|(?P<comma>,)|(?P<operator>!=|>=|<=|=~|!~|[=<>:])"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')'
    r'|(?P<word>-?[^\s()=<>!:,"\']+(?:(?<=\.)"(?:[^"\\]|\\.)*"[^\s()=<>!:,"\']*)*))'
)
FUNCTIONS = {"log_id", "source", "sample", "ip_in_net"}


@lru_cache(maxsize=1024)  # alert policies, sinks and metrics ask with the same few, often
def compile_filter(text: str) -> Test:
    """The predicate over log entries that a filter means; an empty filter admits all.

    Raises:
        InvalidArgument: it cannot be read.
    """
    return Parser(text).whole() if text.strip() else anything


def anything(entry: Document) -> bool:
    """Admits every entry."""
    del entry
    return True


class Parser(FilterGrammar):
    """Recursive descent over one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split(text))
        self._at = 0

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        position, end = 0, len(text.rstrip())
        while position < end:
            found = TOKEN.match(text, position)
            if found is None:
                if re.fullmatch(r"\s*--[^\n]*", text[position:]):
                    return
                raise self.failure(position)
            kind = found.lastgroup or ""
            position = found.end()
            yield kind, found[kind]

    def failure(self, position: int | None = None) -> InvalidArgument:
        """Google's words for a filter that cannot be read."""
        near = self._text[position : position + 20] if position is not None else self.peek()[1]
        return InvalidArgument(f"Unparseable filter: syntax error near {near or 'the end'!r} in {self._text!r}")

    def advance(self) -> tuple[str, str]:
        """The next token, consumed."""
        token = self.peek()
        if not token[0]:
            raise self.failure()
        self._at += 1
        return token

    def expect(self, kind: str) -> str:
        """The next token, which must be of a kind."""
        found, text = self.advance()
        if found != kind:
            self._at -= 1
            raise self.failure()
        return text

    def term(self) -> Test:
        """One comparison, function, word, negation or parenthesis."""
        kind, text = self.advance()
        if kind == "open":
            inner = self.both()
            self.expect("close")
            return inner
        if kind == "word" and text in {"NOT", "-"}:
            return negation(self.term())
        if kind == "word" and text.startswith("-") and len(text) > 1 and not text[1].isdigit():
            self._tokens[self._at - 1] = (kind, text[1:])
            self._at -= 1
            return negation(self.term())
        if kind == "word" and text.lower() in FUNCTIONS and self.peek()[0] == "open":
            return self.function(text.lower())
        if kind not in {"word", "quoted"} or (kind == "word" and text in {"AND", "OR"}):
            self._at -= 1
            raise self.failure()
        if self.peek()[0] == "operator":
            return self.comparison(unquoted(text) if kind == "quoted" else text)
        wanted = unquoted(text).lower()
        return lambda entry: any(wanted in value.lower() for value in texts(entry))

    def function(self, name: str) -> Test:
        """A call such as ``LOG_ID("stdout")``."""
        self.expect("open")
        arguments = []
        while self.peek()[0] != "close":
            kind, text = self.advance()
            if kind in {"quoted", "word"}:
                arguments.append(unquoted(text))
            elif kind != "comma":
                self._at -= 1
                raise self.failure()
        self.expect("close")
        return call(name, arguments, self.failure)

    def comparison(self, path: str) -> Test:
        """``path operator value`` or ``path operator (value OR value)``."""
        operator = self.expect("operator")
        if self.peek()[0] == "open":
            self.advance()
            return self.values(path, operator)
        kind, text = self.advance()
        if kind not in {"word", "quoted"}:
            self._at -= 1
            raise self.failure()
        return self.compare(path, operator, unquoted(text))

    def values(self, path: str, operator: str) -> Test:
        """The list after an operator, up to its closing parenthesis."""
        tests, joined = [], "OR"
        while self.peek()[0] != "close":
            kind, text = self.advance()
            if kind == "word" and text in {"OR", "AND"}:
                joined = text
            elif kind == "word" and text == "NOT":
                tests.append(negation(self.compare(path, operator, unquoted(self.advance()[1]))))
            elif kind in {"word", "quoted"}:
                tests.append(self.compare(path, operator, unquoted(text)))
            else:
                raise self.failure()
        self.expect("close")
        hold = all if joined == "AND" else any
        return lambda entry: hold(test(entry) for test in tests)

    def compare(self, path: str, operator: str, operand: str) -> Test:
        """One comparison of every value that the path finds."""
        segments = split_path(path)
        if operator in {"=~", "!~"}:
            try:
                expression = re.compile(operand)
            except re.error:
                raise self.failure() from None
            return partial(searched, segments, expression, operator)
        if operator == "!=":
            return lambda entry: not any(holds(segments, v, "=", operand) for v in reach(entry, segments))
        return lambda entry: any(holds(segments, v, operator, operand) for v in reach(entry, segments))


def searched(segments: list[str], expression: re.Pattern[str], operator: str, entry: Document) -> bool:
    """Whether an expression is found in some value of a path (``=~``), or in none (``!~``)."""
    return any(expression.search(str(value)) for value in reach(entry, segments)) == (operator == "=~")


def negation(test: Test) -> Test:
    """The opposite."""
    return lambda entry: not test(entry)


def call(name: str, arguments: list[str], failure: Callable[[], InvalidArgument]) -> Test:
    """The predicate of a function."""
    if name == "log_id" and len(arguments) == 1:
        return lambda entry: unquote(str(entry.get("logName", "")).rpartition("/logs/")[2]) == arguments[0]
    if name == "source" and len(arguments) == 1:
        return lambda entry: str(entry.get("logName", "")).startswith(f"{arguments[0]}/logs/")
    if name == "sample" and len(arguments) == 2:  # noqa: PLR2004 -- the path and the share
        share, segments = float(arguments[1]), split_path(arguments[0])
        return lambda entry: any(zlib.crc32(str(v).encode()) / 2**32 < share for v in reach(entry, segments))
    raise failure()
