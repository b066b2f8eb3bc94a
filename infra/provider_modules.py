"""Resources of pulumi_gcp, loaded one by one.

A service's package of pulumi_gcp imports all of its resources at first use: for ``pulumi_gcp.compute`` that is nearly
three hundred modules for the six that this program names, a second of every preview. Here a service's package starts
empty and takes a resource's module in when the program first names it. A name that is in none of the modules where it
should be makes the package load whole, as without this module; so nothing can be missed. Arguments and results
are classes of their own, see ``provider_classes``.
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

from infra import provider_classes

PACKAGE = "pulumi_gcp"
WHOLE: set[str] = set()
"""Packages that had to be loaded whole."""


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
        WHOLE.add(module.__name__)
        provider_classes.complete(module.__name__)
        self.whole.exec_module(module)
        return getattr(module, name)


class ServiceFinder(MetaPathFinder):
    """Finds the packages of pulumi_gcp, one a service, and what lies in them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A service's package or module with a loader of ours; nothing for anything else."""
        package, _, service = fullname.partition(".")
        if package != PACKAGE or not service or fullname.rpartition(".")[0] in WHOLE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or spec.origin is None:
            return spec
        service, _, name = service.partition(".")
        if spec.submodule_search_locations:
            if not name:
                spec.loader = ServiceLoader(spec.loader, Path(spec.submodule_search_locations[0]))
        elif name in provider_classes.HOLDERS:
            spec.loader = provider_classes.ClassLoader(spec.loader, Path(spec.origin))
        elif name:
            spec.loader = provider_classes.ResourceLoader(spec.loader, Path(spec.origin))
        return spec


def install() -> None:
    """From here on services are loaded as this module's text says. Call it before the first import of pulumi_gcp."""
    if not any(isinstance(finder, ServiceFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, ServiceFinder())
