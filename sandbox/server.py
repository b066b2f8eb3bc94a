"""Starts the sandbox: opens its sockets on loopback, serves, and takes everything down again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import struct
import sys
from functools import partial
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from sandbox.app import create_app
from sandbox.cloud import Cloud
from sandbox.control import report
from sandbox.grpc.entrance import Entrance
from sandbox.request_log import RequestLog
from sandbox.runtime.certificates import Authority
from sandbox.runtime.gateway import LOOPBACK, Gateway
from sandbox.runtime.instances import Instances
from sandbox.services.catalog import SERVICES
from sandbox.services.registry import Services
from sandbox.settings import STATE_FILE, Settings

BACKLOG = 512
GATEWAY_PORT_FILE = "gateway-port"

#: Value of SO_LINGER by which a closed socket sends a reset.
RESET_AT_ONCE = struct.pack("ii", 1, 0)


class StartError(Exception):
    """The sandbox cannot start; the message says why and what to do."""


def listen(port: int) -> socket.socket:
    """A listening loopback socket.

    Raises:
        StartError: the port is taken.
    """
    # With its protocol named asyncio turns Nagle's algorithm off, which would hold small answers back for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"Port {port} on {LOOPBACK} cannot be used ({error.strerror}). Another program listens there: choose a "
            "free one with --port, or --port 0 for any."
        ) from None
    listener.listen(BACKLOG)
    return listener


def inherited(descriptor: int) -> socket.socket:
    """A listening loopback socket that the parent process holds, so that callers wait while a killed sandbox restarts.

    Raises:
        StartError: the descriptor is none, or would be reached from other machines.
    """
    try:
        listener = socket.socket(fileno=descriptor)
        address = listener.getsockname()
    except OSError as error:
        raise StartError(f"File descriptor {descriptor} is no listening socket ({error.strerror}).") from None
    if listener.family != socket.AF_INET or address[0] != LOOPBACK:
        listener.close()
        raise StartError(f"File descriptor {descriptor} listens on {address}: only {LOOPBACK} is served.")
    return listener


async def serve(settings: Settings) -> None:
    """Serve until the process is told to end.

    Raises:
        StartError: the port is taken, or another sandbox holds the data folder.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.data.chmod(0o700)
    lock = FileLock(settings.data / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StartError(
            f"Another sandbox uses the data folder {settings.data}. Use it as it is, stop it first, or choose another "
            "folder with --data."
        ) from None
    try:
        await _serve(settings)
    finally:
        lock.release()


async def _serve(settings: Settings) -> None:
    listener = listen(settings.port) if settings.listener is None else inherited(settings.listener)
    cloud = Cloud(settings, Services(SERVICES))
    cloud.gateway = Gateway(Authority(settings.data / "authority"), listener.getsockname()[1])
    cloud.instances = Instances(cloud)
    # The same port again after a restart: shells and functions know it from their HTTPS_PROXY.
    remembered = settings.data / GATEWAY_PORT_FILE
    await cloud.gateway.open(int(remembered.read_text()) if remembered.exists() else 0)
    remembered.write_text(str(cloud.gateway.proxy_port))
    state = settings.data / STATE_FILE
    application = create_app(cloud)
    entrance = Entrance(cloud, application)
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            http=entrance.protocol(),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=75,
        )
    )
    cloud.services.resume(cloud)
    cloud.drop = partial(drop, server)
    cloud.control_token = secrets.token_urlsafe(24)
    write_state(state, json.dumps({**report(cloud), "controlToken": cloud.control_token}))
    try:
        await server.serve([listener])
    finally:
        sys.stderr.write(unanswered(cloud.log))
        state.unlink(missing_ok=True)
        await cloud.instances.stop_all()
        await entrance.close()
        await cloud.background.close()
        await cloud.operations.close()
        await cloud.gateway.close()
        cloud.close()
        listener.close()


def unanswered(log: RequestLog) -> str:
    """What a run asked for and the sandbox does not know, for its end; empty when there was nothing."""
    lines = [f"  {method} ({count} times)\n" for method, count in sorted(log.not_emulated.items())]
    lines += [f"  host {host} ({count} times)\n" for host, count in sorted(log.refused_hosts.items())]
    return "".join(["sandbox: not emulated, and refused in this run:\n", *lines]) if lines else ""


def drop(server: uvicorn.Server, client: tuple[str, int]) -> None:
    """Reset the connection of a client address: no answer, no orderly end."""
    for connection in list(server.server_state.connections):
        if getattr(connection, "client", None) == client:
            transport = connection.transport
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
            transport.abort()


def write_state(path: Path, text: str) -> None:
    """Replace the state file atomically, readable by its owner only: it holds the token of the control interface."""
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def run(settings: Settings) -> None:
    """Serve on a new event loop."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(settings))
