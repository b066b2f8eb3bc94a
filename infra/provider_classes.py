"""Arguments and results of pulumi_gcp's resources, made class by class.

A service's package of pulumi_gcp keeps the classes of all its resources' arguments in one module, ``_inputs``, and
those of their results in another, ``outputs``. For ``pulumi_gcp.compute`` these are nearly five megabytes of source
each, and making their classes takes more than half a second, half of what loading this program takes; it needs a dozen
of them. Here such a module starts empty and makes a class when it is asked for. A module that does not look as expected
is loaded whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from itertools import pairwise
from pathlib import Path
from types import ModuleType

#: Modules of a service that hold nothing but classes.
HOLDERS = ("_inputs", "outputs")
CLASS = re.compile(rb"\nclass (\w+)")
DECORATORS = (b"\n@pulumi.input_type", b"\n@pulumi.output_type")
#: How a class is named in an annotation; pulumi looks the name up in the module of the one that is annotated.
NAMED = re.compile(rb"'(\w+Args)'")


class ClassLoader(Loader):
    """Makes a module of classes without making the classes."""

    def __init__(self, whole: Loader, path: Path) -> None:
        self.whole, self.path = whole, path
        self.source = b""
        self.places: dict[str, tuple[int, int]] = {}

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader of the whole module."""
        return self.whole.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run what precedes the classes, and give the module a way to make them."""
        self.source = self.path.read_bytes()
        found = [(match[1].decode(), self._start(match.start())) for match in CLASS.finditer(self.source)]
        found.append(("", len(self.source)))
        self.places = {name: (start, end) for (name, start), (_, end) in pairwise(found)}
        self._run(module, 0, found[0][1])
        # Those who take everything from this module are to take what there is, which needs no list.
        if set(module.__dict__.pop("__all__", ())) != set(self.places):
            self.whole.exec_module(module)
            return

        def make(name: str) -> object:
            if name not in self.places:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            self.make(module, name)
            return module.__dict__[name]

        module.__dict__["__getattr__"] = make

    def make(self, module: ModuleType, name: str) -> None:
        """Make a class, and those that its annotations name."""
        waiting = [name]
        while waiting:
            wanted = waiting.pop()
            if wanted in module.__dict__ or wanted not in self.places:
                continue
            start, end = self.places[wanted]
            self._run(module, start, end)
            waiting += named(self.source[start:end])

    def complete(self, module: ModuleType) -> None:
        """Make every class, and the list of them."""
        for name in self.places:
            self.make(module, name)
        module.__dict__.pop("__getattr__", None)
        module.__dict__["__all__"] = list(self.places)

    def _start(self, line: int) -> int:
        """Where a class begins, its decorator included, whose own line begins after this line's end."""
        before = max(self.source.rfind(b"\n", 0, line), 0)
        return before if self.source[before:line] in DECORATORS else line

    def _run(self, module: ModuleType, start: int, end: int) -> None:
        lines = b"\n" * self.source.count(b"\n", 0, start)  # so that a traceback names the line of the file
        exec(compile(lines + self.source[start:end], self.path, "exec"), module.__dict__)  # noqa: S102 -- the file that would be imported


class ResourceLoader(Loader):
    """Loads the module of a resource, and puts the classes into it that its annotations name."""

    def __init__(self, whole: Loader, path: Path) -> None:
        self.whole, self.path = whole, path

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader of the module."""
        return self.whole.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, which takes from ``_inputs`` what is there."""
        self.whole.exec_module(module)
        holder = sys.modules.get(f"{module.__name__.rpartition('.')[0]}.{HOLDERS[0]}")
        places = _places(holder)
        for name in {*named(self.path.read_bytes())} & places.keys():
            module.__dict__.setdefault(name, getattr(holder, name))


def named(source: bytes) -> Iterator[str]:
    """The classes of arguments that annotations in a source name."""
    return (name.decode() for name in NAMED.findall(source))


def complete(package: str) -> None:
    """Make every class of a service whose modules of classes were loaded."""
    for holder in HOLDERS:
        module = sys.modules.get(f"{package}.{holder}")
        loader = module.__spec__.loader if module and module.__spec__ else None
        if module and isinstance(loader, ClassLoader):
            loader.complete(module)


def _places(holder: ModuleType | None) -> Mapping[str, object]:
    loader = holder.__spec__.loader if holder and holder.__spec__ else None
    return loader.places if isinstance(loader, ClassLoader) else {}
