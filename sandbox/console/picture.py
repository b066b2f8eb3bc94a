"""Where each part of the graph's picture stands, in pixels."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.console.graph import CATEGORIES, Collection, Graph

CHIP_WIDTH, CHIP_HEIGHT, CHIP_GAP = 188, 34, 10
LONGEST_LABEL = 21
COLUMN_GAP = 34
MARGIN = 20
HEADING = 62
PROJECT_WIDTH = len(CATEGORIES) * (CHIP_WIDTH + COLUMN_GAP) - COLUMN_GAP + 2 * MARGIN
SMALL_HEIGHT = 46
#: Projects that are drawn whole; the others as one line each.
DRAWN = 3


@dataclass(frozen=True)
class Chip:
    """One collection."""

    collection: Collection
    x: int
    y: int

    @property
    def label(self) -> str:
        """The collection's title; its beginning and last word where there is no room for more beside the count."""
        title = self.collection.title
        if len(title) <= LONGEST_LABEL:
            return title
        last = title.rpartition(" ")[2]
        return f"{title[: LONGEST_LABEL - len(last) - 2].rstrip()}\N{HORIZONTAL ELLIPSIS} {last}"


@dataclass(frozen=True)
class Box:
    """One project, or a perimeter round several; ``chips`` is empty for a project that is only named."""

    title: str
    note: str
    x: int
    y: int
    width: int
    height: int
    chips: tuple[Chip, ...] = ()
    headings: tuple[tuple[str, int, int], ...] = ()
    enforced: bool = False


@dataclass(frozen=True)
class Line:
    """One connection, as a path of SVG."""

    path: str
    text: str
    how: str


@dataclass(frozen=True)
class Picture:
    """The whole."""

    width: int
    height: int
    perimeters: tuple[Box, ...]
    projects: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(graph: Graph, shown: str = "") -> Picture:
    """Place everything; ``shown`` is a project to draw whole wherever it stands."""
    inside = [(perimeter, [p for p in perimeter["members"] if p in graph.projects]) for perimeter in graph.perimeters]
    placed = {project for _, members in inside for project in members}
    outside = [project for project in graph.projects if project not in placed]
    y, drawn = MARGIN, 0
    boxes: list[Box] = []
    frames: list[Box] = []
    done: set[str] = set()

    def put(projects: list[str], x: int, y: int) -> int:
        nonlocal drawn
        for project in projects:
            if project in done:  # a bridge's member stands in its regular perimeter
                continue
            done.add(project)
            whole = project == shown or (drawn < DRAWN and not shown)
            drawn += whole
            box = project_box(project, graph.projects[project], x, y, whole=whole)
            boxes.append(box)
            y += box.height + MARGIN
        return y

    for perimeter, members in inside:
        top = y
        end = put(members, 2 * MARGIN, top + HEADING - 14)
        height = max(end, top + HEADING) - top
        state = "enforced" if perimeter["enforced"] else "dry-run"
        note = f"{state}, {perimeter['services']} restricted services, {counted(len(members), 'member')}"
        width = PROJECT_WIDTH + 2 * MARGIN
        frames.append(Box(perimeter["title"], note, MARGIN, top, width, height, enforced=perimeter["enforced"]))
        y = top + height + MARGIN
    y = put(outside, 2 * MARGIN, y)
    chips = {(c.collection.project, c.collection.kind): c for box in boxes for c in box.chips}
    lines = tuple(
        Line(path(chips[c.source], chips[c.target]), f"{c.source[1]} {c.how} {c.target[1]} ({c.count})", c.how)
        for c in graph.connections
        if c.source in chips and c.target in chips
    )
    return Picture(PROJECT_WIDTH + 4 * MARGIN, y, tuple(frames), tuple(boxes), lines)


def project_box(project: str, collections: list[Collection], x: int, y: int, *, whole: bool) -> Box:
    """A project with a column for each category, or its name alone."""
    count = sum(len(collection.names) for collection in collections)
    note = counted(count, "resource")
    if not whole:
        return Box(project, note, x, y, PROJECT_WIDTH, SMALL_HEIGHT)
    chips, headings, tallest = [], [], 0
    for column, category in enumerate(CATEGORIES):
        left = x + MARGIN + column * (CHIP_WIDTH + COLUMN_GAP)
        headings.append((category, left, y + HEADING - 10))
        members = [collection for collection in collections if collection.category == category]
        tallest = max(tallest, len(members))
        chips += [
            Chip(collection, left, y + HEADING + row * (CHIP_HEIGHT + CHIP_GAP))
            for row, collection in enumerate(members)
        ]
    height = HEADING + tallest * (CHIP_HEIGHT + CHIP_GAP) + MARGIN // 2
    return Box(project, note, x, y, PROJECT_WIDTH, height, tuple(chips), tuple(headings))


def counted(count: int, noun: str) -> str:
    """``1 member``, ``2 members``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def path(source: Chip, target: Chip) -> str:
    """A curve from the side of one chip to the nearer side of the other."""
    start_y, end_y = source.y + CHIP_HEIGHT / 2, target.y + CHIP_HEIGHT / 2
    if source.x == target.x:
        left = source.x
        return f"M{left} {start_y} C{left - 26} {start_y} {left - 26} {end_y} {left} {end_y}"
    forward = target.x > source.x
    start_x = source.x + (CHIP_WIDTH if forward else 0)
    end_x = target.x + (0 if forward else CHIP_WIDTH)
    bend = (end_x - start_x) / 2
    return f"M{start_x} {start_y} C{start_x + bend} {start_y} {end_x - bend} {end_y} {end_x} {end_y}"
