"""Failures on demand, by method and count."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field

from sandbox.description import Method


class Fault(BaseModel):
    """Answer the next ``count`` calls of the methods that match ``method`` (a glob over ids) with an HTTP ``code``."""

    model_config = ConfigDict(extra="forbid")

    method: str
    code: int = Field(ge=400, le=599)
    count: int = Field(default=1, ge=1)
    message: str = ""


class Faults:
    """The faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        self.pending.append(fault)

    def take(self, method: Method) -> Fault | None:
        """The fault due for this call, counted down."""
        for fault in self.pending:
            if fnmatchcase(method.id, fault.method) or fnmatchcase(method.short, fault.method):
                fault.count -= 1
                if not fault.count:
                    self.pending.remove(fault)
                return fault
        return None
