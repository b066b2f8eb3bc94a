"""The tables of docs/identities.md, from what `python -m bench.grants` measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.grants.report import same

Document = Mapping[str, Any]

BEGIN, END = "<!-- bench/grants.json: begin -->", "<!-- bench/grants.json: end -->"
LONGEST, MOST_SHOWN = 140, 25

NARROWER = """## What of each role was used

Predefined roles hold more than a deployment of this kind uses. A custom role with the permissions below is enough for
the stack that was measured; another stack, or another release of the provider, may need more, which is why the seed
stack grants the predefined ones. `roles/owner` is what the creator of a project holds in it.

| identity | role | permissions used |
|---|---|---|""".splitlines()

KINDS = (
    ("deployer", "The deployer", "the whole deployment begun anew without it"),
    ("previewer", "The previewer", "`pulumi preview` with a refresh of everything deployed"),
    ("pipeline", "Pipelines", "a workflow's token exchanged"),
    ("runtime", "The function", ""),
    ("build", "The build", ""),
    ("service agent", "Google's service agents", ""),
    ("invoker", "Who may ask for images", ""),
    ("people", "Other people", ""),
)


def page(text: str, results: Document) -> str:
    """The page with new tables between its two marks.

    Raises:
        ValueError: a mark is missing.
    """
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    return "\n".join([text[:before], *measured(results), text[after:]])


def measured(results: Document) -> list[str]:
    """Figures and tables."""
    counts, timings = results["counts"], results["timings"]
    took = ", ".join(f"{timings[verb]} s {verb}" for verb in ("up", "preview", "refresh", "destroy") if verb in timings)
    figures = (
        f"Measured {results['measured']}: {counts['grants']} grants. Removed, and a step failed: {counts['removed']}. "
        f"Derived from the recording as well: {counts['derived']}, from it alone: {counts['derivedOnly']}. Listed with "
        f"a reason: {counts['listed']}. Unexplained: {counts['unexplained']}. The deployer's way took {took}."
    )
    lines = [figures, "", "## The grants", ""]
    for kind, title, how in KINDS:
        proofs = [proof for proof in results["grants"] if proof["of"] == kind]
        if proofs:
            lines += [
                f"### {title}",
                "",
                *([f"Step: {how}.", ""] if how else []),
                *table(proofs, results["derived"]),
                "",
            ]
    return [*lines, *narrower(results["used"]), ""]


def table(proofs: Iterable[Document], derived: Iterable[Document]) -> list[str]:
    """One line a grant."""
    rows = ["| grant | role | what fails without it | s |", "|---|---|---|---|"]
    for proof in proofs:
        if proof["denied"]:
            lacking = f", which needs `{proof['permission']}`" if proof["permission"] else ""
            what = f"{proof['step'].replace('_', ' ')}: {quoted(proof['denied'])}{lacking}"
        elif proof["alone"]:
            need = next(binding for binding in derived if same(proof, binding))
            what = f"derived: `{need['step']}` needs `{need['permission']}`, which nothing else gave"
        else:
            what = f"listed: {proof['reason']}" if proof["reason"] else "nothing"
        rows.append(f"| `{proof['grant']}` | `{proof['role'].removeprefix('roles/')}` | {what} | {proof['seconds']} |")
    return rows


def quoted(text: str) -> str:
    """A message or method within a table."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} …"
    return f"`{short.replace('|', '/').replace('`', chr(39))}`"


def narrower(used: Iterable[Document]) -> list[str]:
    """What of each role was used, for who wants custom roles."""
    lines = [*NARROWER]
    for entry in used:
        found = entry["permissions"]
        shown = ", ".join(f"`{name}`" for name in found[:MOST_SHOWN])
        rest = f" and {len(found) - MOST_SHOWN} more (`bench/grants.json`)" if len(found) > MOST_SHOWN else ""
        lines.append(f"| {entry['identity']} | `{entry['role'].removeprefix('roles/')}` | {shown}{rest} |")
    return lines
