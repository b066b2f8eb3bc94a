"""Requests at random: valid ones, almost valid ones, and noise."""

import json
from typing import Any

from hypothesis import strategies as st

from generation.errors import Reason
from generation.models import table
from generation.request import Capacity, Grounding, HarmCategory, HarmThreshold, Request
from tests.functions.conftest import Function

TEXT = st.text(max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = [field.alias or name for name, field in Request.model_fields.items()]
IDS = st.sampled_from([*table().ids, "gemini-3-pro-image-preview", "dall-e"])
REFERENCE: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "uri": st.sampled_from(["gs://brand-assets/a.png", "gs://other/a", "http://x/y", "gs://", "file:///etc/passwd"])
        | TEXT,
        "data": st.sampled_from(["iVBORw0KGgo=", "AAAA", "%", "/9j/"]) | TEXT,
        "mimeType": st.sampled_from(["image/png", "image/gif", ""]),
    },
)
TEMPLATE: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["{{ a }}", "{% for r in a %}{{ r }}{% endfor %}", "{{", "{{ a.b.c }}", "{{ a() }}"])
        | TEXT,
        "name": st.sampled_from(["sales", "../x"]),
        "data": st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2),
    },
)
PLAUSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "prompt": st.text(min_size=1, max_size=60),
    "template": TEMPLATE,
    "systemInstruction": TEXT,
    "negativePrompt": TEXT,
    "references": st.lists(REFERENCE, max_size=3),
    "referenceSet": st.sampled_from(["mascot", "../x", ""]),
    "mask": REFERENCE,
    "previous": st.sampled_from(["0" * 64, "x"]),
    "aspectRatio": st.sampled_from(["16:9", "1:8", "0:0"]),
    "imageSize": st.sampled_from(["512", "1K", "2K", "4K", "1k"]),
    "model": IDS,
    "fallback": st.lists(IDS, max_size=4),
    "seed": st.integers(-2, 2**31),
    "count": st.integers(0, 5),
    "safety": st.dictionaries(
        st.sampled_from([*HarmCategory, "X"]), st.sampled_from([*HarmThreshold, "X"]), max_size=3
    ),
    "personGeneration": st.sampled_from(["ALLOW_ALL", "ALLOW_NONE", "NO"]),
    "grounding": st.sampled_from([*Grounding, "MAPS"]),
    "outputMimeType": st.sampled_from(["image/png", "image/jpeg", "image/gif"]),
    "outputQuality": st.integers(-1, 101),
    "thinkingLevel": st.sampled_from(["HIGH", "MINIMAL", "x"]),
    "capacity": st.sampled_from([*Capacity, "priority"]),
    "labels": st.dictionaries(st.sampled_from(["team", "campaign", "Bad", ""]), TEXT, max_size=3),
    "requestId": st.sampled_from(["a", "b c", "x" * 129]) | TEXT,
    "timeoutSeconds": st.integers(2, 3601),
    "delivery": st.sampled_from(["uri", "inline", "mail"]),
    "async": st.booleans(),
}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A body of POST /images."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=60))
    if kind == 1:
        return json.dumps(draw(JSON)).encode("utf-8", "surrogatepass")
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3 if kind < 7 else 8, unique=True))
    document = {name: draw(PLAUSIBLE[name]) for name in {"prompt", *names}}
    if kind == 2:
        document[draw(st.sampled_from(NAMES) | TEXT)] = draw(JSON)
    return json.dumps(document).encode("utf-8", "surrogatepass")


async def check(function: Function, body: bytes) -> None:
    """The answer to a body is an image, or an envelope that says what is wrong and who can mend it."""
    response = await function.http.post("/images", content=body)
    assert "Traceback" not in response.text
    document = response.json()
    if response.status_code == 200:
        assert document["images"]
        return
    assert response.status_code < 500, (body, response.text)
    error = document["error"]
    assert error["code"] == response.status_code
    for detail in error["details"]:
        assert detail["reason"] in Reason.__members__
        assert detail["class"] in {"invalid", "safety", "auth", "quota"}, (body, response.text)
