"""The checklist of docs/infrastructure.md. A test looks for each row in recorded stacks; this writes the table anew:

python -m tests.infra.checklist
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.infra.campaign_checklist import ROWS as CAMPAIGN_ROWS
from tests.infra.checklist_row import Row
from tests.infra.foundation_checklist import ROWS as FOUNDATION_ROWS
from tests.infra.pitfalls import ROWS as PITFALLS
from tools.generated_part import rewritten

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "infrastructure.md"
BEGIN, END = "<!-- checklist by python -m tests.infra.checklist -->", "<!-- end of the checklist -->"
ROWS: tuple[Row, ...] = (*FOUNDATION_ROWS, *CAMPAIGN_ROWS, *PITFALLS)


def table() -> str:
    """The checklist in Markdown."""
    head = [
        "| part | what is needed | what shows that it is there | not so, or not all of it, because |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *(row.cells for row in ROWS)])


def page(text: str) -> str:
    """The page with its table written anew.

    Raises:
        ValueError: the page has no place for it.
    """
    return rewritten(text, BEGIN, END, f"\n\n{table()}\n\n", what="the checklist")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.name} written\n")
