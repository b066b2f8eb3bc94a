"""A scene as SVG: projects beside each other in the perimeter, callers to the left, the model to the right."""

from __future__ import annotations

from html import escape

from plantain.graphs.scene import Node, ProjectBox, Scene

WIDTH, HEIGHT, GAP_X, GAP_Y = 206, 58, 96, 22
MARGIN, HEAD = 28, 46
LONGEST_NAME, LONGEST_SMALL_NAME = 22, 26
COLORS = {
    "function": "#2f6b3c",
    "bucket": "#1f5f8b",
    "log bucket": "#1f5f8b",
    "key": "#9a6200",
    "identity": "#6b4a8b",
    "callers": "#374151",
    "model": "#8b2f4f",
    "network": "#4b5563",
}
COLUMNS = (
    ("function", "queue", "worker pool", "network"),
    ("bucket", "log bucket", "repository", "topic"),
    ("key", "identity"),
)
STROKES = {"call": "", "data": "", "key": "stroke-dasharray:4 4", "identity": "stroke-dasharray:1 4"}
STYLE = """
  .box{fill:#fff;stroke-width:1.6} .kind{font-size:11px;fill:#5d6a66} .name{font-size:13px;font-weight:600;fill:#1c2321}
  .line{fill:none;stroke:#5d6a66;stroke-width:1.4;marker-end:url(#tip)}
  .label{font-size:10.5px;fill:#5d6a66;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}
  .long{font-size:11px}
  .title{font-size:14px;font-weight:600;fill:#1c2321}
"""
Place = tuple[float, float]


def svg(scene: Scene) -> str:
    """The drawing, as one file without anything from elsewhere."""
    places: dict[str, Place] = {}
    parts: list[str] = []
    callers = [node for node in scene.outside if node.kind == "callers"]
    models = [node for node in scene.outside if node.kind != "callers"]
    left = MARGIN + (WIDTH + GAP_X if callers else 0)
    top = MARGIN + HEAD
    bottom: float = top
    right: float = left
    ordered = sorted(scene.projects, key=lambda box: (not box.inside, box.id))
    borders: list[tuple[float, float, float, float]] = []
    for box in ordered:
        height, width = _place(box, left + MARGIN, bottom + HEAD, places)
        parts.append(
            _frame(left, bottom, width + 2 * MARGIN, height + HEAD + MARGIN, f"project {box.id}", "#9fb3a7", "#f4f7f4")
        )
        if box.inside:
            borders.append((left, bottom, left + width + 2 * MARGIN, bottom + height + HEAD + MARGIN))
        right = max(right, left + width + 2 * MARGIN)
        bottom += height + HEAD + MARGIN + GAP_Y
    for number, node in enumerate(callers):
        places[node.id] = (MARGIN, top + HEAD + number * (HEIGHT + GAP_Y))
    for number, node in enumerate(models):
        places[node.id] = (right + GAP_X + MARGIN, top + HEAD + number * (HEIGHT + GAP_Y))
    total_width = right + MARGIN + (WIDTH + GAP_X + MARGIN if models else 0)
    rows = max(len(callers), len(models), 1)
    total_height = max(bottom, top + HEAD + rows * (HEIGHT + GAP_Y)) + MARGIN
    border = ""
    if borders:
        x, y = min(one[0] for one in borders) - 14, min(one[1] for one in borders) - 34
        w, h = max(one[2] for one in borders) + 14 - x, max(one[3] for one in borders) + 14 - y
        state = "enforced" if scene.enforced else "dry-run: logs, refuses nothing"
        border = _frame(
            x, y, w, h, f"perimeter {scene.perimeter} ({state})", "#b45309", "#fffbeb", dashed=not scene.enforced
        )
    lines = [_line(edge.kind, edge.label, places[edge.source], places[edge.target]) for edge in scene.edges]
    nodes = [*scene.outside, *(node for box in scene.projects for node in box.nodes)]
    boxes = [_box(node, places[node.id]) for node in nodes]
    title = f"What stack {scene.stack} deploys"
    return (
        "\n".join(
            [
                (
                    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width:.0f} {total_height:.0f}" '
                    f'role="img" font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif" '
                    f'aria-label="{escape(title)}">'
                ),
                f"<title>{escape(title)}</title>",
                (
                    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
                    'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="#5d6a66"/></marker>'
                    f"<style>{STYLE}</style></defs>"
                ),
                f'<rect width="{total_width:.0f}" height="{total_height:.0f}" fill="#ffffff"/>',
                border,
                *parts,
                *(line for line, _ in lines),
                *boxes,
                *(label for _, label in lines if label),
                "</svg>",
            ]
        )
        + "\n"
    )


def _place(box: ProjectBox, x: float, y: float, places: dict[str, Place]) -> tuple[float, float]:
    """Put a project's boxes into columns; returns height and width that they take."""
    known = {kind for column in COLUMNS for kind in column}
    columns = [[node for node in box.nodes if node.kind in column] for column in COLUMNS]
    columns[0] += [node for node in box.nodes if node.kind not in known]
    used = [column for column in columns if column]
    for number, column in enumerate(used):
        for row, node in enumerate(column):
            places[node.id] = (x + number * (WIDTH + GAP_X), y + row * (HEIGHT + GAP_Y))
    tallest = max((len(column) for column in used), default=1)
    return tallest * (HEIGHT + GAP_Y) - GAP_Y, max(len(used), 1) * (WIDTH + GAP_X) - GAP_X


def _frame(
    x: float, y: float, width: float, height: float, title: str, stroke: str, fill: str, *, dashed: bool = False
) -> str:
    dash = ' stroke-dasharray="9 5"' if dashed else ""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="12" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.8"{dash}/>'
        f'<text x="{x + 16:.0f}" y="{y + 25:.0f}" class="title">{escape(title)}</text>'
    )


def _box(node: Node, place: Place) -> str:
    x, y = place
    color = COLORS.get(node.kind, "#4b5563")
    kind = f"{node.kind}, {node.note}" if node.note else node.kind
    style = "name" if len(node.label) <= LONGEST_NAME else "name long"
    return (
        f'<g><rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="8" class="box" stroke="{color}"/>'
        f'<rect x="{x:.0f}" y="{y + 8:.0f}" width="4" height="{HEIGHT - 16}" fill="{color}"/>'
        f'<text x="{x + 14:.0f}" y="{y + 23:.0f}" class="kind">{escape(_cut(kind, 33))}</text>'
        f'<text x="{x + 14:.0f}" y="{y + 42:.0f}" class="{style}">{escape(_cut(node.label, LONGEST_SMALL_NAME))}'
        f"<title>{escape(node.label)}</title></text></g>"
    )


def _line(kind: str, label: str, source: Place, target: Place) -> tuple[str, str]:
    """The line, and its label, which is drawn over everything else."""
    anchor = "middle"
    forward = target[0] >= source[0]
    if abs(target[0] - source[0]) < WIDTH:
        x, bend = source[0] + WIDTH, 30
        start, end = (x, source[1] + HEIGHT / 2), (x, target[1] + HEIGHT / 2)
        path = curve(start, end, x + bend)
        middle, anchor = (x + bend * 0.8, (start[1] + end[1]) / 2), "start"
    elif kind == "data" and abs(target[0] - source[0]) > 2 * (WIDTH + GAP_X) - 1:
        # Over the heads of what lies between.
        over, turn = source[1] - 12, target[0] - GAP_X / 2
        path = (
            f"M{source[0] + WIDTH / 2:.0f} {source[1]:.0f} V{over:.0f} H{turn:.0f} "
            f"V{target[1] + HEIGHT / 2:.0f} H{target[0]:.0f}"
        )
        middle = (turn - GAP_X, over - 5)
    else:
        start = (source[0] + (WIDTH if forward else 0), source[1] + HEIGHT / 2)
        end = (target[0] + (0 if forward else WIDTH), target[1] + HEIGHT / 2)
        half = (start[0] + end[0]) / 2
        path = curve(start, end, half)
        middle = (half, (start[1] + end[1]) / 2 - 5)
    shown = (
        f'<text x="{middle[0]:.0f}" y="{middle[1]:.0f}" class="label" text-anchor="{anchor}">{escape(label)}</text>'
        if kind in {"call", "data"}
        else ""
    )
    return f'<path d="{path}" class="line" style="{STROKES[kind]}"><title>{escape(label)}</title></path>', shown


def curve(start: Place, end: Place, through: float) -> str:
    """The path of a line that leaves and arrives level."""
    (x, y), (to_x, to_y) = start, end
    return f"M{x:.0f} {y:.0f} C{through:.0f} {y:.0f} {through:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
