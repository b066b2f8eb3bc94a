"""What people decided: exceptions they approved, and what they found where no program can look.

Exceptions are those of the policy pack, in the same file. Results of manual checks are a file beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plantain.audit.errors import SourceError
from policies.errors import PolicyError
from policies.exceptions import ControlException, Exceptions

EXCEPTIONS_FILE = Path("policies/exceptions.yaml")
MANUAL_FILE = Path("policies/manual.yaml")


class Recorded(BaseModel):
    """What a person found who checked what no program can.

    Attributes:
        control: id of the control.
        result: what was found.
        by: who checked.
        date: when.
        evidence: where the proof lies.
        due: by when it has to be checked again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    control: str = Field(min_length=1)
    result: Literal["pass", "fail"]
    by: str = Field(min_length=1)
    date: dt.date
    evidence: str = Field(min_length=1)
    due: dt.date


class _ManualFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    manual: tuple[Recorded, ...] = ()


@dataclass(frozen=True)
class Judgements:
    """Exceptions, and results of manual checks."""

    exceptions: Exceptions = field(default_factory=Exceptions)
    manual: tuple[Recorded, ...] = ()

    def recorded(self, control: str) -> Recorded | None:
        """The last recorded result of a manual control."""
        return max((entry for entry in self.manual if entry.control == control), key=lambda e: e.date, default=None)

    def document(self) -> dict[str, Any]:
        """Both as one JSON object."""
        entries = [asdict(entry) for entry in self.exceptions.entries]
        return {
            "exceptions": [{key: _text(value) for key, value in entry.items()} for entry in entries],
            "manual": [entry.model_dump(mode="json") for entry in self.manual],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """What ``document`` made."""
        entries = tuple(
            ControlException(
                entry["control"],
                entry["resource"],
                entry["owner"],
                entry["reason"],
                dt.date.fromisoformat(entry["approved"]),
                dt.date.fromisoformat(entry["expires"]),
            )
            for entry in document["exceptions"]
        )
        return cls(Exceptions(entries), tuple(Recorded.model_validate(entry) for entry in document["manual"]))


def load(exceptions: Path, manual: Path, known: Sequence[str]) -> Judgements:
    """Both files; empty where there is none.

    Raises:
        SourceError: one cannot be read, or an entry is wrong; the message names all of them.
    """
    try:
        allowed = Exceptions.load(exceptions, frozenset(known))
    except PolicyError as error:
        raise SourceError(str(error)) from None
    return Judgements(allowed, _manual(manual, known))


def _manual(path: Path, known: Sequence[str]) -> tuple[Recorded, ...]:
    if not path.exists():
        return ()
    try:
        found = _ManualFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {}).manual
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SourceError(f"{path} cannot be read: {error}", cure=f"edit {path}; see docs/audit.md") from None
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise SourceError(
            "\n".join([f"{path} is wrong in {len(wrong)} places, so no manual result counts:", *wrong]),
            cure="each entry has control, result (pass or fail), by, date, evidence, due",
        ) from None
    unknown = sorted({entry.control for entry in found} - set(known))
    if unknown:
        raise SourceError(
            f"{path} records results of {', '.join(unknown)}, which is no control, so they would count nowhere.",
            cure="plantain audit controls lists all of them",
        )
    return found


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
