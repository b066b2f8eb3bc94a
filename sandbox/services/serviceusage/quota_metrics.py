"""Consumer quota metrics and their overrides, v1beta1."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from sandbox.call import Call
from sandbox.enforcement.quotas import ADMIN_OVERRIDES, CONSUMER_OVERRIDES, Quota, table
from sandbox.errors import InvalidArgument, NotFound
from sandbox.paging import page
from sandbox.resources import Resource

Document = dict[str, Any]

UNIT = "/min/project"


def metric(call: Call, quota: Quota) -> Document:
    """One metric with its one limit."""
    name = metric_name(call, quota)
    return {
        "name": name,
        "metric": quota.metric,
        "displayName": quota.display_name,
        "unit": "1",
        "consumerQuotaLimits": [limit(call, quota)],
    }


def metric_name(call: Call, quota: Quota) -> str:
    """Its name, with the metric's slashes encoded."""
    number = call.cloud.hierarchy.project_number(call.project or "")
    encoded = quote(quota.metric, safe="")
    return f"projects/{number}/services/{quota.service}/consumerQuotaMetrics/{encoded}"


def limit(call: Call, quota: Quota) -> Document:
    """The limit and its buckets."""
    value = call.cloud.quotas.limit(call.project or "", quota, {})
    bucket = {"effectiveLimit": str(value), "defaultLimit": str(quota.value)}
    return {
        "name": f"{metric_name(call, quota)}/limits/{quote(UNIT, safe='')}",
        "metric": quota.metric,
        "unit": "1/min/{project}",
        "isPrecise": True,
        "allowsAdminOverrides": True,
        "quotaBuckets": [bucket],
    }


def listing(call: Call) -> Document:
    """Metrics of one service."""
    found = [metric(call, quota) for quota in table() if quota.service == call.segment("services")]
    shown, following = page(found, call.query)
    answer: Document = {"metrics": shown} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def quota_of(call: Call) -> Quota:
    """The quota whose metric the name holds, encoded or not.

    Raises:
        NotFound: there is none.
    """
    text = unquote(call.name)
    for quota in table():
        if f"/services/{quota.service}/consumerQuotaMetrics/{quota.metric}" in text:
            return quota
    raise NotFound(f"Quota metric of {call.name} not found.")


def get(call: Call) -> Document:
    """One metric."""
    return metric(call, quota_of(call))


def get_limit(call: Call) -> Document:
    """One limit."""
    return limit(call, quota_of(call))


class Override(Resource):
    """A value that takes the default's place."""

    package = "google.api.serviceusage.v1beta1"
    message = "QuotaOverride"

    def generate(self, call: Call) -> str:
        """Overrides have generated ids."""
        return call.cloud.identifiers.hexadecimal(self.kind, 16)

    def prepare(self, call: Call, document: Document) -> None:
        """Which quota it is about."""
        document["_quotaId"] = quota_of(call).quota_id
        document["overrideValue"] = checked(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        after["overrideValue"] = checked(after)


class ConsumerOverride(Override):
    """By the consumer itself."""

    kind = CONSUMER_OVERRIDES


class AdminOverride(Override):
    """By an administrator of the organisation."""

    kind = ADMIN_OVERRIDES


def checked(override: Document) -> str:
    """The value as text.

    Raises:
        InvalidArgument: it is no number.
    """
    value = str(override.get("overrideValue", ""))
    if not value.lstrip("-").isdigit() or int(value) < -1:
        raise InvalidArgument("overrideValue must be a number, -1 for unlimited.")
    return value


HANDLERS = {
    "serviceusage.consumerQuotaMetrics.list": listing,
    "serviceusage.consumerQuotaMetrics.get": get,
    "serviceusage.limits.get": get_limit,
}
