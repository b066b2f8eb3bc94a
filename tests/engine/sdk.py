"""The classes of the Python SDK ``pulumi_gcp``, read from its sources, without importing any of its 190 modules."""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

Kind = Literal["scalar", "array", "map", "object", "asset"]

_SCALARS = {"bool", "float", "int", "str", "Any", "object"}
_WRAPPERS = {"Input", "Output", "Optional", "Awaitable"}


@dataclass(frozen=True)
class Property:
    """A property as the SDK declares it.

    Attributes:
        name: as Pulumi spells it: accountId.
        python: as the program spells it: account_id.
        kind: its outermost shape.
        type: class of the object, or of the array's or map's objects.
        required: a program has to give it.
    """

    name: str
    python: str
    kind: Kind
    type: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Class:
    module: str
    name: str
    properties: dict[str, Property] = field(default_factory=dict)


class Sdk:
    """All of ``pulumi_gcp``."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("pulumi_gcp")
        assert spec
        assert spec.submodule_search_locations
        self.root = Path(spec.submodule_search_locations[0])

    @cached_property
    def resources(self) -> dict[str, tuple[Path, str]]:
        """File and class of each resource, by type token."""
        pattern = re.compile(r'^@pulumi\.type_token\("([^"]+)"\)\nclass (\w+)\(', re.MULTILINE)
        found: dict[str, tuple[Path, str]] = {}
        for path in [*self.root.glob("*/*.py"), self.root / "provider.py"]:
            if not path.name.startswith(("get_", "_", "outputs")):
                found |= {m[1]: (path, m[2]) for m in pattern.finditer(path.read_text(encoding="utf-8"))}
        return found

    @cached_property
    def functions(self) -> dict[str, tuple[Path, str]]:
        """File and Python name of each function, by token."""
        pattern = re.compile(r"^def (\w+)\(.*?pulumi\.runtime\.invoke\('([^']+)'", re.MULTILINE | re.DOTALL)
        found: dict[str, tuple[Path, str]] = {}
        for path in self.root.glob("*/get_*.py"):
            found |= {m[2]: (path, m[1]) for m in pattern.finditer(path.read_text(encoding="utf-8"))}
        return found

    def class_of(self, path: Path, name: str) -> Class | None:
        return _classes(path).get(name)

    def inputs(self, module: str, name: str) -> Class | None:
        """A nested type that programs give."""
        folder = self.root if module == self.root.name else self.root / module
        return self.class_of(folder / "_inputs.py", name)

    def arguments(self, path: Path, function: str) -> dict[str, Property]:
        """Parameters of a function, by Pulumi's name."""
        tree = _tree(path)
        definition = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
        source = ast.unparse(definition)
        names = {python: name for name, python in re.findall(r"__args__\['(\w+)'\] = (\w+)", source)}
        # The SDK leaves every parameter optional and lets the plugin complain.
        return {
            names[a.arg]: _property(names[a.arg], a.arg, a.annotation, required=True)
            for a in definition.args.args
            if a.arg in names
        }


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _classes(path: Path) -> dict[str, Class]:
    return {
        node.name: Class(path.parent.name, node.name, _properties(node))
        for node in _tree(path).body
        if isinstance(node, ast.ClassDef)
    }


def _properties(definition: ast.ClassDef) -> dict[str, Property]:
    required: set[str] = set()
    found: dict[str, Property] = {}
    for method in definition.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        if method.name == "__init__":
            pairs = zip(method.args.kwonlyargs, method.args.kw_defaults, strict=True)
            required |= {argument.arg for argument, default in pairs if default is None}
        for decorator in method.decorator_list:
            text = ast.unparse(decorator)
            if text.startswith("pulumi.getter"):
                given = re.search(r"name='(\w+)'", text)
                name = given[1] if given else method.name
                found[name] = _property(name, method.name, method.returns, required=method.name in required)
    return found


def _property(name: str, python: str, annotation: ast.expr | None, *, required: bool) -> Property:
    assert annotation is not None, name
    kind, inner = _shape(annotation)
    return Property(name, python, kind, inner, required)


def _shape(annotation: ast.expr) -> tuple[Kind, str | None]:
    """Outermost shape and the class inside, of ``pulumi.Input[Optional[Sequence[pulumi.Input['XArgs']]]]``."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _shape(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Subscript):
        outer = ast.unparse(annotation.value).rsplit(".", 1)[-1]
        inside = annotation.slice
        if outer in _WRAPPERS:
            return _shape(inside)
        if outer in {"Sequence", "List", "list"}:
            return "array", _shape(inside)[1]
        if outer in {"Mapping", "Dict", "dict"}:
            assert isinstance(inside, ast.Tuple)
            return "map", _shape(inside.elts[1])[1]
        if outer == "Union":
            assert isinstance(inside, ast.Tuple)
            return _shape(inside.elts[0])
        raise AssertionError(f"unknown annotation {ast.unparse(annotation)}")
    name = ast.unparse(annotation).rsplit(".", 1)[-1]
    if name in {"Asset", "Archive"}:
        return "asset", None
    return ("scalar", None) if name in _SCALARS else ("object", name)
