"""Sends requests, several at once, tries again what may pass, and stops early when going on would be pointless."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from plantain.errors import GenerationError
from plantain.function import Function, Refusal
from plantain.generation_run.journal import Journal, Result, key_of

SHORT_DIGEST = 12
WORTH_RETRYING = ("retryable", "quota")
STOPPING = ("auth", "fatal")
LONGEST_WAIT = 60.0
UNTRIED = {"kind": "stopped", "code": 0, "status": "CANCELLED", "reason": "STOPPED", "hint": ""}


@dataclass
class Meter:
    """How a run goes.

    Attributes:
        images: made or found.
        cost: of those that were made now.
        resumed: of the images, those that an earlier run had made.
        retries: requests that were sent again.
    """

    started: float = field(default_factory=time.monotonic)
    ended: int = 0
    images: int = 0
    cached: int = 0
    refused: int = 0
    resumed: int = 0
    retries: int = 0
    cost: Decimal = Decimal(0)
    currency: str = "USD"

    def count(self, result: Result) -> None:
        """Take over a result."""
        self.ended += 1
        if "error" in result:
            self.refused += 1
            return
        self.images += len(result["images"])
        self.cached += bool(result.get("cached"))
        self.resumed += len(result["images"]) if result.get("resumed") else 0
        if not result.get("cached"):
            self.cost += Decimal(str(result["cost"]["amount"]))
            self.currency = result["cost"]["currency"]

    def note(self) -> str:
        """Rate and cost so far, for a progress bar."""
        minutes = (time.monotonic() - self.started) / 60
        made = self.images - self.resumed
        rate = made / minutes if minutes > 0 else 0.0
        return f"{rate:.0f} images/min, {self.cost:.2f} {self.currency}"


class Runner:
    """One run.

    Args:
        function: the campaign's.
        out: folder of local copies.
        journal: of the run; None keeps none.
        concurrency: requests at once.
        attempts: for each request, the first included.
        most_cost: no request is begun once so much was spent.
        sleep: waits; a test may not.
        told: called after each result.
    """

    def __init__(
        self,
        function: Function,
        out: Path,
        *,
        journal: Journal | None = None,
        concurrency: int = 1,
        attempts: int = 4,
        most_cost: Decimal | None = None,
        sleep: Callable[[float], None] = time.sleep,
        told: Callable[[Meter], None] = lambda _: None,
    ) -> None:
        self.meter = Meter()
        self._function, self._out, self._journal = function, out, journal
        self._concurrency, self._attempts, self._most_cost = concurrency, attempts, most_cost
        self._sleep, self._told = sleep, told
        self._lock = threading.Lock()
        self._stopped = ""

    def run(self, requests: Sequence[dict[str, Any]]) -> list[Result]:
        """Results in the order of the requests, each with the paths of its local copies, or with its error.

        Equal requests are sent once.
        """
        keys = [key_of(request) for request in requests]
        first: dict[str, dict[str, Any]] = {}
        for key, request in zip(keys, requests, strict=True):
            first.setdefault(key, request)
        with ThreadPoolExecutor(self._concurrency) as pool:
            tasks = {key: pool.submit(self._one, key, request) for key, request in first.items()}
            try:
                results = {key: task.result() for key, task in tasks.items()}
            except BaseException:
                self._stopped = "The run was interrupted."
                for task in tasks.values():
                    task.cancel()
                raise
        return [results[key] for key in keys]

    def _one(self, key: str, request: dict[str, Any]) -> Result:
        kept = self._journal.done.get(key) if self._journal else None
        if kept is not None:
            result = {name: value for name, value in kept.items() if name != "key"} | {"cached": True, "resumed": True}
        else:
            result = self._fresh(request)
            if self._journal and result.get("error", {}).get("kind") != "stopped":
                self._journal.write(key, result)
        with self._lock:
            self.meter.count(result)
            self._told(self.meter)
            if self._most_cost is not None and self.meter.cost >= self._most_cost and not self._stopped:
                self._stopped = f"The run has cost {self.meter.cost} {self.meter.currency}, the most it may."
        return result

    def _fresh(self, request: dict[str, Any]) -> Result:
        answer: dict[str, Any] | Refusal | None = None
        for attempt in range(1, self._attempts + 1):
            if self._stopped:
                return {
                    "prompt": request["prompt"],
                    "request": outline(request),
                    "error": {**UNTRIED, "message": self._stopped},
                }
            try:
                answer = self._function.generate(request)
            except GenerationError as error:
                if not self.meter.images:
                    raise  # it was never reached, so waiting would not help
                answer = Refusal(0, "UNAVAILABLE", error.message, "UNREACHABLE", "retryable", error.cure or "")
            if not isinstance(answer, Refusal) or answer.kind not in WORTH_RETRYING or attempt == self._attempts:
                break
            with self._lock:
                self.meter.retries += 1
            self._sleep(wait(attempt, answer.retry_after))
        if isinstance(answer, Refusal):
            if answer.kind in STOPPING:
                self._stopped = f"Not tried, because an earlier request was refused: {answer.message}"
            return {"prompt": request["prompt"], "request": outline(request), "error": asdict(answer)}
        if answer is None:
            raise GenerationError("No attempt was allowed.", cure="--attempts 1")
        paths = [
            str(self._function.download(image, self._out / f"{answer['id'][:SHORT_DIGEST]}-{index}"))
            for index, image in enumerate(answer["images"])
        ]
        return {"prompt": request["prompt"], "request": outline(request), **answer, "files": paths}


def outline(request: dict[str, Any]) -> dict[str, Any]:
    """A request with the digests of its inline pictures in place of their bytes."""

    def of(value: Any) -> Any:
        if isinstance(value, dict) and "data" in value:
            digest = hashlib.sha256(str(value["data"]).encode()).hexdigest()
            return {**value, "data": f"base64 with SHA-256 {digest}"}
        return [of(one) for one in value] if isinstance(value, list) else value

    return {name: of(value) for name, value in request.items()}


def wait(attempt: int, asked: float | None) -> float:
    """Seconds before the next attempt: what the function asks for, else doubling, less up to a half by chance."""
    if asked is not None:
        return min(asked, LONGEST_WAIT)
    return float(min(2**attempt, LONGEST_WAIT)) * (1 - random.random() / 2)  # noqa: S311 -- spreads load, no secret
