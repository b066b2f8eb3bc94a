"""Answers of jobs: read line by line, known again by content, images written, failures put aside for another try."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from plantain.batch.instance import fingerprint
from plantain.batch.plan import HAVING_RESULTS, Part, Plan
from plantain.batch.preparation import INDEX, RESULTS
from plantain.errors import GoogleCloudError, InputError

if TYPE_CHECKING:
    from generation.models import Model
    from plantain.google_cloud import GoogleCloud

RETRY = "retry.jsonl"
IMAGES = "images"
EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
Document = dict[str, Any]


def fetch(
    cloud: GoogleCloud, plan: Plan, folder: Path, model: Model, told: Callable[[], None] = lambda: None
) -> list[Part]:
    """Take the answers of every job that has some and was not fetched; returns those parts.

    A run that is stopped goes on with the part it was in: rows whose image is there are not written again.

    Raises:
        GoogleCloudError: the bucket refused, or an answer is damaged.
        InputError: the folder's index is missing or damaged.
    """
    taken = []
    rows = index(folder)
    unfinished = ends_within_a_line(folder / RESULTS)
    written = {entry["fingerprint"] for entry in results(folder)}
    (folder / IMAGES).mkdir(exist_ok=True)
    for part in plan.parts:
        if part.fetched or part.state not in HAVING_RESULTS or not part.output:
            continue
        with (folder / RESULTS).open("a", encoding="utf-8") as out:
            if unfinished:  # a run was killed within a line; the next must not become part of it
                out.write("\n")
                unfinished = False
            for line in answers(cloud, part.output):
                entry = result(line, folder, model)
                if entry["fingerprint"] in written:
                    continue
                known = rows.get(entry["fingerprint"])
                if known is None:
                    continue  # an answer to a request that this batch did not make
                written.add(entry["fingerprint"])
                out.write(json.dumps({**entry, "line": known["line"]}, ensure_ascii=False) + "\n")
                told()
        part.fetched = True
        taken.append(part)
        plan.save(folder)
    summarize(plan, folder, rows)
    return taken


def index(folder: Path) -> dict[str, Document]:
    """Rows of the source by fingerprint.

    Raises:
        InputError: the folder's index is missing or damaged.
    """
    try:
        with (folder / INDEX).open(encoding="utf-8") as file:
            return {entry["fingerprint"]: entry for entry in map(json.loads, file)}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{folder / INDEX} cannot be read ({error}), so answers cannot be put to their rows.",
            cure="prepare the same source into a new folder, then put its index.jsonl here: it has the same content",
        ) from None


def results(folder: Path) -> Iterator[Document]:
    """The results that are here; a line that a killed run left half-written is left out."""
    path = folder / RESULTS
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:  # a killed run may have stopped within a character
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def ends_within_a_line(path: Path) -> bool:
    """Whether a file's last line was not written to its end."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def answers(cloud: GoogleCloud, directory: str) -> Iterator[Document]:
    """The lines of all prediction files below a gs:// prefix, which may be many times larger than memory."""
    bucket, _, prefix = directory.removeprefix("gs://").partition("/")
    for item in cloud.pages("storage", f"storage/v1/b/{bucket}/o", "items", prefix=prefix.rstrip("/") + "/"):
        if item["name"].endswith(".jsonl"):
            path = f"storage/v1/b/{bucket}/o/{quote(item['name'], safe='')}"
            for number, line in enumerate(cloud.lines("storage", path, params={"alt": "media"}), 1):
                if not line.strip():
                    continue
                try:
                    yield json.loads(line)
                except ValueError as error:
                    message = f"line {number} is no JSON ({error}), so the results were not read to their end"
                    raise GoogleCloudError(0, "NOT_JSON", message, "storage", path) from None


def result(line: Document, folder: Path, model: Model) -> Document:
    """What one answer is: an image, written to the folder, or why there is none."""
    entry: Document = {"fingerprint": fingerprint(line.get("request") or {})}
    response = line.get("response") or {}
    entry["cost"] = str(cost(response.get("usageMetadata") or {}, model))
    data = next(
        (
            part["inlineData"]
            for candidate in response.get("candidates") or ()
            for part in (candidate.get("content") or {}).get("parts") or ()
            if part.get("inlineData") and not part.get("thought")
        ),
        None,
    )
    if line.get("status") or data is None:
        reasons = [one.get("finishReason") for one in response.get("candidates") or ()]
        blocked = (response.get("promptFeedback") or {}).get("blockReason")
        entry["problem"] = str(line.get("status") or blocked or next(filter(None, reasons), None) or "no image")
        return entry
    image = base64.b64decode(data["data"])
    path = folder / IMAGES / f"{entry['fingerprint']}.{EXTENSIONS.get(data.get('mimeType', ''), 'bin')}"
    path.write_bytes(image)
    return {
        **entry,
        "file": f"{IMAGES}/{path.name}",
        "sha256": hashlib.sha256(image).hexdigest(),
        "bytes": len(image),
        "mimeType": data.get("mimeType", ""),
    }


def cost(usage: Document, model: Model) -> Decimal:
    """What an answer cost, by its tokens and the factor of batch."""
    from generation.models import Spent  # noqa: PLC0415

    details = usage.get("candidatesTokensDetails") or ()
    pictures = sum(int(one.get("tokenCount", 0)) for one in details if one.get("modality") == "IMAGE")
    words = int(usage.get("candidatesTokenCount", 0)) - pictures + int(usage.get("thoughtsTokenCount", 0))
    spent = Spent(input_tokens=int(usage.get("promptTokenCount", 0)), image_tokens=pictures, text_tokens=max(words, 0))
    return model.cost(spent) * (model.price.batch_factor or Decimal(1))


def summarize(plan: Plan, folder: Path, rows: dict[str, Document]) -> None:
    """Count what is here, and write the rows that have no image where every job has ended to ``retry.jsonl``."""
    made: set[str] = set()
    plan.cost = Decimal(0)
    for entry in results(folder):
        plan.cost += Decimal(entry["cost"])
        if entry.get("file"):
            made.add(entry["fingerprint"])
    plan.made = len(made)
    ended = all(part.settled for part in plan.parts)
    left = [entry for key, entry in rows.items() if key not in made] if ended else []
    with (folder / RETRY).open("w", encoding="utf-8") as file:
        write_rows(file, left)
    plan.failed = len(left)
    plan.save(folder)


def write_rows(file: IO[str], entries: list[Document]) -> None:
    """Rows as they were in the source, one JSON object a line."""
    for entry in entries:
        file.write(json.dumps(entry["row"], ensure_ascii=False) + "\n")
