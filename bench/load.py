"""The sandbox under load: its start, time of a read, requests a second, 10,000 resources, writes before a kill.

    python -m bench.load [--json bench/load.json]

docs/performance.md shows the file. The load of the machine while it was measured is in it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from sandbox.process import SandboxProcess

MEGABYTE = 1024 * 1024
PROJECT = "load-project"
TOPICS = f"/pubsub/v1/projects/{PROJECT}/topics"
READS = 3000
WRITES = 10_000
KILLS = 20
STARTS = 5
FILE = Path(__file__).with_name("load.json")
HEADERS = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}


class Client:
    """One kept connection: the clients' own cost counts as little as it can."""

    def __init__(self, process: SandboxProcess) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(process.url.rpartition(":")[2]), timeout=60)

    def __call__(self, verb: str, path: str, body: Any = None) -> int:
        self._connection.request(verb, path, json.dumps(body) if body is not None else None, HEADERS)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def close(self) -> None:
        self._connection.close()


def starts(folder: Path) -> dict[str, Any]:
    """From the start of the process to its first answer, on a new and on an old data folder."""
    new: list[float] = []
    old: list[float] = []
    for number in range(STARTS):
        process = SandboxProcess(folder / f"start-{number}")
        for times in (new, old):
            started = time.perf_counter()
            process.start()
            times.append(time.perf_counter() - started)
            process.stop()
        process.close()
    return {
        "readySeconds": round(statistics.median(new), 2),
        "readyAgainSeconds": round(statistics.median(old), 2),
        "readySecondsSlowest": round(max(new + old), 2),
    }


def prepare(process: SandboxProcess) -> Client:
    """A project with Pub/Sub."""
    client = Client(process)
    parent = {"type": "organization", "id": "123456789012"}
    client("POST", "/cloudresourcemanager/v1/projects", {"projectId": PROJECT, "parent": parent})
    client("POST", f"/serviceusage/v1/projects/{PROJECT}/services/pubsub.googleapis.com:enable", {})
    return client


def reads(process: SandboxProcess, client: Client) -> dict[str, Any]:
    """A plain GET: time on the wire, and how many a core answers by its processor time."""
    path = f"/cloudresourcemanager/v1/projects/{PROJECT}"
    server = psutil.Process(process.pid)
    for _ in range(200):
        client("GET", path)
    times = []
    before = server.cpu_times()
    for _ in range(READS):
        started = time.perf_counter()
        client("GET", path)
        times.append(time.perf_counter() - started)
    after = server.cpu_times()
    busy = (after.user - before.user) + (after.system - before.system)
    return {
        "getMillisecondsMedian": round(statistics.median(times) * 1000, 2),
        "getMilliseconds99": round(sorted(times)[int(READS * 0.99)] * 1000, 2),
        "getsPerSecondOneClient": round(READS / sum(times)),
        "getsPerSecondOfProcessorTime": round(READS / busy),
    }


def many(process: SandboxProcess, client: Client) -> dict[str, Any]:
    """10,000 resources, then a restart."""
    started = time.perf_counter()
    for number in range(WRITES):
        name = f"topic-{number}"
        status = client("PUT", f"{TOPICS}/{name}", {"name": f"projects/{PROJECT}/topics/{name}"})
        if status != http.client.OK:
            raise RuntimeError(f"PUT {name}: {status}")
    created = time.perf_counter() - started
    grown = psutil.Process(process.pid).memory_info().rss
    process.stop()
    started = time.perf_counter()
    process.start()
    restarted = time.perf_counter() - started
    return {
        "resources": WRITES,
        "createsPerSecond": round(WRITES / created),
        "megabytes": round(grown / MEGABYTE),
        "restartSeconds": round(restarted, 2),
        "megabytesAfterRestart": round(psutil.Process(process.pid).memory_info().rss / MEGABYTE),
    }


def killed(process: SandboxProcess) -> dict[str, Any]:
    """Kill the process in the middle of writing, again and again: what was acknowledged must be there."""
    draws = random.Random(7)  # noqa: S311 -- repeatable moments, nothing secret
    acknowledged: list[str] = []
    for round_ in range(KILLS):
        kill = threading.Timer(draws.uniform(0.02, 0.5), process.kill)
        kill.start()
        client = Client(process)
        number = 0
        try:
            while True:
                name = f"kept-{round_}-{number}"
                if client("PUT", f"{TOPICS}/{name}", {"name": f"projects/{PROJECT}/topics/{name}"}) == http.client.OK:
                    acknowledged.append(name)
                number += 1
        except (OSError, http.client.HTTPException):
            client.close()
        kill.join()
        process.start()
    names = set(process.control("GET", "resources?kind=pubsub.topics").get("pubsub.topics", []))
    lost = [name for name in acknowledged if f"projects/{PROJECT}/topics/{name}" not in names]
    return {"kills": KILLS, "acknowledgedWrites": len(acknowledged), "lostWrites": len(lost)}


def measure(folder: Path) -> dict[str, Any]:
    """All figures of one sandbox process."""
    ready = starts(folder)
    process = SandboxProcess(folder / "load")
    process.start()
    try:
        client = prepare(process)
        parts: tuple[Callable[[], dict[str, Any]], ...] = (
            lambda: reads(process, client),
            lambda: many(process, client),
            lambda: killed(process),
        )
        return {**ready, **{key: value for part in parts for key, value in part().items()}}
    finally:
        process.close()


def record(file: Path = FILE) -> dict[str, Any]:
    """Measure and write the file."""
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name))
    facts = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "loadAverageBefore": round(before, 1),
    }
    file.write_text(json.dumps({**facts, **figures}, indent=2) + "\n")
    return figures


def main() -> int:
    """The command line; 1 when a write was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=FILE, help="where the figures are written")
    options = parser.parse_args()
    figures = record(options.json)
    sys.stdout.write(options.json.read_text())
    return 1 if figures["lostWrites"] else 0


if __name__ == "__main__":
    sys.exit(main())
