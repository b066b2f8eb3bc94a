"""Alert conditions in PromQL: parsed by a library, evaluated here over Monitoring's own series.

Covered is what alert conditions are made of: selectors, increase, rate, the functions over time, aggregations,
arithmetic and comparisons, histogram_quantile, time and vector. Anything else is refused when the policy is written.

How metrics are spelled: https://docs.cloud.google.com/monitoring/promql/promql-mapping; what a delta metric's increase
is: https://docs.cloud.google.com/monitoring/promql/promql-differences (both read 2026-11).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.services.monitoring.aggregation import Point, Series, growth, numbers, together
from sandbox.services.monitoring.distributions import Distribution
from sandbox.services.monitoring.selection import select

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

#: How far an instant looks back for a gauge's latest value.
LOOKBACK = timedelta(minutes=5)
SUFFIXES = ("_bucket", "_sum", "_count")

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at one moment."""

    labels: Labels
    value: float


Value = float | list[Sample]

ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else (math.nan if not left else math.copysign(math.inf, left)),
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "max": max,
    "min": min,
    "avg": lambda values: sum(values) / len(values),
    "count": lambda values: float(len(values)),
}
OVER_TIME: dict[str, Callable[[list[float]], float]] = {
    "max_over_time": max,
    "min_over_time": min,
    "avg_over_time": lambda values: sum(values) / len(values),
    "sum_over_time": sum,
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: values[-1],
}
FUNCTIONS = {"increase", "rate", "histogram_quantile", "time", "vector", "scalar", "abs", *OVER_TIME}


def check(text: str) -> None:
    """Refuse a query that cannot be evaluated here.

    Raises:
        InvalidArgument: it is no PromQL, or uses more of it than is covered.
    """
    evaluator = Evaluator(lambda _: [], datetime.fromtimestamp(0).astimezone())
    evaluator.value(parse(text))


@lru_cache(maxsize=256)
def parse(text: str) -> Any:
    """The query's tree.

    Raises:
        InvalidArgument: it is no PromQL.
    """
    import promql_parser  # noqa: PLC0415 -- only who uses PromQL waits for it

    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise InvalidArgument(f"Field query had an invalid value: {error}") from None


def holding(cloud: Cloud, project: str, query: str, moments: list[datetime]) -> Series | None:
    """The first series for which a query has an answer at all of some moments."""
    tree = parse(query)
    every = select(cloud, project, "")
    by_name: dict[str, list[Series]] = {}
    for series in every:
        by_name.setdefault(spelled(series.metric["type"]), []).append(series)
    kept: set[Labels] | None = None
    for moment in moments:
        answer = Evaluator(lambda name: by_name.get(name, []), moment).value(tree)
        samples = answer if isinstance(answer, list) else [Sample((), answer)]
        found = {sample.labels for sample in samples}
        kept = found if kept is None else kept & found
        if not kept:
            return None
    labels = dict(min(kept)) if kept else {}
    return Series(
        {"type": "", "labels": labels}, {"type": "prometheus_target", "labels": {"project_id": project}}, "", ""
    )


def spelled(metric: str) -> str:
    """A metric's type as PromQL spells it."""
    domain, _, path = metric.partition("/")
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', domain)}:{re.sub(r'[^A-Za-z0-9_]', '_', path)}"


class Evaluator:
    """Evaluates trees at one moment."""

    def __init__(self, series: Callable[[str], list[Series]], moment: datetime) -> None:
        self._series = series
        self._moment = moment

    def value(self, tree: Any) -> Value:
        """A tree's value: a number, or samples."""
        kind = type(tree).__name__
        match kind:
            case "NumberLiteral":
                return float(tree.val)
            case "ParenExpr":
                return self.value(tree.expr)
            case "UnaryExpr":
                return each(self.value(tree.expr), operator.neg)
            case "VectorSelector":
                return self.instant(tree)
            case "AggregateExpr":
                return self.aggregate(tree)
            case "BinaryExpr":
                return self.binary(tree)
            case "Call":
                return self.call(tree)
        raise uncovered(kind)

    def matching(self, selector: Any) -> list[tuple[Labels, str, Series]]:
        """Series of a selector with their labels and the suffix by which a distribution is asked for."""
        name = selector.name or ""
        suffix = next((end for end in SUFFIXES if name.endswith(end) and not self._series(name)), "")
        found = []
        for series in self._series(name.removesuffix(suffix) if suffix else name):
            labels = {
                **series.resource.get("labels", {}),
                **series.metric.get("labels", {}),
                "monitored_resource": series.resource.get("type", ""),
            }
            if all(admits(matcher, str(labels.get(matcher.name, ""))) for matcher in selector.matchers.matchers):
                found.append((ordered(labels), suffix, series))
        return found

    def instant(self, selector: Any) -> list[Sample]:
        """The latest values."""
        samples = []
        for labels, suffix, series in self.matching(selector):
            points = within(series.points, self._moment - LOOKBACK, self._moment)
            if points:
                samples.extend(spread(labels, suffix, points[-1:], lambda found: numbers(found)[-1]))
        return samples

    def ranged(self, tree: Any, function: str) -> list[Sample]:
        """A function over what a selector found within a time."""
        samples = []
        for labels, suffix, series in self.matching(tree.vector_selector):
            points = within(series.points, self._moment - tree.range, self._moment)
            if not points:
                continue
            if function in OVER_TIME:
                samples.extend(spread(labels, suffix, points, lambda found: OVER_TIME[function](numbers(found))))
                continue
            seconds = tree.range.total_seconds() if function == "rate" else 1.0
            kind = "DELTA" if suffix else series.kind
            grown = spread(labels, suffix, points, lambda found, kind=kind: growth(found, kind))  # type: ignore[misc] # the default binds the loop's value
            samples.extend(Sample(sample.labels, sample.value / seconds) for sample in grown)
        return samples

    def call(self, tree: Any) -> Value:
        """A function's value."""
        name, arguments = tree.func.name, list(tree.args)
        if name not in FUNCTIONS:
            raise uncovered(f"the function {name}")
        if name == "time":
            return self._moment.timestamp()
        if name in {"increase", "rate", *OVER_TIME}:
            return self.ranged(arguments[0], name)
        if name == "histogram_quantile":
            share, buckets = self.value(arguments[0]), self.value(arguments[1])
            return quantiles(share if isinstance(share, float) else math.nan, samples_of(buckets))
        value = self.value(arguments[0])
        if name == "vector":
            return [Sample((), value)] if isinstance(value, float) else value
        if name == "scalar":
            found = samples_of(value)
            return found[0].value if len(found) == 1 else math.nan
        return each(value, abs)

    def aggregate(self, tree: Any) -> list[Sample]:
        """Samples gathered by labels."""
        name = str(tree.op)
        if name not in AGGREGATIONS:
            raise uncovered(f"the aggregation {name}")
        wanted = list(tree.modifier.labels) if tree.modifier else []
        without = bool(tree.modifier) and str(tree.modifier.type).endswith("Without")
        groups: dict[Labels, list[float]] = {}
        for sample in samples_of(self.value(tree.expr)):
            own = tuple((key, text) for key, text in sample.labels if (key in wanted) != without)
            groups.setdefault(own, []).append(sample.value)
        return [Sample(labels, AGGREGATIONS[name](values)) for labels, values in groups.items()]

    def binary(self, tree: Any) -> Value:
        """Arithmetic, or a comparison, which keeps the left side's samples for which it holds."""
        name = str(tree.op)
        left, right = self.value(tree.lhs), self.value(tree.rhs)
        if name not in ARITHMETIC and name not in COMPARISONS:
            raise uncovered(f"the operator {name}")
        if isinstance(left, float) and isinstance(right, float):
            # The parser lets no comparison of two numbers through.
            return ARITHMETIC[name](left, right)
        answer = []
        for one, other, labels in pairs(left, right, tree.modifier):
            if name in ARITHMETIC:
                answer.append(Sample(labels, ARITHMETIC[name](one, other)))
            elif COMPARISONS[name](one, other):
                answer.append(Sample(labels, one))
        return answer


def pairs(left: Value, right: Value, modifier: Any) -> list[tuple[float, float, Labels]]:
    """Which value is compared with which, one to one by equal labels."""
    if isinstance(right, float):
        return [(sample.value, right, sample.labels) for sample in samples_of(left)]
    if isinstance(left, float):
        return [(left, sample.value, sample.labels) for sample in right]
    names = list(modifier.matching.labels) if modifier and modifier.matching else None

    def key(sample: Sample) -> Labels:
        return sample.labels if names is None else tuple(item for item in sample.labels if item[0] in names)

    others = {key(sample): sample.value for sample in right}
    return [(sample.value, others[key(sample)], sample.labels) for sample in left if key(sample) in others]


def samples_of(value: Value) -> list[Sample]:
    """Samples; a number is one without labels."""
    return [Sample((), value)] if isinstance(value, float) else value


def each(value: Value, change: Callable[[float], float]) -> Value:
    """Every value changed."""
    if isinstance(value, float):
        return change(value)
    return [Sample(sample.labels, change(sample.value)) for sample in value]


def admits(matcher: Any, text: str) -> bool:
    """Whether a label's value is one that a selector asks for."""
    match str(matcher.op).rpartition(".")[2]:
        case "Equal":
            return bool(text == matcher.value)
        case "NotEqual":
            return bool(text != matcher.value)
        case "Re":
            return re.fullmatch(matcher.value, text) is not None
    return re.fullmatch(matcher.value, text) is None


def ordered(labels: dict[str, Any]) -> Labels:
    """Labels that can be compared; empty ones are none."""
    return tuple(sorted((key, str(text)) for key, text in labels.items() if text != ""))


def within(points: list[Point], start: datetime, end: datetime) -> list[Point]:
    """Points that ended within a time."""
    return [point for point in points if start < point.end <= end]


def spread(labels: Labels, suffix: str, points: list[Point], number: Callable[[list[Point]], float]) -> list[Sample]:
    """One sample; of a distribution its count, its sum, or one for each bucket."""
    whole = together(points)
    if whole is None:
        return [Sample(labels, number(points))]
    if suffix == "_count":
        return [Sample(labels, float(whole.count))]
    if suffix == "_sum":
        return [Sample(labels, whole.mean * whole.count)]
    return buckets_of(labels, whole)


def buckets_of(labels: Labels, whole: Distribution) -> list[Sample]:
    """Cumulative counts by upper end, as PromQL's histograms have them."""
    seen, samples = 0, []
    for index, count in enumerate(whole.counts):
        seen += count
        end = whole.options[index] if index < len(whole.options) else math.inf
        samples.append(Sample(ordered({**dict(labels), "le": "+Inf" if math.isinf(end) else repr(end)}), float(seen)))
    return samples


def quantiles(share: float, samples: list[Sample]) -> list[Sample]:
    """The quantile of each histogram, interpolated within its bucket."""
    histograms: dict[Labels, list[tuple[float, float]]] = {}
    for sample in samples:
        own = dict(sample.labels)
        bound = own.pop("le", "")
        if bound:
            histograms.setdefault(ordered(own), []).append((float(bound.replace("+Inf", "inf")), sample.value))
    answer = []
    for labels, buckets in histograms.items():
        buckets.sort()
        wanted = share * buckets[-1][1]
        below, seen = 0.0, 0.0
        for end, count in buckets:
            if count >= wanted and count > seen:
                value = below if math.isinf(end) else below + (end - below) * (wanted - seen) / (count - seen)
                answer.append(Sample(labels, value))
                break
            below, seen = (below if math.isinf(end) else end), count
    return answer


def uncovered(what: str) -> InvalidArgument:
    """The refusal of what is not covered."""
    return InvalidArgument(f"Field query had an invalid value: {what} is not covered by this sandbox.")
