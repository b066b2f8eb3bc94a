"""Budgets, as v1 and v1beta1 show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument, NotFound, PermissionDenied
from sandbox.fields import without_defaults
from sandbox.resources import Resource
from sandbox.services.pubsub.names import TOPICS

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "billingbudgets.budgets"
SENDER = "serviceAccount:billing-budget-alert@system.gserviceaccount.com"
PUBLISHER = "roles/pubsub.publisher"

#: v1beta1 names one field otherwise and wraps the budget.
RULES = {"allUpdatesRule": "notificationsRule"}
MOST_RULES = 100


class Budget(Resource):
    """A budget of a billing account; the server names it, whatever the caller writes."""

    kind = KIND
    package = "google.cloud.billing.budgets.v1"

    def identifier(self, call: Call) -> str:
        """Always generated."""
        return call.cloud.identifiers.uuid("budgets")

    def accept(self, call: Call) -> Document:
        """The budget, without v1beta1's wrapper and names."""
        call.body = {**call.body.get("budget", call.body)}
        for beta, name in RULES.items():
            if beta in call.body:
                call.body[name] = call.body.pop(beta)
        body: Document = without_defaults(super().accept(call), frozenset({"thresholdPercent", "lastPeriodAmount"}))
        return body

    def prepare(self, call: Call, document: Document) -> None:
        """An amount, and defaults of filter and rules."""
        account = call.name.removesuffix("/budgets")
        found = call.cloud.store.get("cloudbilling.billingAccounts", account)
        if found is None:
            raise PermissionDenied("The caller does not have permission")
        if not document.get("amount"):
            raise InvalidArgument("Request contains an invalid argument: amount must be set.")
        self.complete(call, document)
        connect(call, topic_of(document))

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Defaults of new parts."""
        self.complete(call, after)
        if topic_of(after) != topic_of(before):
            connect(call, topic_of(after))

    @staticmethod
    def complete(call: Call, document: Document) -> None:
        """Credits count, the period is a month, projects are numbers, thresholds watch the spend so far."""
        account = call.cloud.store.get("cloudbilling.billingAccounts", to_account(call)[1]) or {}
        if specified := document["amount"].get("specifiedAmount"):
            currency = account.get("currencyCode", "USD")
            if specified.setdefault("currencyCode", currency) != currency:
                raise InvalidArgument("The budget's currency must be that of its billing account.")
        chosen = document.setdefault("budgetFilter", {})
        chosen.setdefault("creditTypesTreatment", "INCLUDE_ALL_CREDITS")
        if "customPeriod" not in chosen:
            chosen.setdefault("calendarPeriod", "MONTH")
        if "projects" in chosen:
            chosen["projects"] = [call.cloud.hierarchy.numbered(name) for name in chosen["projects"]]
        rules = document.get("thresholdRules", [])
        if len(rules) > MOST_RULES:
            raise InvalidArgument(f"A budget has at most {MOST_RULES} threshold rules.")
        for rule in rules:
            rule.setdefault("spendBasis", "CURRENT_SPEND")
        notifications = document.get("notificationsRule", {})
        if "pubsubTopic" in notifications:
            notifications.setdefault("schemaVersion", "1.0")

    def view(self, call: Call, document: Document) -> Document:
        """The names of the version that was called."""
        shown = super().view(call, document)
        if call.method.version == "v1beta1":
            for beta, name in RULES.items():
                if name in shown:
                    shown[beta] = shown.pop(name)
        return shown

    def etag(self, digest: str) -> str:
        """Short hexadecimal."""
        return digest[:16]

    def missing(self, call: Call) -> NotFound:
        """Names the budget."""
        return NotFound(f'budget "{call.name}" not found')


def topic_of(budget: Document) -> str:
    """The topic that a budget reports to; empty for none."""
    return str(budget.get("notificationsRule", {}).get("pubsubTopic", ""))


def connect(call: Call, topic: str) -> None:
    """Let Cloud Billing publish to a topic, in the name of the caller, who must be allowed to let it.

    Source: NotificationsRule in the reference of the Cloud Billing Budget API (read 2026-11).

    Raises:
        PermissionDenied: the caller may not change the topic's policy.
    """
    name = call.cloud.hierarchy.canonical(topic)
    if call.cloud.store.get(TOPICS, name) is None:
        return
    call.cloud.permissions.require(call.principal, "pubsub.topics.setIamPolicy", "pubsub", name)
    call.cloud.policies.grant(f"//pubsub.googleapis.com/{name}", PUBLISHER, SENDER)


def to_account(call: Call) -> tuple[str, str]:
    """The billing account's policy governs its budgets."""
    return "cloudbilling", "/".join(call.name.split("/")[:2])
