"""A Pulumi project in a temporary folder, run by the real engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from plantain.engine import Engine

_LIMIT_SECONDS = 240


class Project:
    """A project of one stack.

    Args:
        engine: the engine to run it with.
        folder: where to make it; the state lies beside it.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.folder = folder
        self.command = engine.pulumi
        self.backend = folder.parent / f"{folder.name}-state"
        self.backend.mkdir(parents=True)
        folder.mkdir(exist_ok=True)
        self.environment = {
            # What the session itself runs in must not decide what is tested here.
            **{k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_"))},
            **engine.environment(),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
        }
        self.write("Pulumi.yaml", f"name: tried\nruntime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pulumi(self, *arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run pulumi in the project; its exit code must be as expected."""
        done = subprocess.run(
            [self.command, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
        assert (done.returncode != 0) == fails, (
            f"{done.args}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done
