from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

PICTURE = bytes(range(256)) * 3


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (base64.b64encode(PICTURE).decode(), 200),
        (base64.urlsafe_b64encode(PICTURE).decode(), 200),
        ("not base64!", 400),
    ],
)
def test_inline_data_comes_in_either_alphabet_and_in_no_other(
    admin: Callable[..., tuple[int, Any]], project: str, enable: Callable[..., None], data: str, expected: int
) -> None:
    enable("aiplatform")
    parts = [{"text": "a plantain"}, {"inlineData": {"mimeType": "image/png", "data": data}}]
    model = f"projects/{project}/locations/global/publishers/google/models/gemini-3-pro-image"
    body = {"contents": [{"role": "user", "parts": parts}]}
    assert admin("POST", f"/aiplatform/v1/{model}:generateContent", body)[0] == expected
