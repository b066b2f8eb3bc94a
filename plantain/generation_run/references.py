"""Pictures that go with a request: objects in Cloud Storage by address, local files as data."""

from __future__ import annotations

import base64
from pathlib import Path

from plantain.errors import InputError

LARGEST_INLINE = 7 * 1024 * 1024
"""Bytes that a model takes inline (functions/generation/models.json)."""


def reference(text: str) -> dict[str, str]:
    """A reference as the function takes it.

    Raises:
        InputError: the file cannot be read, or is too large to be sent with the request.
    """
    if text.startswith("gs://"):
        return {"uri": text}
    path = Path(text)
    try:
        size = path.stat().st_size
        if size > LARGEST_INLINE:
            raise InputError(
                f"{path} has {size / 1024 / 1024:.1f} MiB; a file in a request may have 7, so nothing was sent.",
                cure=f"gcloud storage cp {path} gs://CAMPAIGN_BUCKET/references/; then name it as gs://...",
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"The picture {path} cannot be read: {error.strerror}.") from None
    return {"data": base64.b64encode(data).decode()}
