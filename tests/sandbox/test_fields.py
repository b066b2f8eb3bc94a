from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.fields import apply_mask, camel, mask_paths, merge, prune

NAMES = st.sampled_from(["a", "b", "cd", "ef"])
DOCUMENTS = st.recursive(st.integers(), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8).filter(
    lambda value: isinstance(value, dict)
)


def test_mask_paths_are_camel_case_whatever_their_spelling() -> None:
    assert mask_paths("display_name, status.egress_policies,labels") == [
        "displayName",
        "status.egressPolicies",
        "labels",
    ]
    assert camel("displayName") == "displayName"


def test_a_masked_field_that_the_body_lacks_is_cleared() -> None:
    assert apply_mask({"a": 1, "b": {"c": 2, "d": 3}}, {}, ["a", "b.c"]) == {"b": {"d": 3}}


def test_a_masked_field_is_replaced_and_others_stay() -> None:
    assert apply_mask({"a": {"x": 1}, "b": 1}, {"a": {"y": 2}, "b": 5}, ["a"]) == {"a": {"y": 2}, "b": 1}


def test_a_star_replaces_what_the_body_names() -> None:
    assert apply_mask({"a": 1, "b": 2}, {"a": 3}, ["*"]) == {"a": 3, "b": 2}


def test_null_clears_without_a_mask() -> None:
    assert merge({"a": 1, "b": 2}, {"a": None}) == {"b": 2}


def test_nulls_vanish_at_every_depth() -> None:
    assert prune({"a": [None, {"b": None}], "c": None}) == {"a": [{}]}


@given(DOCUMENTS, DOCUMENTS, NAMES)
def test_a_mask_changes_nothing_outside_itself(before: dict[str, Any], body: dict[str, Any], name: str) -> None:
    after = apply_mask(before, body, [name])
    assert {k: v for k, v in after.items() if k != name} == {k: v for k, v in before.items() if k != name}
    assert after.get(name) == body.get(name)
