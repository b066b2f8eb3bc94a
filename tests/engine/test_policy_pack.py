"""A policy pack in Python runs beside the program, sees its settings, and can stop it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.projects import Project

pytestmark = pytest.mark.engine

#: The policy SDK wants an older protobuf than the rest of this project, so packs have an environment of their own.
POLICY_SDK = "pulumi-policy==1.21.0"

PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def validate(args, report):
    if args.resource_type == "tried:index:Part" and args.props.get("owner") != "someone":
        report(f"{args.name} has no owner; stack {args.get_config().get('unused', 'is configured')}")

PolicyPack(
    name="tried",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[ResourceValidationPolicy(name="owner", description="Parts have an owner.", validate=validate)],
)
"""

PROGRAM = """
import pulumi
class Part(pulumi.ComponentResource):
    def __init__(self, name, owner):
        super().__init__("tried:index:Part", name, {"owner": owner}, remote=False)
Part("one", pulumi.Config().require("owner"))
"""


@pytest.fixture(scope="module")
def policy_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the policy SDK."""
    folder = tmp_path_factory.mktemp("policies") / "venv"
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, POLICY_SDK], check=True)
    return folder


@pytest.fixture
def pack(project: Project, policy_environment: Path) -> Project:
    """A project with a policy pack beside it, and a stack."""
    project.write("__main__.py", PROGRAM)
    settings = f"runtime:\n  name: python\n  options:\n    virtualenv: {policy_environment}\n"
    project.write("pack/PulumiPolicy.yaml", settings)
    project.write("pack/__main__.py", PACK)
    project.pulumi("stack", "init", "judged")
    return project


def test_a_mandatory_violation_stops_the_preview_and_is_told(pack: Project) -> None:
    pack.pulumi("config", "set", "owner", "nobody")
    shown = pack.pulumi("preview", "--policy-pack", "pack", fails=True).stdout
    assert "one has no owner" in shown
    assert "[mandatory]" in shown


def test_a_program_that_keeps_to_the_policies_passes(pack: Project) -> None:
    pack.pulumi("config", "set", "owner", "someone")
    shown = pack.pulumi("preview", "--policy-pack", "pack").stdout
    assert "tried" in shown
    assert "has no owner" not in shown


def test_up_is_stopped_before_anything_is_made(pack: Project) -> None:
    pack.pulumi("config", "set", "owner", "nobody")
    pack.pulumi("up", "--yes", "--skip-preview", "--policy-pack", "pack", fails=True)
    assert "tried:index:Part" not in pack.pulumi("stack", "export").stdout


def test_a_pack_that_cannot_be_loaded_shows_its_own_error(pack: Project) -> None:
    pack.pulumi("config", "set", "owner", "someone")
    pack.write("pack/__main__.py", "raise RuntimeError('no catalogue')\n")
    shown = pack.pulumi("preview", "--policy-pack", "pack", fails=True)
    assert "no catalogue" in shown.stdout + shown.stderr
