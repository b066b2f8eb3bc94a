"""The audit of all images of a bucket, or of a sample: parallel, and resumable where it was interrupted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plantain.audit.canonical import line
from plantain.audit.errors import SourceError
from plantain.audit.provenance.check import RECORD, Stored, Traced, check_image, parse
from plantain.audit.provenance.source import PREFIX, Source

PARALLEL = 16
#: Images handed out before the oldest must be done, for each thread: memory stays bounded on any bucket.
AHEAD = 4
SCALE = 1 << 64


@dataclass
class Summary:
    """All images that were looked at.

    Attributes:
        population: ids in the bucket.
        judged: ids looked at, now or in the run that was resumed.
        passed: ids without a problem.
        images: images read.
        bytes: bytes read.
        content_credentials: ids by the state of their C2PA manifest.
        problems: ids by kind of problem.
    """

    population: int = 0
    judged: int = 0
    passed: int = 0
    images: int = 0
    bytes: int = 0
    content_credentials: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    def add(self, result: dict[str, Any]) -> None:
        """Count one result."""
        self.judged += 1
        self.passed += result["status"] == "pass"
        self.images += result["images"]
        self.bytes += result["bytes"]
        self.content_credentials[result["contentCredentials"]["state"]] += 1
        self.problems.update({problem["kind"] for problem in result["problems"]})

    def document(self) -> dict[str, Any]:
        """The summary as JSON."""
        return {
            "population": self.population,
            "judged": self.judged,
            "passed": self.passed,
            "failed": self.judged - self.passed,
            "images": self.images,
            "bytes": self.bytes,
            "contentCredentials": dict(sorted(self.content_credentials.items())),
            "problems": dict(sorted(self.problems.items())),
            "status": "not_evaluated" if not self.judged else "pass" if self.passed == self.judged else "fail",
        }


def run(
    source: Source,
    results: Path,
    *,
    share: float = 1.0,
    seed: str = "",
    resume: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> Summary:
    """Look at images and write one line for each id.

    Args:
        source: where they lie.
        results: the file of lines; with ``resume`` it is gone on with.
        share: part of all ids that is looked at, above 0 up to 1; the same seed takes the same ids.
        seed: of the sample.
        resume: leave out ids that the file has already.
        advance: called for each id.

    Raises:
        SourceError: the file of lines is there already, or cannot be gone on with.
        GoogleCloudError: the bucket cannot be listed, or an object may not be read.
    """
    summary = Summary()
    done = set(_earlier(results, summary)) if resume else set()
    if not resume and results.exists():
        raise SourceError(f"{results} is there already.", cure="go on with it: --resume; or choose another --out")
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("ab") as file, ThreadPoolExecutor(PARALLEL) as pool:
        waiting: deque[Future[dict[str, Any]]] = deque()
        try:
            for id_, stored in source.groups():
                summary.population += 1
                if id_ in done or not sampled(id_, share, seed):
                    continue
                waiting.append(pool.submit(trace, source, id_, stored))
                if len(waiting) >= PARALLEL * AHEAD:
                    _keep(waiting.popleft(), file.write, summary)
                    advance()
            while waiting:
                _keep(waiting.popleft(), file.write, summary)
                advance()
        finally:
            for future in waiting:
                future.cancel()
    return summary


def _keep(future: Future[dict[str, Any]], write: Callable[[bytes], Any], summary: Summary) -> None:
    result = future.result()
    write(line(result))
    summary.add(result)


def trace(source: Source, id_: str, stored: Sequence[Stored]) -> dict[str, Any]:
    """Everything about one id.

    Raises:
        GoogleCloudError: an object may not be read.
    """
    traced = Traced(id_)
    by_name = {entry.name: entry for entry in stored}
    place = f"{PREFIX}{id_}/{RECORD}"
    record = parse(id_, source.read(place) if place in by_name else None, traced)
    if record is None:
        traced.images = sum(name != place for name in by_name)
        return traced.document()
    for kept in record.images:
        found = by_name.get(kept.object)
        check_image(kept, found, source.read(kept.object) if found else None, traced)
    known = {kept.object for kept in record.images} | {place}
    for name in sorted(set(by_name) - known):
        traced.problems.append(("image-unrecorded", f"{name} lies there and no record names it"))
    return traced.document()


def sampled(id_: str, share: float, seed: str) -> bool:
    """Whether an id is in a sample. Decided by its digest: repeatable, and without a list of all ids."""
    if share >= 1:
        return True
    digest = hashlib.sha256(f"{seed}|{id_}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * SCALE


def _earlier(results: Path, summary: Summary) -> Iterator[str]:
    """Ids of an interrupted run. A last line that was cut off is taken back."""
    if not results.exists():
        return
    data = results.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) != len(data):
        results.write_bytes(whole)
    for row in _lines(results, whole.splitlines()):
        summary.add(row)
        yield row["id"]


def _lines(path: Path, rows: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        try:
            found = json.loads(row)
            _ = found["id"], found["contentCredentials"]["state"]
        except (ValueError, KeyError, TypeError):
            raise SourceError(f"Line {number} of {path} is no result.", cure="choose another --out") from None
        yield found
