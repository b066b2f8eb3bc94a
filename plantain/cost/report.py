"""What images did cost: Google's billing export, the request labels in it, and our own records, side by side."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plantain.errors import InputError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

Document = dict[str, Any]

TABLE = re.compile(r"^[a-z0-9:.\-]+\.\w+\.\w+$")
SETTLING_DAYS = 2
"""Days after which a missing cost is no longer put down to the export's lag. Our own choice."""

QUERY = """
SELECT
  (SELECT value FROM UNNEST(labels) WHERE key = 'campaign' LIMIT 1) AS request_campaign,
  (SELECT value FROM UNNEST(project.labels) WHERE key = 'campaign' LIMIT 1) AS project_campaign,
  service.description AS service,
  sku.description AS sku,
  currency,
  SUM(cost) + SUM(IFNULL((SELECT SUM(c.amount) FROM UNNEST(credits) c), 0)) AS cost
FROM `{table}`
WHERE usage_start_time >= TIMESTAMP('{first}') AND usage_start_time < TIMESTAMP('{after}')
GROUP BY request_campaign, project_campaign, service, sku, currency
"""


@dataclass(frozen=True)
class Billed:
    """One row of the export, summed.

    Attributes:
        campaign: by the request's label, else by the project's.
        by_request: whether the request's own label says so.
    """

    campaign: str
    by_request: bool
    service: str
    sku: str
    currency: str
    cost: Decimal


@dataclass(frozen=True)
class Recorded:
    """What the function logged of one campaign and model."""

    campaign: str
    model: str
    images: int
    requests: int
    cached: int
    failed: int
    cost: Decimal


@dataclass(frozen=True)
class Reconciled:
    """One campaign: billed against recorded.

    Attributes:
        model_cost: billed by Vertex AI.
        other_cost: billed by everything else in the campaign's projects.
        recorded_cost: what the function worked out from tokens and the table of models.
        difference: model_cost less recorded_cost.
        share: the difference in parts of what was billed; None when nothing was.
        explanation: the likely cause of a difference.
    """

    campaign: str
    images: int
    model_cost: Decimal
    other_cost: Decimal
    recorded_cost: Decimal
    difference: Decimal
    share: Decimal | None
    explanation: str


def billed(cloud: GoogleCloud, project: str, table: str, first: dt.date, last: dt.date) -> list[Billed]:
    """The rows of a time in the export ``table``, named project.dataset.table; ``project`` pays for the query.

    Raises:
        InputError: the table's name is none.
        GoogleCloudError: the query is refused.
    """
    if not TABLE.match(table):
        raise InputError(
            f"{table!r} is no table's full name.", cure="--export project.dataset.gcp_billing_export_v1_..."
        )
    query = QUERY.format(table=table, first=first, after=last + dt.timedelta(days=1))
    body = {"query": query, "useLegacySql": False, "timeoutMs": 60_000}
    answer = cloud.call("POST", "bigquery", f"bigquery/v2/projects/{project}/queries", body=body)
    reference = answer.get("jobReference", {})
    while not answer.get("jobComplete", True):
        answer = _page(cloud, project, reference, None)
    found = billed_rows(answer)
    while answer.get("pageToken"):
        answer = _page(cloud, project, reference, answer["pageToken"])
        found += billed_rows(answer)
    return found


def _page(cloud: GoogleCloud, project: str, reference: Document, token: str | None) -> Document:
    path = f"bigquery/v2/projects/{project}/queries/{reference['jobId']}"
    params = {"location": reference.get("location"), "timeoutMs": 60_000, "maxResults": 10_000, "pageToken": token}
    return cloud.call("GET", "bigquery", path, params={key: value for key, value in params.items() if value})


def billed_rows(answer: Document) -> list[Billed]:
    """Rows of a query's answer, which come as lists of values in the order of the schema."""
    names = [field["name"] for field in answer.get("schema", {}).get("fields", [])]
    found = []
    for row in answer.get("rows", []):
        cells: Mapping[str, Any] = dict(zip(names, (cell["v"] for cell in row["f"]), strict=True))
        campaign = cells["request_campaign"] or cells["project_campaign"] or ""
        found.append(
            Billed(
                campaign,
                bool(cells["request_campaign"]),
                cells["service"],
                cells["sku"],
                cells["currency"],
                Decimal(cells["cost"] or 0),
            )
        )
    return found


def recorded(cloud: GoogleCloud, projects: Iterable[str], first: dt.date, last: dt.date) -> list[Recorded]:
    """What the functions of some projects logged of their outcomes, by campaign and model."""
    wanted = " AND ".join(
        (
            'jsonPayload.event="outcome"',
            f'timestamp>="{first}T00:00:00Z"',
            f'timestamp<"{last + dt.timedelta(days=1)}T00:00:00Z"',
        )
    )
    body = {
        "resourceNames": [f"projects/{project}" for project in projects],
        "filter": wanted,
        "orderBy": "timestamp asc",
        "pageSize": 1000,
    }
    return recorded_sums(_entries(cloud, body))


def _entries(cloud: GoogleCloud, body: Document) -> Iterable[Document]:
    while True:
        answer = cloud.call("POST", "logging", "v2/entries:list", body=body)
        yield from answer.get("entries", [])
        if not answer.get("nextPageToken"):
            return
        body = body | {"pageToken": answer["nextPageToken"]}


def recorded_sums(entries: Iterable[Document]) -> list[Recorded]:
    """Outcomes, summed by campaign and model."""
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 5)
    for entry in entries:
        line = entry.get("jsonPayload", {})
        cost = line.get("cost") or 0
        amount = Decimal(str(cost.get("amount", 0) if isinstance(cost, Mapping) else cost))
        counted: tuple[Decimal | int, ...] = (
            int(line.get("images") or 0),
            1,
            int(bool(line.get("cached"))),
            int("class" in line),
            amount,
        )
        held = sums[(line.get("campaign", ""), line.get("model", ""))]
        held[:] = [old + new for old, new in zip(held, counted, strict=True)]
    return [
        Recorded(campaign, model, int(images), int(requests), int(cached), int(failed), amount)
        for (campaign, model), (images, requests, cached, failed, amount) in sorted(sums.items())
    ]


def reconciled(
    export: Iterable[Billed], records: Iterable[Recorded], *, last: dt.date, today: dt.date
) -> list[Reconciled]:
    """Each campaign, billed against recorded, with the likely cause of a difference."""
    model: dict[str, Decimal] = defaultdict(Decimal)
    other: dict[str, Decimal] = defaultdict(Decimal)
    unlabelled: dict[str, Decimal] = defaultdict(Decimal)
    for row in export:
        if row.service == "Vertex AI":
            model[row.campaign] += row.cost
            if not row.by_request:
                unlabelled[row.campaign] += row.cost
        else:
            other[row.campaign] += row.cost
    ours: dict[str, Decimal] = defaultdict(Decimal)
    images: dict[str, int] = defaultdict(int)
    for one in records:
        ours[one.campaign] += one.cost
        images[one.campaign] += one.images
    settled = (today - last).days >= SETTLING_DAYS
    found = []
    for name in sorted({*model, *other, *ours}):
        difference = model[name] - ours[name]
        found.append(
            Reconciled(
                name or "(no campaign)",
                images[name],
                model[name],
                other[name],
                ours[name],
                difference,
                (difference / model[name]).quantize(Decimal("0.001")) if model[name] else None,
                explanation(difference, model[name], ours[name], unlabelled[name], settled=settled),
            )
        )
    return found


def explanation(difference: Decimal, model: Decimal, ours: Decimal, unlabelled: Decimal, *, settled: bool) -> str:
    """The likely cause of a difference between what was billed and what was recorded."""
    if abs(difference) <= max(model, ours) * Decimal("0.02"):
        return "agree within 2 %"
    if difference < 0 and not settled:
        return f"the export lags; the last days settle after {SETTLING_DAYS} days"
    if difference < 0 and model == 0:
        return "nothing billed: provisioned throughput, a credit, or the export holds another account"
    if difference < 0:
        return "billed less: discounts or flex; else the table's prices are too high"
    if ours == 0:
        return "nothing recorded: batch jobs, or calls that went past the function"
    if unlabelled >= difference * Decimal("0.9"):
        return "requests without the campaign's label: calls that went past the function"
    return "billed more: batch jobs, calls past the function, or the table's prices are too low"
