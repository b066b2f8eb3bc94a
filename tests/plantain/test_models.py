from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from generation.models import table
from plantain.commands import models as command
from plantain.errors import ErrorFound, GoogleCloudError, InputError, WarningFound
from plantain.google_cloud import GoogleCloud
from plantain.model_lifecycle import lifecycle, month_end, successor

CAMPAIGN = (Path(__file__).parents[2] / "campaigns" / "spring-launch.yaml").read_text()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: plantain\n")
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "spring-launch.yaml").write_text(CAMPAIGN)
    monkeypatch.chdir(tmp_path)


def on(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    monkeypatch.setattr(command, "today", lambda: dt.date.fromisoformat(day))


def test_a_model_is_retiring_from_ninety_days_before_its_earliest_retirement() -> None:
    model = table().get("gemini-3-pro-image")
    assert model
    assert model.retirement
    states = [lifecycle(table(), model, model.retirement - dt.timedelta(days=days)).state for days in (91, 90, 1, 0)]
    assert states == ["current", "retiring", "retiring", "retired"]


def test_a_successor_lasts_longer_and_makes_every_size() -> None:
    today = dt.date(2026, 11, 21)
    for model in table().models:
        after = successor(table(), model, today)
        if after:
            assert set(model.sizes) <= set(after.sizes)
            assert after.retirement is None or (model.retirement and after.retirement > model.retirement)


def test_the_difference_in_cost_is_successor_minus_model() -> None:
    model = table().get("gemini-3-pro-image")
    assert model
    one = lifecycle(table(), model, dt.date(2026, 11, 21))
    assert one.successor
    assert one.difference["4K"] == one.successor.price_of("4K") - model.price_of("4K")


def test_a_month_ends_on_its_last_day() -> None:
    assert [str(month_end(month)) for month in ("2026-11", "2026-12", "2028-02")] == [
        "2026-11-30",
        "2026-12-31",
        "2028-02-29",
    ]


def test_the_list_as_json_holds_every_model_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    command.show_table(json=True)
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == list(table().ids)


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(InputError, match="not in the table of models; use one of gemini-3-pro-image") as caught:
        command.show("gemini-9")
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("project")
def test_the_check_warns_of_a_campaigns_model_that_goes_soon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on(monkeypatch, "2027-03-20")
    with pytest.raises(WarningFound) as caught:
        command.check(json=True)
    assert caught.value.exit_code == 10
    [finding] = [
        one
        for one in json.loads(capsys.readouterr().out)["findings"]
        if one["severity"] == "warning" and "goes" in one["finding"]
    ]
    assert "spring-launch" in finding["finding"]
    assert "gemini-nano-banana-2.1" in finding["cure"]


@pytest.mark.usefixtures("project")
def test_the_check_fails_when_a_campaigns_model_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, "2027-06-01")
    with pytest.raises(ErrorFound) as caught:
        command.check()
    assert caught.value.exit_code == 11


def test_what_no_campaign_uses_is_only_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    on(monkeypatch, "2027-06-01")
    command.check(json=True)
    assert {one["severity"] for one in json.loads(capsys.readouterr().out)["findings"]} == {"note"}


class Cloud:
    def __init__(self, refuse: dict[str, GoogleCloudError]) -> None:
        self._refuse = refuse
        self.asked: list[tuple[str, str]] = []

    def call(self, method: str, service: str, path: str, **_: Any) -> dict[str, Any]:
        self.asked.append((service, path))
        for part, error in self._refuse.items():
            if part in path:
                raise error
        return {"totalTokens": 3}


@pytest.mark.usefixtures("project")
def test_a_model_that_the_table_has_and_vertex_ai_has_not_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on(monkeypatch, "2026-11-21")
    gone = GoogleCloudError(404, "NOT_FOUND", "was not found", "aiplatform", "p")
    barred = GoogleCloudError(403, "VPC_SERVICE_CONTROLS", "is prohibited", "aiplatform", "p")
    cloud = Cloud({"gemini-3-pro-image": gone, "flash-lite": barred})
    monkeypatch.setattr(GoogleCloud, "from_environment", lambda: cloud)
    with pytest.raises(ErrorFound):
        command.check(project="p-1", json=True)
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["severity"], one["model"]) for one in findings] == [
        ("error", "gemini-3-pro-image"),
        ("warning", "gemini-3.1-flash-lite-image"),
    ]
    services = {service for service, _ in cloud.asked}
    assert {"aiplatform", "us-aiplatform", "europe-west4-aiplatform"} <= services
