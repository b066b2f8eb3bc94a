"""The pages that the command line writes, in a real browser: they fit a phone, and share one look."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page

from generation.models import table
from plantain.audit import run
from plantain.audit.collection import Request
from plantain.audit.judgements import Judgements
from plantain.audit.reports import FORMATS
from plantain.audit.reports.view import View
from plantain.cost.forecast import Assumptions, forecast
from plantain.cost.prices import prices
from plantain.cost.report import Recorded
from plantain.pages import write_page
from plantain.project import campaign
from tests.plantain.audit.synthetic import write_units

ROOT = Path(__file__).parents[2]
DAY = dt.date(2026, 11, 21)
LOOK = """() => {
  const style = getComputedStyle(document.body), head = getComputedStyle(document.querySelector("header"));
  const of = document.querySelector("header .of");
  return [style.backgroundColor, style.color, style.fontFamily, head.borderBottomColor, getComputedStyle(of).color,
    of.textContent];
}"""


def forecast_page(folder: Path) -> Path:
    found, model, assumed = campaign(ROOT, "spring-launch"), table().models[0], Assumptions()
    result = forecast(found, model, {"2K": 5000, "4K": 200}, prices(), assumed, stale=("keyVersion",))
    facts = {"forecast": result, "campaign": found.name, "assumed": assumed, "prices": prices(), "model": model}
    return write_page("forecast.html", folder / "forecast.html", title=f"Cost forecast of {found.name}", **facts)


def report_page(folder: Path) -> Path:
    recorded = [
        Recorded("spring-launch", "gemini-3.1-flash-lite-image", 1_234_567, 1_300_000, 17, 4, Decimal("9876.5"))
    ]
    facts = {"export": None, "recorded": recorded, "billed": [], "reconciled": []}
    return write_page("report.html", folder / "report.html", title="Cost, 2026-11-01 to 2026-11-30", **facts)


def audit_page(folder: Path) -> Path:
    write_units(folder / "units", 1)
    created = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    request = Request(ROOT, [], Judgements(), created, DAY, None)
    run.run(request, folder / "evidence", by=None, units=folder / "units")
    [made] = (folder / "evidence").glob("0*")
    file, module = FORMATS["html"]
    importlib.import_module(module).write(View(made), folder / file)
    return folder / file


PAGES: tuple[Callable[[Path], Path], ...] = (forecast_page, report_page, audit_page)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [make(tmp_path_factory.mktemp("pages")) for make in PAGES]


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_screen(page: Page, pages: list[Path], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in pages:
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path.name


def test_cost_and_audit_share_one_look_by_day_and_by_night(page: Page, pages: list[Path]) -> None:
    seen: dict[str, set[str]] = {}
    for path in pages:
        page.goto(path.as_uri())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
            seen.setdefault(scheme, set()).add(str(page.evaluate(LOOK)))
    assert {scheme: len(found) for scheme, found in seen.items()} == {"light": 1, "dark": 1}
    assert seen["light"] != seen["dark"]
