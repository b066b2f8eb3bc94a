"""The table of errors, row by row."""

import pytest
from google.genai import types

from generation.errors import REASONS
from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.error_table import BLOCKS, FINISHES, PAGE, ROWS, Row, page
from tests.functions.fake_google import TASKS, FakeGoogle, refusal_answer

QUEUE = {"PLANTAIN_QUEUE": "projects/p/locations/l/queues/q"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.host} {row.said}")
async def test_a_refusal_of_googles_is_what_the_table_says(google: FakeGoogle, row: Row) -> None:
    google.fail(row.host, row.code, row.body, part=row.part, times=99)
    function = Function(ENVIRONMENT | QUEUE)
    try:
        error = await function.refused(prompt="x", **({"async": True} if row.host == TASKS else {}))
    finally:
        google.faults.clear()
        await function.close()

    facts = REASONS[row.reason]
    detail = error["details"][0]
    assert (detail["reason"], detail["class"]) == (row.reason, facts.family.error_class)
    assert (error["code"], error["status"]) == (facts.code, facts.status)
    assert row.hint in detail["hint"]
    assert (detail["retryAfterSeconds"] is not None) == (detail["class"] in {"retryable", "quota"})
    first = next(seen.path for seen in google.seen if seen.host == row.host and row.part in seen.path)
    tried = [seen for seen in google.calls(row.host, row.part) if seen.path == first]
    assert min(len(tried), 4) >= row.tried
    assert (len(tried) == 1) or row.tried > 1 or row.part == "/upload/"


@pytest.mark.parametrize("block", BLOCKS)
async def test_a_block_reason_is_what_the_table_says(function: Function, google: FakeGoogle, block: str) -> None:
    google.answers = [{"promptFeedback": {"blockReason": block}}]

    error = await function.refused(prompt="x")

    assert error["details"][0]["reason"] == "PROMPT_BLOCKED"
    assert block in error["message"]


@pytest.mark.parametrize(("finish", "reason"), FINISHES.items())
async def test_a_finish_reason_is_what_the_table_says(
    function: Function, google: FakeGoogle, finish: str, reason: str
) -> None:
    google.answers = [refusal_answer(finish)]

    error = await function.refused(prompt="x")

    assert error["details"][0]["reason"] == reason
    assert error["details"][0]["class"] == REASONS[FINISHES[finish]].family.error_class
    assert len(google.model_calls) == 1


def test_the_sdks_own_lists_are_in_the_table() -> None:
    finishes = {reason.value for reason in types.FinishReason if not reason.value.endswith("UNSPECIFIED")}
    blocks = {reason.value for reason in types.BlockedReason if not reason.value.endswith("UNSPECIFIED")}

    assert finishes <= set(FINISHES)
    assert blocks == set(BLOCKS)


def test_the_page_is_as_it_is_generated() -> None:
    assert PAGE.read_text("utf-8") == page(), "write it anew: python -m tests.functions.error_table"
