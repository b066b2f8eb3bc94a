"""What Vertex AI itself says of the models: whether each answers, in each location, for a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plantain.errors import PlantainError

if TYPE_CHECKING:
    from generation.models import Model
    from plantain.google_cloud import GoogleCloud

NOT_FOUND = 404
QUESTION = {"contents": [{"role": "user", "parts": [{"text": "A ripe plantain"}]}]}


@dataclass(frozen=True)
class Reading:
    """One model in one location.

    Attributes:
        served: whether it answered; None when the question itself failed.
        note: why not.
    """

    model: str
    location: str
    served: bool | None
    note: str = ""


def read(cloud: GoogleCloud, project: str, models: tuple[Model, ...]) -> list[Reading]:
    """Each model in each of its locations. Counting tokens is free and needs ``aiplatform.endpoints.predict``.

    Seen in the sandbox; Google's page on counting tokens was not read for it.
    """
    return [read_one(cloud, project, model.id, location) for model in models for location in model.locations]


def read_one(cloud: GoogleCloud, project: str, model: str, location: str) -> Reading:
    """One model in one location."""
    from plantain.errors import GoogleCloudError  # noqa: PLC0415

    service = "aiplatform" if location == "global" else f"{location}-aiplatform"
    path = f"v1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens"
    try:
        cloud.call("POST", service, path, body=QUESTION)
    except GoogleCloudError as error:
        if error.status == NOT_FOUND:
            return Reading(model, location, served=False, note=error.message)
        return Reading(model, location, served=None, note=f"{error.reason or error.status}: {error.message}")
    except PlantainError as error:
        return Reading(model, location, served=None, note=error.message)
    return Reading(model, location, served=True)
