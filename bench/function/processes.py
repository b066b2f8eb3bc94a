"""Starts what a measurement needs, and reads what it took."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.function import environment as locked

LOOPBACK = "127.0.0.1"
ROOT = Path(__file__).parents[2]
START_SECONDS = 60
MEGABYTE = 1024 * 1024
MEMORY = "/dev/shm"  # noqa: S108 -- a folder of its own is made in it
"""Files of an instance of Cloud Run are in memory (docs.cloud.google.com/run/docs/container-contract, read 2026-11):
the heartbeat of gunicorn, a file that is touched, must not wait for a disk here either."""
QUIET = {"PYTHONWARNINGS": "ignore", "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
    return port


@contextmanager
def running(
    command: list[str], port: int, environment: dict[str, str] | None = None, *, patience: float = START_SECONDS
) -> Iterator[psutil.Process]:
    """A server that listens on a port, until the end of the block."""
    process = subprocess.Popen(  # noqa: S603 -- a command of this file
        command,
        cwd=ROOT,
        env=QUIET | (environment or {}),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process, patience)
        yield psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} does not listen")


@contextmanager
def model_server(size: int, seconds: float) -> Iterator[int]:
    """The model server; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.function.model_server", str(port), str(size), str(seconds)]
    with running(command, port):
        yield port


@contextmanager
def function(model_port: int, **environment: str) -> Iterator[tuple[int, psutil.Process]]:
    """The function as functions-framework runs it on Cloud Run; gives its port and its process."""
    with (
        tempfile.TemporaryDirectory(dir=MEMORY if Path(MEMORY).is_dir() else None) as folder,
        _function(model_port, {"BENCH_FOLDER": folder, "TMPDIR": folder} | environment) as own,
    ):
        yield own


@contextmanager
def _function(model_port: int, environment: dict[str, str]) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    command = [str(locked.python()), "-m", "functions_framework", "--asgi", f"--host={LOOPBACK}", f"--port={port}"]
    command += ["--target=images", f"--source={Path(__file__).with_name('watched.py')}"]
    variables = {
        "GOOGLE_CLOUD_PROJECT": "bench",
        "PLANTAIN_CAMPAIGN": "bench",
        "PLANTAIN_BUCKET": "bench",
        "PLANTAIN_SERVICE_ACCOUNT": "runtime@bench.iam.gserviceaccount.com",
        "PLANTAIN_LABELS": '{"campaign": "bench"}',
        "PLANTAIN_ENDPOINT": f"http://{LOOPBACK}:{model_port}",
        "GCE_METADATA_HOST": f"{LOOPBACK}:{model_port}",
        "GCE_METADATA_IP": f"{LOOPBACK}:{model_port}",
    }
    with running(command, port, variables | environment) as process:
        yield port, process


def load(
    port: int,
    callers: int,
    requests: int,
    *,
    ramp: float = 0.0,
    path: str = "/images",
    environment: dict[str, str] | None = None,
) -> Any:
    """What the load generator says."""
    command = [sys.executable, "-m", "bench.function.load", *map(str, (port, callers, requests, ramp)), path]
    return said(command, environment)


def said(command: list[str], environment: dict[str, str] | None = None) -> Any:
    done = subprocess.run(  # noqa: S603 -- a command of this file
        command, cwd=ROOT, env=QUIET | (environment or {}), capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def cpu_seconds(process: psutil.Process) -> float:
    return sum(sum(member.cpu_times()[:2]) for member in family(process))


def peak_megabytes(process: psutil.Process) -> int:
    """Most memory the processes ever had at once, as the kernel noted for each."""
    total = 0
    for member in family(process):
        for line in Path(f"/proc/{member.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1]) * 1024
    return round(total / MEGABYTE)


def proportional_megabytes(process: psutil.Process) -> int:
    """Memory of the processes now; what they share is counted once."""
    return round(sum(member.memory_full_info().pss for member in family(process)) / MEGABYTE)


def get(port: int, path: str) -> Any:
    return httpx.get(f"http://{LOOPBACK}:{port}{path}", timeout=60, trust_env=False).json()
