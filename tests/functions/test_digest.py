"""The id of an image depends on what decides how it looks, and on nothing else."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.digest import Source, Sources, canonical, canonical_json, image_id
from generation.models import table
from generation.request import Request

BASE = {"prompt": "a lighthouse"}


def name(fields: dict[str, Any], model: str = "gemini-3-pro-image", sources: Sources | None = None) -> str:
    chosen = table().get(model)
    assert chosen is not None
    return image_id(Request.model_validate_json(json.dumps(BASE | fields)), chosen, sources or Sources())


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": {"team": "brand"}},
        {"requestId": "run-1"},
        {"timeoutSeconds": 9},
        {"delivery": "inline"},
        {"capacity": "flex"},
        {"fallback": ["gemini-3.1-flash-image"]},
        {"imageSize": "1K"},
        {"count": 1},
    ],
)
def test_what_does_not_change_the_image_does_not_change_its_id(fields: dict[str, Any]) -> None:
    assert name(fields) == name({})


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "another"},
        {"negativePrompt": "people"},
        {"previous": "0" * 64},
        {"aspectRatio": "1:1"},
        {"imageSize": "2K"},
        {"seed": 0},
        {"count": 2},
        {"safety": {"HARM_CATEGORY_IMAGE_HATE": "OFF"}},
        {"personGeneration": "ALLOW_ALL"},
        {"grounding": "GOOGLE_SEARCH"},
        {"outputMimeType": "image/png"},
        {"outputMimeType": "image/jpeg", "outputQuality": 9},
        {"thinkingLevel": "HIGH"},
        {"systemInstruction": "paint"},
        {"referenceSet": "mascot"},
    ],
)
def test_what_may_change_the_image_changes_its_id(fields: dict[str, Any]) -> None:
    assert name(fields) != name({})


def test_every_field_either_changes_the_id_or_does_not_by_decision() -> None:
    kept_out = {"labels", "requestId", "timeoutSeconds", "delivery", "capacity", "fallback", "async", "template"}
    model = table().get("gemini-3.1-flash-image")
    assert model is not None
    source = Source("gs://bucket/o", "image/png", "1")
    fields = {
        "prompt": "a",
        "negativePrompt": "b",
        "previous": "0" * 64,
        "aspectRatio": "1:1",
        "seed": 1,
        "safety": {"HARM_CATEGORY_IMAGE_HATE": "OFF"},
        "personGeneration": "ALLOW_ALL",
        "grounding": "GOOGLE_SEARCH",
        "outputMimeType": "image/jpeg",
        "outputQuality": 80,
        "thinkingLevel": "HIGH",
        "systemInstruction": "s",
        "referenceSet": "mascot",
    }
    request = Request.model_validate_json(json.dumps(fields))
    document = json.loads(canonical(request, model, Sources((source,), source)))
    assert (
        set(document) - {"version", "referenceSetImages"}
        == {field.alias for field in Request.model_fields.values()} - kept_out
    )


def test_another_model_has_another_id() -> None:
    assert name({}, "gemini-3.1-flash-image") != name({})


def test_the_order_and_contents_of_references_count() -> None:
    one, two = Source("", "image/png", "aa"), Source("gs://bucket/o", "image/png", "1")
    ids = {name({}, sources=Sources(order)) for order in ((), (one,), (two,), (one, two), (two, one))}
    assert len(ids) == 5
    assert name({}, sources=Sources((one,), two)) not in ids, "a mask is no reference"


def test_the_id_is_the_digest_of_the_canonical_form() -> None:
    model = table().get("gemini-3-pro-image")
    assert model is not None
    text = canonical(Request.model_validate_json('{"prompt": "a lighthouse"}'), model, Sources())
    assert text == b'{"count":1,"imageSize":"1K","model":"gemini-3-pro-image","prompt":"a lighthouse","version":1}'
    assert name({}) == hashlib.sha256(text).hexdigest()


def test_keys_are_sorted_by_utf_16_as_rfc_8785_says() -> None:
    # The example of RFC 8785, section 3.2.3.
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\xf6"]
    text = canonical_json(dict.fromkeys(keys, 1)).decode()
    assert list(json.loads(text)) == ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]


def test_a_floating_point_number_has_no_canonical_form() -> None:
    with pytest.raises(TypeError, match="floating-point"):
        canonical_json({"a": [1.5]})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    )
)
def test_canonical_json_means_the_same_as_json(document: Any) -> None:
    assert json.loads(canonical_json(document)) == document
