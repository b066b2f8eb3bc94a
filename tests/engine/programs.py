"""Which parts of ``pulumi_gcp`` a Pulumi program uses, read from its sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Use:
    """``gcp.module.name`` in a program.

    Attributes:
        place: file and line.
        module: as in ``gcp.storage.Bucket``: storage; empty for ``gcp.Provider``.
        name: Bucket.
        keywords: names that the call sets, and keys of dictionaries written inside it.
    """

    place: str
    module: str
    name: str
    keywords: frozenset[str]


def uses(folder: Path) -> list[Use]:
    """Every mention in the folder's own modules."""
    return [use for path in sorted(folder.rglob("*.py")) for use in _uses_of(path)]


def other_imports(folder: Path) -> list[str]:
    """Imports of ``pulumi_gcp`` that ``uses`` would not see through."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [(a.name, a.asname) for a in node.names if a.name.split(".")[0] == "pulumi_gcp"]
                strange = any(name != ("pulumi_gcp", "gcp") for name in names)
            else:
                strange = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pulumi_gcp"
            if strange:
                found.append(f"{path.name}:{getattr(node, 'lineno', 0)}")
    return found


def _uses_of(path: Path) -> Iterator[Use]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        chain = _chain(node)
        if chain is None or not isinstance(node, ast.expr):
            continue
        call = calls.get(id(node))
        keywords = frozenset(_keywords(call)) if call else frozenset()
        yield Use(f"{path.name}:{node.lineno}", *chain, keywords)


def _chain(node: ast.AST) -> tuple[str, str] | None:
    """Module and name of ``gcp.module.name`` or ``gcp.Name``."""
    if not isinstance(node, ast.Attribute):
        return None
    match node.value:
        case ast.Name("gcp") if node.attr[0].isupper():
            return "", node.attr
        case ast.Attribute(ast.Name("gcp"), module) if module.islower():
            return module, node.attr
    return None


def _keywords(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg
        for node in ast.walk(keyword.value):
            if isinstance(node, ast.Dict):
                yield from (k.value for k in node.keys if isinstance(k, ast.Constant) and isinstance(k.value, str))
