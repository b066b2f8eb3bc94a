"""Images are taken out of JSON while it arrives, however it is cut into pieces."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.decoding import Splitter, object_of


def split(text: bytes, cuts: list[int]) -> dict[str, Any]:
    splitter = Splitter()
    at = 0
    for cut in sorted({cut % (len(text) + 1) for cut in cuts}):
        splitter.feed(text[at:cut])
        at = cut
    splitter.feed(text[at:])
    return splitter.finish()


@given(
    st.lists(st.binary(max_size=200), max_size=4),
    st.lists(st.integers(0, 10_000), max_size=12),
    st.sampled_from(["plain", "escaped", "url-safe", "unpadded"]),
    st.sampled_from([None, 2]),
    st.text(max_size=20),
)
def test_any_pieces_give_the_same_document(
    images: list[bytes], cuts: list[int], form: str, indent: int | None, words: str
) -> None:
    def encoded(data: bytes) -> str:
        text = base64.b64encode(data).decode()
        if form == "url-safe":
            return base64.urlsafe_b64encode(data).decode()
        return text.rstrip("=") if form == "unpadded" else text

    parts: list[dict[str, Any]] = [{"text": words}, {"text": 'say "data": "x"'}]
    parts += [{"inlineData": {"mimeType": "image/png", "data": encoded(data)}} for data in images]
    text = json.dumps({"candidates": [{"content": {"parts": parts}}]}, indent=indent).encode()
    if form == "escaped":
        text = text.replace(b"/", b"\\/").replace(b"=", b"\\u003d")

    found = split(text, cuts)["candidates"][0]["content"]["parts"]

    assert [part["text"] for part in found[:2]] == [words, 'say "data": "x"']
    assert [part["inlineData"]["data"] for part in found[2:]] == images


@pytest.mark.parametrize(
    "text",
    [
        b'{"data": "AAAA',
        b'{"data": "AA?A"}',
        b'{"data": "AAAAA"}',
        b'{"data": "A=AA"}',
        b'{"data": "AAAA"',
        b'{"data": "\xff\xff\xff\xff"}',
        b"[]",
        b"not json",
        b"",
    ],
)
def test_what_is_broken_is_a_value_error(text: bytes) -> None:
    for cut in range(len(text) + 1):
        with pytest.raises(ValueError):  # noqa: PT011 -- the kinds below it all mean the same to the caller
            split(text, [cut])


def test_data_of_other_objects_is_decoded_only_where_it_is_inline_data() -> None:
    assert split(b'{"data": {"data": "AAAA"}, "x": "data", "y": ["data", "z"]}', [])["data"] == {"data": b"\0\0\0"}


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff"])
def test_a_refusal_without_json_is_an_empty_object(body: bytes) -> None:
    assert object_of(body) == {}
