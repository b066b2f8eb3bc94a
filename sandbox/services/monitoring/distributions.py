"""Distribution values: made from numbers, merged, and asked for percentiles."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

#: What a log-based distribution gets unless its metric says otherwise:
#: https://docs.cloud.google.com/logging/docs/logs-based-metrics/distribution-metrics (read 2026-08).
DEFAULT_BUCKETS: Document = {"exponentialBuckets": {"numFiniteBuckets": 64, "growthFactor": 2.0, "scale": 0.01}}


def bounds(options: Document) -> list[float]:
    """Upper ends of all buckets but the last, from bucket options."""
    if linear := options.get("linearBuckets"):
        first, width = float(linear.get("offset", 0)), float(linear["width"])
        return [first + width * index for index in range(int(linear["numFiniteBuckets"]) + 1)]
    if exponential := options.get("exponentialBuckets"):
        scale, factor = float(exponential["scale"]), float(exponential["growthFactor"])
        return [scale * factor**index for index in range(int(exponential["numFiniteBuckets"]) + 1)]
    return [float(bound) for bound in options.get("explicitBuckets", {}).get("bounds", [])]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts in buckets with their mean.

    Attributes:
        deviation: sum of squared deviations from the mean.
        options: upper ends of all buckets but the last.
        counts: one for each bucket, underflow and overflow included.
    """

    count: int
    mean: float
    deviation: float
    options: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: list[float], options: Document) -> Distribution:
        """The distribution of some numbers."""
        ends = bounds(options)
        counts = [0] * (len(ends) + 1)
        for value in values:
            counts[bisect.bisect_right(ends, value)] += 1
        mean = sum(values) / len(values) if values else 0.0
        return cls(len(values), mean, sum((value - mean) ** 2 for value in values), tuple(ends), tuple(counts))

    @classmethod
    def read(cls, document: Document) -> Distribution:
        """From Monitoring's JSON; trailing empty buckets may be left out there."""
        ends = bounds(document.get("bucketOptions", {}))
        counts = [int(count) for count in document.get("bucketCounts", [])]
        counts += [0] * (len(ends) + 1 - len(counts))
        return cls(
            int(document.get("count", 0)),
            float(document.get("mean", 0)),
            float(document.get("sumOfSquaredDeviation", 0)),
            tuple(ends),
            tuple(counts),
        )

    def write(self) -> Document:
        """As Monitoring's JSON, with the bounds given explicitly."""
        counts = list(self.counts)
        while counts and counts[-1] == 0:
            counts.pop()
        return {
            "count": str(self.count),
            **({"mean": self.mean} if self.mean else {}),
            **({"sumOfSquaredDeviation": self.deviation} if self.deviation else {}),
            "bucketOptions": {"explicitBuckets": {"bounds": list(self.options)}},
            **({"bucketCounts": [str(count) for count in counts]} if counts else {}),
        }

    def merged(self, other: Distribution) -> Distribution:
        """Both together; of different buckets the other's are taken by their middles."""
        count = self.count + other.count
        if count == 0:
            return self
        mean = (self.mean * self.count + other.mean * other.count) / count
        between = self.count * other.count / count * (self.mean - other.mean) ** 2
        added = other.counts
        if other.options != self.options:
            spread = [0] * len(self.counts)
            for index, number in enumerate(other.counts):
                low, high = other.edges(index)
                spread[bisect.bisect_right(self.options, (low + high) / 2)] += number
            added = tuple(spread)
        counts = tuple(a + b for a, b in zip(self.counts, added, strict=True))
        return Distribution(count, mean, self.deviation + other.deviation + between, self.options, counts)

    def edges(self, index: int) -> tuple[float, float]:
        """Lower and upper end of a bucket; open ends are closed at the neighbouring bound."""
        if not self.options:
            return self.mean, self.mean
        low = self.options[index - 1] if index else min(0.0, self.options[0])
        high = self.options[index] if index < len(self.options) else self.options[-1]
        return low, high

    def percentile(self, share: float) -> float:
        """The value below which a share of the counts lies, interpolated within its bucket."""
        wanted, seen = share * self.count, 0
        for index, number in enumerate(self.counts):
            if number and seen + number >= wanted:
                low, high = self.edges(index)
                return low + (high - low) * max(0.0, wanted - seen) / number
            seen += number
        return self.mean
