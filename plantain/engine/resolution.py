"""Which engine is used: what is there before what must be fetched or built."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from plantain.engine import versions
from plantain.engine.build import Build
from plantain.engine.cache import Cache
from plantain.engine.engine import SOURCES, Engine, Source
from plantain.engine.errors import EngineError, GoTooOldError, NoEngineError, WrongEngineError
from plantain.engine.installed import Absent, find
from plantain.engine.progress import Reporter
from plantain.engine.released import RELEASES, Release
from plantain.engine.toolchain import Go, locate

OVERRIDE = "PLANTAIN_ENGINE"


def resolve(
    source: Source | None = None,
    *,
    rebuild: bool = False,
    thorough: bool = False,
    reporter: Reporter | None = None,
    cache: Cache | None = None,
) -> Engine:
    """Get an engine, in this order.

    1. an installed ``pulumi`` of a supported version with its ``gcp`` plugin;
    2. one that was fetched or built before;
    3. Pulumi's own release, if its hosts answer within a few seconds;
    4. the build from Go modules (about ten minutes, once).

    Args:
        source: accept this one only; by default what the variable PLANTAIN_ENGINE says, or any.
        rebuild: build from Go modules although there is an engine.
        thorough: compare the contents of all of a fetched or built engine's files, not only sizes and times.
        reporter: where progress is shown; standard error by default.
        cache: where fetched and built engines lie; the user's cache folder by default.

    Raises:
        EngineError: none is to be had; the message says why each way is closed.
    """
    search = _Search(cache or Cache.of_user(), reporter or Reporter(), thorough)
    if rebuild:
        return search.build(anew=True)
    asked = source or _override()
    return search.only(asked) if asked else search.any()


def _override() -> Source | None:
    asked = os.environ.get(OVERRIDE, "")
    if asked and asked not in SOURCES:
        raise WrongEngineError(
            f"{OVERRIDE} is {asked!r}, which is not one of {', '.join(SOURCES)}.", cure=f"unset {OVERRIDE}"
        )
    return asked or None


@dataclass
class _Search:
    cache: Cache
    reporter: Reporter
    thorough: bool
    wanted: versions.Versions = field(default_factory=versions.load)

    def any(self) -> Engine:
        """The first way that is open."""
        installed = find(self.wanted, ours=self.cache.root)
        if isinstance(installed, Engine):
            return installed
        release = self._release()
        if found := release.find(thorough=self.thorough):
            return found
        go = self._go()
        if isinstance(go, Go) and (found := self._build(go).find(thorough=self.thorough)):
            return found
        fetched = release.fetch()
        if isinstance(fetched, Engine):
            return fetched
        if isinstance(go, Go):
            return self._build(go).make()
        raise NoEngineError(
            "There is no Pulumi engine, and none can be made here:\n"
            f"  installed: {installed.reason}\n  released: {fetched.reason}\n  built: {go}",
            cure=go.cure
            if isinstance(go, GoTooOldError)
            else f"install Go {self.wanted.go.minimum} or newer, which needs only a module proxy, "
            "then run: plantain engine",
        )

    def only(self, source: Source) -> Engine:
        """The way that was asked for, or an error."""
        if source == "built":
            return self.build()
        if source == "installed":
            found: Engine | Absent = find(self.wanted, ours=self.cache.root)
        else:
            release = self._release()
            found = release.find(thorough=self.thorough) or release.fetch()
        if isinstance(found, Absent):
            raise WrongEngineError(
                f"Only an engine that is {source} was asked for, and there is none: {found.reason}.",
                cure=f"unset {OVERRIDE}, or set it to another of {', '.join(SOURCES)}",
            )
        return found

    def build(self, *, anew: bool = False) -> Engine:
        """The engine made of Go modules."""
        go = self._go()
        if not isinstance(go, Go):
            if isinstance(go, GoTooOldError):
                raise go
            raise NoEngineError(
                f"The engine cannot be built: {go}.",
                cure=f"install Go {self.wanted.go.minimum} or newer and put it on PATH",
            )
        build = self._build(go)
        found = None if anew else build.find(thorough=self.thorough)
        return found or build.make(anew=anew)

    def _release(self) -> Release:
        return Release(self.wanted, self.cache, self.reporter, RELEASES)

    def _build(self, go: Go) -> Build:
        return Build(go, self.cache, versions.SOURCES, self.reporter)

    def _go(self) -> Go | EngineError:
        """The Go on PATH, or why there is none that fits."""
        command = shutil.which("go")
        if command is None:
            return EngineError("no go is on PATH")
        try:
            return locate(Path(command), versions.SOURCES)
        except GoTooOldError as error:
            return error
