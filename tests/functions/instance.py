"""The function as it is deployed: its folder alone, run by functions-framework in processes of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.functions.fake_google import LOOPBACK, FakeGoogle

FOLDER = Path(__file__).parents[2] / "functions"
START_SECONDS = 60
MOST_SECONDS = 60
"""On a machine with much else to do."""


class Instance:
    """A running function."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.address = address_of(process)
        self.process = process
        self._log = log

    def ask(self, **fields: Any) -> httpx.Response:
        return httpx.post(f"{self.address}/images", json=fields, timeout=60, trust_env=False)

    def end(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def must_end(self) -> None:
        """It ends by itself."""
        self.process.wait(MOST_SECONDS)

    @property
    def printed(self) -> str:
        """All it wrote, to standard output and to standard error."""
        return self._log.read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.printed.splitlines() if line.startswith("{")]


Start = Callable[..., Instance]


@contextmanager
def instances(google: FakeGoogle, settings: dict[str, str], folder: Path) -> Iterator[Start]:
    """Starts instances, as deployed; they end with this."""
    source = folder / "source"
    shutil.copytree(FOLDER, source, ignore=shutil.ignore_patterns("__pycache__"))
    processes: list[subprocess.Popen[bytes]] = []

    def starts(**more: str) -> Instance:
        log = folder / f"log-{len(processes)}"
        environment = settings | google.environment | {"PATH": os.environ["PATH"], "FUNCTION_TARGET": "images"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "functions_framework", f"--host={LOOPBACK}", "--port=0", "--asgi"],
                cwd=source,
                env=environment | more,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        processes.append(process)
        return Instance(process, log)

    try:
        yield starts
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def address_of(process: subprocess.Popen[bytes]) -> str:
    """Where a server listens, as soon as it does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for port in _listening(process.pid):
            return f"http://{LOOPBACK}:{port}"
        time.sleep(0.05)
    raise AssertionError("the function does not listen")


def _listening(leader: int) -> list[int]:
    family = [psutil.Process(leader), *psutil.Process(leader).children(recursive=True)]
    return [c.laddr.port for p in family for c in p.net_connections("tcp") if c.status == "LISTEN"]


@contextmanager
def under_way(google: FakeGoogle, count: int) -> Iterator[None]:
    """Until the model has been asked so often."""
    deadline = time.monotonic() + 30
    while len(google.model_calls) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(google.model_calls) == count
    yield
