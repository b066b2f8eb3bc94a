"""Everything that can go wrong while getting the engine.

EngineError              4   base; also: the sources of the build are not there
├── NoEngineError       40   none of the three ways is open here
├── GoTooOldError       41   there is a Go, but it cannot build the modules
├── DiskFullError       42   the build does not fit, or did not
├── BuildError          43   Go refused; the message ends with its last words
│   ├── UnreachableModulesError  44   the module proxy does not answer
│   └── ChecksumError   45   a module is not the one that go.sum knows
├── CacheError          46   the cache folder cannot be written
└── WrongEngineError    47   the engine that was asked for is not there or does not fit
"""

from __future__ import annotations

from plantain.errors import PlantainError


class EngineError(PlantainError):
    """The engine is not to be had."""

    exit_code = 4


class NoEngineError(EngineError):
    """Nothing is installed, Pulumi's hosts do not answer, and there is no Go."""

    exit_code = 40


class GoTooOldError(EngineError):
    """The Go on PATH is older than the modules need and may not fetch a newer one."""

    exit_code = 41


class DiskFullError(EngineError):
    """Too little room, found out before the build or during it."""

    exit_code = 42


class BuildError(EngineError):
    """A step of the build failed."""

    exit_code = 43


class UnreachableModulesError(BuildError):
    """Go modules could not be fetched."""

    exit_code = 44


class ChecksumError(BuildError):
    """A fetched module differs from the one go.sum names."""

    exit_code = 45


class CacheError(EngineError):
    """The cache folder cannot be made or written."""

    exit_code = 46


class WrongEngineError(EngineError):
    """PLANTAIN_ENGINE or an option asks for an engine that is not to be had."""

    exit_code = 47
