"""Files of prompts: JSON Lines, one request of the function a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plantain.errors import InputError

Request = dict[str, Any]


def read_prompts(path: Path) -> list[Request]:
    """All requests of a file; blank lines and lines that start with ``#`` are left out.

    Raises:
        InputError: the file cannot be read; or every wrong line at once, by number.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"The prompt file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise InputError(f"The prompt file {path} is not UTF-8 text.", cure=f"iconv -t UTF-8 {path}") from None
    requests: list[Request] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            request = json.loads(line)
        except ValueError as error:
            wrong.append(f"line {number}: no JSON ({error})")
            continue
        if not isinstance(request, dict) or not isinstance(request.get("prompt"), str) or not request["prompt"].strip():
            wrong.append(f'line {number}: needs an object with a text "prompt"')
            continue
        requests.append(request)
    if wrong:
        raise InputError(
            f"{path} has {len(wrong)} wrong lines, so nothing was generated:\n  " + "\n  ".join(wrong),
            cure='one JSON object a line, as {"prompt": "...", "aspectRatio": "16:9", "imageSize": "2K"}',
        )
    if not requests:
        raise InputError(f"{path} holds no prompt.", cure='add lines as {"prompt": "..."}')
    return requests
