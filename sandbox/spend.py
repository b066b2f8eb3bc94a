"""What each project has spent, by month and item: the ground of budgets and of the console's page of costs."""

from __future__ import annotations

from datetime import datetime

from sandbox.store import Store

KIND = "sandbox.spend"


def month_of(moment: datetime) -> str:
    """The month of a moment, as ``2026-11``."""
    return moment.strftime("%Y-%m")


class Spend:
    """Amounts in the billing account's currency."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, project: str, month: str, item: str, amount: float, count: int = 1) -> None:
        """Add the price of something, ``count`` pieces of it."""
        name = f"projects/{project}/{month}/{item}"
        found = self._store.get(KIND, name) or {
            "project": project,
            "month": month,
            "item": item,
            "amount": 0.0,
            "count": 0,
        }
        changed = {**found, "amount": found["amount"] + amount, "count": found["count"] + count}
        self._store.put(KIND, name, changed)

    def of(self, project: str, month: str) -> float:
        """What a project spent in a month."""
        return sum(float(entry["amount"]) for entry in self._store.documents(KIND, f"projects/{project}/{month}"))

    def items(self) -> list[dict[str, object]]:
        """All amounts: ``project``, ``month``, ``item``, ``amount``, ``count``."""
        return self._store.documents(KIND)
