"""One sandbox, one copy of the project, any number of stacks: what the tests of stack shapes deploy with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from plantain.engine import resolve
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment, settings_file
from plantain.stack import Stack

ROOT = Path(__file__).parents[2]
NUMBER = "123456789012"
LABELS = {"owner": "cloud-platform", "cost-center": "cc-1000"}
ADMINISTRATOR = "user:user@example.com"


@dataclass(frozen=True)
class Organization:
    """A sandbox and a copy of the project.

    Attributes:
        sandbox: the running sandbox.
        project: folder of the copy.
    """

    sandbox: Sandbox
    project: Path

    @classmethod
    def make(cls, folder: Path) -> Organization:
        """Start a sandbox and copy the project without its campaigns."""
        project = folder / "project"
        project.mkdir(parents=True)
        for name in ("infra", "functions"):
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Pulumi.yaml", "Pulumi.sandbox.yaml"):
            shutil.copy(ROOT / name, project)
        (project / ".venv").symlink_to(ROOT / ".venv")
        (project / "campaigns").mkdir()
        return cls(Sandbox.start(folder / "sandbox", 0), project)

    def stack(self, name: str, **settings: Any) -> Stack:
        """A stack of its own with these settings besides those of the sandbox stack; nothing is deployed yet."""
        found = settings_file(self.project / "Pulumi.sandbox.yaml", self.sandbox)
        document = yaml.safe_load((found or self.project / "Pulumi.sandbox.yaml").read_text())
        for key in ("perimeter", "campaigns"):
            document["config"].pop(f"plantain:{key}")
        path = self.project / f"Pulumi.{name}.yaml"
        path.write_text(yaml.safe_dump(document))
        made = Stack(name, self.project, self.environment(), path)
        change(made, **settings)
        made.select()
        return made

    def environment(self) -> dict[str, str]:
        """What pulumi needs to reach the sandbox as its administrator."""
        return {**self.sandbox.client_environment(), **sandbox_environment(self.sandbox.data, resolve())}

    def campaign(self, name: str, **changes: Any) -> str:
        """Write a campaign file; returns the glob that matches it alone."""
        document = yaml.safe_load((ROOT / "campaigns" / "spring-launch.yaml").read_text()) | changes
        document["labels"]["campaign"] = name
        path = self.project / "campaigns" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(document))
        return f"campaigns/{name}.yaml"

    def call(self, verb: str, path: str, body: Any = None, *, token: str = "sandbox") -> Any:
        """A call from outside of everything, as the administrator by default."""
        answer = self.answer(verb, path, body, token=token)
        assert answer.is_success, answer.text
        return answer.json()

    def answer(self, verb: str, path: str, body: Any = None, *, token: str = "sandbox") -> httpx.Response:
        """As ``call``, refusals included."""
        return httpx.request(
            verb,
            f"{self.sandbox.url}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=60,
        )

    def token(self, member: str) -> str:
        """A token of somebody."""
        found: str = self.sandbox.post("tokens", {"member": member})["token"]
        return found

    def close(self) -> None:
        """Stop the sandbox."""
        if Sandbox.find(self.sandbox.data):
            self.sandbox.stop()


def change(stack: Stack, **settings: Any) -> None:
    """Set settings of a stack; None removes one."""
    assert stack.config_file is not None
    document = yaml.safe_load(stack.config_file.read_text())
    for name, value in settings.items():
        key = name if ":" in name else f"plantain:{name}"
        document["config"].pop(key, None)
        if value is not None:
            document["config"][key] = value
    stack.config_file.write_text(yaml.safe_dump(document))


def owned(membership: str = "delegated", **changes: Any) -> dict[str, Any]:
    """Settings of a perimeter that a stack owns."""
    return {"membership": membership, "enforcement": "enforced", "deployers": [ADMINISTRATOR], **changes}


def joined(perimeter: str, **changes: Any) -> dict[str, Any]:
    """Settings of a stack that joins."""
    return {"membership": "join", "enforcement": "enforced", "perimeter": perimeter, **changes}


def changed_types(plan: str) -> set[str]:
    """Types of resources a preview would replace."""
    return {line.split()[1] for line in plan.splitlines() if line.strip().startswith("+-") and len(line.split()) > 1}


def resources(stack: Stack) -> Mapping[str, Mapping[str, Any]]:
    """The state's resources by URN."""
    return {entry["urn"]: entry for entry in stack.export()["deployment"].get("resources", [])}
