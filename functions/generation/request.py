"""What `POST /images` takes."""

import binascii
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Self

import pybase64
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator
from pydantic.alias_generators import to_camel

from generation.picture import Picture, read_picture

INT32_MAX = 2**31 - 1
MOST_IMAGES = 4
PROMPT_CHARACTERS = 4 * 65_536
"""Four characters a token fill the context of the largest model; what is longer cannot fit."""
SET_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
MOST_REFERENCES = 64
"""No model takes as many (models.json, 2026-11: 14); how many one does is checked with its name."""
LONGEST_NAME = 1024
"""Bytes of an object's name in UTF-8 (docs.cloud.google.com/storage/docs/objects, naming, read 2026-08)."""
LARGEST_INLINE = 7 * 1024 * 1024
"""No model takes more inline (models.json), so no more is looked at."""
LONGEST_SECONDS = 3600
"""Cloud Run ends a request after 60 minutes (docs.cloud.google.com/run/docs/configuring/request-timeout, 2026-08)."""


class Wire(BaseModel):
    """A JSON object: camelCase names, unknown ones refused, no conversion between types."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        strict=True,
    )


class HarmCategory(StrEnum):
    """Categories of google.cloud.aiplatform.v1 SafetySetting (2026-08), without the deprecated one."""

    HARASSMENT = "HARM_CATEGORY_HARASSMENT"
    HATE_SPEECH = "HARM_CATEGORY_HATE_SPEECH"
    SEXUALLY_EXPLICIT = "HARM_CATEGORY_SEXUALLY_EXPLICIT"
    DANGEROUS_CONTENT = "HARM_CATEGORY_DANGEROUS_CONTENT"
    JAILBREAK = "HARM_CATEGORY_JAILBREAK"
    IMAGE_HATE = "HARM_CATEGORY_IMAGE_HATE"
    IMAGE_DANGEROUS_CONTENT = "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT"
    IMAGE_HARASSMENT = "HARM_CATEGORY_IMAGE_HARASSMENT"
    IMAGE_SEXUALLY_EXPLICIT = "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT"


class HarmThreshold(StrEnum):
    """Thresholds of the same message."""

    BLOCK_LOW_AND_ABOVE = "BLOCK_LOW_AND_ABOVE"
    BLOCK_MEDIUM_AND_ABOVE = "BLOCK_MEDIUM_AND_ABOVE"
    BLOCK_ONLY_HIGH = "BLOCK_ONLY_HIGH"
    BLOCK_NONE = "BLOCK_NONE"
    OFF = "OFF"


class PersonGeneration(StrEnum):
    """Whether people may be shown; values of the REST API (google-genai 2.34, `types.ImageConfig`)."""

    ALLOW_ALL = "ALLOW_ALL"
    ALLOW_ADULT = "ALLOW_ADULT"
    ALLOW_NONE = "ALLOW_NONE"


class Grounding(StrEnum):
    """What the model may look up. Google Search keeps prompts for three days; the enterprise variant keeps nothing."""

    GOOGLE_SEARCH = "GOOGLE_SEARCH"
    ENTERPRISE_WEB_SEARCH = "ENTERPRISE_WEB_SEARCH"


class ThinkingLevel(StrEnum):
    """How long a model thinks; which levels a model takes is in the table of models."""

    MINIMAL = "MINIMAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class Capacity(StrEnum):
    """Which capacity serves the request."""

    AUTO = "auto"
    DEDICATED = "dedicated"
    SHARED = "shared"
    FLEX = "flex"


class Delivery(StrEnum):
    """Whether the bytes come with the answer."""

    URI = "uri"
    INLINE = "inline"


class OutputMimeType(StrEnum):
    """Format the model is asked for."""

    PNG = "image/png"
    JPEG = "image/jpeg"


class Reference(Wire):
    """An image that goes to the model: an object in Cloud Storage, or the bytes themselves."""

    uri: str | None = Field(
        default=None,
        pattern=r"^gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/[^\r\n]+$",
        description="object in Cloud Storage that the function's identity can read, as gs://bucket/object",
    )
    data: str | None = Field(default=None, min_length=1, description="the bytes, in base64")
    mime_type: str | None = Field(
        default=None, description="format of the image; found out from the bytes or the object when it is left out"
    )
    _inspection: "Inspection | None" = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _is_one_image(self) -> Self:
        if (self.uri is None) == (self.data is None):
            raise ValueError("give either uri or data")
        if self.data is not None:
            self.inspected()
        name = (self.uri or "").removeprefix("gs://").partition("/")[2]
        if name in {".", ".."} or len(name.encode()) > LONGEST_NAME:
            raise ValueError(f"no object has such a name: at most {LONGEST_NAME:,} bytes, and not '.' or '..'")
        return self

    def inspected(self) -> "Inspection":
        """What the bytes in `data` are.

        Raises:
            ValueError: they are not base64.
        """
        if self._inspection is None:
            self._inspection = Inspection.of(self.data or "")
        return self._inspection


@dataclass(frozen=True, slots=True)
class Inspection:
    """Inline bytes after they were looked at once; the bytes themselves are not kept.

    Attributes:
        bytes: how many.
        sha256: in hexadecimal.
        picture: what their header says; None where they are no image, or too many to be looked at.
    """

    bytes: int
    sha256: str
    picture: Picture | None

    @classmethod
    def of(cls, text: str) -> Self:
        """Look at base64.

        Raises:
            ValueError: it is none.
        """
        try:
            data = pybase64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("data is not base64") from None
        picture = read_picture(data) if len(data) <= LARGEST_INLINE else None
        return cls(len(data), hashlib.sha256(data).hexdigest(), picture)


Text = Annotated[str, Field(min_length=1, max_length=PROMPT_CHARACTERS)]
Id = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Template(Wire):
    """A prompt that is written from data."""

    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=20_000,
        description="the template, in Jinja2: values, loops over rows, conditions, filters; no calls",
    )
    name: str | None = Field(
        default=None, pattern=SET_NAME, description="instead of text: object templates/NAME.j2 in the campaign's bucket"
    )
    data: dict[str, Any] = Field(
        default_factory=dict, description="what the template names: texts, numbers, lists and objects of these"
    )

    @model_validator(mode="after")
    def _is_one_template(self) -> Self:
        if (self.text is None) == (self.name is None):
            raise ValueError("give either text or name")
        return self


class Request(Wire):
    """The body of `POST /images`."""

    prompt: Text = Field(
        default="",
        validate_default=False,
        description="what the image shows, or what to change in the references; required unless there is a template",
    )
    template: Template | None = Field(
        default=None, description="writes the prompt from data, such as rows of figures; goes after prompt"
    )
    system_instruction: Text | None = Field(
        default=None, description="how the model is to work, apart from what it draws"
    )
    negative_prompt: Text | None = Field(
        default=None,
        description="what the image must not show; the models have no field for it, so it is added to the prompt",
    )
    references: tuple[Reference, ...] = Field(
        default=(),
        max_length=MOST_REFERENCES,
        description="images to work from, in the order the prompt speaks of them",
    )
    reference_set: str | None = Field(
        default=None,
        pattern=SET_NAME,
        description="name of images that keep a character or product the same: the objects below reference-sets/NAME/ "
        "in the campaign's bucket, sent before references",
    )
    mask: Reference | None = Field(
        default=None,
        description="black and white image: what is white may change; the models have no field for it, so it goes "
        "along as a last image that the prompt explains",
    )
    previous: Id | None = Field(
        default=None, description="id of an earlier image to go on from; its conversation is sent along"
    )
    aspect_ratio: str | None = Field(
        default=None, description="width to height, such as 16:9; the model chooses when it is left out"
    )
    image_size: str | None = Field(
        default=None, description="1K, 2K or 4K, for some models 512; the model's default when it is left out"
    )
    model: str | None = Field(default=None, description="model id; the campaign's default when it is left out")
    fallback: tuple[str, ...] = Field(
        default=(), max_length=3, description="models to try in turn when the first has no capacity, fails or is gone"
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=INT32_MAX,
        description="number that makes a result repeatable as far as the model allows; follows from the request when "
        "it is left out, and is recorded",
    )
    count: int = Field(default=1, ge=1, le=MOST_IMAGES, description="images to make, each a request to the model")
    safety: dict[HarmCategory, HarmThreshold] = Field(
        default_factory=dict, description="thresholds by harm category; the model's own when left out"
    )
    person_generation: PersonGeneration | None = Field(default=None, description="whether people may be shown")
    grounding: Grounding | None = Field(default=None, description="what the model may look up; nothing when left out")
    output_mime_type: OutputMimeType | None = Field(default=None, description="format of the image")
    output_quality: int | None = Field(
        default=None, ge=1, le=100, description="quality of a JPEG; needs outputMimeType image/jpeg"
    )
    thinking_level: ThinkingLevel | None = Field(
        default=None, description="how long the model thinks, where it lets itself be told; billed as text output"
    )
    capacity: Capacity = Field(
        default=Capacity.AUTO,
        description="auto spills over from provisioned throughput to pay-as-you-go; dedicated and shared use only one "
        "of them; flex is slow and half the price",
    )
    labels: dict[str, str] = Field(
        default_factory=dict, description="added to the campaign's labels in the billing export"
    )
    request_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9._:-]{1,128}$", description="your name for the request, in logs and record"
    )
    timeout_seconds: int = Field(
        default=240, ge=1, le=LONGEST_SECONDS, description="how long to wait for the model, retries included"
    )
    delivery: Delivery = Field(default=Delivery.URI, description="inline adds the bytes to the answer as data")
    asynchronous: bool = Field(
        default=False,
        alias="async",
        description="answer at once with the id; the campaign's queue has the image made, GET /images/{id} fetches it",
    )
