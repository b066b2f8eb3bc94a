"""BigQuery: datasets, tables, streamed rows, and queries that a real SQL engine answers."""

from __future__ import annotations

from sandbox.services.bigquery import datasets, jobs, rows, tables
from sandbox.services.registry import Service

SERVICE = Service(
    name="bigquery",
    title="BigQuery API",
    prefix="google.cloud.bigquery.v2",
    resources=(datasets.Dataset, tables.Table),
    handlers={**datasets.HANDLERS, **jobs.HANDLERS, **rows.HANDLERS},
    targets={**jobs.TARGETS, **rows.TARGETS},
)
