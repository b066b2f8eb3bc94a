"""The Pulumi engine: ``pulumi``, its Python language host and the ``gcp`` plugin, found, fetched or built."""

from __future__ import annotations

from plantain.engine.engine import Engine, Source
from plantain.engine.errors import EngineError
from plantain.engine.resolution import resolve

__all__ = ["Engine", "EngineError", "Source", "resolve"]
