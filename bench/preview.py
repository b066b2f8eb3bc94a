"""``python -m bench.preview [1 10 50]``: how long `pulumi preview` takes for so many campaigns; what components cost.

The state of a stack with many campaigns is made from that of one that was deployed: every campaign's part is copied
under another name, for a project that exists in the sandbox. A preview of it, which believes the state, must find
nothing to change. One that reads every resource first (`refresh: always` in Pulumi.yaml) is measured for the deployed
one only.

The flat program declares the same resources with the same inputs, without components, models or files.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from bench.__main__ import MEGABYTE, RUNS, machine
from plantain.stack import pulumi
from tests.end_to_end.deployment import CAMPAIGN, ROOT, Deployment

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).with_name("preview.json")
FLAT = Path(__file__).with_name("flat_program.py")
SIZES = (1, 10, 50)
FLAT_SIZES = (1, 10)
POLL_SECONDS = 0.2


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


def measured(action: Callable[[], Any]) -> Measured:
    """What an action takes."""
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(POLL_SECONDS):
            held = 0
            for child in psutil.Process().children(recursive=True):
                try:
                    name = " ".join(child.cmdline())
                    if "sandbox" not in name.partition("--data")[0]:
                        held += child.memory_info().rss
                except psutil.Error:
                    continue
            most = max(most, held)

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


def names(count: int) -> list[str]:
    """Names of as many campaigns, all as long as the deployed one's."""
    return [CAMPAIGN, *(f"campaign-{number:04d}" for number in range(1, count))]


def write_campaigns(deployment: Deployment, count: int) -> None:
    """As many campaign files, all like the deployed one's."""
    folder = deployment.project / "campaigns"
    text = (folder / f"{CAMPAIGN}.yaml").read_text()
    for name in names(count):
        (folder / f"{name}.yaml").write_text(text.replace(CAMPAIGN, name))


def make_project(deployment: Deployment, project: str) -> str:
    """A project in the sandbox, with what a preview asks for; its number."""
    body = {"projectId": project, "name": project, "parent": {"type": "organization", "id": "123456789012"}}
    deployment.call("POST", "cloudresourcemanager/v1/projects", body)
    number = str(deployment.call("GET", f"cloudresourcemanager/v1/projects/{project}").json()["projectNumber"])
    deployment.call(
        "PUT",
        f"cloudbilling/v1/projects/{project}/billingInfo",
        {"billingAccountName": "billingAccounts/010101-010101-010101"},
    )
    for api in ("storage", "logging"):
        path = f"serviceusage/v1/projects/{number}/services/{api}.googleapis.com:enable"
        deployment.call("POST", path, {}).raise_for_status()
    return number


def multiply(deployment: Deployment, state: dict[str, Any], count: int) -> dict[str, Any]:
    """The state of a stack with as many campaigns."""
    output = deployment.campaign()
    project, number = output["projectId"], str(output["projectNumber"])
    suffix = project.removeprefix(CAMPAIGN)
    numbers = [number]
    resources = list(state["deployment"]["resources"])
    own = [one for one in resources if CAMPAIGN in one["urn"].rpartition("::")[2]]
    for name in names(count)[1:]:
        numbers.append(make_project(deployment, name + suffix))
        for one in own:
            text = json.dumps(one).replace(number, numbers[-1]).replace(CAMPAIGN, name)
            resources.append(json.loads(text))
    members = sorted(f"projects/{one}" for one in numbers)
    for one in resources:
        if one["type"].endswith(":ServicePerimeter"):
            for side in ("inputs", "outputs"):
                for configuration in ("status", "spec"):
                    one[side][configuration]["resources"] = members
    return {**state, "deployment": {**state["deployment"], "resources": resources}}


def unchanged(deployment: Deployment, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Previews of stacks that are as deployed."""
    state = deployment.stack.export(show_secrets=True)  # labels lie in it encrypted, and name the campaign
    rows = []
    for count in sizes:
        write_campaigns(deployment, count)
        deployment.stack.replace_state(multiply(deployment, state, count))
        found = measured(lambda: deployment.stack.preview(expect_no_changes=True, refresh=False))
        resources = len(deployment.stack.export()["deployment"]["resources"])
        rows.append({"campaigns": count, "resources": resources, **asdict(found)})
        sys.stderr.write(f"{rows[-1]}\n")
    return rows


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
        for path in (deployment.project / "campaigns").glob("*.yaml"):
            if path.stem not in names(count):
                path.unlink()
        write_campaigns(deployment, count)
        program.write_text(yaml.safe_dump(settings))
        cpu["components"][count] = measured(deployment.stack.preview).cpu
        flat = deployment.project / "flat"
        flat.mkdir(exist_ok=True)
        shutil.copy(FLAT, flat / "__main__.py")
        (flat / "resources.json").write_text(json.dumps(declared(count)))
        program.write_text(yaml.safe_dump({**settings, "main": "flat"}))
        cpu["flat"][count] = measured(deployment.stack.preview).cpu
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


def main() -> int:
    """Measure and write preview.json."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    with tempfile.TemporaryDirectory() as name:
        deployment = Deployment.make(Path(name))
        try:
            deployment.stack.up()
            results = {
                "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
                "machine": machine(),
                "firstResourceSeconds": statistics.median(first_resource(deployment) for _ in range(RUNS)),
                "unchangedWithRefresh": asdict(measured(lambda: deployment.stack.preview(expect_no_changes=True))),
                "unchanged": unchanged(deployment, sizes),
                "flat": against_flat(deployment),
            }
        finally:
            deployment.close()
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    sys.stdout.write(RESULTS.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
