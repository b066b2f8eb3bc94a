"""Refused requests with their explanations, kept across restarts, so that each can be asked about later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.enforcement.explanations import Explanation
    from sandbox.store import Store

Document = dict[str, Any]

KIND = "sandbox.denials"

#: The newest that are kept.
CAPACITY = 1000


@dataclass(frozen=True, slots=True)
class Denials:
    """The last refusals of a sandbox."""

    store: Store

    def record(
        self,
        call: Call,
        status: int,
        message: str,
        explanation: Explanation,
        *,
        identifiers: tuple[str, ...] = (),
        label: str = "",
    ) -> str:
        """Keep one; returns its id.

        Args:
            call: the refused call.
            status: HTTP status of the answer; 200 for what a dry run only reported.
            message: what the caller read.
            explanation: why.
            label: what was called, when that is no method of an API.
            identifiers: other names of it: unique identifier of a perimeter's refusal, insert id of its log entry.
        """
        number = self.store.next(KIND)
        found = {
            "id": f"d{number}",
            "identifiers": list(identifiers),
            "time": call.cloud.clock.timestamp(),
            "method": label or call.method.id,
            "resource": call.name,
            "project": call.consumer or call.project or "",
            "caller": call.principal.member,
            "impersonatedBy": list(call.principal.delegates),
            "network": call.origin.network or "",
            "address": call.origin.address,
            "status": status,
            "message": message,
            **explanation.document(),
        }
        self.store.put(KIND, f"denials/{number % CAPACITY}", found)
        return f"d{number}"

    def find(self, wanted: str) -> Document | None:
        """The refusal of an id, of a perimeter's unique identifier or of an audit log entry's insert id."""
        if wanted.startswith("d") and wanted[1:].isdigit():
            found = self.store.get(KIND, f"denials/{int(wanted[1:]) % CAPACITY}")
            return found if found and found["id"] == wanted else None
        return next((denial for denial in self.last(CAPACITY) if wanted in denial["identifiers"]), None)

    def last(self, count: int) -> list[Document]:
        """The newest refusals, newest first."""
        kept = self.store.documents(KIND)
        return sorted(kept, key=lambda denial: int(denial["id"][1:]), reverse=True)[:count]
