"""What a batch is, on disk: ``plan.json`` in its folder. Every step reads it, does its part, and writes it back."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from plantain.errors import InputError

NAME = "plan.json"
ENDED = frozenset(
    {
        "JOB_STATE_SUCCEEDED",
        "JOB_STATE_FAILED",
        "JOB_STATE_CANCELLED",
        "JOB_STATE_EXPIRED",
        "JOB_STATE_PARTIALLY_SUCCEEDED",
    }
)
HAVING_RESULTS = frozenset(
    {"JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"}
)
#: A job in one of these makes nothing more, and does not stand for its input: the input may become another job.
CUT_SHORT = frozenset({"JOB_STATE_FAILED", "JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"})


class Kept(BaseModel):
    """A part of the file."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Part(Kept):
    """One job.

    Attributes:
        file: its input, in the batch's folder.
        uri: where the input was uploaded.
        job: full name of the job.
        state: of the job, as Vertex AI names it.
        output: gs:// prefix that the job wrote to.
        fetched: its results are here.
    """

    file: str
    lines: int
    bytes: int
    sha256: str
    uri: str = ""
    job: str = ""
    state: str = ""
    output: str = ""
    error: str = ""
    fetched: bool = False

    @property
    def settled(self) -> bool:
        """Whether nothing more can come of it: its results are here, or its job ended without any."""
        return self.fetched or (self.state in ENDED and (self.state not in HAVING_RESULTS or not self.output))


class Plan(Kept):
    """One batch.

    Attributes:
        rows: read from the source.
        repeated: rows left out because an equal one stands before them.
        known: rows left out because an earlier batch has their image.
        wrong: rows left out because they are wrong; wrong.jsonl names them.
        expected_cost: worked out from the table of models.
        made: images that were fetched.
        failed: rows whose answer holds no image; retry.jsonl repeats them.
        cost: of the fetched answers, by their tokens.
    """

    name: str
    model: str
    location: str
    project: str
    bucket: str
    labels: dict[str, str]
    source: str
    rows: int
    repeated: int
    known: int
    wrong: int
    expected_cost: Decimal
    currency: str
    parts: list[Part]
    made: int = 0
    failed: int = 0
    cost: Decimal = Decimal(0)

    @property
    def lines(self) -> int:
        """Requests in all jobs."""
        return sum(part.lines for part in self.parts)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The plan of a folder.

        Raises:
            InputError: there is none, or it is damaged.
        """
        path = folder / NAME
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError:
            raise InputError(
                f"{folder} holds no prepared batch.", cure=f"plantain batch prepare SOURCE --folder {folder}"
            ) from None
        except ValidationError as error:
            raise InputError(
                f"{path} is damaged: {error.errors(include_input=False)[0]['msg']}.", cure="prepare the batch again"
            ) from None

    def save(self, folder: Path) -> None:
        """Write it in one piece: a run that is killed leaves the old one or the new one."""
        path = folder / NAME
        fresh = path.with_suffix(".new")
        document = self.model_dump(mode="json", by_alias=True)
        fresh.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        fresh.replace(path)
