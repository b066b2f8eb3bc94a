"""Quota infos: every quota of a service, with the value in force for the project."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.enforcement.quotas import Quota, table
from sandbox.errors import NotFound
from sandbox.paging import page

Document = dict[str, Any]


def info(call: Call, quota: Quota) -> Document:
    """One ``QuotaInfo``: a row for the default, and one for each narrower value."""
    cloud, project = call.cloud, call.project or ""
    rows: list[Document] = []
    for setting in [*cloud.quotas.settings(project, quota), {"dimensions": {}}]:
        narrowed = setting["dimensions"]
        if any(row.get("dimensions", {}) == narrowed for row in rows):
            continue
        value = cloud.quotas.limit(project, quota, narrowed)
        row: Document = {"details": {"value": str(value)}, "applicableLocations": [narrowed.get("region", "global")]}
        rows.append({**({"dimensions": narrowed} if narrowed else {}), **row})
    return {
        "name": f"projects/{project}/locations/global/services/{quota.service}/quotaInfos/{quota.quota_id}",
        "quotaId": quota.quota_id,
        "metric": quota.metric,
        "service": quota.service,
        "isPrecise": True,
        "refreshInterval": "minute",
        "containerType": "PROJECT",
        **({"dimensions": list(quota.dimensions)} if quota.dimensions else {}),
        "metricDisplayName": quota.display_name,
        "quotaDisplayName": quota.display_name,
        "metricUnit": "1",
        "quotaIncreaseEligibility": {"isEligible": True},
        "dimensionsInfos": rows,
    }


def listing(call: Call) -> Document:
    """Quotas of one service."""
    service = call.segment("services")
    found = [info(call, quota) for quota in table() if quota.service == service]
    shown, following = page(found, call.query)
    answer: Document = {"quotaInfos": shown} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def get(call: Call) -> Document:
    """One quota.

    Raises:
        NotFound: the service has none of that id.
    """
    service, quota_id = call.segment("services"), call.segment("quotaInfos")
    for quota in table():
        if (quota.service, quota.quota_id) == (service, quota_id):
            return info(call, quota)
    raise NotFound(f"Resource '{call.name}' was not found")


HANDLERS = {"cloudquotas.quotaInfos.get": get, "cloudquotas.quotaInfos.list": listing}
