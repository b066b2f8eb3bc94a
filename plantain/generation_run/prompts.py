"""Requests from a file: JSON Lines, CSV or plain text, optionally through a template."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from plantain.errors import InputError

Request = dict[str, Any]
Row = tuple[int, dict[str, Any]]

#: Fields of a request whose CSV cells hold JSON, or several values with semicolons between.
LISTS = ("references", "fallback")
OBJECTS = ("safety", "labels", "mask")
NUMBERS = ("seed", "count", "timeoutSeconds")
TEXTS = (
    "prompt",
    "negativePrompt",
    "previous",
    "aspectRatio",
    "imageSize",
    "model",
    "personGeneration",
    "grounding",
    "outputMimeType",
    "capacity",
    "requestId",
    "delivery",
)
FIELDS = frozenset({*LISTS, *OBJECTS, *NUMBERS, *TEXTS})
MOST_SHOWN = 20


def read_prompts(path: Path, template: str | None = None) -> list[Request]:
    """All requests of a file, in its order.

    ``.csv`` has a head line whose columns are fields of a request, other columns are for the template. ``.txt`` has one
    prompt a line. Everything else is JSON Lines. Blank lines and lines that start with ``#`` are left out of both.

    Raises:
        InputError: the file cannot be read; or every wrong line at once, by number.
    """
    read: Callable[[Path, list[str]], Iterator[Row]]
    read = {".csv": _csv, ".tsv": _csv, ".txt": _text}.get(path.suffix.lower(), _json_lines)
    requests: list[Request] = []
    wrong: list[str] = []
    for number, row in read(path, wrong):
        try:
            requests.append(request_of(row, template))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        wrong.sort(key=lambda text: int(re.findall(r"\d+", text)[0]))
        more = [f"and {len(wrong) - MOST_SHOWN} more"] if len(wrong) > MOST_SHOWN else []
        raise InputError(
            f"{path} has {len(wrong)} wrong lines, so nothing was generated:\n  "
            + "\n  ".join([*wrong[:MOST_SHOWN], *more]),
            cure='one JSON object a line, as {"prompt": "...", "aspectRatio": "16:9", "imageSize": "2K"}',
        )
    if not requests:
        raise InputError(f"{path} holds no prompt.", cure='add lines as {"prompt": "..."}')
    return requests


def request_of(row: dict[str, Any], template: str | None) -> Request:
    """A request from a row; with a template, its prompt from the row's values.

    Raises:
        ValueError: it has no prompt, or the template names what the row does not have.
    """
    if template is None:
        request = row
    else:
        request = {key: value for key, value in row.items() if key in FIELDS}
        request["prompt"] = filled(template, row)
    if not isinstance(request.get("prompt"), str) or not request["prompt"].strip():
        raise ValueError('needs an object with a text "prompt"')
    return request


def filled(template: str, row: dict[str, Any]) -> str:
    """A template with ``{{ column }}`` replaced by the row's values. It is Jinja, in its sandbox.

    Raises:
        ValueError: the template is wrong, or names what the row does not have.
    """
    from jinja2 import StrictUndefined, TemplateError  # noqa: PLC0415 -- only templates need it
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    try:
        made = ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(template)
        return made.render(row).strip()
    except TemplateError as error:
        raise ValueError(f"the template: {error}") from None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"The prompt file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"The prompt file {path} is not UTF-8 text.", cure=f"iconv -t UTF-8 {path}") from None


def _json_lines(path: Path, wrong: list[str]) -> Iterator[Row]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            wrong.append(f"line {number}: no JSON ({error})")
            continue
        if not isinstance(row, dict):
            wrong.append(f'line {number}: needs an object with a text "prompt"')
            continue
        yield number, row


def _text(path: Path, _: list[str]) -> Iterator[Row]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip() and not line.startswith("#"):
            yield number, {"prompt": line.strip()}


def _csv(path: Path, wrong: list[str]) -> Iterator[Row]:
    lines = _lines(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row:
                wrong.append(f"line {reader.line_num}: more cells than the head line has columns")
                continue
            cells = {key: value for key, value in row.items() if value not in {None, ""}}
            try:
                yield reader.line_num, {key: cell_value(key, value) for key, value in cells.items()}
            except ValueError as error:
                wrong.append(f"line {reader.line_num}: {error}")
    except csv.Error as error:
        wrong.append(f"line {reader.line_num}: no CSV ({error})")


def cell_value(key: str, value: str) -> Any:
    """A cell as the field of a request that its column names: a number, an object, a list, or text.

    Raises:
        ValueError: it is not of that kind.
    """
    if key in NUMBERS:
        try:
            return int(value)
        except ValueError:
            raise ValueError(f"{key} is no number") from None
    if key in OBJECTS or (key in LISTS and value.lstrip().startswith("[")):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError(f"{key} is no JSON") from None
    if key == "references":
        return [{"uri": part.strip()} for part in value.split(";") if part.strip()]
    if key in LISTS:
        return [part.strip() for part in value.split(";") if part.strip()]
    return value
