"""Nothing that the sandbox does in a test may leave this machine, not even to ask for a name."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class LeftTheMachineError(Exception):
    """Code under test turned to another machine."""


class Watch:
    """Refuses connections and name look-ups that leave the machine, while it is on."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self._on = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        elif event == "socket.getaddrinfo":
            host = arguments[0]
        else:
            return
        name = host.decode() if isinstance(host, bytes) else host
        if name and not local(name):
            self.attempts.append(f"{event} {name}")
            raise LeftTheMachineError(f"{event} {name}")

    @contextmanager
    def on(self) -> Iterator[None]:
        """Watch inside, and fail at the end if anything was tried, even where its refusal was swallowed."""
        before, own = (self._on, self.attempts), list[str]()
        self._on, self.attempts = True, own
        try:
            yield
        finally:
            self._on, self.attempts = before
        if own:
            raise LeftTheMachineError(", ".join(own))


def local(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
