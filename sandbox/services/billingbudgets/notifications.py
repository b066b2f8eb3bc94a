"""Messages of budgets: published when the month's spend, or what it will come to, passes a threshold.

Format: https://docs.cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications (read 2026-08). The real
service publishes several times a day whatever happened; here each threshold is told once a month.
"""

from __future__ import annotations

import base64
import calendar
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.errors import ApiError
from sandbox.services.billingbudgets.budgets import KIND, SENDER
from sandbox.services.cloudbilling import LINKS
from sandbox.services.pubsub import messages
from sandbox.services.pubsub.names import TOPICS
from sandbox.spend import month_of

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

TOLD = "billingbudgets.told"
NANOS = 1_000_000_000


def spent(cloud: Cloud, project: str) -> None:
    """Look at the budgets that watch a project which has just spent something."""
    link = cloud.store.get(LINKS, f"projects/{project}") or {}
    account = link.get("billingAccountName", "")
    if not account:
        return
    number = f"projects/{cloud.hierarchy.project_number(project)}"
    for name, budget in cloud.store.items(KIND, f"{account}/budgets"):
        watched = budget["budgetFilter"].get("projects")
        if not watched or number in watched:
            look(cloud, account, name, budget)


def look(cloud: Cloud, account: str, name: str, budget: Document) -> None:
    """Tell of every threshold that is passed and has not been told this month."""
    topic = cloud.store.get(TOPICS, budget.get("notificationsRule", {}).get("pubsubTopic", ""))
    amount = specified(budget)
    if topic is None or not amount:
        return
    if cloud.permissions.grant(Principal(SENDER), "pubsub.topics.publish", "pubsub", topic["name"]) is None:
        return
    now = cloud.clock.now()
    cost = sum(cloud.spend.of(project, month_of(now)) for project in projects(cloud, account, budget))
    for rule in budget.get("thresholdRules", []):
        forecast = rule["spendBasis"] == "FORECASTED_SPEND"
        key = f"{name}/{month_of(now)}/{rule['spendBasis']}/{rule['thresholdPercent']}"
        basis = cost / elapsed_share(now) if forecast else cost
        if basis < amount * float(rule["thresholdPercent"]) or cloud.store.get(TOLD, key):
            continue
        exceeded = "forecastThresholdExceeded" if forecast else "alertThresholdExceeded"
        message = {
            "budgetDisplayName": budget.get("displayName", ""),
            exceeded: float(rule["thresholdPercent"]),
            "costAmount": round(cost, 6),
            "costIntervalStart": now.strftime("%Y-%m-01T00:00:00Z"),
            "budgetAmount": amount,
            "budgetAmountType": "SPECIFIED_AMOUNT",
            "currencyCode": budget["amount"]["specifiedAmount"]["currencyCode"],
        }
        attributes = {
            "billingAccountId": account.rpartition("/")[2],
            "budgetId": name.rpartition("/")[2],
            "schemaVersion": "1.0",
        }
        data = base64.b64encode(json.dumps(message).encode()).decode()
        try:
            messages.deliver(cloud, topic, {"data": data, "attributes": attributes})
        except ApiError:  # the topic's key cannot be used; whoever has spent is none the wiser, and it is told later
            return
        cloud.store.put(TOLD, key, {"time": cloud.clock.timestamp()})


def specified(budget: Document) -> float:
    """The budget's amount; 0 for one that follows the last period, which the sandbox does not keep."""
    amount = budget["amount"].get("specifiedAmount", {})
    return float(amount.get("units", 0)) + float(amount.get("nanos", 0)) / NANOS


def projects(cloud: Cloud, account: str, budget: Document) -> list[str]:
    """Ids of the projects that a budget watches."""
    if watched := budget["budgetFilter"].get("projects"):
        return [cloud.hierarchy.canonical(name).partition("/")[2] for name in watched]
    links = cloud.store.items(LINKS)
    return [name.partition("/")[2] for name, link in links if link["billingAccountName"] == account]


def elapsed_share(now: datetime) -> float:
    """The part of the month that is over, never less than a day of it."""
    days = calendar.monthrange(now.year, now.month)[1]
    passed = (now - now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)).total_seconds() / 86400
    return max(1.0, passed) / days
