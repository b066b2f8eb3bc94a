"""Every control stops a real `pulumi preview`, and the project's own stacks pass.

The engine, the language host, the policy process and what lies between them are real. The resources are components
with the type tokens of the provider's resources: they go through the same policies, and need no cloud.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from plantain.engine import Engine, resolve
from policies.catalogue import Control, Resource, Status, Unknown
from tests.end_to_end.deployment import Deployment
from tests.engine.projects import Project
from tests.policies.cases import CASES
from tests.policies.test_catalogue import BY_ID, JUDGED, models, surroundings, touched
from tests.policies.world import SETTINGS, changed, world

pytestmark = pytest.mark.engine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

PROGRAM = """
import asyncio
import json
from pathlib import Path
import pulumi

def unknown():
    def done(result):
        future = asyncio.get_event_loop().create_future()
        future.set_result(result)
        return future
    return pulumi.Output(done(set()), done(None), done(False))

def filled(value):
    if value == {"__unknown__": True}:
        return unknown()
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value

class Part(pulumi.ComponentResource):
    def __init__(self, entry):
        options = pulumi.ResourceOptions(protect=entry["protect"])
        super().__init__(entry["type"], entry["name"], filled(entry["properties"]), options, remote=False)
        # Policies of the stack see what came out.
        self.register_outputs(filled(entry["properties"]))

for entry in json.loads(Path("resources.json").read_text()):
    Part(entry)
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return resolve()


@pytest.fixture(scope="module")
def project(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return prepared(engine, tmp_path_factory.mktemp("judged") / "project")


def prepared(engine: Engine, folder: Path) -> Project:
    """A project whose program makes what a file says, beside the real pack and its own table of models."""
    made = Project(engine, folder)
    made.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    made.write("__main__.py", PROGRAM)
    copy_pack(made.folder)
    made.write("functions/generation/models.json", json.dumps(models()))
    made.pulumi("stack", "init", "judged")
    for key, value in SETTINGS.items():
        made.pulumi("config", "set", f"plantain:{key}", value if isinstance(value, str) else json.dumps(value))
    made.pulumi("config", "set", "--path", "policies:enforcement.all", "mandatory")
    made.pulumi("config", "set", "--path", "policies:keyProjects[0]", "keys-of-all")
    return made


def copy_pack(folder: Path) -> None:
    shutil.copytree(ROOT / "policies", folder / "policies", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").mkdir(exist_ok=True)
    (folder / ".venv" / "policies").symlink_to(ROOT / ".venv" / "policies")


def plain(value: Any) -> Any:
    if isinstance(value, Unknown):
        return {"__unknown__": True}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def write(project: Project, resources: list[Resource]) -> None:
    entries = [
        {
            "type": resource.type,
            "name": resource.name,
            "protect": bool(resource.protect),
            "properties": plain(resource.properties),
        }
        for resource in resources
    ]
    project.write("resources.json", json.dumps(entries))


VIOLATION = re.compile(
    r"^ *- \[(mandatory|advisory)\] +\[severity: \w+\] +([\w-]+)(?: +\([^\s]+ (.+)\))?$", re.MULTILINE
)


def violations(shown: str) -> set[tuple[str, str, str]]:
    """Level, control and resource of each violation a preview has shown."""
    return {(level, control, name or "") for level, control, name in VIOLATION.findall(shown)}


def test_the_good_stack_passes_with_every_control_mandatory(project: Project) -> None:
    write(project, list(world().values()))
    shown = project.pulumi("preview", "--policy-pack", "policies").stdout
    assert violations(shown) == set()


def test_every_broken_resource_stops_a_preview(project: Project) -> None:
    resources, expected = [], set()
    for control in JUDGED:
        if control.of_stack:
            continue
        for number, changes in enumerate(CASES[control.id].bad):
            subject = changed(world(), changes)[touched(control, changes)]
            name = f"{control.id}.{number}.{subject.name}"
            resources.append(Resource(subject.urn, subject.type, name, subject.properties, protect=subject.protect))
            expected.add(("mandatory", control.id, name))
    write(project, resources)
    shown = project.pulumi("preview", "--policy-pack", "policies", fails=True).stdout
    assert expected <= violations(shown), sorted(expected - violations(shown))[:10]
    assert len(expected) > len([control for control in JUDGED if not control.of_stack])


Case = tuple[Control, int, Mapping[str, Any]]


def broken_stacks(waiting: list[Case]) -> Iterator[tuple[dict[str, Resource], list[Case]]]:
    """Stacks in each of which several cases fail, each of another control, until every case has failed in one."""
    while waiting:
        resources = world()
        failing: list[Case] = []
        for case in waiting:
            control, _, changes = case
            if control in [one for one, _, _ in failing]:
                continue
            try:
                tried = changed(resources, changes)
            except KeyError:
                continue  # Another case's change has taken away what this one changes.
            if has_dependencies(tried):
                continue
            together = [*[one for one, _, _ in failing], control]
            if all(one.check(None, surroundings(one, tried)).status is Status.FAIL for one in together):
                resources = tried
                failing.append(case)
        assert failing, [f"{control.id}.{number}" for control, number, _ in waiting]
        waiting = [case for case in waiting if case not in failing]
        yield resources, failing


def has_dependencies(resources: Mapping[str, Resource]) -> bool:
    """Whether it matters where values come from: the engine keeps dependencies on components to itself."""
    return any(resource.dependencies for resource in resources.values())


def first_cases() -> list[Case]:
    """One case of each control of the whole stack; ``python -m bench.previews`` takes all of them."""
    return [(control, 0, CASES[control.id].bad[0]) for control in JUDGED if control.of_stack]


def test_every_broken_stack_stops_a_preview(project: Project) -> None:
    stopped: set[str] = set()
    for resources, cases in broken_stacks(first_cases()):
        write(project, list(resources.values()))
        shown = project.pulumi("preview", "--policy-pack", "policies", fails=True).stdout
        found = {control for level, control, _ in violations(shown) if level == "mandatory"}
        failing = {control.id for control, _, _ in cases}
        assert failing <= found, failing - found
        stopped |= failing
    assert stopped == {control.id for control in JUDGED if control.of_stack}


def test_what_is_not_known_does_not_stop_a_preview_and_is_not_counted_as_passed(project: Project) -> None:
    resources = changed(world(), {"images:encryption.defaultKmsKeyName": Unknown()})
    write(project, [resources["images"]])
    shown = project.pulumi("preview", "--policy-pack", "policies", fails=True).stdout
    found = {control for _, control, _ in violations(shown)}
    assert "storage-customer-key" not in found, "pending, until it is known"
    assert "key-origin" in found, "a key that comes from nowhere in the stack is refused at once"


def test_a_setting_that_makes_no_sense_stops_a_preview_with_its_cure(project: Project) -> None:
    write(project, [])
    project.pulumi("config", "set", "--path", "policies:enforcement.no-such-control", "mandatory")
    try:
        done = project.pulumi("preview", "--policy-pack", "policies", fails=True)
        assert "policies:enforcement names no-such-control, which is no control" in done.stdout + done.stderr
        assert "pulumi config rm --path 'policies:enforcement.no-such-control'" in done.stdout + done.stderr
    finally:
        project.pulumi("config", "rm", "--path", "policies:enforcement.no-such-control")


def test_the_engines_own_file_of_levels_works(project: Project) -> None:
    write(project, [changed(world(), {"images:uniformBucketLevelAccess": False})["images"]])
    levels = {control.id: "disabled" for control in JUDGED if control.id != "storage-uniform-access"}
    project.write("levels.json", json.dumps({**levels, "storage-uniform-access": "advisory"}))
    shown = project.pulumi("preview", "--policy-pack", "policies", "--policy-pack-config", "levels.json").stdout
    assert violations(shown) == {("advisory", "storage-uniform-access", "images")}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The whole project with its pack, and a sandbox for what its program asks while it is previewed."""
    made = Deployment.make(tmp_path_factory.mktemp("own"))
    shutil.copytree(ROOT / "policies", made.project / "policies", ignore=shutil.ignore_patterns("__pycache__"))
    yield made
    made.close()


def preview(made: Deployment, name: str, settings: Path) -> str:
    stack = replace(made.stack, name=name, config_file=settings)
    stack.select()
    done = subprocess.run(
        [
            *(resolve().pulumi, "preview", "--stack", name, "--config-file", settings),
            *("--policy-pack", "policies", "--non-interactive", "--color", "never"),
        ],
        cwd=made.project,
        env=dict(stack.environment),
        text=True,
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "plantain@v" in done.stdout
    return done.stdout


def local_settings(made: Deployment) -> Path:
    """The sandbox stack's settings, pointed to this sandbox."""
    return made.stack.config_file or made.project / "Pulumi.sandbox.yaml"


def test_the_example_campaign_passes_in_the_sandbox(deployment: Deployment) -> None:
    shown = preview(deployment, "sandbox", local_settings(deployment))
    assert {level for level, _, _ in violations(shown)} <= {"advisory"}


def test_the_production_example_passes(deployment: Deployment, tmp_path: Path) -> None:
    """As it stands in the repository, but against the sandbox."""
    local = yaml.safe_load(local_settings(deployment).read_text())
    production = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())
    for key in ("endpoints", "accessToken", "billingAccount", "pollInterval", "batchDelay", "wheels"):
        if f"plantain:{key}" in local["config"]:
            production["config"][f"plantain:{key}"] = local["config"][f"plantain:{key}"]
    settings = tmp_path / "Pulumi.prod.yaml"
    settings.write_text(yaml.safe_dump({**production, "encryptionsalt": local["encryptionsalt"]}))
    shown = preview(deployment, "prod", settings)
    assert {level for level, _, _ in violations(shown)} <= {"advisory"}
    assert "perimeter-enforced" in {control for _, control, _ in violations(shown)}, "it begins with a dry run"


def test_each_control_that_can_be_judged_is_in_the_pack() -> None:
    assert set(BY_ID) >= {control.id for control in JUDGED}
    assert os.path.lexists(ROOT / ".venv" / "policies"), "make setup makes it"
