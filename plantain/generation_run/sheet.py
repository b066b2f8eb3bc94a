"""The contact sheet of a run: one page with every image, its facts, and what was refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from plantain.generation_run.runner import Meter
from plantain.pages import write_page


def write_sheet(results: list[dict[str, Any]], meter: Meter, path: Path, title: str) -> Path:
    """Write the page; it names the images relative to itself, so that folder and page can be moved together.

    Raises:
        InputError: the page cannot be written.
    """
    cards = [
        {
            "source": quote(Path(os.path.relpath(file, path.parent)).as_posix()),
            "prompt": result["prompt"],
            "size": f"{image['width']} x {image['height']}",
            "bytes": f"{image['bytes'] / 1024:.0f} KB",
            "sha256": image["sha256"][:16],
            "model": result.get("model", ""),
            "seed": result.get("request", {}).get("seed"),
            "cost": "not paid again"
            if result["cached"]
            else f"{result['cost']['amount']} {result['cost']['currency']}",
        }
        for result in results
        if "error" not in result
        for image, file in zip(result["images"], result["files"], strict=True)
    ]
    return write_page(
        "sheet.html",
        path,
        title=title,
        cards=cards,
        refusals=[result for result in results if "error" in result],
        images=len(cards),
        refused=meter.refused,
        cost=meter.cost,
        currency=meter.currency,
    )
