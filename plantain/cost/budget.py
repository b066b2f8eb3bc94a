"""The state of the budgets on a billing account: amount, thresholds, and what was spent against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

NANO = Decimal("0.000000001")


@dataclass(frozen=True)
class Budget:
    """One budget.

    Attributes:
        amount: for a month; None when it follows last month's spend.
        thresholds: shares of the amount at which somebody is told.
        projects: it counts, by number; empty for the whole account.
        spent: in this month, by our own records; None when it was not asked for.
    """

    name: str
    amount: Decimal | None
    currency: str
    thresholds: tuple[Decimal, ...]
    projects: tuple[str, ...]
    spent: Decimal | None = None

    @property
    def crossed(self) -> Decimal | None:
        """The highest threshold that the spend has reached; None below the first."""
        if self.spent is None or not self.amount:
            return None
        share = self.spent / self.amount
        return max((one for one in self.thresholds if share >= one), default=None)


def budgets(cloud: GoogleCloud, account: str, spent: Mapping[str, Decimal]) -> list[Budget]:
    """The budgets of a billing account.

    ``account`` is its id without ``billingAccounts/``, ``spent`` what was recorded this month, by project number.

    Raises:
        GoogleCloudError: the account's budgets may not be read.
    """
    found = cloud.pages("billingbudgets", f"v1/billingAccounts/{account}/budgets", "budgets")
    return [budget(document, spent) for document in found]


def budget(document: Mapping[str, Any], spent: Mapping[str, Decimal]) -> Budget:
    """One budget from the API's form of it."""
    amount = document.get("amount", {}).get("specifiedAmount")
    projects = tuple(name.rpartition("/")[2] for name in document.get("budgetFilter", {}).get("projects", []))
    counted = [spent[number] for number in projects if number in spent]
    return Budget(
        document.get("displayName") or document["name"].rpartition("/")[2],
        Decimal(amount.get("units", 0)) + Decimal(amount.get("nanos", 0)) * NANO if amount else None,
        (amount or {}).get("currencyCode", ""),
        tuple(sorted(Decimal(str(rule["thresholdPercent"])) for rule in document.get("thresholdRules", []))),
        projects,
        sum(counted, Decimal(0)) if counted else None,
    )
