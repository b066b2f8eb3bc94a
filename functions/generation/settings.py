"""What the function is told by its environment, read once."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from generation.errors import FatalFailure, Reason
from generation.labels import label_problems
from generation.models import table

NAMES = {
    "project": "GOOGLE_CLOUD_PROJECT",
    "location": "GOOGLE_CLOUD_LOCATION",
    "campaign": "PLANTAIN_CAMPAIGN",
    "bucket": "PLANTAIN_BUCKET",
    "model": "PLANTAIN_MODEL",
    "service_account": "PLANTAIN_SERVICE_ACCOUNT",
    "labels": "PLANTAIN_LABELS",
}


class Settings(BaseModel):
    """The function's settings.

    Attributes:
        project: project that pays for model requests.
        location: location of the model, `global` for most.
        campaign: name in logs and records.
        bucket: where images go.
        model: used when a request names none.
        service_account: e-mail of the identity the function runs as; signs URLs.
        labels: the campaign's mandatory labels, sent with every model request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str = Field(min_length=1)
    location: str = Field(default="global", min_length=1)
    campaign: str = Field(min_length=1)
    bucket: str = Field(min_length=3)
    model: str = Field(default_factory=lambda: table().default)
    service_account: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("labels", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('not a JSON object such as {"campaign": "spring-launch"}') from None

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        problems = label_problems(labels)
        if problems:
            raise ValueError("; ".join(problem for _, problem in problems))
        return labels

    @field_validator("model")
    @classmethod
    def _is_served(cls, model: str) -> str:
        if table().get(model) is None:
            raise ValueError(table().why_not(model))
        return model


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment.

    Raises:
        FatalFailure: INVALID_SETTINGS, naming every variable that is missing or wrong.
    """
    given = {field: environment[name] for field, name in NAMES.items() if environment.get(name)}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [f"{NAMES[str(item['loc'][0])]}: {item['msg']}" for item in error.errors(include_url=False)]
        raise FatalFailure(
            Reason.INVALID_SETTINGS,
            f"The function's environment is wrong, so it answers no request. {'; '.join(problems)}",
            hint="Set the variables and deploy again: pulumi up",
        ) from None
