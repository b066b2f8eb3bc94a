"""``python -m bench.preview [1 10 50]``: how long `pulumi preview` takes for so many campaigns; what components cost.

A stack of many campaigns is made from one that was deployed: in its state and in the sandbox, see `many_campaigns`.
A preview of it, which reads every resource first (`refresh: always` in Pulumi.yaml), must find nothing to change.

The flat program declares the same resources with the same inputs, without components, models or files.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import yaml

from bench import many_campaigns
from bench.machine import MEGABYTE, machine
from bench.many_campaigns import names
from plantain.sandbox_process import Sandbox
from plantain.stack import pulumi
from tests.end_to_end.deployment import ROOT, Deployment

RESULTS = Path(__file__).with_name("preview.json")
FLAT = Path(__file__).with_name("flat_program.py")
SIZES = (1, 10, 50)
RUNS = 5
FLAT_SIZES = (1, 10)
#: Previews that believe the state say little more, and take as long.
BELIEVED_UP_TO = 10
POLL_SECONDS = 0.2
#: What is wanted: of a flat program's cost for each campaign, and from the program's start to its first resource.
RATIO, FIRST_SECONDS = 1.1, 2.5
#: How far two measurements of the same may lie apart.
NOISE = 1.1


@dataclass(frozen=True)
class Measured:
    """What an action took.

    Attributes:
        seconds: by the clock.
        cpu: seconds of processors, of all processes that the action started and that ended with it.
        megabytes: the most memory that this process' children held at once.
    """

    seconds: float
    cpu: float
    megabytes: int


def held(sandbox: int) -> int:
    """Bytes in memory of all processes that this one started, apart from the sandbox and its functions."""
    found = 0
    for child in psutil.Process().children():
        if child.pid == sandbox:
            continue
        with contextlib.suppress(psutil.Error):  # it has just ended
            for process in (child, *child.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    found += process.memory_info().rss
    return found


def measured(action: Callable[[], Any], sandbox: int) -> Measured:
    """What an action takes, apart from the sandbox, whose process is named."""
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(POLL_SECONDS):
            most = max(most, held(sandbox))

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        action()
    finally:
        ended.set()
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(round(time.perf_counter() - started, 2), round(cpu, 2), round(most / MEGABYTE))


def unchanged(deployment: Deployment, sizes: tuple[int, ...]) -> Iterator[tuple[Deployment, dict[str, Any]]]:
    """Previews of stacks that are as deployed: as Pulumi.yaml has it, every resource read; and the state believed."""
    state = deployment.stack.export(show_secrets=True)  # labels lie in it encrypted, and name the campaign
    for count in sizes:
        deployment = many_campaigns.multiply(deployment, state, count)
        stack, sandbox = deployment.stack, deployment.sandbox.pid
        row: dict[str, Any] = {"campaigns": count, "resources": len(stack.export()["deployment"]["resources"])}
        row["read"] = asdict(measured(partial(stack.preview, expect_no_changes=True), sandbox))
        if count <= BELIEVED_UP_TO:
            row["believed"] = asdict(measured(partial(stack.preview, expect_no_changes=True, refresh=False), sandbox))
        sys.stderr.write(f"{row}\n")
        yield deployment, row


def declared(count: int) -> list[dict[str, Any]]:
    """What a stack of as many campaigns declares, without components."""
    script = (
        "import json, sys; from pathlib import Path; from tests.infra.stacks import make_campaign, record;"
        "root = Path(sys.argv[1]); (root / 'wheels').mkdir(); (root / 'wheels' / 'a.whl').write_bytes(b'a');"
        f"stack = record(root, [make_campaign(name) for name in {names(count)!r}]);"
        "print(json.dumps([{'type': r.type, 'name': r.name, 'inputs': r.inputs, 'urn': r.urn,"
        " 'after': sorted(r.dependencies)} for r in stack.cloud()]))"
    )
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(ROOT / "functions", Path(name) / "functions")
        command = [sys.executable, "-c", script, name]
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 -- fixed words
        found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return found


def against_flat(deployment: Deployment) -> dict[str, Any]:
    """Previews of new stacks: this program, and a flat one of the same resources; compared by processor time."""
    cpu: dict[str, dict[int, float]] = {"components": {}, "flat": {}}
    empty = deployment.stack.export()
    empty["deployment"]["resources"] = []
    deployment.stack.replace_state(empty)
    program = deployment.project / "Pulumi.yaml"
    settings = yaml.safe_load(program.read_text())
    for count in FLAT_SIZES:
        many_campaigns.write_files(deployment.project / "campaigns", count)
        program.write_text(yaml.safe_dump(settings))
        cpu["components"][count] = measured(deployment.stack.preview, deployment.sandbox.pid).cpu
        flat = deployment.project / "flat"
        flat.mkdir(exist_ok=True)
        shutil.copy(FLAT, flat / "__main__.py")
        (flat / "resources.json").write_text(json.dumps(declared(count)))
        program.write_text(yaml.safe_dump({**settings, "main": "flat"}))
        cpu["flat"][count] = measured(deployment.stack.preview, deployment.sandbox.pid).cpu
        sys.stderr.write(f"{cpu}\n")
    program.write_text(yaml.safe_dump(settings))
    least, most = FLAT_SIZES
    each = {kind: round((found[most] - found[least]) / (most - least), 2) for kind, found in cpu.items()}
    return {
        "previewOfNewStackCpuSeconds": cpu,
        "cpuSecondsForEachCampaign": each,
        "ratio": round(each["components"] / each["flat"], 2),
    }


def first_resource(deployment: Deployment) -> float:
    """Seconds from the start of the program's process to the engine's first event of a resource of ours."""
    stack = deployment.stack
    command = [pulumi(stack.environment), "preview", "--json", "--non-interactive", "--refresh=false"]
    command += ["--cwd", str(stack.project), "--stack", stack.name, "--config-file", str(stack.config_file)]
    environment = {**stack.environment, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as process:  # noqa: S603 -- pulumi
        arrived, began = 0.0, 0.0
        for line in process.stdout or ():
            metadata = json.loads(line).get("resourcePreEvent", {}).get("metadata", {})
            if not arrived and metadata.get("type", "").startswith(("plantain:", "gcp:")):
                arrived = time.time()
                programs = psutil.Process(process.pid).children(recursive=True)
                began = max(
                    one.create_time() for one in programs if "pulumi-language-python-exec" in str(one.cmdline())
                )
    return round(arrived - began, 2)


def growth(rows: Sequence[Mapping[str, Any]], of: str) -> list[float]:
    """What one campaign more costs, between one row and the next."""
    return [
        round((after["read"][of] - before["read"][of]) / (after["campaigns"] - before["campaigns"]), 2)
        for before, after in pairwise(rows)
    ]


def short(results: Mapping[str, Any]) -> Iterator[str]:
    """Where the figures fall short of what is wanted."""
    for of in ("seconds", "cpu", "megabytes"):
        grown = growth(results["unchanged"], of)
        if any(later > NOISE * earlier for earlier, later in pairwise(grown)):
            yield f"{of} grow faster than linearly: {', then '.join(map(str, grown))} for each campaign more"
    if results["flat"]["ratio"] > RATIO:
        yield f"components cost {results['flat']['ratio']} times a flat program; wanted is {RATIO} at most"
    if results["firstResourceSeconds"] > FIRST_SECONDS:
        yield f"the first resource after {results['firstResourceSeconds']} s; wanted is {FIRST_SECONDS} s at most"


def measure(deployment: Deployment, sizes: tuple[int, ...], chosen: str) -> dict[str, Any]:
    """The figures of one part, or of all."""
    found: dict[str, Any] = {}
    deployment.stack.up()
    if chosen in {"first", ""}:
        found["firstResourceSeconds"] = statistics.median(first_resource(deployment) for _ in range(RUNS))
    if chosen in {"unchanged", ""}:
        found["unchanged"] = []
        for again, row in unchanged(deployment, sizes):
            deployment = again  # the sandbox was started anew
            found["unchanged"].append(row)
            found["load"] = round(os.getloadavg()[0], 1)
    if chosen in {"flat", ""}:
        found["flat"] = against_flat(deployment)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write preview.json; 1 when a figure falls short. ``arguments`` are the command line's by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), help="how many campaigns")
    parser.add_argument(
        "--only", choices=("first", "unchanged", "flat"), default="", help="the others stay as they are"
    )
    options = parser.parse_args(arguments)
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() and options.only else {}
    with tempfile.TemporaryDirectory() as name:
        deployment = Deployment.make(Path(name))
        data = deployment.sandbox.data
        try:
            found = measure(deployment, tuple(options.sizes), options.only)
        finally:
            if running := Sandbox.find(data):
                running.stop()
    results = {**kept, "measured": datetime.now(UTC).strftime("%Y-%m-%d"), "machine": machine(), **found}
    results["short"] = list(short(results))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(RESULTS.read_text())
    return int(bool(results["short"]))


if __name__ == "__main__":
    sys.exit(main())
