"""The models: what they take, where they are served, what they cost. The facts are data, in `models.json`.

Every entry carries its source; what Google does not say in words is listed under `unconfirmed`, prices are a third
party's. The infrastructure program, the function, the policies and the command line all read this one table.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MILLION = 1_000_000
CENT_FRACTION = Decimal("0.000001")
FLEX = "ON_DEMAND_FLEX"
PROVISIONED = "PROVISIONED_THROUGHPUT"
"""Traffic types as `usageMetadata.trafficType` names them (google-genai 2.34, `types.TrafficType`)."""


class Facts(BaseModel):
    """A part of the table: camelCase as in the file, unchangeable, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Inputs(Facts):
    """What a model takes.

    Attributes:
        images: most images in one request.
        image_tokens: tokens an input image counts as.
        inline_bytes: largest image sent in the request itself.
        object_bytes: largest image named by a gs:// address.
        mime_types: accepted image formats.
        context_tokens: most tokens of a request.
        output_tokens: most tokens of an answer.
    """

    images: int
    image_tokens: int
    inline_bytes: int
    object_bytes: int
    mime_types: tuple[str, ...]
    context_tokens: int
    output_tokens: int


class Price(Facts):
    """What a model costs, in `currency`, on the global endpoint.

    Attributes:
        as_of: month the prices were read, YYYY-MM.
        third_party: whether they come from somebody other than Google.
        input_per_million: a million input tokens, text or image.
        text_output_per_million: a million output tokens of text or thinking.
        image_output_per_million: a million output tokens of images.
        per_image: one image by size, for display; costs are computed from tokens.
        batch_factor: what batch costs relative to online; None where it is not offered.
        flex_factor: the same for Flex pay-as-you-go.
        search_per_thousand_queries: a thousand queries of grounding with Google Search.
    """

    currency: str
    as_of: str = Field(pattern=r"^\d{4}-\d{2}$")
    source: str
    third_party: bool
    input_per_million: Decimal
    text_output_per_million: Decimal
    image_output_per_million: Decimal
    per_image: Mapping[str, Decimal]
    batch_factor: Decimal | None
    flex_factor: Decimal | None
    search_per_thousand_queries: Decimal | None


class Burndown(Facts):
    """Units of throughput that one token uses up; None where it was not read."""

    input_text: int
    input_image: int
    output_text: int | None
    output_image: int


class Window(Facts):
    """Length of the window over which provisioned throughput is enforced, from a number of units on."""

    from_units: int
    seconds: int


class Throughput(Facts):
    """Provisioned Throughput of a model.

    Attributes:
        tokens_per_second_per_unit: what one scale unit (GSU) gives, after burndown.
        windows: enforcement windows, ascending; empty where they were not read.
    """

    tokens_per_second_per_unit: int
    minimum_units: int
    burndown: Burndown
    windows: tuple[Window, ...]

    def window_seconds(self, units: int) -> int | None:
        """Seconds over which `units` are averaged; None where it is not known."""
        fitting = [window.seconds for window in self.windows if window.from_units <= units]
        return fitting[-1] if fitting else None

    def images_per_minute(self, units: int, image_tokens: int) -> float:
        """Images a minute that `units` carry, counting image tokens alone: thinking and input come on top."""
        return units * self.tokens_per_second_per_unit * 60 / (image_tokens * self.burndown.output_image)


class Batch(Facts):
    """Batch inference of a model."""

    sizes: tuple[str, ...]


class Spent(Facts):
    """Tokens of one or more answers, as `usageMetadata` counts them.

    Attributes:
        input_tokens: `promptTokenCount`.
        image_tokens: output tokens of modality IMAGE.
        text_tokens: all other output tokens, thinking included.
        search_queries: queries of grounding.
        traffic_type: `trafficType`.
    """

    input_tokens: int = 0
    image_tokens: int = 0
    text_tokens: int = 0
    search_queries: int = 0
    traffic_type: str = ""


class Model(Facts):
    """One model.

    Attributes:
        sizes: output tokens of an image by `imageSize`.
        successor: what to ask for once the model is gone.
        refused_fields: fields of generationConfig whose mere presence is an error; of these, requests have `seed`.
        accepts_image_size: whether `imageSize` may be sent.
        thinking_levels: levels of thinking a request may name; empty where it may name none.
        grounding: kinds of grounding the model supports.
        unconfirmed: what is believed but not stated by Google.
    """

    id: str
    name: str
    stage: Literal["GA", "PREVIEW"]
    released: dt.date
    retirement: dt.date | None
    retirement_rule: Literal["on", "not before", "not announced"]
    successor: str | None = None
    locations: tuple[str, ...] = Field(min_length=1)
    sizes: Mapping[str, int] = Field(min_length=1)
    default_size: str
    accepts_image_size: bool
    aspect_ratios: tuple[str, ...] = Field(min_length=1)
    refused_fields: tuple[str, ...]
    thinking: bool
    thinking_levels: tuple[str, ...]
    grounding: tuple[str, ...]
    flex: bool
    input: Inputs
    price: Price
    throughput: Throughput | None
    batch: Batch | None
    source: str
    unconfirmed: tuple[str, ...]

    def retired(self, on: dt.date) -> bool:
        """Whether the model may be gone on a day: its retirement date, or the earliest such date, has come."""
        return self.retirement is not None and on >= self.retirement

    def gone(self, on: dt.date) -> bool:
        """Whether the model is gone on a day: its date is a fixed one and has come."""
        return self.retirement_rule == "on" and self.retired(on)

    def cost(self, spent: Spent) -> Decimal:
        """What tokens cost, in the price's currency, to a millionth.

        Provisioned Throughput is paid for by the hour, so a request served from it costs nothing more.
        """
        if spent.traffic_type == PROVISIONED:
            return Decimal(0).quantize(CENT_FRACTION)
        price = self.price
        tokens = (
            spent.input_tokens * price.input_per_million
            + spent.text_tokens * price.text_output_per_million
            + spent.image_tokens * price.image_output_per_million
        ) / MILLION
        if spent.traffic_type == FLEX and price.flex_factor is not None:
            tokens *= price.flex_factor
        search = spent.search_queries * (price.search_per_thousand_queries or Decimal(0)) / 1000
        return (tokens + search).quantize(CENT_FRACTION)

    def price_of(self, size: str, count: int = 1) -> Decimal:
        """Price of `count` images of a size, without input and thinking.

        Raises:
            KeyError: the model makes no such size.
        """
        return (self.sizes[size] * count * self.price.image_output_per_million / MILLION).quantize(CENT_FRACTION)


class RetiredModel(Facts):
    """A model that is gone."""

    id: str
    on: dt.date
    successor: str


class Table(Facts):
    """All models.

    Attributes:
        as_of: month of the research behind the table, YYYY-MM.
        default: the model a campaign uses unless it names another.
    """

    as_of: str = Field(pattern=r"^\d{4}-\d{2}$")
    default: str
    models: tuple[Model, ...]
    retired: tuple[RetiredModel, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the models that are served."""
        return tuple(model.id for model in self.models)

    def get(self, model: str) -> Model | None:
        """The model of an id; None for unknown and for retired ones."""
        return next((entry for entry in self.models if entry.id == model), None)

    def why_not(self, model: str) -> str:
        """Why there is no model of this id, and what to use."""
        for gone in self.retired:
            if gone.id == model:
                return f"{model} was retired on {gone.on}; use {gone.successor}"
        known, final = self.get(model), model.removesuffix("-preview")
        if known is not None:
            return f"{model} was retired on {known.retirement}; use {known.successor or self.default}"
        if final in self.ids:
            return f"{model} is a preview, which campaigns do not use; use {final}"
        return f"{model} is not in the table of models; use one of {', '.join(self.ids)}"


@cache
def table() -> Table:
    """The table, read once.

    Raises:
        pydantic.ValidationError: `models.json` is wrong.
    """
    return Table.model_validate_json(resources.files("generation").joinpath("models.json").read_text("utf-8"))
