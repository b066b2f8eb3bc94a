"""What is kept of an image, and what the function answers about it."""

import datetime as dt
from typing import Any, Literal

from pydantic import ConfigDict, Field

from generation.disclosure import Disclosure
from generation.usage import Answer, Cost, Usage

SCHEMA = 1
FOLDER = "images"


def image_object(image: str, index: int, extension: str, *, attempt: int = 0) -> str:
    """Name of an image's object. Only where an earlier attempt left one behind does the name show the attempt."""
    return f"{FOLDER}/{image}/{index}{f'-{attempt}' if attempt else ''}.{extension}"


def record_object(image: str) -> str:
    """Name of a record's object."""
    return f"{FOLDER}/{image}/record.json"


def milliseconds(seconds: float) -> int:
    """A duration in milliseconds, never negative."""
    return max(0, round(seconds * 1000))


class Timing(Answer):
    """Where the time went, in milliseconds.

    Attributes:
        queue_ms: before the first model call: looking for a stored image, waiting for an equal request.
        model_ms: model calls with the waits between them.
        store_ms: storing and signing.
        total_ms: all of it.
    """

    queue_ms: int = 0
    model_ms: int = 0
    store_ms: int = 0
    total_ms: int = 0


class KeptImage(Answer):
    """One image in a record.

    Attributes:
        object: its name in the bucket.
        sha256: of the bytes, in hexadecimal.
        bytes: size.
        seed: what this image was drawn with.
        content_credentials: whether a C2PA manifest is embedded.
        thought_signature: base64; sent back when a conversation goes on, never shown.
    """

    model_config = ConfigDict(extra="ignore")

    object: str
    sha256: str
    mime_type: str
    width: int
    height: int
    bytes: int
    seed: int | None = None
    content_credentials: bool = False
    thought_signature: str = Field(default="", repr=False)


class Safety(Answer):
    """Thresholds that were asked for, and ratings that came back."""

    thresholds: dict[str, str] = Field(default_factory=dict)
    ratings: dict[str, str] = Field(default_factory=dict)


class Provenance(Answer):
    """Where an image comes from.

    Attributes:
        model_version: what answered, as the model says.
        response_ids: Google's ids of the answers.
        client: library and version.
        content_credentials: whether every image carries a C2PA manifest.
        sources: web pages an answer is grounded on.
        previous: id of the image it goes on from.
    """

    model_version: str
    response_ids: tuple[str, ...]
    client: str
    content_credentials: bool
    sources: tuple[str, ...] = ()
    previous: str | None = None


class Record(Answer):
    """The JSON object beside an image. It is written once, after the image.

    Attributes:
        canonical: the canonical request whose digest the id is.
        prompt: as sent to the model, what to avoid included.
        seed: that of the first image, as sent to the model.
        disclosure: says that a model made it; absent in records of earlier versions.
        failures: reasons for which fewer images came than were asked for.
    """

    model_config = ConfigDict(extra="ignore")

    schema_version: int = SCHEMA
    id: str
    campaign: str
    project: str
    location: str
    model: str
    created_at: dt.datetime
    canonical: dict[str, Any]
    prompt: str
    seed: int | None
    labels: dict[str, str]
    request_id: str | None
    images: tuple[KeptImage, ...] = Field(min_length=1)
    usage: Usage
    cost: Cost
    timing: Timing
    attempts: int
    finish_reason: str
    text: str
    safety: Safety
    provenance: Provenance
    disclosure: Disclosure | None = None
    failures: tuple[str, ...] = ()


class AnsweredImage(Answer):
    """One image in an answer.

    Attributes:
        uri: gs:// address.
        signed_url: readable for an hour without credentials.
        content_credentials: whether a C2PA manifest is embedded; it is not verified here.
        data: the bytes in base64, with delivery inline.
    """

    uri: str
    signed_url: str
    sha256: str
    mime_type: str
    width: int
    height: int
    bytes: int
    content_credentials: bool
    data: str | None = None


class Skipped(Answer):
    """A model that the request named before the one that answered.

    Attributes:
        model: its id.
        reason: why it gave no image.
    """

    model: str
    reason: str


class ImageAnswer(Answer):
    """The answer to `POST /images`.

    Attributes:
        usage: tokens this request used; none when it was answered from the bucket.
        cost: of those tokens.
        cached: whether it was answered without a model call.
        attempts: model calls this request made.
        finish_reason: STOP, or why there are fewer images than were asked for.
        disclosure: says that a model made it.
        skipped: models that the request named first and that gave no image.
        text: what the model said beside the image.
    """

    id: str
    model: str
    images: tuple[AnsweredImage, ...]
    usage: Usage
    cost: Cost
    timing: Timing
    cached: bool
    attempts: int
    finish_reason: str
    text: str
    disclosure: Disclosure | None = None
    skipped: tuple[Skipped, ...] = ()


class Pending(Answer):
    """An image that is not there yet.

    Attributes:
        state: QUEUED, nobody works on it now; RUNNING, an instance does.
    """

    id: str
    state: Literal["QUEUED", "RUNNING"]
