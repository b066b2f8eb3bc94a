"""The documentation says what is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from bench import command_line_page
from plantain.errors import PlantainError
from plantain.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "engine").glob("*.md")])
LINK = re.compile(r"\]\(([^)#]+)(?:#([\w-]*))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        if "://" in target:
            continue
        path = (page.parent / target).resolve()
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{page.name} links to #{anchor} of {target}"


def test_every_target_that_the_readme_names_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text())):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_verb_is_on_the_page_of_the_command_line() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    command = typer.main.get_command(app)
    for verb, sub in command.commands.items():  # type: ignore[attr-defined]  # a Click group
        assert f"`plantain {verb}" in text, verb
        if verb == "sandbox":
            for name in sub.commands:
                assert f"sandbox {name}" in text or f"/ `{name}`" in text, name


def test_every_exit_code_is_on_the_page_of_the_command_line() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    kinds: list[type[PlantainError]] = [PlantainError, *PlantainError.__subclasses__()]
    codes = {kind.exit_code for kind in kinds} | {130}
    for code in codes:
        assert re.search(rf"^\| {code}\b", text, re.MULTILINE), code


def test_the_readme_shows_a_table_from_a_run_of_the_demo() -> None:
    shown = re.search(r"<!-- demo -->\n```\n(.*?)```\n<!-- /demo -->", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown
    prompts = [json.loads(line)["prompt"] for line in (ROOT / "demo" / "prompts.jsonl").read_text().splitlines()[1:]]
    for prompt in prompts:
        assert prompt[:40] in shown[1], prompt


def test_the_performance_page_shows_the_measured_figures() -> None:
    results = json.loads((ROOT / "bench" / "results.json").read_text())
    text = (ROOT / "docs" / "performance.md").read_text()
    assert results["measured"] in text
    for part in ("sandbox", "campaign"):
        for name, value in results[part].items():
            assert f"| {value} |" in text, name


def test_the_performance_page_shows_how_long_the_command_line_took() -> None:
    assert command_line_page.section() in (ROOT / "docs" / "performance.md").read_text(), "make docs"


def test_no_page_and_no_source_names_a_machine_path_or_a_package_index() -> None:
    listed = subprocess.run(["/usr/bin/git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True)
    forbidden = re.compile(r"(?<![\w.])/(?:root|home/\w+)/|\b(?:pypi\.org|proxy\.golang\.org|registry\.npmjs)")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".json", ".txt", ".go"} and path != Path(__file__):
            found = forbidden.search(path.read_text())
            assert not found, f"{name}: {found}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as a site. Strict: a link or an anchor that leads nowhere ends the build."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict"]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False, timeout=120)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert done.returncode == 0, said[:3000]
    assert "No issues found" in said, said
    return folder / "build" / "site"


def test_the_site_has_every_page(site: Path) -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        assert (site / path.relative_to(ROOT / "docs").with_suffix(".html")).is_file(), path.name


def test_every_fence_becomes_a_block_of_code_or_a_diagram(site: Path) -> None:
    diagrams = 0
    for path in site.rglob("*.html"):
        text = path.read_text()
        assert "```" not in text, path.name
        diagrams += text.count('<pre class="mermaid">')
    assert diagrams == sum(path.read_text().count("```mermaid") for path in (ROOT / "docs").rglob("*.md"))


def test_the_site_loads_nothing_from_elsewhere_but_for_diagrams(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="(?:https?:)?//[^"]+', path.read_text()) == [], (
            path.name
        )
