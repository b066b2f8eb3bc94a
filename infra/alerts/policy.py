"""What an alert consists of: a question to the metrics, a limit, and what to do."""

from dataclasses import dataclass

import pulumi_gcp as gcp

CAPACITY = 0.85
INTERVAL = "60s"


@dataclass(frozen=True)
class Query:
    """A question to the metrics whose answer has a limit.

    Attributes:
        title: what it asks.
        promql: the question in PromQL, without a comparison (cloud.google.com/monitoring/promql, 2026-11).
        limit: beyond it the alert fires.
        lasting: seconds for which the limit must be passed.
        below: whether the alert fires below the limit instead of above.
    """

    title: str
    promql: str
    limit: float
    lasting: int = 300
    below: bool = False

    @property
    def text(self) -> str:
        """The question with its limit."""
        return f"{self.promql} {'<' if self.below else '>'} {self.limit:g}"

    def condition(self) -> gcp.monitoring.AlertPolicyConditionArgs:
        """The question as a condition.

        A metric that nothing has written yet is not an error: it makes no series, and the alert stays quiet. Cloud
        Monitoring would otherwise refuse a policy until ten minutes after its log-based metric was made.
        """
        return gcp.monitoring.AlertPolicyConditionArgs(
            display_name=self.title,
            condition_prometheus_query_language=gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgs(
                query=self.text,
                duration=f"{self.lasting}s",
                evaluation_interval=INTERVAL,
                disable_metric_validation=True,
            ),
        )


@dataclass(frozen=True)
class BurnRate:
    """How fast an objective's error budget is used up.

    Attributes:
        objective: key of the objective.
        rate: multiple of the rate that would use the budget up exactly at the end of its period.
        windows: seconds over which the rate is measured; all of them must be beyond it.
    """

    objective: str
    rate: float
    windows: tuple[int, ...]


@dataclass(frozen=True)
class Alert:
    """One alert policy.

    Attributes:
        key: its short name.
        title: what has happened, in a few words.
        severity: WARNING, ERROR or CRITICAL.
        conditions: any of the questions, or the one burn rate.
        consequence: what it leads to.
        steps: what to do, in this order.
    """

    key: str
    title: str
    severity: str
    conditions: tuple[Query, ...] | BurnRate
    consequence: str
    steps: tuple[str, ...]

    def runbook(self, campaign: str) -> str:
        """The text that everybody is sent, in Markdown."""
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))
        return f"Campaign **{campaign}**: {self.title}.\n\n{self.consequence}\n\n{steps}\n"
