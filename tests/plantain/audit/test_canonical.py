from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from plantain.audit.canonical import canonical, line, sha256
from plantain.audit.errors import SourceError

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@example({"a": [1.0, 1e21, 1e-7, 0.1, 100000000000000000000.0]})
@example({"\U00010000": 1, "\ufb33": 2, "b": "\u2028\x7f\x00"})
@example(1.5)
@example(-0.0)
@example([9007199254740991, 1234567890123456])
def test_every_document_has_the_bytes_that_rfc_8785_says(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)


@given(values)
def test_what_was_canonical_stays_so_after_reading(document: Any) -> None:
    once = canonical(document)
    assert canonical(json.loads(once)) == once


def test_integers_that_no_double_holds_become_the_nearest_double() -> None:
    assert canonical(2**60) == b"1152921504606847000"


@pytest.mark.parametrize("document", [float("nan"), float("inf"), "\ud800", {"a": object()}])
def test_what_json_cannot_hold_is_refused(document: Any) -> None:
    with pytest.raises(SourceError, match="no canonical form") as raised:
        canonical(document)
    assert raised.value.exit_code == 2


def test_lines_and_digests() -> None:
    assert line({"b": 1, "a": 2}) == b'{"a":2,"b":1}\n'
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
