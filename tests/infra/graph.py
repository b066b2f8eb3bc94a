"""The pictures of a campaign in docs/campaign.md and of the foundation in docs/infrastructure.md, from their resources.

    python -m tests.infra.graph

draws them anew; a test fails when they are not as this draws them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "functions"))

from tests.infra.setting_case import FOUNDATION, SEED, Shape, filled_shape  # noqa: E402 -- the path comes first
from tests.infra.setting_shapes import SHAPES  # noqa: E402 -- the path comes first
from tests.infra.stacks import record, record_documents  # noqa: E402 -- the path comes first
from tools.generated_part import rewritten  # noqa: E402 -- the path comes first

if TYPE_CHECKING:
    from tests.infra.recording_engine import Recording, Registered

PAGE = ROOT / "docs" / "campaign.md"
FOUNDATION_PAGE = ROOT / "docs" / "infrastructure.md"
BEGIN = "<!-- drawn by python -m tests.infra.graph -->"
END = "<!-- end of the picture -->"
WRAPPERS = {"Campaign", "CampaignFoundation", "Foundation", "Guard"}
PERIMETER = "Perimeter"


def project_folder(folder: Path) -> Path:
    """A project that a stack can be recorded of."""
    for name, text in (("functions/main.py", ""), ("functions/requirements.txt", ""), ("wheels/a.whl", "")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def owner(stack: Recording, resource: Registered) -> str:
    """The component a resource is drawn as: the outermost one that is not a wrapper."""
    found, at = "", resource.parent
    while at in stack.resources:
        kind = stack.resources[at].type.rpartition(":")[2]
        if kind not in WRAPPERS:
            found = kind
        at = stack.resources[at].parent
    return found


def edges(stack: Recording) -> dict[str, set[str]]:
    """For each component those whose resources its own wait for, without what follows from others."""
    owners = {resource.urn: owner(stack, resource) for resource in stack.cloud()}
    direct: dict[str, set[str]] = {name: set() for name in owners.values()}
    for resource in stack.cloud():
        mine = owners[resource.urn]
        direct[mine] |= {owners[urn] for urn in resource.dependencies if urn in owners} - {mine}

    def reached(name: str, seen: set[str]) -> set[str]:
        for other in direct[name] - seen:
            seen.add(other)
            reached(other, seen)
        return seen

    return {
        name: {one for one in others if not any(one in reached(other, set()) for other in others - {one})}
        for name, others in direct.items()
    }


def picture(stack: Recording) -> str:
    """The graph in Mermaid, which GitHub and GitLab draw."""
    found = edges(stack)
    count = dict.fromkeys(found, 0)
    for resource in stack.cloud():
        count[owner(stack, resource)] += 1
    inside = sorted(
        name
        for name in found
        if any(
            owner(stack, other) == PERIMETER
            for resource in stack.cloud()
            if owner(stack, resource) == name
            for other in stack.comes_after(resource)
        )
        and name != PERIMETER
    )
    lines = ["flowchart LR"]
    lines += [f'  {name}["{name} ({count[name]})"]' for name in sorted(set(found) - set(inside))]
    if inside:
        lines += ['  subgraph inside["made inside the perimeter"]']
        lines += [f'    {name}["{name} ({count[name]})"]' for name in inside]
        lines += ["  end"]
    lines += [f"  {before} --> {name}" for name in sorted(found) for before in sorted(found[name])]
    return "\n".join(lines)


def whole_foundation() -> Shape:
    """A stack with a foundation and a seed project, as no stack has both but one picture may."""
    both = {**SHAPES[FOUNDATION].settings, "bootstrap": SHAPES[SEED].settings["bootstrap"]}
    return filled_shape(Shape(both), {})


def page(text: str, drawn: str) -> str:
    """A page with the picture drawn anew.

    Raises:
        ValueError: the page has no place for it.
    """
    return rewritten(text, BEGIN, END, f"\n\n```mermaid\n{drawn}\n```\n\n", what="the picture")


def main() -> None:
    """Draw it anew."""
    with tempfile.TemporaryDirectory() as name:
        folder = project_folder(Path(name))
        drawn = picture(record(folder))
        PAGE.write_text(page(PAGE.read_text(), drawn))
        drawn = picture(record_documents(folder, whole_foundation().settings, None))
        FOUNDATION_PAGE.write_text(page(FOUNDATION_PAGE.read_text(), drawn))


if __name__ == "__main__":
    main()
