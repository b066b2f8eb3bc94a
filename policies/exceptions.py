"""What is allowed for a while although a control refuses it: who answers for it, why, and until when.

One file for the policy pack and the audit. An exception that has expired allows nothing.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from policies.errors import ExceptionFileError

LONGEST = dt.timedelta(days=366)
"""An exception for longer than a year is a policy, and belongs into the settings."""


@dataclass(frozen=True)
class ControlException:
    """One exception.

    Attributes:
        control: id of the control.
        resource: URN or logical name, `*` standing for anything.
        owner: who answers for it, an e-mail address.
        reason: why it is needed.
        approved: day it was approved.
        expires: last day it allows anything.
    """

    control: str
    resource: str
    owner: str
    reason: str
    approved: dt.date
    expires: dt.date

    def concerns(self, control: str, urn: str) -> bool:
        """Whether it is about a control and a resource."""
        names = (urn, urn.rpartition("::")[2])
        return control == self.control and any(fnmatchcase(name, self.resource) for name in names)

    def allows(self, date: dt.date) -> bool:
        """Whether it holds on a day."""
        return self.approved <= date <= self.expires


@dataclass(frozen=True)
class Exceptions:
    """All exceptions of a project."""

    entries: tuple[ControlException, ...] = ()

    def covering(self, control: str, urn: str, date: dt.date) -> ControlException | None:
        """The exception that allows a failure on a day, if there is one."""
        return next((entry for entry in self._about(control, urn) if entry.allows(date)), None)

    def expired(self, control: str, urn: str, date: dt.date) -> ControlException | None:
        """The exception that allowed a failure until a day before, if there is one and no other holds."""
        if self.covering(control, urn, date):
            return None
        return next((entry for entry in self._about(control, urn) if entry.expires < date), None)

    def _about(self, control: str, urn: str) -> list[ControlException]:
        return [entry for entry in self.entries if entry.concerns(control, urn)]

    @classmethod
    def load(cls, path: Path, known: frozenset[str]) -> "Exceptions":
        """Exceptions from a file; none when there is no file.

        Args:
            path: the file, YAML with a list under `exceptions`.
            known: ids of all controls.

        Raises:
            ExceptionFileError: the file cannot be read, or an entry makes no sense.
        """
        if not path.exists():
            return cls()
        try:
            document = yaml.safe_load(path.read_text("utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError):
            raise _error(path, "is no YAML", "correct it; see docs/policies.md") from None
        if not isinstance(document, Mapping) or set(document) - {"exceptions"}:
            raise _error(path, "must have one key, exceptions", "see docs/policies.md")
        entries = document.get("exceptions") or []
        if not isinstance(entries, list):
            raise _error(path, "has no list under exceptions", "see docs/policies.md")
        return cls(tuple(_entry(path, f"exceptions[{index}]", entry, known) for index, entry in enumerate(entries)))


def _entry(path: Path, key: str, entry: Any, known: frozenset[str]) -> ControlException:
    names = [field.name for field in fields(ControlException)]
    if not isinstance(entry, Mapping) or set(entry) != set(names):
        raise _error(path, f"{key} must have exactly {', '.join(names)}", "add what is missing")
    for name in ("control", "resource", "owner", "reason"):
        if not isinstance(entry[name], str) or not entry[name].strip():
            raise _error(path, f"{key}.{name} must be a text", "fill it in")
    for name in ("approved", "expires"):
        if not isinstance(entry[name], dt.date) or isinstance(entry[name], dt.datetime):
            raise _error(path, f"{key}.{name} must be a day such as 2026-11-30", "write it without quotes")
    found = ControlException(**entry)
    if found.control not in known:
        raise _error(path, f"{key}.control is no control", "docs/policies.md lists all controls")
    if "@" not in found.owner:
        raise _error(path, f"{key}.owner must be an e-mail address", "name somebody who answers for it")
    if not dt.timedelta() <= found.expires - found.approved <= LONGEST:
        raise _error(path, f"{key}.expires must be 0 to 366 days after approved", "approve it anew every year")
    return found


def _error(path: Path, cause: str, cure: str) -> ExceptionFileError:
    return ExceptionFileError(f"{path.name}: {cause}, so no exception can be applied: {cure}")
