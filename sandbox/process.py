"""A sandbox in a process of its own, for tests and tools."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from sandbox.settings import STATE_FILE

START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
TOKEN_HEADER = "X-Sandbox-Token"  # noqa: S105 -- the header's name


class ProcessError(Exception):
    """The sandbox's process did not start, ended, or refused a control call; the message says which and why."""


class SandboxProcess:
    """One running sandbox.

    Args:
        data: folder of its state.
        port: loopback port; 0 takes a free one, and keeps it over a ``restart``.
        seed: makes generated numbers and ids repeatable; the default seed when None.

    Attributes:
        url: its HTTP origin.
        pid: of its process.
    """

    def __init__(self, data: Path, *, port: int = 0, seed: int | None = None) -> None:
        self.data = data
        self.url = ""
        self._port = port
        self._seed = seed
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(trust_env=False, timeout=60)

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it serves.

        Raises:
            ProcessError: it ended at once, or did not answer in time.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        log = self.data / "sandbox.log"
        command = [sys.executable, "-m", "sandbox", "--port", str(self._port), "--data", str(self.data)]
        if self._seed is not None:
            command += ["--seed", str(self._seed)]
        state = self.data / STATE_FILE
        state.unlink(missing_ok=True)
        with log.open("ab") as sink:
            self._process = subprocess.Popen(  # noqa: S603 -- our own module
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.alive:
            if state.exists():
                facts = json.loads(state.read_text())
                self.url = facts["url"]
                self._port = int(self.url.rpartition(":")[2])
                self._http.headers[TOKEN_HEADER] = facts["controlToken"]
                if self._answers():
                    return
            time.sleep(POLL_SECONDS)
        self.stop()
        raise ProcessError(f"The sandbox did not start: {log.read_text(errors='replace')[-2000:]}")

    def _answers(self) -> bool:
        try:
            return self._http.get(f"{self.url}/_sandbox/clock").is_success
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End it in order; its state stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self.alive:
            os.kill(self._process.pid, how)
        self._process.wait(STOP_SECONDS)

    def close(self) -> None:
        """End it and let go of the connection to it."""
        self.stop()
        self._http.close()

    def control(self, verb: str, path: str, body: Any = None) -> Any:
        """Call the control interface.

        Raises:
            ProcessError: it refused, in its words, or does not answer.
        """
        try:
            reply = self._http.request(verb, f"{self.url}/_sandbox/{path}", json=body)
        except httpx.HTTPError as error:
            raise ProcessError(f"The sandbox at {self.url} does not answer: {type(error).__name__}.") from None
        if reply.is_error:
            raise ProcessError(str(reply.json()["error"]["message"]))
        return reply.json()

    def request(self, verb: str, path: str, *, token: str, body: Any = None, **options: Any) -> httpx.Response:
        """Call an API by path, as ``storage/v1/b?project=p``; any status is returned."""
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return self._http.request(verb, f"{self.url}/{path.lstrip('/')}", json=body, headers=headers, **options)
