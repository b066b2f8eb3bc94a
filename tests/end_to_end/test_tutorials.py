"""Each tutorial is run from its text: every block of shell, in order, in one shell, in the sandbox."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from plantain.sandbox_process import Sandbox
from sandbox.settings import DEFAULT_PORT
from tests.demo.test_demo import free_port

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
BLOCK = re.compile(r'^```sh(?: title="ends with exit code (\d+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Project:
    """A copy of the project whose sandbox has a port of its own."""

    folder: Path
    port: int

    def script(self, *pages: str) -> str:
        """The blocks of some pages as one script, which ends at the first block that does not end as the page says."""
        lines: list[str] = []
        for page in pages:
            for number, (code, block) in enumerate(BLOCK.findall((TUTORIALS / page).read_text()), 1):
                text = block.replace("plantain sandbox up\n", f"plantain sandbox up --port {self.port}\n")
                joined = " &&\n".join(text.strip().splitlines())
                lines += [
                    f"echo '=== {page} block {number}'",
                    f"{{ {joined}\n}}; found=$?",
                    f"[ $found = {code or 0} ] || {{ echo '{page} block {number} ended with' $found; exit 99; }}",
                ]
        return "\n".join(lines)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("infra", "functions", "campaigns", "policies"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    port = free_port()
    settings = folder / "Pulumi.sandbox.yaml"
    settings.write_text(settings.read_text().replace(f"127.0.0.1:{DEFAULT_PORT}/", f"127.0.0.1:{port}/"))
    yield Project(folder, port)
    found = Sandbox.find(folder / ".plantain" / "sandbox")
    if found:
        found.stop()


def test_the_tutorials_run_from_their_text_one_after_the_other(project: Project) -> None:
    script = project.script("first-campaign.md", "audit.md", "retirement.md")
    assert script.count("=== ") >= 12
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI", "PLANTAIN", "GOOGLE"))}
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=project.folder,
        env=clean,
        text=True,
        capture_output=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    for word in (
        "out/rows",
        "passes",
        "Next: plantain campaign retire spring-launch --step read-only",
        "is deleted on",
    ):
        assert word in done.stdout, word
    assert (project.folder / "out" / "rows" / "sheet.html").is_file()
    assert (project.folder / "out" / "graph.svg").is_file()
    assert (project.folder / "campaigns" / "retired" / "spring-launch.yaml").is_file()
