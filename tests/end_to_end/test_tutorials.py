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


def run(project: Project, *pages: str) -> str:
    """What the pages print, as run by somebody who has typed nothing before."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI", "PLANTAIN", "GOOGLE"))}
    done = subprocess.run(
        ["/bin/bash", "-c", project.script(*pages)],
        cwd=project.folder,
        env=clean,
        text=True,
        capture_output=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def test_the_tutorials_run_from_their_text_one_after_the_other(project: Project) -> None:
    pages = ("first-campaign.md", "audit.md", "retirement.md")
    assert project.script(*pages).count("=== ") >= 12
    shown = run(project, *pages)
    for word in (
        "out/rows",
        "passes",
        "Next: plantain campaign retire spring-launch --step read-only",
        "is deleted on",
    ):
        assert word in shown, word
    assert (project.folder / "out" / "rows" / "sheet.html").is_file()
    assert (project.folder / "out" / "graph.svg").is_file()
    assert (project.folder / "campaigns" / "retired" / "spring-launch.yaml").is_file()


def test_the_first_real_campaign_is_rehearsed_from_its_text(project: Project) -> None:
    production = (project.folder / "Pulumi.prod.yaml").read_text()
    shown = run(project, "first-real-campaign.md")
    for word in ("plantain:billingAccount: 010101-010101-010101", "Pulumi.rehearsal.yaml says enforced now", "OPEN"):
        assert word in shown, word
    assert list((project.folder / "out" / "real").glob("*.png"))
    assert "enforcement: enforced" in (project.folder / "Pulumi.rehearsal.yaml").read_text()
    assert (project.folder / "Pulumi.prod.yaml").read_text() == production
