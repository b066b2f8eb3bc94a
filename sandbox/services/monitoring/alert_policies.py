"""Alert policies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument, NotFound
from sandbox.paging import page
from sandbox.services.monitoring import descriptors, promql
from sandbox.services.monitoring.burn_rates import is_burn_rate, read
from sandbox.services.monitoring.filters import compile_filter, metric_types
from sandbox.services.monitoring.records import number, record
from sandbox.services.monitoring.resource import MonitoringResource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "monitoring.alertPolicies"
CONDITIONS = (
    "conditionThreshold",
    "conditionAbsent",
    "conditionMatchedLog",
    "conditionMonitoringQueryLanguage",
    "conditionPrometheusQueryLanguage",
    "conditionSql",
)
COMBINERS = {"AND", "OR", "AND_WITH_MATCHING_RESOURCE"}
MOST_CONDITIONS = 6
#: Metrics of these prefixes exist only once somebody has written or defined them.
USER_METRICS = ("custom.googleapis.com/", "logging.googleapis.com/user/", "external.googleapis.com/")
DURATION = re.compile(r"\d+(?:\.\d+)?s")
SHORTEST_PERIOD = 60


def invalid(field: str, value: object, why: str) -> InvalidArgument:
    """Monitoring's words for one field."""
    return InvalidArgument(f'Field alert_policy.{field} had an invalid value of "{value}": {why}')


class AlertPolicy(MonitoringResource):
    """Conditions, and who is told when they hold."""

    kind = KIND
    package = "google.monitoring.v3"
    kept = ("name", "creationRecord")

    def accept(self, call: Call) -> Document:
        """The body without the records, which only the server writes."""
        body = super().accept(call)
        return {key: value for key, value in body.items() if key not in {"creationRecord", "mutationRecord"}}

    def prepare(self, call: Call, document: Document) -> None:
        """Records, names of conditions."""
        document.setdefault("enabled", True)
        document["creationRecord"] = record(call)
        self.complete(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """New conditions are named, old ones keep their names."""
        del before
        after.setdefault("enabled", True)
        self.complete(call, after)

    def complete(self, call: Call, document: Document) -> None:
        """Check all parts, name the conditions, note the change."""
        conditions = document.get("conditions", [])
        if not document.get("displayName"):
            raise invalid("display_name", "", "must not be empty.")
        if not 1 <= len(conditions) <= MOST_CONDITIONS:
            raise invalid("conditions", len(conditions), f"a policy has 1 to {MOST_CONDITIONS} conditions.")
        combiner = document.get("combiner", "")
        if combiner not in COMBINERS:
            raise invalid("combiner", combiner, "must be AND, OR or AND_WITH_MATCHING_RESOURCE.")
        for index, condition in enumerate(conditions):
            self.check(call, document, f"conditions[{index}]", condition)
            prefix = f"{document['name']}/conditions/"
            if not str(condition.get("name", "")).startswith(prefix):
                condition["name"] = f"{prefix}{number(call)}"
        for index, channel in enumerate(document.get("notificationChannels", [])):
            name = call.cloud.hierarchy.canonical(channel)
            if call.cloud.store.get("monitoring.notificationChannels", name) is None:
                raise invalid(f"notification_channels[{index}]", channel, "The notification channel does not exist.")
        document["mutationRecord"] = record(call)

    def check(self, call: Call, document: Document, path: str, condition: Document) -> None:
        """Refuse a condition that could never be evaluated."""
        kinds = [kind for kind in CONDITIONS if kind in condition]
        if len(kinds) != 1:
            raise invalid(path, ", ".join(kinds), f"a condition has exactly one of {', '.join(CONDITIONS)}.")
        if not condition.get("displayName"):
            raise invalid(f"{path}.display_name", "", "must not be empty.")
        own = condition[kinds[0]]
        if kinds[0] == "conditionMatchedLog":
            if not document.get("alertStrategy", {}).get("notificationRateLimit"):
                raise invalid("alert_strategy", "", "log match conditions need a notification_rate_limit.")
            return
        if kinds[0] in {"conditionThreshold", "conditionAbsent"}:
            noun = "condition_threshold" if kinds[0] == "conditionThreshold" else "condition_absent"
            check_series(call, f"{path}.{noun}", own)
        if kinds[0] == "conditionPrometheusQueryLanguage":
            promql.check(own.get("query", ""))

    def listing(self, call: Call) -> Document:
        """A page with the total."""
        found = self.found(call)
        shown, following = page(found, call.query)
        return {
            **({"alertPolicies": [self.view(call, item) for item in shown], "totalSize": len(found)} if found else {}),
            **({"nextPageToken": following} if following else {}),
        }

    def deleting(self, call: Call, document: Document) -> None:
        """Its incidents go with it."""
        del document
        call.cloud.store.delete_below(call.name)

    def missing(self, call: Call) -> NotFound:
        """Names the policy."""
        return NotFound(f"Cannot find alert policy {call.name}.")


def check_series(call: Call, path: str, own: Document) -> None:
    """Refuse a filter without an existing metric, and times that are none."""
    text = own.get("filter", "")
    if is_burn_rate(text):
        read(call.cloud, text)
        return
    types = metric_types(text)
    if not types:
        raise invalid(f"{path}.filter", text, "must specify a restriction on metric.type.")
    compile_filter(text)
    for kind in types:
        if kind.startswith(USER_METRICS) and descriptors.find(call.cloud, call.project or "", kind) is None:
            raise NotFound(
                f'Cannot find metric(s) that match type = "{kind}". If a metric was created recently, it could take '
                "up to 10 minutes to become available. Please try again soon."
            )
    if "duration" in own and not DURATION.fullmatch(own["duration"]):
        raise invalid(f"{path}.duration", own["duration"], "must be a number of seconds followed by 's'.")
    for index, aggregation in enumerate(own.get("aggregations", [])):
        period = aggregation.get("alignmentPeriod", "60s")
        if not DURATION.fullmatch(period) or float(period[:-1]) < SHORTEST_PERIOD:
            where = f"{path}.aggregations[{index}].alignment_period"
            raise invalid(where, period, f"must be at least {SHORTEST_PERIOD}s.")
