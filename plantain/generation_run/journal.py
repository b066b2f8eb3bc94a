"""What a run has done, on disk line by line, so that a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Any, Self

from plantain.errors import InputError

NAME = "run.jsonl"
Result = dict[str, Any]


def key_of(request: dict[str, Any]) -> str:
    """A request's name in the journal: the digest of its fields, in whatever order they stand."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """The file ``run.jsonl`` beside the images. Safe to use from several threads.

    Attributes:
        done: results by key, of requests that gave images.
    """

    def __init__(self, path: Path, done: dict[str, Result]) -> None:
        self.path = path
        self.done = done
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, fresh: bool = False) -> Self:
        """The journal of a folder; results whose files are gone or changed in size count as not done.

        Raises:
            InputError: the folder cannot be written.
        """
        path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if fresh:
                path.unlink(missing_ok=True)
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            if text and not text.endswith("\n"):  # a run was killed within a line; the next must not become part of it
                with path.open("a", encoding="utf-8") as file:
                    file.write("\n")
        except OSError as error:
            raise InputError(f"{folder} cannot be used: {error.strerror}.", cure="--out FOLDER") from None
        done: dict[str, Result] = {}
        for line in text.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the last line of a run that was killed while it wrote
            if intact(entry):
                done[entry["key"]] = entry
        return cls(path, done)

    def write(self, key: str, result: Result) -> None:
        """Add a result. It is on disk when this returns."""
        entry = {"key": key, **result}
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
            if "error" not in result:
                self.done[key] = entry


def intact(entry: Result) -> bool:
    """Whether an entry holds images whose local copies are still there."""
    files, images = entry.get("files"), entry.get("images")
    if "error" in entry or not files or not images:
        return False
    sizes = [image["bytes"] for image in images]
    return all(
        Path(file).is_file() and Path(file).stat().st_size == size for file, size in zip(files, sizes, strict=True)
    )
