"""A copy of the project, a sandbox of its own, and the real engine: what the end-to-end tests deploy with."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra import wheels
from plantain.engine import resolve
from plantain.sandbox_process import Sandbox
from plantain.sandbox_stack import sandbox_environment, settings_file
from plantain.stack import Stack

ROOT = Path(__file__).parents[2]
CAMPAIGN = "spring-launch"
ARTIST = "user:artist@example.com"
TEAM = "brand-studio@example.com"


@dataclass(frozen=True)
class Deployment:
    """One sandbox, one copy of the project, one stack.

    Attributes:
        sandbox: the running sandbox.
        project: folder of the copy; its campaign file may be edited.
        stack: the stack ``sandbox``, pointed to this sandbox.
    """

    sandbox: Sandbox
    project: Path
    stack: Stack

    @classmethod
    def make(
        cls, folder: Path, paths: Mapping[str, str] | None = None, listener: socket.socket | None = None
    ) -> Deployment:
        """Start a sandbox, on a socket that is held open if there is one, and copy the project.

        ``paths`` replaces base paths of its endpoints.
        """
        project = folder / "project"
        project.mkdir()
        for name in ("infra", "functions", "campaigns"):
            shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.glob("Pulumi*.yaml"):
            shutil.copy(path, project)
        (project / ".venv").symlink_to(ROOT / ".venv")
        wheels.folder(project / "functions", root=project, wheels="local")
        stack_file = project / "Pulumi.sandbox.yaml"
        for old, new in (paths or {}).items():
            stack_file.write_text(stack_file.read_text().replace(f"/{old}\n", f"/{new}\n"))
        sandbox = Sandbox.start(folder / "sandbox", 0, listener=listener)
        settings = settings_file(stack_file, sandbox)
        environment = {**sandbox.client_environment(), **sandbox_environment(sandbox.data, resolve())}
        stack = Stack("sandbox", project, environment, settings)
        stack.select()
        return cls(sandbox, project, stack)

    def campaign(self) -> dict[str, Any]:
        """Outputs of the campaign."""
        found: dict[str, Any] = self.stack.outputs()["campaigns"][CAMPAIGN]
        return found

    def admit_artist(self) -> None:
        """Make the artist a member of the campaign's team."""
        self.sandbox.post("groups", {"group": TEAM, "members": [ARTIST]})

    def plantain(self, *arguments: str, network: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line as the artist, from a network or from outside of all."""
        environment = {
            **self.sandbox.client_environment(member=ARTIST, network=network),
            **sandbox_environment(self.sandbox.data),
        }
        return subprocess.run(
            [sys.executable, "-m", "plantain.main", *arguments],
            cwd=self.project,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )

    def generate(self, prompt: str, *options: str) -> list[dict[str, Any]]:
        """What ``plantain generate --json`` answers, refusals included."""
        network = self.campaign()["network"]
        done = self.plantain("generate", "--prompt", prompt, "--json", *options, network=network)
        assert done.stdout, done.stderr
        answer: list[dict[str, Any]] = json.loads(done.stdout)
        return answer

    def call(self, verb: str, path: str, body: Any = None, *, token: str = "sandbox") -> httpx.Response:
        """A request to the sandbox from outside every network, as the administrator by default."""
        return httpx.request(
            verb,
            f"{self.sandbox.url}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=60,
        )

    def edit_campaign(self, old: str, new: str) -> None:
        """Change one line of the campaign file."""
        path = self.project / "campaigns" / f"{CAMPAIGN}.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def close(self) -> None:
        """Stop the sandbox."""
        if Sandbox.find(self.sandbox.data):
            self.sandbox.stop()
