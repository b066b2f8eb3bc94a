"""A row of the checklist of docs/infrastructure.md: what a deployment needs, and what shows that it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANY = object()


@dataclass(frozen=True)
class Shown:
    """A resource of the recorded stacks that shows it.

    Attributes:
        token: its type without `gcp:`, such as storage/bucket:Bucket.
        path: a property, such as encryption.defaultKmsKeyName; empty for the resource itself.
        value: what it has to be; ANY for whatever is there.
        every: whether all resources of the type have to show it, not one.
    """

    token: str
    path: str = ""
    value: Any = ANY
    every: bool = False

    def by(self, resources: Sequence[Mapping[str, Any]]) -> bool:
        """Whether resources of the type show it.

        Args:
            resources: inputs of all resources of the type.
        """
        found = [self._holds(inputs) for inputs in resources]
        return bool(found) and (all(found) if self.every else any(found))

    def _holds(self, inputs: Mapping[str, Any]) -> bool:
        return not self.path or any(self.value is ANY or one == self.value for one in at(inputs, self.path.split(".")))


def at(value: Any, path: Sequence[str]) -> list[Any]:
    """Everything at a path, members of lists included."""
    if isinstance(value, list):
        return [found for member in value for found in at(member, path)]
    if not path:
        return [] if value is None else [value]
    return at(value[path[0]], path[1:]) if isinstance(value, Mapping) and path[0] in value else []


@dataclass(frozen=True)
class Row:
    """One thing that a deployment needs.

    Attributes:
        part: what it is about.
        asks: what is needed.
        shown: resources that show it is built.
        tests: names of tests that show it where resources cannot.
        instead: why it is not built, or what stands in its place; empty when it is built as asked.
        setting: the setting that switches it on; empty when it is always there.
    """

    part: str
    asks: str
    shown: tuple[Shown, ...] = ()
    tests: tuple[str, ...] = ()
    instead: str = ""
    setting: str = ""

    @property
    def cells(self) -> str:
        """The row in Markdown."""
        types = dict.fromkeys(
            f"`{shown.token.partition('/')[0]}.{shown.token.rpartition(':')[2]}`" for shown in self.shown
        )
        built = ", ".join([*types, *(f"`{name}`" for name in self.tests)])
        switch = f"`{self.setting}`: " if self.setting else ""
        return f"| {self.part} | {self.asks} | {switch}{built} | {self.instead} |"
