from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

import sandbox
from generation.errors import Reason
from plantain import main, reference
from plantain.generation_run.runner import UNTRIED
from plantain.lazy_group import LazyGroup, command_of
from plantain.main import app
from plantain.verbs import VERBS
from sandbox.errors import ApiError
from tests.plantain.conftest import ROOT

DOCS = ROOT / "docs"


def test_the_page_of_all_verbs_is_not_stale() -> None:
    assert (DOCS / "commands.md").read_text() == reference.page(), "make docs"


def test_troubleshooting_speaks_of_every_reason() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in text] == []


def subclasses(kind: type[ApiError]) -> Iterator[type[ApiError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)


def test_troubleshooting_speaks_of_every_refusal_of_a_google_api() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    sources = [path.read_text() for path in (ROOT / "sandbox").rglob("*.py")]
    details = {found for source in sources for found in re.findall(r'"reason": "([A-Z][A-Z_]+)"', source)}
    assert {"SERVICE_DISABLED", "IAM_PERMISSION_DENIED", "USER_PROJECT_DENIED"} <= details
    rules = (ROOT / "sandbox" / "enforcement" / "perimeter.py").read_text()
    violations = set(re.findall(r'"([A-Z]+(?:_[A-Z]+){3,})"', rules))
    assert {"NO_MATCHING_ACCESS_LEVEL", "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER"} <= violations
    for module in pkgutil.walk_packages(sandbox.__path__, "sandbox."):
        importlib.import_module(module.name)
    statuses = {kind.status for kind in subclasses(ApiError) if kind.code >= 400}
    spoken = details | violations | statuses
    assert sorted(reason for reason in spoken if f"`{reason}`" not in text) == []


def test_troubleshooting_speaks_of_every_reason_that_the_command_line_gives_itself() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    sources = [path.read_text() for path in (ROOT / "plantain").rglob("*.py")]
    given = {found for source in sources for found in re.findall(r'GoogleCloudError\(\s*0,\s*"([A-Z_]+)"', source)}
    given |= set(re.findall(r'"([A-Z]+)",\n\s*"auth"', (ROOT / "plantain" / "function.py").read_text()))
    given.add(UNTRIED["reason"])
    assert {"UNREACHABLE", "NOT_JSON", "INVOKER", "INGRESS", "STOPPED"} <= given
    assert sorted(reason for reason in given if f"`{reason}`" not in text) == []


def navigation(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    listed = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else []
    return [page for one in listed for page in navigation(one)]


def test_every_entry_of_the_sites_navigation_is_a_page_and_no_page_is_out_of_reach() -> None:
    listed = navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert set(listed) <= pages
    assert len(listed) == len(set(listed))
    text = "\n".join((DOCS / page).read_text() for page in listed)
    assert [page for page in pages - set(listed) if f"{Path(page).name})" not in text] == []


def test_every_command_that_a_page_shows_exists_with_its_options() -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, LazyGroup)
    wrong: list[str] = []
    for path in DOCS.rglob("*.md"):
        for line in re.findall(r"plantain ((?:[a-z][\w-]* ?)+(?:[^`\n;|]*))", path.read_text()):
            words = line.split()
            if words[0] not in root.commands:
                continue
            command = root.commands[words[0]]
            below = getattr(command, "commands", {})
            if len(words) > 1 and words[1] in below:
                command = below[words[1]]
            known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            known |= {"--help", *(n for c in below.values() for p in c.params for n in p.opts)}
            wrong += [
                f"{path.name}: {line}" for option in re.findall(r"(?<!\S)(--[a-z-]+)", line) if option not in known
            ]
    assert wrong == []


RUNNABLE = re.compile(r'^ *```sh(?: title="ends with exit code (\d+)")?\n(.*?)^ *```$', re.MULTILINE | re.DOTALL)
HOW_TO = [
    (page.name, line.strip(), int(code or 0))
    for page in sorted((DOCS / "how-to").glob("*.md"))
    for code, block in RUNNABLE.findall(page.read_text())
    for line in block.strip().splitlines()
]


def test_the_pages_of_how_to_have_blocks_that_can_be_run() -> None:
    assert {page for page, _, _ in HOW_TO} == {"cost.md", "migrate.md", "perimeter.md"}


@pytest.mark.parametrize(("page", "line", "code"), HOW_TO, ids=[f"{page}: {line}"[:80] for page, line, _ in HOW_TO])
@pytest.mark.usefixtures("project", "cloud")
def test_a_block_of_a_how_to_ends_as_its_page_says(
    page: str, line: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = line.split()
    assert words[0] == "plantain", page
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == code, capsys.readouterr()


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_each_verb_is_where_the_table_says_and_describes_itself(verb: object) -> None:
    command = command_of(verb)  # type: ignore[arg-type]  # one of VERBS
    assert command.help


def test_listing_the_verbs_imports_none_of_them() -> None:
    text = (ROOT / "plantain" / "main.py").read_text() + (ROOT / "plantain" / "lazy_group.py").read_text()
    assert "plantain.commands" not in text


def test_prices_and_templates_are_beside_the_code_that_reads_them() -> None:
    names = {path.name for path in Path(ROOT / "plantain").rglob("*") if path.suffix in {".json", ".html"}}
    assert names >= {"prices.json", "permissions.json", "base.html", "sheet.html", "forecast.html", "report.html"}
