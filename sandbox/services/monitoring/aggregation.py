"""Alignment and reduction of time series.

Semantics: https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#Aggregation
(read 2026-08).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.errors import InvalidArgument
from sandbox.services.monitoring.distributions import Distribution

Document = dict[str, Any]
Value = float | str | Distribution

PERCENTILES = {"PERCENTILE_99": 0.99, "PERCENTILE_95": 0.95, "PERCENTILE_50": 0.5, "PERCENTILE_05": 0.05}


@dataclass(frozen=True, slots=True)
class Point:
    """One value over an interval; ``start`` equals ``end`` for a gauge."""

    start: datetime
    end: datetime
    value: Value


@dataclass(slots=True)
class Series:
    """A metric of a resource over time, oldest point first."""

    metric: Document
    resource: Document
    kind: str
    value_type: str
    points: list[Point] = field(default_factory=list)

    def label(self, path: str) -> str:
        """The value of a group-by field, as ``resource.label.zone`` or ``project``."""
        if path == "project":
            return str(self.resource.get("labels", {}).get("project_id", ""))
        head, _, name = path.partition(".")
        holder = self.metric if head == "metric" else self.resource
        if name == "type":
            return str(holder.get("type", ""))
        return str(holder.get("labels", {}).get(name.partition(".")[2], ""))


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One step: align each series, then reduce them to one for each group."""

    period: timedelta = timedelta(0)
    aligner: str = "ALIGN_NONE"
    reducer: str = "REDUCE_NONE"
    groups: tuple[str, ...] = ()

    @classmethod
    def read(cls, document: Document) -> Aggregation:
        """From the API's JSON.

        Raises:
            InvalidArgument: the period is no duration, or a reducer comes without an aligner.
        """
        text = document.get("alignmentPeriod", "0s")
        try:
            period = timedelta(seconds=float(str(text).removesuffix("s")))
        except ValueError:
            raise InvalidArgument(f'Field aggregation.alignmentPeriod had an invalid value of "{text}".') from None
        found = cls(
            period,
            document.get("perSeriesAligner", "ALIGN_NONE"),
            document.get("crossSeriesReducer", "REDUCE_NONE"),
            tuple(document.get("groupByFields", [])),
        )
        if found.aligner == "ALIGN_NONE" and found.reducer != "REDUCE_NONE":
            raise InvalidArgument("Field aggregation.perSeriesAligner must be set when a crossSeriesReducer is.")
        if found.aligner != "ALIGN_NONE" and not period:
            raise InvalidArgument("Field aggregation.alignmentPeriod must be set when a perSeriesAligner is.")
        return found

    def apply(self, found: list[Series], start: datetime, end: datetime) -> list[Series]:
        """Aligned and reduced series; alignment periods are counted back from ``end``."""
        if self.aligner == "ALIGN_NONE":
            return found
        aligned = [align(series, self.aligner, self.period, start, end) for series in found]
        aligned = [series for series in aligned if series.points]
        return aligned if self.reducer == "REDUCE_NONE" else reduce(aligned, self.reducer, self.groups)


def align(series: Series, aligner: str, period: timedelta, start: datetime, end: datetime) -> Series:
    """One point for each period that holds any."""
    points: list[Point] = []
    moment = end
    while moment > start:
        begin = moment - period
        inside = [point for point in series.points if begin < point.end <= moment]
        if inside:
            value = aligned(inside, series.kind, aligner, period)
            if value is not None:
                points.append(Point(moment if aligner not in STAYS_DELTA else begin, moment, value))
        moment = begin
    kind = "DELTA" if aligner in STAYS_DELTA and series.kind != "GAUGE" else "GAUGE"
    whole = {"ALIGN_COUNT", "ALIGN_COUNT_TRUE", "ALIGN_COUNT_FALSE"}
    same = aligner in {"ALIGN_DELTA", "ALIGN_SUM", "ALIGN_MIN", "ALIGN_MAX", "ALIGN_NEXT_OLDER"}
    kept = series.value_type if same else "INT64" if aligner in whole else "DOUBLE"
    return Series(series.metric, series.resource, kind, kept, points[::-1])


STAYS_DELTA = {"ALIGN_DELTA", "ALIGN_SUM", "ALIGN_COUNT"}


def numbers(points: list[Point]) -> list[float]:
    """Values as numbers; of a distribution its mean, of a text nothing."""
    found = []
    for point in points:
        if isinstance(point.value, Distribution):
            found.append(point.value.mean)
        elif isinstance(point.value, (int, float)):
            found.append(float(point.value))
    return found


def together(points: list[Point]) -> Distribution | None:
    """All distributions as one; None when there are none."""
    whole: Distribution | None = None
    for point in points:
        if isinstance(point.value, Distribution):
            whole = whole.merged(point.value) if whole else point.value
    return whole


def growth(points: list[Point], kind: str) -> float:
    """By how much a counter grew within the points."""
    values = numbers(points)
    if kind == "CUMULATIVE":
        return values[-1] - values[0] if len(values) > 1 else values[0]
    if kind == "DELTA":
        return sum(values)
    return values[-1] - values[0]


def aligned(points: list[Point], kind: str, aligner: str, period: timedelta) -> Value | None:
    """The one value of a period; None when the aligner finds nothing in it.

    Raises:
        InvalidArgument: there is no such aligner.
    """
    name = aligner.removeprefix("ALIGN_")
    whole = together(points)
    if whole is not None and name in {"DELTA", "SUM"}:
        return whole
    if whole is not None and name in {"RATE", "COUNT"}:
        return whole.count / period.total_seconds() if name == "RATE" else float(len(points))
    if whole is not None and name == "MEAN":
        return whole.mean
    if name == "NEXT_OLDER":
        return points[-1].value
    if name == "DELTA":
        return growth(points, kind)
    if name == "RATE":
        return growth(points, kind) / period.total_seconds()
    if name == "PERCENT_CHANGE":
        values = numbers(points)
        return (values[-1] - values[0]) / values[0] * 100 if values and values[0] else None
    if whole is not None and name in PERCENTILES:
        return whole.percentile(PERCENTILES[name])
    if name == "COUNT":
        return float(len(points))
    values = numbers(points)
    return statistic(name, values) if values else None


def statistic(name: str, values: list[float]) -> float:
    """One number of some.

    Raises:
        InvalidArgument: there is no such aligner or reducer.
    """
    if name in PERCENTILES:
        return percentile(values, PERCENTILES[name])
    function = STATISTICS.get(name)
    if function is None:
        raise InvalidArgument(f'"{name}" is no aligner or reducer that the sandbox knows.')
    return function(values)


STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "MIN": min,
    "MAX": max,
    "MEAN": statistics.fmean,
    "SUM": math.fsum,
    "STDDEV": statistics.pstdev,
    "INTERPOLATE": lambda values: values[-1],
    "COUNT": lambda values: float(len(values)),
    "COUNT_TRUE": lambda values: float(sum(1 for value in values if value)),
    "COUNT_FALSE": lambda values: float(sum(1 for value in values if not value)),
    "FRACTION_TRUE": lambda values: sum(1 for value in values if value) / len(values),
}


def percentile(values: list[float], share: float) -> float:
    """Interpolated between the two nearest values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def reduce(found: list[Series], reducer: str, groups: tuple[str, ...]) -> list[Series]:
    """One series for each combination of the group-by fields' values."""
    collected: dict[tuple[str, ...], list[Series]] = {}
    for series in found:
        collected.setdefault(tuple(series.label(path) for path in groups), []).append(series)
    return [reduced(members, reducer, groups, values) for values, members in collected.items()]


def reduced(members: list[Series], reducer: str, groups: tuple[str, ...], values: tuple[str, ...]) -> Series:
    """One series of some; only the group-by fields keep their labels."""
    name = reducer.removeprefix("REDUCE_")
    at: dict[datetime, list[Point]] = {}
    for series in members:
        for point in series.points:
            at.setdefault(point.end, []).append(point)
    points = []
    for moment in sorted(at):
        here = at[moment]
        whole = together(here)
        value: Value
        if whole is not None and name in PERCENTILES:
            value = whole.percentile(PERCENTILES[name])
        elif whole is not None and name in {"SUM", "MEAN"}:
            value = whole if name == "SUM" else whole.mean
        else:
            value = statistic(name, numbers(here)) if name != "COUNT" else float(len(here))
        points.append(Point(here[0].start, moment, value))
    first = members[0]
    metric: Document = {"type": first.metric["type"]}
    resource: Document = {"type": first.resource["type"], "labels": {}}
    if project := first.resource.get("labels", {}).get("project_id"):
        resource["labels"]["project_id"] = project
    for path, value_text in zip(groups, values, strict=True):
        head, _, rest = path.partition(".")
        if head in {"metric", "resource"} and rest.startswith("label"):
            (metric if head == "metric" else resource).setdefault("labels", {})[rest.partition(".")[2]] = value_text
    whole_number = name in {"COUNT", "COUNT_TRUE", "COUNT_FALSE"}
    kept = name in {"SUM", "MIN", "MAX"}
    value_type = first.value_type if kept else "INT64" if whole_number else "DOUBLE"
    return Series(metric, resource, first.kind, value_type, points)
