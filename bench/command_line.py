"""``python -m bench.command_line``: how long offline verbs take, the doctor, and preparing a large batch.

Writes command_line.json. Each figure is the best of several runs: what the machine does beside it only ever adds.
``python -m bench.command_line doctor`` measures that part alone and leaves the other figures as they are.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.machine import machine
from plantain.sandbox_stack import sandbox_environment
from tests.end_to_end.deployment import Deployment

RESULTS = Path(__file__).with_name("command_line.json")
ROOT = Path(__file__).resolve().parents[1]
RUNS = 12
DOCTOR_RUNS = 5
DOCTOR_SECONDS = 10
ROWS = 200_000
VERBS = {
    "--help": 0.150,
    "models": 0.400,
    "models check": 0.400,
    "cost forecast spring-launch --images 2K=500": 0.400,
    "cost plan 30": 0.400,
    "campaign list": 0.400,
    "campaign retire spring-launch": 0.400,
    "perimeter simulate --as user:user@example.com --service storage.googleapis.com": 0.400,
    "generate --help": 0.400,
    "batch --help": 0.400,
}
BATCH = """
import json, resource, sys, time
from pathlib import Path
from generation.models import table
from plantain.batch.preparation import prepare
from plantain.batch.rows import rows
model = table().get("gemini-3-pro-image")
started = time.perf_counter()
found = prepare(rows(sys.argv[1]), Path(sys.argv[2]), model, {"campaign": "bench"})
print(json.dumps({"rows": found.rows, "wrong": found.wrong, "seconds": round(time.perf_counter() - started, 1),
                  "processorSeconds": round(time.process_time(), 1),
                  "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""


def verb(arguments: str) -> dict[str, float]:
    """The fastest of several runs, process start included: seconds on the clock, and of the processor."""
    command = [str(Path(sys.executable).with_name("plantain")), *arguments.split()]
    times, processor = [], []
    for _ in range(RUNS):
        started, used = time.perf_counter(), spent()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 -- our own verbs
        times.append(time.perf_counter() - started)
        processor.append(spent() - used)
        if done.returncode not in {0, 10}:
            raise SystemExit(f"{arguments}: {done.stderr.decode()}")
    return {"seconds": round(min(times), 3), "processorSeconds": round(min(processor), 3)}


def spent() -> float:
    """Seconds of the processor that ended children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def batch() -> dict[str, float]:
    """Preparing the largest job, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "rows.jsonl"
        with source.open("w") as file:
            for number in range(ROWS):
                row = {"prompt": f"Studio product shot of plantain chip bag {number}, soft light", "aspectRatio": "4:5"}
                file.write(json.dumps(row) + "\n")
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
        command = [sys.executable, "-c", BATCH, str(source), str(Path(name) / "batch")]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603 -- our own program
        found: dict[str, float] = json.loads(done.stdout)
        return found


def doctor() -> dict[str, Any]:
    """All checks of the doctor, pulumi's outputs included: on an empty organisation, and with a deployed campaign."""
    with tempfile.TemporaryDirectory() as name:
        made = Deployment.make(Path(name))
        try:
            empty = examined(made)
            made.stack.up()
            deployed = examined(made)
        finally:
            made.close()
    return {"organisation alone": empty, "a deployed campaign": deployed, "atMostSeconds": DOCTOR_SECONDS}


def examined(made: Deployment) -> dict[str, Any]:
    """The fastest of several runs, and how many findings it had by severity."""
    command = [str(Path(sys.executable).with_name("plantain")), "doctor", "--stack", "sandbox", "--json"]
    environment = {**made.sandbox.client_environment(), **sandbox_environment(made.sandbox.data)}
    times: list[float] = []
    for _ in range(DOCTOR_RUNS):
        started = time.perf_counter()
        done = subprocess.run(command, cwd=made.project, env=environment, capture_output=True, check=False)  # noqa: S603 -- our own verb
        times.append(time.perf_counter() - started)
        if done.returncode not in {0, 10}:
            raise SystemExit(f"doctor: {done.stderr.decode()}")
    findings = Counter(finding["severity"] for finding in json.loads(done.stdout))
    return {"seconds": round(min(times), 1), "findings": dict(sorted(findings.items()))}


def today() -> str:
    """The day, as results carry it."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def main() -> int:
    if sys.argv[1:] == ["doctor"]:
        results = json.loads(RESULTS.read_text()) | {"doctor": {"measured": today(), **doctor()}}
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        return 0
    verbs = {arguments: {**verb(arguments), "atMost": most} for arguments, most in VERBS.items()}
    results = {
        "measured": today(),
        "machine": machine(),
        "verbs": verbs,
        "doctor": {"measured": today(), **doctor()},
        "batch": {**batch(), "atMostSeconds": 60, "atMostMegabytes": 500},
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(RESULTS.read_text())
    return 1 if any(found["seconds"] > found["atMost"] for found in verbs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
