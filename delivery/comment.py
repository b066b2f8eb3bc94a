"""The comment on a change request: what the change does to the stack and to what a month costs.

python -m delivery.comment --stack prod --base origin/main --images 1000 --log preview.log --code 0
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

LONGEST = 50_000
"""Comments are cut by GitHub at 65,536 characters (docs.github.com, 2026-11); the end of a preview says the most."""
CAMPAIGNS = "campaigns"
FAILED = "The preview failed; see below."
COUNT = re.compile(r"\s*([+~-]+\s*)?\d+ ")
URL_OR_TOKEN = re.compile(r"(ya29\.[\w-]+|Bearer\s+\S+)")


def main(arguments: list[str] | None = None) -> int:
    """Entry point; prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("stack", "base", "images", "log", "code"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args(arguments)
    text = Path(given.log).read_text(encoding="utf-8", errors="replace")
    changed = costs(given.base, given.images)
    sys.stdout.write(comment(given.stack, text, changed, given.images, failed=given.code != "0"))
    return 0


def comment(
    stack: str,
    preview: str,
    changed: dict[str, tuple[Decimal | None, Decimal | None]],
    images: str,
    *,
    failed: bool = False,
) -> str:
    """The comment.

    Args:
        stack: the previewed stack.
        preview: what pulumi printed.
        changed: for each changed campaign, what a month costs before and after; None where there is no file.
        images: images a month that costs are reckoned with.
        failed: whether pulumi ended with an error; it counts changes even then.
    """
    rows = [
        f"| {name} | {_money(before)} | {_money(after)} | {_delta(before, after)} |"
        for name, (before, after) in changed.items()
    ]
    table = (
        ["| campaign | a month before | after | change |", "|---|---|---|---|", *rows]
        if rows
        else ["No campaign file changed."]
    )
    return "\n".join(
        [
            f"### Preview of `{stack}`",
            "",
            FAILED if failed else _summary(preview),
            "",
            f"**Cost** at {images} images a month, a forecast from list prices:",
            "",
            *table,
            "",
            "<details><summary>Everything pulumi printed</summary>",
            "",
            "```",
            _shown(preview),
            "```",
            "",
            "</details>",
            "",
        ]
    )


def costs(base: str, images: str) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """What a month costs before and after, for each campaign file that differs from a revision."""
    listed = _git("diff", "--name-only", base, "--", f"{CAMPAIGNS}/*.yaml").splitlines()
    found: dict[str, tuple[Decimal | None, Decimal | None]] = {}
    for path in listed:
        file = Path(path)
        after = forecast(file, images) if file.exists() else None
        found[file.stem] = (before(base, file, images), after)
    return found


def before(base: str, file: Path, images: str) -> Decimal | None:
    """What a month cost at a revision; None when there was no such campaign."""
    try:
        text = _git("show", f"{base}:{file.as_posix()}")
    except subprocess.CalledProcessError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / file.name  # a campaign file is named after its campaign
        old.write_text(text, encoding="utf-8")
        return forecast(old, images)


def forecast(file: Path, images: str) -> Decimal | None:
    """What a month of a campaign costs; None when its file is wrong, which the preview says better."""
    command = [sys.executable, "-m", "plantain.main", "cost", "forecast", str(file), "--images", images, "--json"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)  # noqa: S603 -- our own command line
    return Decimal(json.loads(done.stdout)["total"]) if done.returncode == 0 else None


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], text=True, capture_output=True, check=True).stdout  # noqa: S603, S607 -- git of the pipeline


def _summary(preview: str) -> str:
    """Pulumi's own count of changes; what policy packs say comes after it."""
    counts = takewhile(COUNT.match, preview.rpartition("Resources:")[2].lstrip("\n").splitlines())
    return "; ".join(line.strip() for line in counts) or FAILED


def _shown(preview: str) -> str:
    text = URL_OR_TOKEN.sub("[hidden]", preview).replace("```", "'''")
    return text if len(text) <= LONGEST else f"[{len(text) - LONGEST} characters left out]\n{text[-LONGEST:]}"


def _money(amount: Decimal | None) -> str:
    return "none" if amount is None else f"{amount:.2f} USD"


def _delta(old: Decimal | None, new: Decimal | None) -> str:
    return f"{(new or Decimal(0)) - (old or Decimal(0)):+.2f} USD"


if __name__ == "__main__":
    sys.exit(main())
