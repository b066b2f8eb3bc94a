"""Billing budgets: their documents, and the messages that tell of them."""

from __future__ import annotations

from sandbox.services.billingbudgets import budgets
from sandbox.services.registry import Service

SERVICE = Service(
    name="billingbudgets",
    title="Cloud Billing Budget API",
    resources=(budgets.Budget,),
    targets={budgets.KIND: budgets.to_account},
)
