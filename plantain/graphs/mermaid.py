"""A scene as Mermaid text, which code hosts draw by themselves."""

from __future__ import annotations

import re

from plantain.graphs.scene import Node, Scene

SHAPES = {
    "bucket": ("[(", ")]"),
    "log bucket": ("[(", ")]"),
    "key": ("{{", "}}"),
    "identity": ("([", "])"),
    "callers": ("([", "])"),
    "queue": ("[/", "/]"),
    "model": ("[[", "]]"),
}
ENTITIES = str.maketrans({"&": "&amp;", '"': "&quot;", "<": "&lt;", ">": "&gt;", "`": "#96;", "#": "#35;"})
LIST = re.compile(r"^(\d*)([.)*+-])(?= )")
ARROWS = {"call": "-->", "data": "==>", "key": "-.->", "identity": "-.->"}


def mermaid(scene: Scene) -> str:
    """The text of a flowchart."""
    names = {node.id: f"n{number}" for number, node in enumerate(_nodes(scene))}
    lines = ["flowchart LR"]
    lines += [f"  {_box(names[node.id], node)}" for node in scene.outside]
    inside = [box for box in scene.projects if box.inside]
    indent = "  "
    if inside:
        state = "enforced" if scene.enforced else "dry-run"
        lines.append(f'  subgraph perimeter["perimeter {_text(scene.perimeter)} ({state})"]')
        indent = "    "
    for box in (*inside, *(one for one in scene.projects if not one.inside)):
        if not box.inside and inside and indent == "    ":
            lines.append("  end")
            indent = "  "
        lines.append(f'{indent}subgraph p{box.number or box.id.replace("-", "")}["project {_text(box.id)}"]')
        lines += [f"{indent}  {_box(names[node.id], node)}" for node in box.nodes]
        lines.append(f"{indent}end")
    if indent == "    ":
        lines.append("  end")
    for edge in scene.edges:
        lines.append(f'  {names[edge.source]} {ARROWS[edge.kind]}|"{_text(edge.label)}"| {names[edge.target]}')
    return "\n".join(lines) + "\n"


def _nodes(scene: Scene) -> list[Node]:
    return [*scene.outside, *(node for box in scene.projects for node in box.nodes)]


def _box(name: str, node: Node) -> str:
    begin, end = SHAPES.get(node.kind, ("[", "]"))
    return f'{name}{begin}"{_text(node.kind)}<br/>{_text(node.label)}"{end}'


def _text(text: str) -> str:
    """Text that stays what it is: it ends no label, and is neither Markdown nor an entity.

    Seen in Mermaid 12: a backtick begins Markdown, ``#35;`` is an entity, ``1. `` and ``- `` are lists it refuses.
    """
    plain = " ".join(text.split()).translate(ENTITIES)
    return LIST.sub(lambda found: f"{found[1]}#{ord(found[2])};", plain)
