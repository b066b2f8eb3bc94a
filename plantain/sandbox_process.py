"""Starts, finds and stops a sandbox process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from plantain.errors import SandboxError
from sandbox.settings import DEFAULT_PORT, STATE_FILE

DEFAULT_DATA = Path(".plantain/sandbox")
LOG_FILE = "sandbox.log"
START_SECONDS = 30
STOP_SECONDS = 20
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        url: its HTTP origin.
        pid: process id.
        data: folder of its state.
        gateway: URL of its HTTPS proxy.
        token: what its control interface asks of those who change something.
        child: the process, when this program started it.
    """

    url: str
    pid: int
    data: Path
    gateway: str
    token: str = field(default="", repr=False)
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @property
    def console(self) -> str:
        """Address of its pages for people; it carries the token, so that they may change clock and faults."""
        return f"{self.url}/?token={self.token}"

    @classmethod
    def find(cls, data: Path = DEFAULT_DATA) -> Sandbox | None:
        """The sandbox that runs on a data folder, None when there is none."""
        try:
            state = json.loads((data / STATE_FILE).read_text())
        except (OSError, ValueError):
            return None
        if not alive(state["pid"]):
            return None
        return cls(state["url"], state["pid"], data, state["gateway"], state.get("controlToken", ""))

    @classmethod
    def attach(cls, data: Path = DEFAULT_DATA) -> Sandbox:
        """As ``find``.

        Raises:
            SandboxError: none runs.
        """
        found = cls.find(data)
        if found is None:
            raise SandboxError(f"No sandbox runs on {data}.", cure=f"plantain sandbox up --data {data}")
        return found

    @classmethod
    def start(
        cls,
        data: Path = DEFAULT_DATA,
        port: int = DEFAULT_PORT,
        *,
        seed: int | None = None,
        strict: bool = False,
        listener: socket.socket | None = None,
    ) -> Sandbox:
        """Start one in the background and wait until it answers.

        Args:
            data: folder of its state.
            port: loopback port; 0 takes a free one.
            seed: makes generated numbers and ids repeatable; the default seed when None.
            strict: also refuse what only recorded traffic sends, see docs/sandbox.md.
            listener: a listening socket that this process keeps open, in the place of ``port``: callers wait in it
                while a killed sandbox is started again.

        Raises:
            SandboxError: the port is taken, a sandbox runs there already, or it ended at once.
        """
        running = cls.find(data)
        if running:
            raise SandboxError(
                f"A sandbox already runs on {data} (process {running.pid}, {running.url}).",
                cure=f"use it as it is, or stop it: plantain sandbox down --data {data}",
            )
        try:
            data.mkdir(parents=True, exist_ok=True)
            log = (data / LOG_FILE).open("ab")
        except OSError as error:
            raise SandboxError(
                f"The folder {data} cannot be written ({error.strerror}), so the sandbox has no place for its state.",
                cure="choose another with --data",
            ) from None
        command = [sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(data)]
        if seed is not None:
            command += ["--seed", str(seed)]
        if strict:
            command.append("--strict")
        if listener is not None:
            command += ["--listener", str(listener.fileno())]
        with log:
            mark = log.tell()
            process = subprocess.Popen(  # noqa: S603 -- our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=() if listener is None else (listener.fileno(),),
            )
        try:
            return cls._wait(process, data, mark)
        except BaseException:
            if process.poll() is None:
                process.terminate()
                process.wait(STOP_SECONDS)
            raise

    @classmethod
    def _wait(cls, process: subprocess.Popen[bytes], data: Path, mark: int) -> Sandbox:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            found = cls.find(data)
            if found and found.pid == process.pid and found.answers():
                return replace(found, child=process)
            time.sleep(POLL_SECONDS)
        written = (data / LOG_FILE).read_bytes()[mark:].decode(errors="replace").strip()
        reason = written.removeprefix("sandbox: ") or f"no answer after {START_SECONDS} s"
        raise SandboxError(f"The sandbox did not start: {reason}", cure="plantain sandbox up --port 0")

    def answers(self) -> bool:
        """Whether it serves requests."""
        try:
            return httpx.get(f"{self.url}/_sandbox/status", trust_env=False, timeout=2).is_success
        except httpx.HTTPError:
            return False

    def get(self, path: str) -> Any:
        """Read from the control interface."""
        return self._call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Call the control interface."""
        return self._call("POST", path, body)

    def delete(self, path: str) -> Any:
        """Take something back through the control interface."""
        return self._call("DELETE", path)

    def _call(self, verb: str, path: str, body: Any = None) -> Any:
        try:
            reply = httpx.request(
                verb,
                f"{self.url}/_sandbox/{path}",
                json=body,
                headers={"X-Sandbox-Token": self.token},
                trust_env=False,
                timeout=30,
            )
        except httpx.HTTPError as error:
            raise SandboxError(
                f"The sandbox at {self.url} does not answer ({type(error).__name__}).",
                cure=f"plantain sandbox down --data {self.data}, then plantain sandbox up --data {self.data}",
            ) from None
        if reply.is_error:
            raise SandboxError(f"The sandbox refused {verb} {path}: {reply.json()['error']['message']}")
        return reply.json()

    def environment(
        self,
        *,
        member: str | None = None,
        network: str | None = None,
        address: str | None = None,
        region: str | None = None,
    ) -> tuple[dict[str, str], list[str]]:
        """Variables to set and to clear for a client, see ``sandbox.client_environment``."""
        asked = {"member": member, "network": network, "address": address, "region": region}
        answer = self.post("environment", {key: value for key, value in asked.items() if value})
        return answer["set"], answer["clear"]

    def client_environment(self, *, member: str | None = None, network: str | None = None) -> dict[str, str]:
        """The whole environment of a client process."""
        wanted, cleared = self.environment(member=member, network=network)
        return {**{key: value for key, value in os.environ.items() if key not in cleared}, **wanted}

    def stop(self) -> None:
        """End it, and with it every function instance.

        Raises:
            SandboxError: it does not end.
        """
        try:
            process = psutil.Process(self.pid)
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)
        except psutil.NoSuchProcess:
            pass
        except psutil.TimeoutExpired:
            raise SandboxError("The sandbox does not end.", cure=f"kill -9 {self.pid}") from None
        if self.child:
            self.child.wait()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
