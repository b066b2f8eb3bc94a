"""The third way to an engine: build it from Go modules, once for each content of ``engine/`` and Go version."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plantain.engine import room, sources, versions
from plantain.engine.cache import Cache
from plantain.engine.engine import Engine
from plantain.engine.errors import BuildError, ChecksumError, DiskFullError, UnreachableModulesError
from plantain.engine.manifest import Manifest
from plantain.engine.process import CommandFailedError, run, termination_as_interrupt
from plantain.engine.progress import Reporter
from plantain.engine.toolchain import Go

PULUMI = Path("bin/pulumi")
HOST = Path("bin/pulumi-language-python")
LAUNCHER = Path("bin/pulumi-language-python-exec")
HOME = Path("home")

#: Measured with an empty module and build cache on linux/amd64, November 2026, and a quarter added.
RESULT_BYTES = 320 * room.MEBIBYTE
MODULES_BYTES = 3200 * room.MEBIBYTE
BUILDS_BYTES = 3520 * room.MEBIBYTE

#: What an earlier build on this machine has left in Go's caches need not be written again.
REBUILD_BYTES = 600 * room.MEBIBYTE

_CHECK_SECONDS = 120.0

_NO_ROOM = re.compile(r"no space left on device|not enough space|ENOSPC", re.IGNORECASE)
_NO_MATCH = re.compile(r"SECURITY ERROR|checksum mismatch|missing go\.sum entry|verifying .*: ")
_NO_PROXY = re.compile(
    r"dial tcp|no such host|i/o timeout|TLS handshake|connection refused|proxyconnect|module lookup disabled|"
    r"server misbehaving|network is unreachable|Get \"https?://",
)


def plugin_of(version: str) -> Path:
    """Where Pulumi looks for the plugin, under the engine's folder."""
    return HOME / "plugins" / f"resource-gcp-v{version}" / "pulumi-resource-gcp"


@dataclass(frozen=True)
class Build:
    """One build, from sources to an engine in the cache.

    Attributes:
        go: the Go that builds.
        cache: where the engine goes.
        sources: the Go modules, as in the repository.
        reporter: where progress is shown.
    """

    go: Go
    cache: Cache
    sources: Path = versions.SOURCES
    reporter: Reporter = field(default_factory=Reporter)

    @property
    def name(self) -> str:
        """The engine's name in the cache."""
        return sources.name(self.sources, self.go)

    @property
    def versions(self) -> versions.Versions:
        """The versions of what is built."""
        return versions.load(self.sources)

    def find(self, *, thorough: bool = False) -> Engine | None:
        """The engine, if it has been built and is undamaged."""
        manifest = self.cache.find(self.name, thorough=thorough)
        return self._engine(manifest) if manifest else None

    def make(self, *, anew: bool = False) -> Engine:
        """Build the engine, or use what another process has built in the meantime.

        Args:
            anew: build although there is one.

        Raises:
            BuildError, DiskFullError, CacheError: nothing is left behind but the log.
        """
        with self.cache.making(self.name, self.reporter.note), termination_as_interrupt():
            if not anew and (found := self.find(thorough=True)):
                return found
            room.require(self._needs())
            log = self.cache.log(self.name)
            log.unlink(missing_ok=True)
            self.reporter.note(
                f"Building the Pulumi engine with {self.go.version}, once for this machine "
                f"(about ten minutes on two cores). Log: {log}",
            )
            with self.cache.unfinished(self.name) as folder:
                try:
                    manifest = self._make_in(folder, log)
                    self.cache.publish(folder, self.name, manifest)
                except CommandFailedError as error:
                    raise self._explained(error, log) from None
                except OSError as error:
                    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                        raise room.full(self.cache.root) from None
                    raise BuildError(
                        f"The engine could not be built: {error}.", cure=f"see {log}, then run plantain engine again"
                    ) from None
            return self._engine(manifest)

    def _needs(self) -> dict[Path, int]:
        """Bytes that will be written, by folder."""
        if any(self.cache.root.glob("built-*/bin")):
            return {self.cache.root: RESULT_BYTES, self.go.builds: REBUILD_BYTES}
        return {self.cache.root: RESULT_BYTES, self.go.modules: MODULES_BYTES, self.go.builds: BUILDS_BYTES}

    def _make_in(self, folder: Path, log: Path) -> Manifest:
        wanted = self.versions
        plugin = plugin_of(wanted.gcp.version)
        pulumi = f"-s -w -X {wanted.pulumi.sdk_module}/go/common/version.Version=v{wanted.pulumi.built}"
        steps: list[tuple[str, Callable[[], None]]] = [
            ("Google provider: fetching", lambda: self._copy_provider(folder, log)),
            (
                "Pulumi command line: fetching and compiling",
                lambda: self._compile(log, folder / PULUMI, f"{wanted.pulumi.module}/cmd/pulumi", pulumi, "cli"),
            ),
            (
                "Python language host: fetching and compiling",
                lambda: self._compile_host(log, folder, wanted.pulumi.built),
            ),
            (
                "gcp plugin: fetching and compiling, the longest step",
                lambda: self._compile(
                    log,
                    folder / plugin,
                    "./cmd/pulumi-resource-gcp",
                    f"-s -w -X main.version={wanted.gcp.version}",
                    modules=folder / "provider.mod",
                ),
            ),
            ("Trying them", lambda: self._try(folder, log)),
        ]
        for number, (title, work) in enumerate(steps, 1):
            with self.reporter.step(number, len(steps), title):
                work()
        for left in ("provider.mod", "provider.sum"):
            (folder / left).unlink()
        shutil.rmtree(folder / "provider")
        names = {"pulumi": wanted.pulumi.built, "gcp": wanted.gcp.version}
        return Manifest.of(folder, [PULUMI, HOST, LAUNCHER, plugin], names)

    def _copy_provider(self, folder: Path, log: Path) -> None:
        """Copy the provider, without the list by which it would load all of its services.

        The plugin has its own list (``services.go``); with the provider's the build takes several times as long. Go
        does not let a file of a fetched module be replaced by itself, hence the copy. It is removed after the build.
        """
        wanted = self.versions.gcp
        described = self._download(f"{wanted.provider_module}@{wanted.provider}", log)
        fetched, copy = Path(described["Dir"]), folder / "provider"
        for part in ("google", "version"):
            shutil.copytree(
                fetched / part, copy / part, ignore=shutil.ignore_patterns("*_test.go"), copy_function=shutil.copyfile
            )
        for path in (copy, *copy.rglob("*")):
            if path.is_dir():  # Go keeps fetched modules read-only
                path.chmod(0o755)
        shutil.copyfile(fetched / "go.mod", copy / "go.mod")
        (copy / "google/provider/provider_register_services.go").write_text("package provider\n", encoding="utf-8")
        modules = (self.sources / "go.mod").read_text(encoding="utf-8")
        (folder / "provider.mod").write_text(
            f"{modules}\nreplace {wanted.provider_module} => {json.dumps(str(copy))}\n", encoding="utf-8"
        )
        shutil.copyfile(self.sources / "go.sum", folder / "provider.sum")

    def _compile_host(self, log: Path, folder: Path, version: str) -> None:
        self._compile(log, folder / HOST, "./cmd/pulumi-language-python", f"-s -w -X main.version={version}")
        wanted = self.versions.pulumi
        described = self._download(f"{wanted.sdk_module}@v{wanted.built}", log)
        launcher = folder / LAUNCHER
        shutil.copyfile(Path(described["Dir"]) / "python/cmd" / launcher.name, launcher)
        launcher.chmod(0o755)

    def _compile(
        self, log: Path, target: Path, package: str, flags: str, module: str = ".", modules: Path | None = None
    ) -> None:
        command = [str(self.go.command), "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", flags]
        if modules:
            command += ["-modfile", str(modules)]
        self._run([*command, "-o", str(target), package], log, self.sources / module)

    def _download(self, module: str, log: Path) -> Mapping[str, Any]:
        """Fetch one module, verified by go.sum, and return what Go says about it."""
        # Go writes the description to its output and what it is doing beside it, so only the braces count.
        output = self._run([str(self.go.command), "mod", "download", "-json", module], log, self.sources)
        described: dict[str, Any] = json.loads(output[output.index("{") : output.rindex("}") + 1])
        return described

    def _run(self, command: list[str], log: Path, cwd: Path) -> str:
        return run(command, log=log, cwd=cwd, environment=self.go.environment())

    def _try(self, folder: Path, log: Path) -> None:
        """See that the binaries start and are the versions they should be."""
        wanted = self.versions
        plugin = folder / plugin_of(wanted.gcp.version)
        # The environment of a Pulumi that runs already must not leak into this one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
        environment |= {"PULUMI_HOME": str(folder / HOME), "PULUMI_SKIP_UPDATE_CHECK": "true"}
        for command, expected in (
            ([str(folder / PULUMI), "version"], wanted.pulumi.built),
            ([str(plugin), "-version"], wanted.gcp.version),
        ):
            printed = run(command, log=log, environment=environment, timeout=_CHECK_SECONDS).strip()
            if printed.removeprefix("v") != expected:
                raise BuildError(
                    f"{Path(command[0]).name} was built as version {printed or 'unknown'} instead of {expected}.",
                    cure=f"see {log}; engine/versions.toml and the go.mod files must agree",
                )

    def _engine(self, manifest: Manifest) -> Engine:
        folder = self.cache.folder(self.name)
        return Engine(
            source="built",
            pulumi=folder / PULUMI,
            plugin=folder / plugin_of(manifest.versions["gcp"]),
            versions=manifest.versions,
            home=folder / HOME,
        )

    def _explained(self, error: CommandFailedError, log: Path) -> BuildError | DiskFullError:
        """The error for what Go said."""
        if _NO_ROOM.search(error.output):
            return room.full(self.cache.root)
        last_words = f"The last of what it printed:\n{error.tail()}\nAll of it: {log}"
        if _NO_MATCH.search(error.output):
            return ChecksumError(
                f"A Go module is not the one that go.sum names, so nothing was built. {last_words}",
                cure="go clean -modcache, and ask whoever runs your module proxy (go env GOPROXY) why it differs",
            )
        if _NO_PROXY.search(error.output):
            return UnreachableModulesError(
                f"Go modules could not be fetched, so the engine was not built. {last_words}",
                cure="go env -w GOPROXY=<a module proxy that this machine can reach>, then plantain engine",
            )
        return BuildError(
            f"Go could not build the engine ({error}). {last_words}",
            cure="plantain engine --build, once that is mended",
        )
