"""From a source to the inputs of jobs: validated, without repetitions, split by the limits. Streams; see bench/."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from plantain.batch.instance import instance
from plantain.batch.plan import Part
from plantain.batch.rows import Row
from plantain.errors import InputError

if TYPE_CHECKING:
    from generation.models import Model

MOST_LINES = 200_000
MOST_BYTES = 1_000_000_000
INDEX = "index.jsonl"
WRONG = "wrong.jsonl"
RESULTS = "results.jsonl"
THINKING_TOKENS = 250
CHARACTERS_PER_TOKEN = 4


@dataclass
class Preparation:
    """What preparing found.

    Attributes:
        first_wrong: the first wrong rows, for a message.
    """

    rows: int = 0
    repeated: int = 0
    known: int = 0
    wrong: int = 0
    characters: int = 0
    references: int = 0
    parts: list[Part] = field(default_factory=list)
    first_wrong: list[str] = field(default_factory=list)

    def cost(self, model: Model) -> Decimal:
        """What the jobs will cost: tokens by the table of models, times the factor of batch."""
        from generation.models import Spent  # noqa: PLC0415

        lines = sum(part.lines for part in self.parts)
        spent = Spent(
            input_tokens=self.characters // CHARACTERS_PER_TOKEN + self.references * model.input.image_tokens,
            image_tokens=lines * model.sizes[model.default_size],
            text_tokens=lines * THINKING_TOKENS if model.thinking else 0,
        )
        return model.cost(spent) * (model.price.batch_factor or Decimal(1))


class Writer:
    """Writes inputs of jobs, a new one when a limit is reached."""

    def __init__(self, folder: Path, most_lines: int, most_bytes: int) -> None:
        self._folder, self._most_lines, self._most_bytes = folder, most_lines, most_bytes
        self.parts: list[Part] = []
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()

    def write(self, line: bytes) -> None:
        """Add a request."""
        part = self.parts[-1] if self._file else None
        if part is None or part.lines >= self._most_lines or part.bytes + len(line) > self._most_bytes:
            self.close()
            part = Part(file=f"part-{len(self.parts) + 1:05}.jsonl", lines=0, bytes=0, sha256="")
            self.parts.append(part)
            self._file = (self._folder / part.file).open("wb")
            self._digest = hashlib.sha256()
        if self._file is None:
            raise AssertionError("a part has an open file")
        self._file.write(line)
        self._digest.update(line)
        part.lines += 1
        part.bytes += len(line)

    def close(self) -> None:
        """End the part."""
        if self._file:
            self._file.close()
            self.parts[-1].sha256 = self._digest.hexdigest()
            self._file = None


def prepare(
    rows: Iterator[Row],
    folder: Path,
    model: Model,
    labels: dict[str, str],
    *,
    done: set[str] | None = None,
    most_lines: int = MOST_LINES,
    most_bytes: int = MOST_BYTES,
    told: Callable[[int], None] = lambda _: None,
) -> Preparation:
    """Write the inputs of the jobs, ``index.jsonl`` and ``wrong.jsonl`` into a folder.

    ``done`` holds fingerprints whose images an earlier batch has. ``told`` is called every thousand rows.

    Raises:
        InputError: the folder cannot be written, or the source cannot be read.
    """
    found = Preparation()
    seen: set[bytes] = set()
    known = {bytes.fromhex(one) for one in done or ()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("part-*.jsonl"):
            old.unlink()
        with contextlib.ExitStack() as files:
            index = files.enter_context((folder / INDEX).open("w", encoding="utf-8"))
            wrong = files.enter_context((folder / WRONG).open("w", encoding="utf-8"))
            writer = Writer(folder, most_lines, most_bytes)
            files.callback(writer.close)
            for number, row in rows:
                found.rows += 1
                if found.rows % 1000 == 0:
                    told(1000)
                try:
                    if isinstance(row, str):
                        raise ValueError(row)  # noqa: TRY301, TRY004 -- the row's own problem joins those found here
                    made = instance(row, model, labels)
                except ValueError as error:
                    found.wrong += 1
                    if len(found.first_wrong) < 10:  # noqa: PLR2004 -- a screen
                        found.first_wrong.append(f"line {number}: {error}")
                    wrong.write(
                        json.dumps({"line": number, "problem": str(error), "row": row}, ensure_ascii=False) + "\n"
                    )
                    continue
                key = bytes.fromhex(made.fingerprint)
                if key in seen:
                    found.repeated += 1
                    continue
                seen.add(key)
                if key in known:
                    found.known += 1
                    continue
                line = json.dumps({"request": made.document}, ensure_ascii=False, separators=(",", ":"))
                writer.write(line.encode() + b"\n")
                entry = {"fingerprint": made.fingerprint, "line": number, "row": row}
                index.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")
                found.characters += len(row["prompt"])
                found.references += len(row.get("references", ()))
            writer.close()
            found.parts = writer.parts
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.", cure="--folder FOLDER") from None
    return found


def fingerprints(folder: Path) -> set[str]:
    """Fingerprints of a fetched batch's rows that have an image."""
    path = folder / RESULTS
    found: set[str] = set()
    if path.is_file():
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    entry: dict[str, Any] = json.loads(line)
                    if entry.get("file"):
                        found.add(entry["fingerprint"])
    return found
