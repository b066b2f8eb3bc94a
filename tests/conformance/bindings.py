"""Placeholders of a recording and the values that stand for them in a replay."""

from __future__ import annotations

import re
from typing import Any

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")

#: Chosen by the caller, so they never change within a scenario.
CHOSEN = frozenset({"uniqueId", "projectId", "organizationID", "billingAccountID", "billingAccountId", "Namespace"})


class Bindings:
    """Values by placeholder.

    Args:
        values: what is known before the first request.
        strict: a placeholder keeps its first value for the whole scenario. Otherwise a generated one may take another
            value wherever an answer makes something new, and its earlier ones still match: recordings write the same
            ``${operationID}`` for each of their operations, the same ``${projectNumber}`` for each of their projects.
    """

    def __init__(self, values: dict[str, str], *, strict: bool) -> None:
        self._values = values
        self._strict = strict
        self._earlier: dict[str, set[str]] = {}
        self._renewed: dict[str, str] = {}
        self._may_renew = False

    def __contains__(self, name: object) -> bool:
        """Whether a placeholder has a value."""
        return name in self._values

    def fill(self, value: Any) -> Any:
        """A request with every bound placeholder replaced, at any depth."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda found: self._values.get(found[1], found[0]), value)
        if isinstance(value, dict):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return value

    def begin(self, *, changes: bool) -> None:
        """An answer begins; ``changes`` when it may show something new."""
        self._renewed = {}
        self._may_renew = changes and not self._strict

    def end(self) -> None:
        """The answer was compared: what it renewed holds from now on."""
        for name in self._renewed.keys() & self._values.keys():
            self._earlier.setdefault(name, set()).add(self._values[name])
        self._values |= self._renewed

    def match(self, recorded: str, got: str, *, renew: bool = True) -> bool:
        """Whether a text is the recorded one, unbound placeholders taking what stands in their place."""
        for renewing in (False, True) if self._may_renew and renew else (False,):
            pattern, unbound = self._pattern(recorded, renewing=renewing)
            if found := re.fullmatch(pattern, got):
                target = self._renewed if renewing else self._values
                target |= {name: found[name] for name in unbound}
                return True
        return False

    def _pattern(self, recorded: str, *, renewing: bool) -> tuple[str, list[str]]:
        """A regular expression, and the placeholders that it captures."""
        expression, captured, position = "", list[str](), 0
        for found in PLACEHOLDER.finditer(recorded):
            name = found[1]
            expression += re.escape(recorded[position : found.start()])
            position = found.end()
            known = {v for v in (self._values.get(name), self._renewed.get(name)) if v is not None}
            known |= self._earlier.get(name, set())
            open_ = not known or (renewing and name not in CHOSEN and name not in self._renewed)
            if not open_:
                expression += "(?:" + "|".join(re.escape(value) for value in sorted(known)) + ")"
            elif name in captured:
                expression += f"(?P={name})"
            else:
                captured.append(name)
                if name in self._values and self._values[name].isdigit():
                    expression += r"(?=\d+(?:\D|$))"  # a number is followed by a number
                expression += f"(?P<{name}>.+)" if position == len(recorded) else f'(?P<{name}>[^/"]+?)'
        return expression + re.escape(recorded[position:]), captured
