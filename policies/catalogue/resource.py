"""What controls look at: one resource in Pulumi's shape, wherever it was read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.catalogue.unknown import MISSING, Unknown

EACH = "[]"
"""Ends a part of a path whose value is a list, every item of which is meant: `conditions[].displayName`."""


@dataclass(frozen=True)
class Resource:
    """One resource.

    Attributes:
        urn: Pulumi's name of it, or the full resource name where Pulumi does not know it.
        type: Pulumi's type token, such as gcp:storage/bucket:Bucket.
        name: Pulumi's logical name, or the last part of the full resource name.
        properties: as Pulumi has them: camelCase, plain dicts and lists. `Unknown` stands for what cannot be read.
        source: where it was read: preview, state, live.
        protect: whether the engine refuses to delete it; None where there is no engine.
        dependencies: for each property, the URNs of the resources its value comes from.
        provider_project: the provider's default project, for resources that name none.
    """

    urn: str
    type: str
    name: str
    properties: Mapping[str, Any]
    source: str = "preview"
    protect: bool | None = None
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    provider_project: str | None = None

    def at(self, path: str) -> Any:
        """The value at a dotted path; `MISSING` where there is none, an `Unknown` where it cannot be read.

        A property that is null counts as missing.
        """
        value: Any = self.properties
        for part in path.split("."):
            name, _, index = part.partition("[")
            value = _step(value, name)
            if index and not isinstance(value, Unknown):
                value = _item(value, int(index.rstrip("]")))
        return value

    def each(self, path: str) -> Iterator[tuple[str, Any]]:
        """All values at a path with `[]` in it, each with its exact path; an `Unknown` list yields itself."""
        head, found, rest = path.partition(EACH)
        items = self.at(head)
        if items is MISSING:
            return
        if isinstance(items, Unknown):
            yield head, items
            return
        if not isinstance(items, Sequence) or isinstance(items, str):
            items = [items]
        for index, item in enumerate(items):
            exact = f"{head}[{index}]"
            if not found or not rest:
                yield exact, item
                continue
            if isinstance(item, Unknown):
                yield exact, item
                continue
            inner = Resource(self.urn, self.type, self.name, item if isinstance(item, Mapping) else {})
            tail = rest.removeprefix(".")
            if EACH in tail:
                for below, value in inner.each(tail):
                    yield f"{exact}.{below}", value
            else:
                yield f"{exact}.{tail}", inner.at(tail)


def _step(value: Any, name: str) -> Any:
    if isinstance(value, dict):  # By far the most; an abstract class takes ten times as long to ask.
        found = value.get(name)
        return MISSING if found is None else found
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        # Blocks that occur at most once are objects here and lists of one in older states.
        value = value[0] if value else MISSING
        if isinstance(value, Unknown):
            return value
    found = value.get(name) if isinstance(value, Mapping) else None
    return MISSING if found is None else found


def _item(value: Any, index: int) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value[index] if index < len(value) else MISSING
    return value if index == 0 else MISSING
