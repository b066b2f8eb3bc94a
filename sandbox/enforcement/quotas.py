"""Rate quotas: how many calls a project may make in a minute, by table, preference and override.

Source: https://docs.cloud.google.com/docs/quotas/overview (read 2026-11); values: ``quotas.json``, with their date.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sandbox.errors import ERROR_INFO, HELP, ResourceExhausted

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.clock import Clock
    from sandbox.store import Store

Document = dict[str, Any]

PREFERENCES = "cloudquotas.quotaPreferences"
CONSUMER_OVERRIDES = "serviceusage.consumerOverrides"
ADMIN_OVERRIDES = "serviceusage.adminOverrides"
#: What Google itself set for one project, as with new or trusted customers; written by the control interface.
PRODUCER_OVERRIDES = "sandbox.quotaOverrides"

UNLIMITED = -1
WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """One row of the table.

    Attributes:
        value: calls in a minute by default; -1 for none.
        dimensions: what divides the count, as ``region`` or ``base_model``.
        methods: globs over short method ids.
        places: locations whose calls count, ``*`` for every one but ``global`` where the quota has a region.
    """

    service: str
    quota_id: str
    metric: str
    display_name: str
    value: int
    dimensions: tuple[str, ...]
    methods: tuple[str, ...]
    places: tuple[str, ...]

    def counts(self, method: str, place: str) -> bool:
        """Whether a call counts."""
        if "region" in self.dimensions and place == "global":
            return False
        here = "*" in self.places or place in self.places
        return here and any(fnmatchcase(method, pattern) for pattern in self.methods)


@cache
def table() -> tuple[Quota, ...]:
    """Every known quota."""
    document = json.loads(resources.files("sandbox.enforcement").joinpath("quotas.json").read_text())
    return tuple(
        Quota(
            row["service"],
            row["quotaId"],
            row["metric"],
            row["displayName"],
            row["value"],
            tuple(row["dimensions"]),
            tuple(row["methods"]),
            tuple(row["places"]),
        )
        for row in document["quotas"]
    )


@cache
def counted(service: str, method: str, place: str) -> tuple[Quota, ...]:
    """Quotas by which a method counts in a place."""
    return tuple(quota for quota in table() if quota.service == service and quota.counts(method, place))


class Quotas:
    """Counts the calls of each project and refuses those beyond a limit."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._window = 0
        self._used: Counter[tuple[str, str, tuple[tuple[str, str], ...]]] = Counter()

    def limit(self, project: str, quota: Quota, dimensions: Mapping[str, str]) -> int:
        """Calls in a minute: the narrowest preference or override that fits, else the default; -1 for no limit."""
        chosen, width = quota.value, -1
        for document in self.settings(project, quota):
            narrowed = document["dimensions"]
            if len(narrowed) >= width and all(dimensions.get(key) == value for key, value in narrowed.items()):
                chosen, width = int(document["value"]), len(narrowed)
        return chosen

    def settings(self, project: str, quota: Quota) -> list[Document]:
        """Everything that sets a quota of a project: by Google, by an administrator, by the consumer, as preferred."""
        found = []
        limits = f"projects/{project}/services/{quota.service}/"
        for kind in (PRODUCER_OVERRIDES, ADMIN_OVERRIDES, CONSUMER_OVERRIDES):
            if self._store.any(kind):
                found += [
                    {"dimensions": override.get("dimensions", {}), "value": override["overrideValue"]}
                    for name, override in self._store.items(kind)
                    if name.startswith(limits) and override.get("_quotaId") == quota.quota_id
                ]
        for preference in self._store.documents(PREFERENCES, f"projects/{project}/locations/global/quotaPreferences"):
            if (preference["service"], preference["quotaId"]) == (quota.service, quota.quota_id):
                granted = preference["quotaConfig"]["grantedValue"]
                found.append({"dimensions": preference.get("dimensions", {}), "value": granted})
        return found

    def take(self, call: Call) -> None:
        """Count a call.

        Raises:
            ResourceExhausted: a limit of this minute is used up.
        """
        project = call.consumer
        if not project:
            return
        place = call.segment("locations")
        quotas = counted(f"{call.method.service}.googleapis.com", call.method.short, place)
        if not quotas:
            return
        window = int(self._clock.now().timestamp()) // WINDOW_SECONDS
        if window != self._window:
            self._window = window
            self._used.clear()
        known = {"region": place, "base_model": call.segment("models")}
        for quota in quotas:
            dimensions = {key: known[key] for key in quota.dimensions}
            key = (project, quota.quota_id + quota.service, tuple(sorted(dimensions.items())))
            limit = self.limit(project, quota, dimensions)
            if limit != UNLIMITED and self._used[key] >= limit:
                raise exceeded(call, quota, limit, dimensions)
            self._used[key] += 1


def exceeded(call: Call, quota: Quota, limit: int, dimensions: Mapping[str, str]) -> ResourceExhausted:
    """Google's words for a quota that is used up."""
    number = call.cloud.hierarchy.project_number(call.consumer or "")
    if model := dimensions.get("base_model"):
        text = (
            f"Quota exceeded for {quota.metric} with base model: {model}. Please submit a quota increase request. "
            "https://cloud.google.com/vertex-ai/docs/generative-ai/quotas-genai."
        )
    else:
        text = (
            f"Quota exceeded for quota metric '{quota.display_name}' and limit '{quota.display_name}' of service "
            f"'{quota.service}' for consumer 'project_number:{number}'."
        )
    facts = {
        "consumer": f"projects/{number}",
        "service": quota.service,
        "quota_metric": quota.metric,
        "quota_limit": quota.quota_id,
        "quota_limit_value": str(limit),
        "quota_location": dimensions.get("region", "global"),
        "quota_unit": "1/min/{project}",
    }
    link = {
        "description": "Request a higher quota limit.",
        "url": "https://cloud.google.com/docs/quotas/help/request_increase",
    }
    return ResourceExhausted(
        text,
        details=[
            {"@type": ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com", "metadata": facts},
            {"@type": HELP, "links": [link]},
        ],
    )
