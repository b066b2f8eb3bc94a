"""Tokens and money of a request."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from generation.models import Model, Spent


class Answer(BaseModel):
    """A part of what the function answers: camelCase, unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Usage(Answer):
    """Token counts, summed over the request's images; names as in `usageMetadata` where it has them.

    Attributes:
        image_token_count: part of `candidates_token_count` that is images.
        search_query_count: queries of grounding.
        traffic_type: capacity that served the request.
    """

    prompt_token_count: int = 0
    candidates_token_count: int = 0
    image_token_count: int = 0
    thoughts_token_count: int = 0
    total_token_count: int = 0
    search_query_count: int = 0
    traffic_type: str = ""

    def __add__(self, other: "Usage") -> "Usage":
        counts = {
            name: getattr(self, name) + getattr(other, name)
            for name in type(self).model_fields
            if name != "traffic_type"
        }
        return Usage(**counts, traffic_type=self.traffic_type or other.traffic_type)

    @property
    def spent(self) -> Spent:
        """The same, as prices count it: thinking is billed as text output."""
        return Spent(
            input_tokens=self.prompt_token_count,
            image_tokens=self.image_token_count,
            text_tokens=self.candidates_token_count - self.image_token_count + self.thoughts_token_count,
            search_queries=self.search_query_count,
            traffic_type=self.traffic_type,
        )


class Cost(Answer):
    """What a request cost by the table of models. Google's bill is what counts.

    Attributes:
        amount: in `currency`.
        as_of: month of the prices, YYYY-MM.
    """

    amount: float
    currency: str
    as_of: str

    @classmethod
    def of(cls, usage: Usage, model: Model) -> Self:
        """The cost of tokens at a model's prices."""
        return cls.priced(model.cost(usage.spent), model)

    @classmethod
    def nothing(cls, model: Model) -> Self:
        """The cost of an answer that took no model call."""
        return cls.priced(Decimal(0), model)

    @classmethod
    def priced(cls, amount: Decimal, model: Model) -> Self:
        """An amount in the currency of a model's price."""
        return cls(amount=float(amount), currency=model.price.currency, as_of=model.price.as_of)


def usage_of(response: Mapping[str, Any], pictures: int, model: Model, size: str) -> Usage:
    """The usage a response states.

    Where a response does not split its tokens by modality, an image is taken to have the tokens of the table.
    """
    stated = response.get("usageMetadata")
    if not stated:
        return Usage()
    candidates = stated.get("candidatesTokenCount") or 0
    details = stated.get("candidatesTokensDetails") or []
    images = sum(detail.get("tokenCount") or 0 for detail in details if detail.get("modality") == "IMAGE")
    if not details:
        images = min(candidates, pictures * model.sizes[size])
    queries = [
        query
        for candidate in response.get("candidates") or []
        for query in (candidate.get("groundingMetadata") or {}).get("webSearchQueries") or []
    ]
    return Usage(
        prompt_token_count=(stated.get("promptTokenCount") or 0) + (stated.get("toolUsePromptTokenCount") or 0),
        candidates_token_count=candidates,
        image_token_count=images,
        thoughts_token_count=stated.get("thoughtsTokenCount") or 0,
        total_token_count=stated.get("totalTokenCount") or 0,
        search_query_count=len(queries),
        traffic_type=stated.get("trafficType") or "",
    )
