"""The metrics that alerts read, and how they are spelled in PromQL. A name that is not here is a metric that is not.

Names of Google's metrics: cloud.google.com/monitoring/api/metrics_gcp (2026-04; provisioned throughput 2026-08).
How they are spelled: cloud.google.com/monitoring/promql/promql-mapping (2026-11).
"""

import re

from infra.log_metrics import METRICS as LOG_METRICS
from infra.log_metrics import PREFIX, LogMetric

RUN = "cloud_run_revision"
MODEL = "aiplatform.googleapis.com/PublisherModel"
QUOTA = "consumer_quota"

INSTANCES = "run.googleapis.com/container/instance_count"
CONCURRENCY = "run.googleapis.com/container/max_request_concurrencies"
INVOCATIONS = "aiplatform.googleapis.com/publisher/online_serving/model_invocation_count"
TOKENS = "aiplatform.googleapis.com/publisher/online_serving/consumed_token_throughput"
TOKEN_LIMIT = "aiplatform.googleapis.com/publisher/online_serving/dedicated_token_limit"  # noqa: S105 -- no secret
RATE_QUOTA = "serviceruntime.googleapis.com/quota/rate/net_usage"
ALLOCATION_QUOTA = "serviceruntime.googleapis.com/quota/allocation/usage"
QUOTA_LIMIT = "serviceruntime.googleapis.com/quota/limit"
QUOTA_EXCEEDED = "serviceruntime.googleapis.com/quota/exceeded"
QUEUE_DEPTH = "cloudtasks.googleapis.com/queue/depth"
SINK_ERRORS = "logging.googleapis.com/exports/error_count"

RESOURCES = {
    INSTANCES: RUN,
    CONCURRENCY: RUN,
    INVOCATIONS: MODEL,
    TOKENS: MODEL,
    TOKEN_LIMIT: MODEL,
    RATE_QUOTA: QUOTA,
    ALLOCATION_QUOTA: QUOTA,
    QUOTA_LIMIT: QUOTA,
    QUOTA_EXCEEDED: QUOTA,
    QUEUE_DEPTH: "cloud_tasks_queue",
    SINK_ERRORS: "logging_sink",
    **{f"{PREFIX}{metric.name}": "" for metric in LOG_METRICS},
}
"""Metrics by the monitored resource that writes them; "" for any."""


def log_metric(metric: LogMetric) -> str:
    """Type of a log-based metric."""
    return f"{PREFIX}{metric.name}"


def latest(metric: str, *matchers: str, suffix: str = "") -> str:
    """The metric's latest values."""
    resource = RESOURCES[metric]
    own = [f'monitored_resource="{resource}"'] if resource else []
    braces = ",".join([*own, *matchers])
    domain, _, path = metric.partition("/")
    name = f"{_word(domain)}:{_word(path)}{suffix}"
    return f"{name}{{{braces}}}" if braces else name


def increase(metric: str, window: str, *matchers: str, suffix: str = "") -> str:
    """By how much the metric grew in each window."""
    return f"increase({latest(metric, *matchers, suffix=suffix)}[{window}])"


def rate(metric: str, window: str, *matchers: str) -> str:
    """By how much the metric grew a second."""
    return f"rate({latest(metric, *matchers)}[{window}])"


def peak(metric: str, window: str, *matchers: str) -> str:
    """The metric's largest values within the window."""
    return f"max_over_time({latest(metric, *matchers)}[{window}])"


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)
