"""Alerts on how good the service is: success, speed, refusals, cost."""

from collections.abc import Iterator

from infra import log_metrics
from infra.alerts import metrics
from infra.alerts.policy import Alert, BurnRate, Query
from infra.campaign_model import Campaign
from infra.objectives import AVAILABILITY

FAST = BurnRate(AVAILABILITY, 14.4, (3600, 300))
SLOW = BurnRate(AVAILABILITY, 6.0, (21600, 1800))
"""2 % of the error budget within an hour, 5 % within six (sre.google/workbook/alerting-on-slos, table 5-8)."""
FEW = 10
MILLISECONDS = 1000


def alerts(campaign: Campaign) -> Iterator[Alert]:
    """The quality alerts of a campaign."""
    wanted = campaign.objectives
    for key, burn, severity, when in (
        ("success-fast", FAST, "CRITICAL", "2 % of the month's error budget went within an hour"),
        ("success-slow", SLOW, "ERROR", "5 % of the month's error budget went within six hours"),
    ):
        yield Alert(
            key=key,
            title=when,
            severity=severity,
            conditions=burn,
            consequence=f"{wanted.success_rate:.2%} of valid requests shall be answered within 28 days. Callers' own "
            "mistakes and refusals for safety do not count.",
            steps=(
                'Group the failures: log query `jsonPayload.event="outcome" severity>=ERROR`, by `jsonPayload.reason`.',
                "Each such line carries `hint`: the role, API, rule or setting that mends it.",
                "If all are 429 or 5xx of the model: see `capacity-errors`, and name a `fallback` model.",
            ),
        )
    buckets = metrics.increase(metrics.log_metric(log_metrics.LATENCY), "15m", suffix="_bucket")
    yield Alert(
        key="latency",
        title=f"5 % of images take longer than {wanted.latency_seconds} s",
        severity="WARNING",
        conditions=(
            Query(
                "95th percentile of the time for an image in ms",
                f"histogram_quantile(0.95, sum by (le) ({buckets}))",
                wanted.latency_seconds * MILLISECONDS,
                lasting=600,
            ),
        ),
        consequence="Callers wait; some give up and ask again, which makes it worse.",
        steps=(
            "Compare `timing.queueMs`, `modelMs` and `storeMs` in the log lines: what has grown?",
            "The model: larger sizes and more references take longer; see `capacity-errors`.",
            "The queue: see `function-instances` and `function-concurrency`.",
        ),
    )
    requests = metrics.log_metric(log_metrics.REQUESTS)
    rejected = metrics.increase(requests, "1h", 'class="safety"')
    every = metrics.increase(requests, "1h")
    yield Alert(
        key="rejections",
        title=f"more than {wanted.rejection_rate:.0%} of requests are refused for safety",
        severity="WARNING",
        conditions=(
            Query(
                "Share of requests refused for safety",
                f"sum({rejected}) / (sum({every}) > {FEW})",
                wanted.rejection_rate,
            ),
        ),
        consequence="Refused requests cost tokens and bring no image. Prompts are not logged, so the reason has to be "
        "found with those who wrote them.",
        steps=(
            'Log query `jsonPayload.class="safety"`, grouped by `jsonPayload.reason`.',
            "Ask the campaign's owner which prompts are new; try them with `plantain generate`.",
        ),
    )
    cost = metrics.increase(metrics.log_metric(log_metrics.COST), "1h", suffix="_sum")
    images = metrics.increase(metrics.log_metric(log_metrics.IMAGES), "1h", suffix="_sum")
    yield Alert(
        key="cost-per-image",
        title=f"an accepted image costs more than {wanted.cost_per_image:g} US dollars",
        severity="WARNING",
        conditions=(
            Query("Cost of an accepted image", f"sum({cost}) / (sum({images}) > 0)", wanted.cost_per_image, lasting=0),
        ),
        consequence="By the list price known to the function; the invoice may differ by discounts.",
        steps=(
            "Refusals and retries are paid for as well: see `rejections`.",
            "4K costs nearly twice as much as 1K or 2K. Flex and batch cost half.",
        ),
    )
