"""The second way to an engine: Pulumi's own release, fetched from Pulumi's hosts by the SDK's installer."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from plantain.engine import versions
from plantain.engine.build import HOME, HOST, PULUMI, plugin_of
from plantain.engine.cache import Cache
from plantain.engine.engine import Engine
from plantain.engine.installed import Absent
from plantain.engine.manifest import Manifest
from plantain.engine.process import CommandFailedError, run, termination_as_interrupt
from plantain.engine.progress import Reporter

#: Where the installer script comes from; it names the other hosts itself.
RELEASES = "https://get.pulumi.com/"

PROBE_SECONDS = 3.0
_FETCH_SECONDS = 900.0

#: Runs the SDK's installer in a process of its own, because it has no time limit.
_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""


@dataclass(frozen=True)
class Release:
    """One release of Pulumi with the plugin.

    Attributes:
        wanted: the versions to fetch.
        cache: where the engine goes.
        reporter: where progress is shown.
        releases: address that must answer before a download is begun.
    """

    wanted: versions.Versions
    cache: Cache
    reporter: Reporter = field(default_factory=Reporter)
    releases: str = RELEASES

    @property
    def name(self) -> str:
        """The engine's name in the cache."""
        return f"released-{self.wanted.pulumi.released}-gcp-{self.wanted.gcp.version}"

    def find(self, *, thorough: bool = False) -> Engine | None:
        """The engine, if it has been fetched and is undamaged."""
        manifest = self.cache.find(self.name, thorough=thorough)
        return self._engine() if manifest else None

    def fetch(self) -> Engine | Absent:
        """Fetch the engine if Pulumi's hosts can be reached.

        Raises:
            CacheError: the cache folder cannot be written.
        """
        if (problem := unreachable(self.releases)) is not None:
            return Absent(f"{self.releases} does not answer ({problem})")
        with self.cache.making(self.name, self.reporter.note), termination_as_interrupt():
            if found := self.find(thorough=True):
                return found
            log = self.cache.log(self.name)
            log.unlink(missing_ok=True)
            with self.cache.unfinished(self.name) as folder:
                try:
                    manifest = self._fetch_into(folder, log)
                    self.cache.publish(folder, self.name, manifest)
                except (CommandFailedError, OSError) as error:
                    return Absent(f"Pulumi's release could not be fetched ({error}; log: {log})")
            return self._engine()

    def _fetch_into(self, folder: Path, log: Path) -> Manifest:
        version, plugin = self.wanted.pulumi.released, self.wanted.gcp.version
        environment = {**os.environ, "PULUMI_HOME": str(folder / HOME), "PULUMI_SKIP_UPDATE_CHECK": "true"}
        install = [sys.executable, "-c", _INSTALL, str(folder), version]
        install_plugin = [str(folder / PULUMI), "plugin", "install", "resource", "gcp", plugin]
        with self.reporter.step(1, 2, f"Pulumi {version}: fetching"):
            run(install, log=log, environment=environment, timeout=_FETCH_SECONDS)
        with self.reporter.step(2, 2, f"gcp plugin {plugin}: fetching"):
            run(install_plugin, log=log, environment=environment, timeout=_FETCH_SECONDS)
        names = {"pulumi": version, "gcp": plugin}
        return Manifest.of(folder, [PULUMI, HOST, plugin_of(plugin)], names)

    def _engine(self) -> Engine:
        folder = self.cache.folder(self.name)
        return Engine(
            source="released",
            pulumi=folder / PULUMI,
            plugin=folder / plugin_of(self.wanted.gcp.version),
            versions={"pulumi": self.wanted.pulumi.released, "gcp": self.wanted.gcp.version},
            home=folder / HOME,
        )


def unreachable(address: str, seconds: float = PROBE_SECONDS) -> str | None:
    """Why an address does not answer, found out in that many seconds at most; None when it does.

    Name resolution has no time limit of its own, so the question is asked in a thread that may be left behind.
    """
    outcome: list[str | None] = []

    def ask() -> None:
        try:
            httpx.head(address, timeout=seconds).raise_for_status()
            outcome.append(None)
        except httpx.HTTPStatusError as error:
            outcome.append(f"HTTP {error.response.status_code}")
        except httpx.HTTPError as error:
            outcome.append(str(error) or type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else f"no answer in {seconds:g} s"
