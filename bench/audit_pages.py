"""``python -m bench.audit_pages``: write the figures of the audit and of the policy pack into their pages.

Each page has places between ``<!-- NAME -->`` and ``<!-- /NAME -->``; the figures are those of the files that the
benchmarks write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.prowler.checks import SHARED
from tools.generated_part import rewritten

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "bench"
PLACES = {
    ROOT / "docs" / "audit.md": ("measured", "agreement"),
    ROOT / "docs" / "policies.md": ("overhead", "mutation"),
}


def figures(name: str) -> Any:
    """What a benchmark wrote."""
    return json.loads((BENCH / name).read_text())


def measured() -> Iterator[str]:
    """The table of the audit."""
    found = figures("audit.json")
    judge, trace, page = found["judge"], found["trace"], found["page"]
    loads = ", ".join(f"{found[part]['loadOfTheMachine']} ({part})" for part in ("judge", "page", "trace"))
    load = f"load of the machine {loads}"
    yield f"{judge['projects']:,} synthetic projects of {judge['resourcesPerProject']} resources each, and "
    yield f"{trace['images']:,} images of 100 KB from disk; {found['cores']} cores, {found['measured']}, {load}:"
    yield ""
    yield "| what | budget | measured |"
    yield "|---|---|---|"
    cpu = f"{judge['runProcessorSeconds']} s of processor time over both cores"
    yield f"| `audit run`, {judge['rows']:,} rows | 60 s | {judge['runSeconds']} s ({cpu}) |"
    yield f"| its memory, both workers counted | 1 GB | {judge['runMegabytes']} MB |"
    verify = f"{judge['verifySeconds']} s, {judge['verifyMegabytes']} MB"
    yield f"| `audit verify`, the judgement made again | | {verify} |"
    size = f"the page has {judge['htmlKilobytes'] / 1000:.1f} MB"
    report = f"{judge['reportSeconds']} s, {judge['reportMegabytes']} MB; {size}"
    yield f"| `audit report`, HTML and CSV | | {report} |"
    opened = " / ".join(str(seconds) for seconds in page["seconds"])
    yield f"| the page in a headless Chromium, {len(page['seconds'])} times, until it is loaded | 2 s | {opened} s |"
    yield f"| `audit provenance` | 500 images/s | {trace['imagesPerSecond']} images/s, {trace['megabytes']} MB |"


def agreement() -> Iterator[str]:
    """How Prowler and the audit judge the same campaign."""
    found = figures("prowler/agreement.json")
    sound, broken = found["asDeployed"], found["broken"]
    yield f"Prowler {sound['prowlerVersion']}, {found['measured']}:"
    yield ""
    yield "| campaign | verdicts compared | agree | differ as explained | differ, and nothing says why |"
    yield "|---|---|---|---|---|"
    for title, one in (("as deployed", sound), ("broken by hand", broken)):
        counts = (one["compared"], one["agree"], one["explained"], len(one["unexplained"]))
        yield f"| {title} | {' | '.join(map(str, counts))} |"
    yield ""
    yield "Where both are about the same and may differ:"
    yield ""
    yield "| Prowler's check | our control | why |"
    yield "|---|---|---|"
    differing = {row["check"] for one in (sound, broken) for row in one["rows"] if not row["agree"]}
    said: dict[str, list[str]] = {}
    for shared in SHARED:
        if shared.differs:
            said.setdefault(shared.differs, []).append(shared.check)
    by_check = {shared.check: shared for shared in SHARED}
    for reason, checks in said.items():
        names = ", ".join(f"`{check}`{'' if check in differing else ' (they agreed)'}" for check in checks)
        ours = ", ".join(dict.fromkeys(f"`{name}`" for check in checks for name in by_check[check].controls))
        yield f"| {names} | {ours} | {reason} |"
    yield ""
    agreed = [f"`{shared.check}`" for shared in SHARED if not shared.differs]
    yield f"Everywhere else they must agree, and do: {', '.join(agreed)}."


def overhead() -> Iterator[str]:
    """What the policy pack adds to a preview."""
    found = figures("policies.json")
    few, many = found["resources"]
    yield f"{few} and {many} resources, the least of {found['runs']} runs each with and without the pack in turn, "
    yield f"{found['measured']}, load of the machine {found['loadOfTheMachine']}:"
    yield ""
    yield "| what the pack adds | budget | elapsed | processor time |"
    yield "|---|---|---|---|"
    elapsed, processor = found["elapsed"], found["processor"]
    yield f"| to the start | 2 s | {elapsed['startSeconds']} s | {processor['startSeconds']} s |"
    each = "millisecondsPerResource"
    yield f"| for each resource | 8 ms | {elapsed[each]} ms | {processor[each]} ms |"


def mutation() -> Iterator[str]:
    """What the cases notice of broken checks."""
    found = figures("mutation.json")
    share = f"{found['percent']} %, {found['measured']}"
    yield f"{found['killed']:,} of {found['mutants']:,} mutants are noticed ({share})."


WRITERS = {"measured": measured, "agreement": agreement, "overhead": overhead, "mutation": mutation}


def page(text: str, places: tuple[str, ...], writers: Mapping[str, Any] = WRITERS) -> str:
    """A page with its figures in their places.

    Raises:
        ValueError: a place is missing.
    """
    for name in places:
        written = "\n".join(writers[name]())
        text = rewritten(text, f"<!-- {name} -->\n", f"<!-- /{name} -->", f"{written}\n", what=name)
    return text


def main() -> None:
    """Write every page."""
    for path, places in PLACES.items():
        path.write_text(page(path.read_text(), places))


if __name__ == "__main__":
    main()
