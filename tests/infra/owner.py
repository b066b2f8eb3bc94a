"""A stack that owns a perimeter and has no campaigns, deployed by the real engine into a sandbox of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from plantain.engine import resolve
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment, settings_file
from plantain.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Owner:
    """One sandbox with one stack."""

    sandbox: Sandbox
    stack: Stack
    settings: Path

    @classmethod
    def make(cls, folder: Path, membership: str) -> Owner:
        project = folder / "project"
        project.mkdir()
        for name in ("infra", "functions"):
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Pulumi.yaml", "Pulumi.sandbox.yaml"):
            shutil.copy(ROOT / name, project)
        (project / ".venv").symlink_to(ROOT / ".venv")
        sandbox = Sandbox.start(folder / "sandbox", 0)
        settings = settings_file(project / "Pulumi.sandbox.yaml", sandbox)
        assert settings is not None
        stack = Stack(
            "sandbox",
            project,
            {**sandbox.client_environment(), **sandbox_environment(sandbox.data, resolve())},
            settings,
        )
        owner = cls(sandbox, stack, settings)
        owner.change(campaigns="")
        owner.change_perimeter(membership=membership)
        stack.select()
        return owner

    def change(self, **values: Any) -> None:
        """Set settings of the stack."""
        document = yaml.safe_load(self.settings.read_text())
        document["config"] |= {f"plantain:{key}": value for key, value in values.items()}
        self.settings.write_text(yaml.safe_dump(document))

    def change_perimeter(self, **values: Any) -> None:
        """Set settings of the perimeter."""
        perimeter = yaml.safe_load(self.settings.read_text())["config"]["plantain:perimeter"]
        self.change(perimeter=perimeter | values)

    def call(self, verb: str, path: str, body: Any = None) -> Any:
        """A call of the administrator, made without the stack's knowledge."""
        answer = httpx.request(
            verb,
            f"{self.sandbox.url}/{path}",
            json=body,
            headers={"Authorization": "Bearer sandbox"},
            trust_env=False,
            timeout=60,
        )
        assert answer.is_success, answer.text
        return answer.json()

    def perimeter(self) -> dict[str, Any]:
        """The perimeter as it really is."""
        found: dict[str, Any] = self.call("GET", f"accesscontextmanager/v1/{self.stack.outputs()['perimeter']}")
        return found

    def somebody_joins(self, project_id: str) -> str:
        """Make a project and a member of it, as another stack would; returns the member."""
        parent = {"type": "organization", "id": "123456789012"}
        body = {"projectId": project_id, "name": project_id, "parent": parent}
        self.call("POST", "cloudresourcemanager/v1/projects", body)
        number = self.call("GET", f"cloudresourcemanager/v1/projects/{project_id}")["projectNumber"]
        member = f"projects/{number}"
        found = self.perimeter()
        for configuration in ("status", "spec"):
            found[configuration].setdefault("resources", []).append(member)
        mask = "status.resources,spec.resources"
        self.call("PATCH", f"accesscontextmanager/v1/{found['name']}?updateMask={mask}", found)
        return member

    def close(self) -> None:
        """Stop the sandbox."""
        self.sandbox.stop()
