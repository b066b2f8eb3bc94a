"""The table of models is complete, sourced and computes right."""

import datetime as dt
from decimal import Decimal

import pytest

from generation.models import Model, Spent, table
from plantain.model_lifecycle import successor

PRO = "gemini-3-pro-image"


def pro() -> Model:
    model = table().get(PRO)
    assert model is not None
    return model


def test_the_default_is_nano_banana_pro() -> None:
    assert table().default == PRO
    assert (pro().stage, pro().locations) == ("GA", ("global",))


def test_ids_are_unique_and_none_is_retired() -> None:
    ids = table().ids
    gone = {retired.id for retired in table().retired}
    assert len(set(ids)) == len(ids)
    assert not gone & set(ids)
    assert {retired.successor for retired in table().retired} <= set(ids)


@pytest.mark.parametrize("model", table().models, ids=lambda model: model.id)
class TestEachModel:
    """What holds for every entry."""

    def test_it_names_its_source(self, model: Model) -> None:
        assert "2026-" in model.source or "2026" in model.source
        assert model.price.source
        assert model.price.third_party, "until Google's own price page could be read"

    def test_its_default_size_is_one_it_makes(self, model: Model) -> None:
        assert model.default_size in model.sizes
        assert set(model.price.per_image) == set(model.sizes)

    def test_its_price_per_image_follows_from_its_tokens(self, model: Model) -> None:
        for size, stated in model.price.per_image.items():
            assert abs(model.price_of(size) - stated) < Decimal("0.001"), f"{size}: {model.price_of(size)} and {stated}"

    def test_what_it_refuses_is_a_field_of_the_request(self, model: Model) -> None:
        assert set(model.refused_fields) <= {"seed", "temperature", "topP", "topK", "logprobs"}

    def test_who_leaves_on_a_fixed_day_has_a_successor(self, model: Model) -> None:
        assert (model.successor in table().ids) == (model.retirement_rule == "on")
        if model.successor is not None:
            named = successor(table(), model, dt.date(2026, 11, 1))
            assert named is not None
            assert named.id == model.successor, "the command line names the same"

    def test_its_windows_shrink_as_units_grow(self, model: Model) -> None:
        windows = model.throughput.windows if model.throughput else ()
        assert [w.from_units for w in windows] == sorted(w.from_units for w in windows)
        assert [w.seconds for w in windows] == sorted((w.seconds for w in windows), reverse=True)


def test_a_cost_adds_up_tokens() -> None:
    spent = Spent(input_tokens=572, image_tokens=1120, text_tokens=200)
    assert pro().cost(spent) == Decimal("0.137944")


def test_flex_is_half_the_price_and_provisioned_throughput_is_paid_already() -> None:
    spent = Spent(input_tokens=1000, image_tokens=2000)
    online = pro().cost(spent)
    assert pro().cost(spent.model_copy(update={"traffic_type": "ON_DEMAND_FLEX"})) == online / 2
    assert pro().cost(spent.model_copy(update={"traffic_type": "PROVISIONED_THROUGHPUT"})) == 0


def test_queries_of_a_search_are_paid_for() -> None:
    assert pro().cost(Spent(search_queries=2)) == Decimal("0.028000")


def test_a_model_is_retired_from_its_date_on() -> None:
    assert not pro().retired(dt.date(2027, 5, 27))
    assert pro().retired(dt.date(2027, 5, 28))


@pytest.mark.parametrize(("units", "seconds"), [(1, 1230), (6, 205), (7, 175), (12, 175), (61, 30), (245, 5), (900, 5)])
def test_the_window_of_provisioned_throughput_depends_on_its_size(units: int, seconds: int) -> None:
    throughput = pro().throughput
    assert throughput is not None
    assert throughput.window_seconds(units) == seconds


def test_one_unit_carries_less_than_half_an_image_a_minute() -> None:
    throughput = pro().throughput
    assert throughput is not None
    assert round(throughput.images_per_minute(1, pro().sizes["1K"]), 3) == 0.446


def test_it_is_said_why_there_is_no_such_model() -> None:
    assert "retired on 2026-07-17; use gemini-3-pro-image" in table().why_not("gemini-3-pro-image-preview")
    assert "use one of gemini-3-pro-image" in table().why_not("dall-e-3")


def test_an_unknown_key_in_the_table_is_an_error() -> None:
    document = pro().model_dump(mode="json", by_alias=True)
    with pytest.raises(ValueError, match="Extra inputs"):
        Model.model_validate({**document, "colour": "yellow"})
