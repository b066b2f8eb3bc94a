"""Resources of pulumi_gcp, loaded one by one.

A service's package of pulumi_gcp imports all of its resources at first use: for ``pulumi_gcp.compute`` that is nearly
three hundred modules for the six that this program names, a second of every preview. Here a service's package starts
empty and takes a resource's module in when the program first names it. A name that is in none of the modules where it
should be makes the package load whole, as without this module; so nothing can be missed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "pulumi_gcp"


def key(name: str) -> str:
    """What a module and the names in it have in common: ``iam_member`` and ``IAMMember`` are both ``iammember``."""
    return name.replace("_", "").lower()


class ServiceLoader(Loader):
    """Makes a service's package without running it."""

    def __init__(self, whole: Loader, folder: Path) -> None:
        self.whole = whole
        self.modules = {key(file.stem): file.stem for file in folder.glob("[a-z]*.py")}

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader of the whole package."""
        return self.whole.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Give the empty package a way to find what it is asked for."""

        def resolve(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return self.resolve(module, name)

        module.__dict__["__getattr__"] = resolve

    def resolve(self, module: ModuleType, name: str) -> Any:
        """A resource, its arguments, or a data source of a service. Raises AttributeError when it has no such name."""
        keys = key(name), key(name.removesuffix("Args")), key(name.removesuffix("_output"))
        for candidate in (*(self.modules[at] for at in keys if at in self.modules), "_inputs"):
            found = import_module(f"{module.__name__}.{candidate}")
            if hasattr(found, name):
                module.__dict__[name] = getattr(found, name)
                return module.__dict__[name]
            if name == candidate:
                return found
        module.__dict__.pop("__getattr__")
        self.whole.exec_module(module)
        return getattr(module, name)


class ServiceFinder(MetaPathFinder):
    """Finds the packages of pulumi_gcp, one a service."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The package of a service with the loader above; nothing for anything else."""
        package, _, service = fullname.partition(".")
        if package != PACKAGE or not service or "." in service:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader and spec.submodule_search_locations:
            spec.loader = ServiceLoader(spec.loader, Path(spec.submodule_search_locations[0]))
        return spec


def install() -> None:
    """From here on services are loaded as this module's text says. Call it before the first import of pulumi_gcp."""
    if not any(isinstance(finder, ServiceFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, ServiceFinder())
