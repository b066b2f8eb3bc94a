"""What a month of a campaign costs: the model in each price mode, and everything around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from plantain.cost.prices import Prices
from plantain.errors import InputError

if TYPE_CHECKING:
    from generation.models import Model
    from infra.campaign_model import Campaign

SECONDS_PER_MONTH = 30 * 24 * 3600
DAYS_PER_MONTH = Decimal(30)
KEYS = 3
KEY_VERSIONS = 4
"""Active versions of each key: one a 90-day rotation, for a year of images."""
OPERATIONS_PER_IMAGE = 4
"""Objects written for an image: claim, image, record, and the claim's removal counted as one more."""
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Assumptions:
    """What a forecast takes for granted: estimates, none of them measured on Google Cloud.

    Attributes:
        prompt_tokens: input text of a request.
        thinking_tokens: text the model thinks with, for an image.
        references: images sent along with a request.
        megabytes: of an image as stored, by size.
        seconds: that an instance spends on an image.
        views: times an image is downloaded to the internet.
    """

    prompt_tokens: int = 60
    thinking_tokens: int = 250
    references: int = 0
    megabytes: Mapping[str, float] = field(default_factory=lambda: {"512": 0.5, "1K": 1.6, "2K": 5.5, "4K": 18.0})
    seconds: float = 25.0
    views: float = 1.0
    processors: Decimal = Decimal(1)


@dataclass(frozen=True)
class Line:
    """One item of a forecast: an amount for a month."""

    item: str
    basis: str
    amount: Decimal


@dataclass(frozen=True)
class Mode:
    """The model's share in one way of paying.

    Attributes:
        name: standard, flex, batch or provisioned.
        amount: for the month; None where the mode is not offered for these images, or its price is not known.
        note: why not, or what it means.
    """

    name: str
    amount: Decimal | None
    note: str


@dataclass(frozen=True)
class Forecast:
    """A month.

    Attributes:
        images: by size.
        modes: the model's share, by way of paying.
        around: everything else.
        units: throughput units that carry the peak.
        break_even_images: images a month from which provisioned throughput is cheaper; None without its price, and
            when even full use does not earn it.
        break_even_unit_price: price of a unit and month below which it is cheaper even when fully used.
    """

    model: str
    currency: str
    images: Mapping[str, int]
    modes: tuple[Mode, ...]
    around: tuple[Line, ...]
    units: int | None
    break_even_images: int | None
    break_even_unit_price: Decimal | None
    stale: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        """The month in standard mode."""
        standard = self.modes[0].amount or Decimal(0)
        return standard + sum((line.amount for line in self.around), Decimal(0))


def parse_images(texts: list[str], model: Model) -> dict[str, int]:
    """Images a month by size, from ``800`` or ``4K=200``.

    Raises:
        InputError: no number, or a size that the model does not make.
    """
    found: dict[str, int] = {}
    for text in texts:
        matched = re.fullmatch(r"(?:(\w+)=)?([\d_,]+)", text)
        if not matched:
            raise InputError(f"{text!r} is no number of images.", cure="plantain cost forecast --images 2K=800")
        size = matched[1] or model.default_size
        if size not in model.sizes:
            made = ", ".join(model.sizes)
            raise InputError(f"{model.id} makes no {size!r} images, so they have no price.", cure=f"use one of {made}")
        found[size] = found.get(size, 0) + int(re.sub("[_,]", "", matched[2]))
    return found


def cost_of_image(model: Model, size: str, assumed: Assumptions) -> Decimal:
    """One image in standard mode, with its prompt, references and thinking."""
    from generation.models import Spent  # noqa: PLC0415

    return model.cost(
        Spent(
            input_tokens=assumed.prompt_tokens + assumed.references * model.input.image_tokens,
            image_tokens=model.sizes[size],
            text_tokens=assumed.thinking_tokens if model.thinking else 0,
        )
    )


def burned_tokens(model: Model, size: str, assumed: Assumptions) -> int | None:
    """Throughput that one image uses up, after burndown; thinking is left out where its rate was not read."""
    if model.throughput is None:
        return None
    rates = model.throughput.burndown
    thinking = assumed.thinking_tokens * (rates.output_text or 0) if model.thinking else 0
    references = assumed.references * model.input.image_tokens * rates.input_image
    return model.sizes[size] * rates.output_image + thinking + assumed.prompt_tokens * rates.input_text + references


def units_for(model: Model, size: str, images_per_minute: float, assumed: Assumptions) -> int | None:
    """Throughput units that carry a rate of images; None where the model has none to sell."""
    burned = burned_tokens(model, size, assumed)
    if burned is None or model.throughput is None:
        return None
    per_second = images_per_minute * burned / 60
    needed = -(-per_second // model.throughput.tokens_per_second_per_unit)
    return max(model.throughput.minimum_units, int(needed))


def forecast(
    campaign: Campaign,
    model: Model,
    images: Mapping[str, int],
    prices: Prices,
    assumed: Assumptions,
    *,
    peak_per_minute: float | None = None,
    unit_price: Decimal | None = None,
    stale: tuple[str, ...] = (),
) -> Forecast:
    """A month of a campaign, for so many images by size.

    ``peak_per_minute`` counts the images of the busiest minute; without it it is the month's mean, the least that can
    be. ``unit_price`` is that of one throughput unit for a month, from Google's offer: no page that was read has it.
    """
    standard = sum((cost_of_image(model, size, assumed) * count for size, count in images.items()), Decimal(0))
    count = sum(images.values())
    peak = peak_per_minute if peak_per_minute is not None else count / (SECONDS_PER_MONTH / 60)
    largest = max(images, key=lambda size: model.sizes[size], default=model.default_size)
    units = units_for(model, largest, peak, assumed)
    mean = standard / count if count else cost_of_image(model, model.default_size, assumed)
    return Forecast(
        model=model.id,
        currency=model.price.currency,
        images=images,
        modes=(
            Mode("standard", standard.quantize(CENT), "pay as you go, no promise of capacity"),
            _flex(model, standard),
            _batch(model, images, standard),
            _provisioned(units, unit_price, peak),
        ),
        around=around(campaign, images, prices, assumed),
        units=units,
        break_even_images=break_even(unit_price, units, mean, _full_unit(model, largest, assumed)),
        break_even_unit_price=_full_unit(model, largest, assumed),
        stale=stale,
    )


def break_even(unit_price: Decimal | None, units: int | None, image: Decimal, full_unit: Decimal | None) -> int | None:
    """Images a month from which units are cheaper than standard; None when they never are, or a price is missing."""
    if unit_price is None or not units or full_unit is None or unit_price > full_unit:
        return None
    return int(unit_price * units / image)


def _flex(model: Model, standard: Decimal) -> Mode:
    if not model.flex or model.price.flex_factor is None:
        return Mode("flex", None, "not offered for this model")
    return Mode("flex", (standard * model.price.flex_factor).quantize(CENT), "minutes instead of seconds, no promise")


def _batch(model: Model, images: Mapping[str, int], standard: Decimal) -> Mode:
    if model.batch is None or model.price.batch_factor is None:
        return Mode("batch", None, "not offered for this model")
    larger = [size for size in images if size not in model.batch.sizes]
    if larger:
        return Mode("batch", None, f"makes {', '.join(model.batch.sizes)} only, not {', '.join(larger)}")
    return Mode("batch", (standard * model.price.batch_factor).quantize(CENT), "within 24 hours as a rule")


def _provisioned(units: int | None, unit_price: Decimal | None, peak: float) -> Mode:
    if units is None:
        return Mode("provisioned", None, "not offered for this model")
    carried = f"{units} unit{'' if units == 1 else 's'} for a peak of {peak:.2g} images a minute"
    if unit_price is None:
        return Mode("provisioned", None, f"{carried}; ask Google for the price of a unit, then --unit-price")
    return Mode("provisioned", (unit_price * units).quantize(CENT), carried)


def _full_unit(model: Model, size: str, assumed: Assumptions) -> Decimal | None:
    burned = burned_tokens(model, size, assumed)
    if burned is None or model.throughput is None:
        return None
    images = Decimal(model.throughput.tokens_per_second_per_unit * SECONDS_PER_MONTH) / burned
    return (images * cost_of_image(model, size, assumed)).quantize(CENT)


def around(campaign: Campaign, images: Mapping[str, int], prices: Prices, assumed: Assumptions) -> tuple[Line, ...]:
    """What is not the model: storage over the images' whole life, instances, transfer, keys."""
    count = sum(images.values())
    gibibytes = Decimal(str(sum(assumed.megabytes[size] * n for size, n in images.items()))) / 1024
    memory = Decimal(campaign.function.memory.removesuffix("Gi"))
    # One instance serves several requests at once, and each of them waits for the model rather than computes.
    busy = Decimal(str(count * assumed.seconds)) / campaign.function.concurrency
    second = prices["runProcessor"] * assumed.processors + prices["runMemory"] * memory
    run = busy * second
    run += prices["runRequests"] * count / 1_000_000
    writes = prices["storageWrites"] * count * OPERATIONS_PER_IMAGE / 1000
    keys = prices["keyVersion"] * KEYS * KEY_VERSIONS + prices["keyOperations"] * count * OPERATIONS_PER_IMAGE / 10_000
    life = campaign.images
    stored = storage_life(gibibytes, life.nearline_after_days, life.archive_after_days, life.delete_after_days, prices)
    return (
        Line("storage", f"{gibibytes:.1f} GiB until deletion after {life.delete_after_days} days", stored),
        Line("storage operations", f"{count * OPERATIONS_PER_IMAGE} writes", writes.quantize(CENT)),
        Line("function", f"{busy:.0f} instance-seconds of {memory} GiB", run.quantize(CENT)),
        *_kept_instances(campaign.function.min_instances, second * SECONDS_PER_MONTH),
        Line(
            "transfer out",
            f"{gibibytes * Decimal(str(assumed.views)):.1f} GiB to the internet",
            (gibibytes * Decimal(str(assumed.views)) * prices["transferOut"]).quantize(CENT),
        ),
        Line("keys", f"{KEYS} keys, {KEY_VERSIONS} versions each", keys.quantize(CENT)),
    )


def _kept_instances(count: int, month: Decimal) -> tuple[Line, ...]:
    """What `function.minInstances` costs at most: the price of an idle instance was in no page that was read."""
    if not count:
        return ()
    basis = f"{count} all month at the price of busy ones, which is the most it can be"
    return (Line("kept instances", basis, (count * month).quantize(CENT)),)


def storage_life(
    gibibytes: Decimal, nearline: int | None, archive: int | None, deletion: int | None, prices: Prices
) -> Decimal:
    """What a month's images cost from their making to their deletion, three years when they are never deleted."""
    end = deletion if deletion is not None else 3 * 365
    first = min(nearline if nearline is not None else end, end)
    second = min(archive if archive is not None else end, end)
    second = max(first, second)
    months = (Decimal(first), Decimal(second - first), Decimal(end - second))
    rates = (prices["storageStandard"], prices["storageNearline"], prices["storageArchive"])
    total = sum(
        (gibibytes * days / DAYS_PER_MONTH * rate for days, rate in zip(months, rates, strict=True)), Decimal(0)
    )
    return total.quantize(CENT)
