"""Alerts at 85 % of what may be used, for each limit that has a signal.

On pay-as-you-go the image models have no published quota, so there is nothing to take 85 % of: an alert on a quota
metric of theirs stays silent for ever. What is watched instead is the ceiling that the campaign sets itself, refusals
for want of capacity, what was bought (provisioned throughput), what the function may use, and every quota that is
finite. docs/capacity.md says what has no signal, and why.
"""

from collections.abc import Iterator

from infra import naming
from infra.alerts import metrics
from infra.alerts.policy import CAPACITY, Alert, Query
from infra.campaign_model import Campaign

CAPACITY_ERRORS = 0.05
WAITING_MINUTES = 10
SECONDS_A_MINUTE = 60
WINDOWS = (
    (1, 1230),
    (2, 615),
    (3, 410),
    (4, 310),
    (5, 245),
    (6, 205),
    (12, 175),
    (24, 100),
    (30, 50),
    (40, 40),
    (61, 30),
    (122, 20),
    (244, 10),
)
"""Seconds within which provisioned throughput may be used unevenly, by most units: gemini-3-pro-image
(cloud.google.com/vertex-ai/generative-ai/docs/provisioned-throughput, 2026-08)."""
SHORTEST_WINDOW = 5
IMAGE_QUOTA = "generate_content_image_gen_per_project_per_base_model.*"
"""Quota of requests for images, 2 a minute in some new projects (seen in public reports of 2026-07, not documented)."""


def window(units: int) -> int:
    """Seconds over which the use of that many units is judged."""
    return next((seconds for most, seconds in WINDOWS if units <= most), SHORTEST_WINDOW)


def alerts(campaign: Campaign) -> Iterator[Alert]:
    """The capacity alerts of a campaign, the function's instances apart."""
    yield _concurrency(campaign)
    yield _ceiling(campaign)
    yield _refusals(campaign)
    if campaign.capacity.provisioned_units:
        yield _throughput(campaign)
        yield _spillover()
    yield _model_quota(campaign)
    yield _quotas()
    if campaign.queue.enabled:
        yield _queue(campaign)


def instances(campaign: Campaign) -> Alert:
    """The function's instances; their condition is a threshold, which Cloud Run's own pages show."""
    size = campaign.function
    return Alert(
        key="function-instances",
        title=f"function instances over {CAPACITY:.0%} of {size.max_instances}",
        severity="WARNING",
        conditions=(),
        consequence="Beyond the limit requests wait for an instance and fail with 429 when none becomes free.",
        steps=(
            (
                'Look for one caller with far more requests than before: log query `jsonPayload.event="outcome"`, '
                "grouped by `jsonPayload.model`."
            ),
            (
                "Look at the latency of the model: slow answers hold instances. If it has grown, the model is short of "
                "capacity and more instances do not help."
            ),
            (
                f"Otherwise raise `function.maxInstances` in `campaigns/{campaign.name}.yaml` and run `pulumi up`. "
                f"Each instance needs two addresses of the subnet `{campaign.network.ip_range}`."
            ),
        ),
    )


def _concurrency(campaign: Campaign) -> Alert:
    size = campaign.function
    service = f'service_name="{naming.FUNCTION}"'
    busiest = metrics.increase(metrics.CONCURRENCY, "5m", service, suffix="_bucket")
    return Alert(
        key="function-concurrency",
        title=f"instances work on more than {CAPACITY:.0%} of {size.concurrency} requests at once",
        severity="WARNING",
        conditions=(
            Query(
                "Requests an instance works on at once (99th percentile)",
                f"histogram_quantile(0.99, sum by (le) ({busiest}))",
                CAPACITY * size.concurrency,
            ),
        ),
        consequence="Beyond the limit Cloud Run starts another instance, or lets requests wait when it may start none.",
        steps=(
            "If `function-instances` is open too, follow its steps.",
            (
                "Otherwise raise `function.concurrency`, or `function.memory` when instances run out of it, and run "
                "`pulumi up`."
            ),
        ),
    )


def _ceiling(campaign: Campaign) -> Alert:
    most = campaign.capacity.images_per_minute
    return Alert(
        key="images-per-minute",
        title=f"more than {CAPACITY:.0%} of {most} images a minute",
        severity="WARNING",
        conditions=(
            Query(
                "Requests to the model a minute",
                f"sum({metrics.increase(metrics.INVOCATIONS, '1m')})",
                CAPACITY * most,
            ),
        ),
        consequence="At the campaign's own ceiling the function refuses further requests (429) and the queue waits.",
        steps=(
            'Look who asks: log query `jsonPayload.event="outcome"`, grouped by `jsonPayload.model`.',
            "Send what can wait through the queue (`delivery: async`), or as a batch at half the price.",
            "If the need is real and the budget bears it, raise `capacity.imagesPerMinute` and run `pulumi up`.",
        ),
    )


def _refusals(campaign: Campaign) -> Alert:
    refused = metrics.increase(metrics.INVOCATIONS, "10m", 'response_code="429"')
    every = metrics.increase(metrics.INVOCATIONS, "10m")
    return Alert(
        key="capacity-errors",
        title=f"the model refuses more than {CAPACITY_ERRORS:.0%} of requests for want of capacity",
        severity="ERROR",
        conditions=(Query("Share of answers 429", f"sum({refused}) / sum({every})", CAPACITY_ERRORS),),
        consequence="Pay-as-you-go shares capacity between all customers. The function repeats with growing pauses, so "
        "images come late before they fail.",
        steps=(
            "Nothing you own is full. Wait, or send less: the queue spreads load, `fallback` names another model.",
            f"Ask for `{campaign.function.model}` with `capacity: flex` where minutes do not matter.",
            "For capacity of your own buy provisioned throughput, then set `capacity.provisionedUnits`.",
        ),
    )


def _throughput(campaign: Campaign) -> Alert:
    units = campaign.capacity.provisioned_units
    seconds = max(SECONDS_A_MINUTE, window(units))
    used = metrics.rate(metrics.TOKENS, f"{seconds}s", 'request_type="dedicated"')
    limit = metrics.latest(metrics.TOKEN_LIMIT)
    return Alert(
        key="provisioned-throughput",
        title=f"more than {CAPACITY:.0%} of {units} units of provisioned throughput are used",
        severity="WARNING",
        conditions=(Query(f"Share used within {seconds} s", f"sum({used}) / max({limit})", CAPACITY, lasting=0),),
        consequence="Beyond what was bought, requests spill over to pay-as-you-go, or fail when they ask for dedicated "
        "capacity.",
        steps=(
            "See which requests may wait; send them with `capacity: shared` or through the queue.",
            "Order more units in the console (Vertex AI, Provisioned Throughput) and set `capacity.provisionedUnits`.",
        ),
    )


def _spillover() -> Alert:
    spilled = metrics.increase(metrics.INVOCATIONS, "10m", 'request_type="spillover"')
    return Alert(
        key="spillover",
        title="requests spill over from provisioned throughput to pay-as-you-go",
        severity="WARNING",
        conditions=(Query("Requests that spilled over", f"sum({spilled})", 0),),
        consequence="They are paid for on top of what was bought, at the list price.",
        steps=(
            "Follow the steps of `provisioned-throughput`.",
            "Requests that must not cost more ask for `capacity: dedicated` and fail instead.",
        ),
    )


def _model_quota(campaign: Campaign) -> Alert:
    which = f'quota_metric=~"aiplatform.googleapis.com/{IMAGE_QUOTA}"'
    used = f"sum by (quota_metric) ({metrics.increase(metrics.RATE_QUOTA, '1m', which)})"
    limit = f"min by (quota_metric) ({metrics.latest(metrics.QUOTA_LIMIT, which)} > 0)"
    return Alert(
        key="model-quota",
        title=f"more than {CAPACITY:.0%} of the project's quota of requests for images",
        severity="WARNING",
        conditions=(Query("Share of the quota used", f"{used} / {limit}", CAPACITY, lasting=0),),
        consequence="Only some projects, mostly new ones, have such a quota. Beyond it every request fails with 429.",
        steps=(
            "Read it: `gcloud beta quotas info list --service=aiplatform.googleapis.com --filter=image_gen`.",
            f"Ask for more: a line below `quotas` in `campaigns/{campaign.name}.yaml`, then `pulumi up`.",
        ),
    )


def _quotas() -> Alert:
    same = "quota_metric, location"
    allocated = f"max by ({same}) ({metrics.latest(metrics.ALLOCATION_QUOTA)})"
    limit = f"min by ({same}) ({metrics.latest(metrics.QUOTA_LIMIT)} > 0)"
    kms = 'service="cloudkms.googleapis.com"'
    used = f"sum by (quota_metric) ({metrics.increase(metrics.RATE_QUOTA, '1m', kms)})"
    exceeded = metrics.peak(metrics.QUOTA_EXCEEDED, "5m")
    rate_limit = f"min by (quota_metric) ({metrics.latest(metrics.QUOTA_LIMIT, kms)} > 0)"
    return Alert(
        key="quotas",
        title=f"a quota of the project is used by more than {CAPACITY:.0%}",
        severity="WARNING",
        conditions=(
            Query("Share of an allocation quota", f"{allocated} / {limit}", CAPACITY, lasting=0),
            Query("Share of a rate quota of Cloud KMS", f"{used} / {rate_limit}", CAPACITY, lasting=0),
            Query("A quota was exceeded", f"max by (quota_metric) ({exceeded})", 0, lasting=0),
        ),
        consequence="Whatever needs more of it is refused: new instances, keys, addresses, buckets.",
        steps=(
            "The label `quota_metric` of the incident names it.",
            "Ask for more: a line below `quotas` in the campaign's file, then `pulumi up`.",
        ),
    )


def _queue(campaign: Campaign) -> Alert:
    most = campaign.capacity.images_per_minute * WAITING_MINUTES
    return Alert(
        key="queue-depth",
        title=f"more tasks wait than are sent in {WAITING_MINUTES} minutes",
        severity="WARNING",
        conditions=(Query("Waiting tasks", f"sum({metrics.latest(metrics.QUEUE_DEPTH)})", most, lasting=600),),
        consequence="Nothing is lost, but who asked waits for longer than ten minutes.",
        steps=(
            "If `capacity-errors` is open, the model is short of capacity: wait.",
            "Otherwise raise `capacity.imagesPerMinute`, by which the queue sends, and run `pulumi up`.",
        ),
    )
