from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from generation.models import Model, table
from plantain.commands import cost as command
from plantain.cost.budget import budget
from plantain.cost.forecast import (
    Assumptions,
    break_even,
    burned_tokens,
    cost_of_image,
    forecast,
    parse_images,
    storage_life,
    units_for,
)
from plantain.cost.plan import memory_gib, plan
from plantain.cost.prices import prices
from plantain.cost.report import Billed, Recorded, billed, explanation, reconciled, recorded, recorded_sums
from plantain.errors import InputError
from plantain.project import campaign
from plantain.stack import Stack
from tests.plantain.conftest import FakeCloud
from tests.plantain.ending import ends

PLAIN = Assumptions(prompt_tokens=0, thinking_tokens=0)


def model(name: str = "gemini-3-pro-image") -> Model:
    found = table().get(name)
    assert found
    return found


def test_images_are_given_by_number_or_by_size_and_add_up() -> None:
    assert parse_images(["1_000", "4K=200", "1K=5"], model()) == {"1K": 1005, "4K": 200}


@pytest.mark.parametrize("text", ["many", "8K=3", "2K=", "=4"])
def test_what_is_no_number_of_images_is_refused_with_exit_code_2(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_images([text], model())
    assert caught.value.exit_code == 2
    assert caught.value.cure


def test_an_image_costs_its_tokens() -> None:
    assert cost_of_image(model(), "4K", PLAIN) == Decimal("0.24")
    assert cost_of_image(model(), "1K", Assumptions(prompt_tokens=0, thinking_tokens=1000)) == Decimal("0.1464")


def test_one_unit_carries_less_than_half_an_image_a_minute_as_google_says() -> None:
    # 1,120 tokens x 60 = 67,200 of 500 x 60 = 30,000 a minute (model facts, 2026-08).
    assert burned_tokens(model(), "1K", PLAIN) == 67_200
    assert units_for(model(), "1K", 0.44, PLAIN) == 1
    assert units_for(model(), "1K", 0.45, PLAIN) == 2


def test_modes_are_priced_by_their_factors_and_batch_refuses_larger_sizes(project: Path) -> None:
    spring = campaign(project, "spring-launch")
    small = forecast(spring, model(), {"1K": 100}, prices(), PLAIN)
    amounts = {mode.name: mode.amount for mode in small.modes}
    assert amounts["standard"] == Decimal("13.44")
    assert amounts["flex"] == amounts["batch"] == Decimal("6.72")
    large = forecast(spring, model(), {"4K": 1}, prices(), PLAIN)
    [batch] = [mode for mode in large.modes if mode.name == "batch"]
    assert batch.amount is None
    assert "1K only, not 4K" in batch.note


def test_provisioned_throughput_pays_from_its_price_over_that_of_an_image() -> None:
    assert break_even(Decimal(1000), 2, Decimal("0.10"), Decimal(2592)) == 20_000


def test_provisioned_throughput_never_pays_above_what_a_full_unit_earns() -> None:
    assert break_even(Decimal(2593), 2, Decimal("0.10"), Decimal(2592)) is None


def test_storage_is_paid_class_by_class_until_deletion() -> None:
    # 10 GiB: a month standard, two months nearline, a month archive.
    assert storage_life(Decimal(10), 30, 90, 120, prices()) == Decimal("0.41")


def test_storage_that_is_deleted_before_it_moves_is_all_standard() -> None:
    assert storage_life(Decimal(100), 30, 90, 15, prices()) == Decimal("1.00")


def test_old_prices_are_flagged() -> None:
    assert prices().stale(dt.date(2026, 12, 1)) == ["keyVersion", "keyOperations"]
    assert "runMemory" in prices().stale(dt.date(2027, 6, 1))


def test_the_forecast_as_json_adds_up(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = project / "out" / "forecast.html"
    command.forecast("spring-launch", ["2K=500"], unit_price="100", html=page, json=True)
    found = json.loads(capsys.readouterr().out)
    around = sum(Decimal(line["amount"]) for line in found["around"])
    assert Decimal(found["total"]) == Decimal(found["modes"][0]["amount"]) + around
    assert "Cost forecast of spring-launch" in page.read_text()


def test_instances_that_are_kept_running_are_paid_for_all_month(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "campaigns" / "spring-launch.yaml"
    file.write_text(file.read_text().replace("maxInstances: 10", "maxInstances: 10\n  minInstances: 2"))
    command.forecast("spring-launch", ["2K=500"], json=True)
    lines = {line["item"]: line["amount"] for line in json.loads(capsys.readouterr().out)["around"]}
    assert lines["kept instances"] == "150.34"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("price", ["-1", "much", "NaN"])
def test_a_unit_price_that_is_none_is_refused(price: str) -> None:
    with pytest.raises(InputError, match="is no price"):
        command.forecast("spring-launch", ["1"], unit_price=price)


@pytest.mark.usefixtures("project")
def test_an_unknown_campaign_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="Known: spring-launch"):
        command.forecast("autumn", ["1"])


def test_a_plan_keeps_instances_at_85_percent() -> None:
    found = plan(model(), size="1K", per_minute=120, concurrency=8, assumed=Assumptions(seconds=30))
    assert found.in_flight == 60
    assert found.instances == 9
    assert found.in_flight / (found.instances * 8) <= 0.85


def test_a_plan_gives_a_subnet_with_two_addresses_for_each_instance() -> None:
    found = plan(model(), size="1K", per_minute=1200, concurrency=8, assumed=Assumptions(seconds=30))
    assert 2 ** (32 - found.prefix) >= found.instances * 2 + 4 > 2 ** (32 - found.prefix - 1)


@pytest.mark.parametrize(
    ("size", "wait", "rate", "road"),
    [
        ("1K", 2000, 5, "batch"),
        ("2K", 2000, 5, "flex"),
        ("1K", 2, 5, "queue"),
        ("1K", 0, 5, "online: pay"),
        ("1K", 0, 50, "online, with provisioned"),
    ],
)
def test_the_road_follows_from_the_wait_and_the_rate(size: str, wait: float, rate: float, road: str) -> None:
    found = plan(model(), size=size, per_minute=rate, concurrency=8, assumed=Assumptions(), wait_minutes=wait)
    assert found.road.startswith(road)


def test_a_plan_beyond_the_largest_function_says_so() -> None:
    found = plan(model(), size="1K", per_minute=5000, concurrency=8, assumed=Assumptions())
    assert any("maxInstances" in warning for warning in found.warnings)


def test_memory_grows_with_what_is_in_flight() -> None:
    assert memory_gib("1K", 8) < memory_gib("4K", 16)


def test_a_plan_for_a_size_the_model_does_not_make_is_refused() -> None:
    with pytest.raises(InputError, match="makes no '9K'"):
        command.plan(10, size="9K")


def outcome(**fields: Any) -> dict[str, Any]:
    return {"jsonPayload": {"event": "outcome", "campaign": "spring", "model": "m", **fields}}


def test_outcomes_are_summed_by_campaign_and_model_whatever_form_their_cost_has() -> None:
    [found] = recorded_sums(
        [
            outcome(images=1, cost={"amount": 0.134, "currency": "USD"}, cached=False),
            outcome(images=2, cost=0.268, cached=False),
            outcome(images=1, cached=True, cost={"amount": 0}),
            {"jsonPayload": {"campaign": "spring", "model": "m", "class": "quota"}},
        ]
    )
    assert found == Recorded("spring", "m", images=4, requests=4, cached=1, failed=1, cost=Decimal("0.402"))


def test_every_page_of_the_log_is_read(cloud: FakeCloud) -> None:
    pages: Iterator[dict[str, Any]] = iter(
        [{"entries": [outcome(images=1)], "nextPageToken": "2"}, {"entries": [outcome(images=1)]}]
    )
    cloud.answers["POST logging/v2/entries:list"] = lambda _: next(pages)
    [found] = recorded(cloud, ["p"], dt.date(2026, 11, 1), dt.date(2026, 11, 2))  # type: ignore[arg-type]  # a fake
    assert found.images == 2
    assert cloud.asked[1][2]["pageToken"] == "2"
    assert 'timestamp<"2026-11-03T00:00:00Z"' in cloud.asked[0][2]["filter"]


SCHEMA = {
    "fields": [{"name": n} for n in ("request_campaign", "project_campaign", "service", "sku", "currency", "cost")]
}


def row(*values: str | None) -> dict[str, Any]:
    return {"f": [{"v": value} for value in values]}


def test_the_export_is_read_to_its_last_page_and_prefers_the_requests_own_label(cloud: FakeCloud) -> None:
    first = row("spring", "other", "Vertex AI", "Images", "USD", "10.5")
    second = row(None, "spring", "Cloud Storage", "Standard", "USD", "0.25")
    reference = {"jobId": "j", "location": "EU"}
    cloud.answers["POST bigquery/bigquery/v2/projects/p/queries"] = {"jobComplete": False, "jobReference": reference}
    pages = iter(
        [
            {"jobComplete": True, "schema": SCHEMA, "rows": [first], "pageToken": "2"},
            {"jobComplete": True, "schema": SCHEMA, "rows": [second]},
        ]
    )
    cloud.answers["GET bigquery/bigquery/v2/projects/p/queries/j"] = lambda _: next(pages)
    found = billed(cloud, "p", "p.billing.gcp_billing_export_v1_0", dt.date(2026, 11, 1), dt.date(2026, 11, 2))  # type: ignore[arg-type]  # a fake
    assert [(one.campaign, one.by_request, one.cost) for one in found] == [
        ("spring", True, Decimal("10.5")),
        ("spring", False, Decimal("0.25")),
    ]


def test_a_table_name_that_could_change_the_query_is_refused(cloud: FakeCloud) -> None:
    with pytest.raises(InputError, match="no table's full name"):
        billed(cloud, "p", "p.d.t` WHERE 1=1 --", dt.date(2026, 11, 1), dt.date(2026, 11, 2))  # type: ignore[arg-type]  # a fake
    assert not cloud.asked


def test_billed_and_recorded_are_set_side_by_side() -> None:
    rows = [
        Billed("spring", True, "Vertex AI", "Images", "USD", Decimal(100)),
        Billed("spring", False, "Cloud Storage", "Standard", "USD", Decimal(3)),
        Billed("", False, "Vertex AI", "Images", "USD", Decimal(7)),
    ]
    ours = [Recorded("spring", "m", 700, 700, 0, 0, Decimal("99.50"))]
    none, spring = reconciled(rows, ours, last=dt.date(2026, 11, 1), today=dt.date(2026, 11, 20))
    assert (spring.model_cost, spring.other_cost, spring.difference) == (Decimal(100), Decimal(3), Decimal("0.50"))
    assert spring.explanation == "agree within 2 %"
    assert none.campaign == "(no campaign)"
    assert "nothing recorded" in none.explanation


@pytest.mark.parametrize(
    ("billed_cost", "ours", "unlabelled", "settled", "words"),
    [
        (50, 100, 0, False, "lags"),
        (0, 100, 0, True, "nothing billed"),
        (50, 100, 0, True, "discounts or flex"),
        (100, 50, 50, True, "without the campaign's label"),
        (100, 50, 0, True, "batch jobs"),
    ],
)
def test_each_kind_of_difference_has_its_explanation(
    billed_cost: int, ours: int, unlabelled: int, settled: bool, words: str
) -> None:
    difference = Decimal(billed_cost - ours)
    assert words in explanation(difference, Decimal(billed_cost), Decimal(ours), Decimal(unlabelled), settled=settled)


def test_a_budget_has_crossed_the_highest_threshold_its_spend_has_reached() -> None:
    document = {
        "name": "billingAccounts/0/budgets/b",
        "displayName": "spring",
        "amount": {"specifiedAmount": {"currencyCode": "USD", "units": "100"}},
        "thresholdRules": [{"thresholdPercent": 0.5}, {"thresholdPercent": 0.85}, {"thresholdPercent": 1.0}],
        "budgetFilter": {"projects": ["projects/1"]},
    }
    assert budget(document, {"1": Decimal(90)}).crossed == Decimal("0.85")
    assert budget(document, {"1": Decimal(10)}).crossed is None
    assert budget(document, {}).spent is None


@pytest.fixture
def deployed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project == Path.cwd()
    outputs = {"campaigns": {"spring": {"projectId": "spring-1", "projectNumber": "1"}}}
    monkeypatch.setattr(Stack, "outputs", lambda _: outputs)


@pytest.mark.usefixtures("deployed")
def test_85_percent_of_a_budget_ends_with_exit_code_10(cloud: FakeCloud) -> None:
    cloud.answers["POST logging/"] = {"entries": [outcome(images=700, cost=95)]}
    cloud.answers["GET billingbudgets/"] = {
        "budgets": [
            {
                "name": "b",
                "amount": {"specifiedAmount": {"units": "100", "currencyCode": "USD"}},
                "thresholdRules": [{"thresholdPercent": 0.85}],
                "budgetFilter": {"projects": ["projects/1"]},
            }
        ]
    }
    with ends(10, "85 % of a budget is spent: b."):
        command.budget("sandbox", json=True)


@pytest.mark.usefixtures("deployed")
def test_the_report_without_an_export_shows_what_was_recorded(
    cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.answers["POST logging/"] = {"entries": [outcome(images=3, cost=0.4)]}
    command.report("sandbox", first="2026-11-01", last="2026-11-02")
    shown = capsys.readouterr().out
    assert "spring" in shown
    assert "--export" in shown


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("first", "last", "words"), [("soon", None, "is no day"), ("2026-11-05", "2026-11-01", "ends before")]
)
def test_a_wrong_time_is_refused(first: str, last: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        command.report("sandbox", first=first, last=last)


@pytest.mark.usefixtures("project")
def test_a_stack_without_campaigns_has_nothing_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {})
    with pytest.raises(InputError, match="no deployed campaign"):
        command.report("sandbox")
