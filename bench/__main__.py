"""``make bench``: measure the main path on the local sandbox and write results.json, which docs/performance.md shows.

Figures are of one machine and one run; ratios between them say more than the figures themselves.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench import fault_sweep, load, preview
from bench.function import parts
from bench.machine import MEGABYTE, machine
from plantain.sandbox_process import Sandbox
from tests.end_to_end.deployment import Deployment

RESULTS = Path(__file__).with_name("results.json")
RUNS = 5

#: One of so many groups of the fault sweep: 1 for all, which takes an hour or two on two cores; 0 leaves it out.
SWEEP_EVERY = int(os.environ.get("SWEEP_EVERY", "1"))


def seconds(action: Callable[[], Any]) -> float:
    started = time.perf_counter()
    action()
    return round(time.perf_counter() - started, 2)


def start_of_the_sandbox(folder: Path) -> dict[str, Any]:
    times, sizes = [], []
    for run in range(RUNS):
        started = time.perf_counter()
        sandbox = Sandbox.start(folder / f"sandbox-{run}", 0)
        times.append(round(time.perf_counter() - started, 2))
        sizes.append(round(psutil.Process(sandbox.pid).memory_info().rss / MEGABYTE))
        sandbox.stop()
    return {"readySeconds": statistics.median(times), "readyMegabytes": max(sizes), "runs": RUNS}


def campaign(folder: Path) -> dict[str, Any]:
    made = Deployment.make(folder)
    try:
        up = seconds(made.stack.up)
        status = made.sandbox.get("status")
        made.admit_artist()
        preview = [seconds(lambda: made.stack.preview(expect_no_changes=True)) for _ in range(3)]
        image = [seconds(partial(made.generate, "A plantain", "--seed", str(seed))) for seed in range(RUNS)]
        return {
            "upSeconds": up,
            "upRequests": status["requests"],
            "upSandboxAnsweringSeconds": round(status["milliseconds"] / 1000, 2),
            "upFunctionDeploymentSeconds": status["deploymentSeconds"],
            "upSandboxPercent": share(up, status),
            "previewUnchangedSeconds": statistics.median(preview),
            "generateOneImageSeconds": statistics.median(image),
            "sandboxMegabytesAfterwards": round(psutil.Process(made.sandbox.pid).memory_info().rss / MEGABYTE),
            "destroySeconds": seconds(made.stack.destroy),
        }
    finally:
        made.close()


def share(up: float, status: dict[str, Any]) -> float:
    """How much of an update is the sandbox's, in percent: every request in a row, more than its critical path."""
    return round(100 * float(status["milliseconds"] / 1000 + status["deploymentSeconds"]) / up, 1)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results = {
            "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
            "machine": machine(),
            "sandbox": start_of_the_sandbox(folder),
            "campaign": campaign(folder),
            "function": parts.measure_all(),
        }
    load.record()
    preview.main([])
    if SWEEP_EVERY:
        fault_sweep.measure(every=SWEEP_EVERY, file=fault_sweep.FILE)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(RESULTS.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
