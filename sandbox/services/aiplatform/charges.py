"""The price of an answer, charged to the project that asked."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sandbox.services.billingbudgets import notifications
from sandbox.spend import month_of

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

MILLION = 1_000_000


@cache
def prices() -> Document:
    """The table of prices, with its source and date."""
    text = resources.files("sandbox.services.aiplatform").joinpath("prices.json").read_text()
    document: Document = json.loads(text)
    return document


def price(model: str, answer: Document, *, batch: bool = False) -> float:
    """What an answer costs, in the table's currency."""
    rates, usage = prices()["models"].get(model), answer.get("usageMetadata", {})
    if rates is None:
        return 0.0
    images = sum(d["tokenCount"] for d in usage.get("candidatesTokensDetails", []) if d["modality"] == "IMAGE")
    text = usage.get("candidatesTokenCount", 0) - images + usage.get("thoughtsTokenCount", 0)
    asked = usage.get("promptTokenCount", 0)
    amount = (asked * rates["input"] + text * rates["text"] + images * rates["image"]) / MILLION
    return float(amount * (prices()["batchShare"] if batch else 1.0))


def charge(cloud: Cloud, project: str, model: str, answer: Document, *, batch: bool = False) -> None:
    """Add an answer's price to the project's spend, and let its budgets know."""
    item = f"{model}, batch" if batch else model
    cloud.spend.add(project, month_of(cloud.clock.now()), item, price(model, answer, batch=batch))
    notifications.spent(cloud, project)
