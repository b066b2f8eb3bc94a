"""The picture in the documentation is that of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.infra import graph
from tests.infra.stacks import record, record_documents

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root)


def test_the_picture_of_a_campaign_is_fresh(stack: Recording) -> None:
    text = graph.PAGE.read_text()
    assert graph.page(text, graph.picture(stack)) == text, "run: python -m tests.infra.graph"


def test_the_picture_of_the_foundation_is_fresh(root: Path) -> None:
    text = graph.FOUNDATION_PAGE.read_text()
    drawn = graph.picture(record_documents(root, graph.whole_foundation().settings, None))
    assert graph.page(text, drawn) == text, "run: python -m tests.infra.graph"


def test_an_edge_that_follows_from_others_is_not_drawn(stack: Recording) -> None:
    drawn = graph.edges(stack)
    assert "Encryption" in drawn["Registry"]
    assert "Project" not in drawn["Registry"], "it follows from Encryption"


def test_a_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        graph.page("# A page\n", "flowchart LR")
