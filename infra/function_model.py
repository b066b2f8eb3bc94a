"""What a campaign file says of the function: which model, where, and how large."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from generation import models
from infra.model import Model

UNREACHABLE_LOCATIONS = frozenset({"us", "eu"})
"""Multi-region hosts do not answer on the restricted addresses, which are all a campaign's network can reach
(docs.cloud.google.com/gemini-enterprise-agent-platform/resources/locations, 2026-08)."""

RESERVED_PREFIXES = ("PLANTAIN_", "GOOGLE_", "X_GOOGLE_", "K_", "FUNCTION_")
"""Cloud Run's, Cloud Functions' and this kit's own (cloud.google.com/functions/docs/configuring/env-var, 2026-11)."""

RESERVED_NAMES = frozenset({"PORT", "WORKERS"})
MEMORY_OF_CPU = {1: (1, 4), 2: (1, 8), 4: (2, 16)}
"""Least and most memory in GiB that an instance with so many CPUs may have
(docs.cloud.google.com/run/docs/configuring/services/cpu, read 2026-11)."""

EnvironmentName = Annotated[
    str,
    Field(
        pattern=r"^[A-Z][A-Z0-9_]{0,63}$",
        description="an environment variable in capitals that neither Google nor this kit uses, such as BRAND_KEY",
    ),
]
SecretVersion = Annotated[
    str,
    Field(
        pattern=r"^projects/[a-z0-9-]+/secrets/[A-Za-z0-9_-]+/versions/([0-9]+|latest)$",
        description="a version of a secret, such as projects/acme-spring/secrets/brand-key/versions/3",
    ),
]


class Function(Model):
    """How the campaign's function is sized."""

    model: str = Field(
        default_factory=lambda: models.table().default,
        description="model that is used when a request names none, such as gemini-3-pro-image; "
        "`plantain models` lists them all",
        examples=["gemini-3-pro-image"],
        json_schema_extra=lambda schema: schema.update(enum=list(models.table().ids)),
    )
    location: str | None = Field(
        default=None,
        description="where the model is called, one of the locations the table of models gives it, such as global; "
        "without it the first of them",
        examples=["global"],
    )
    min_instances: int = Field(
        default=0,
        ge=0,
        le=100,
        description="instances that are kept running without requests, 0 to 100; each is paid for",
        examples=["0"],
    )
    max_instances: int = Field(
        default=10,
        ge=2,
        le=100,
        description="most instances that run at once, 2 to 100; the capacity alert watches 85 % of it",
        examples=["10"],
    )
    concurrency: int = Field(
        default=8, ge=1, le=80, description="requests an instance works on at once, 1 to 80", examples=["8"]
    )
    memory: str = Field(
        default="2Gi",
        pattern=r"^([1-9]|1[0-6])Gi$",
        description="memory of an instance, 1Gi to 16Gi",
        examples=["2Gi"],
    )
    cpu: Literal[1, 2, 4] | None = Field(
        default=None,
        description="processors of an instance, 1, 2 or 4, each with a server process of its own; without it as few as "
        "the memory takes: 1 up to 4Gi, 2 up to 8Gi, 4 beyond",
        examples=["2"],
    )
    timeout_seconds: int = Field(
        default=540, ge=60, le=3600, description="longest a request may take, 60 to 3600 seconds", examples=["540"]
    )
    secrets: dict[EnvironmentName, SecretVersion] = Field(
        default_factory=dict,
        description="map from an environment variable to a version of a secret, such as "
        "BRAND_KEY: projects/acme-spring/secrets/brand-key/versions/3",
        examples=["{}"],
    )

    binary_authorization: bool = Field(
        default=False,
        description="true: Cloud Run serves no container image but those of the campaign's own repository, as a policy "
        "of Binary Authorization says; in a project of others theirs decides, and has to admit that repository; "
        "false: nothing is asked",
        examples=["true"],
    )

    @field_validator("secrets")
    @classmethod
    def _leave_names_of_others(cls, secrets: dict[str, str]) -> dict[str, str]:
        for name in secrets:
            if name.startswith(RESERVED_PREFIXES) or name in RESERVED_NAMES:
                raise ValueError(f"{name} is set by Google or by this kit")
        return secrets

    @field_validator("model")
    @classmethod
    def _is_served(cls, model: str) -> str:
        if models.table().get(model) is None:
            raise ValueError(models.table().why_not(model) if model in _retired() else "not in the table of models")
        return model

    @model_validator(mode="after")
    def _is_served_there(self) -> "Function":
        if self.location is not None and self.location not in self._locations():
            raise ValueError(f"location: {self.model} can be called from a perimeter in {', '.join(self._locations())}")
        return self

    @model_validator(mode="after")
    def _has_room_for_the_least(self) -> "Function":
        if self.min_instances > self.max_instances:
            raise ValueError("minInstances: more than maxInstances")
        return self

    @model_validator(mode="after")
    def _has_processors_for_its_memory(self) -> "Function":
        least, most = MEMORY_OF_CPU[self.processors]
        if not least <= self._gibibytes <= most:
            raise ValueError(f"cpu: Cloud Run gives {self.processors} CPU {least}Gi to {most}Gi, not {self.memory}")
        return self

    @property
    def processors(self) -> int:
        """CPUs of an instance."""
        return self.cpu or next(cpu for cpu, (_, most) in MEMORY_OF_CPU.items() if self._gibibytes <= most)

    @property
    def _gibibytes(self) -> int:
        return int(self.memory.removesuffix("Gi"))

    @property
    def model_location(self) -> str:
        """Where the model is called."""
        return self.location or self._locations()[0]

    def _locations(self) -> tuple[str, ...]:
        model = models.table().get(self.model)
        served = model.locations if model else ()
        return tuple(location for location in served if location not in UNREACHABLE_LOCATIONS)


def _retired() -> frozenset[str]:
    return frozenset(model.id for model in models.table().retired)
