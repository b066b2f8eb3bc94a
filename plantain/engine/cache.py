"""The folder in the user's cache where engines lie, each complete or not there at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock
import platformdirs
import psutil

from plantain.engine.errors import CacheError
from plantain.engine.manifest import NAME as MANIFEST
from plantain.engine.manifest import Manifest

#: Half-made engines start with this. What a killed run left behind is removed by the next one.
UNFINISHED = ".unfinished-"

#: An engine that nothing has used for so long is removed when another one is made.
UNUSED_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True)
class Cache:
    """Engines by name.

    Attributes:
        root: folder of all engines, their locks and their build logs.
    """

    root: Path

    @classmethod
    def of_user(cls) -> Cache:
        """The one in the user's cache folder."""
        return cls(platformdirs.user_cache_path("plantain") / "engine")

    def folder(self, name: str) -> Path:
        """Where an engine lies or would lie."""
        return self.root / name

    def log(self, name: str) -> Path:
        """Where the making of an engine is recorded."""
        return self.root / "logs" / f"{name}.log"

    def find(self, name: str, *, thorough: bool = False) -> Manifest | None:
        """The engine's manifest, if the engine is there and undamaged."""
        manifest = Manifest.load(self.folder(name))
        if manifest is None or manifest.damage(self.folder(name), thorough=thorough):
            return None
        with suppress(OSError):
            os.utime(self.folder(name) / MANIFEST)  # for the sweep
        return manifest

    @contextmanager
    def making(self, name: str, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold the right to make this engine; while another process does, say so once and wait for it.

        Raises:
            CacheError: the folder cannot be written.
        """
        try:
            (self.root / "logs").mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.root / f"{name}.lock")
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                on_wait(f"{self._holder(name)} is making the same engine: waiting for it, to use what it makes.")
                lock.acquire()
        except OSError as error:
            raise self._unusable(error) from None
        try:
            with suppress(OSError):
                self._holder_file(name).write_text(json.dumps({"pid": os.getpid(), "since": time.time()}))
            yield
        finally:
            with suppress(OSError):
                self._holder_file(name).unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def unfinished(self, name: str) -> Iterator[Path]:
        """A folder to make the engine in; it is gone after the block, unless published. Call under ``making``.

        Raises:
            CacheError: the folder cannot be written.
        """
        for left in self.root.glob(f"{UNFINISHED}{name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{UNFINISHED}{name}-", dir=self.root))
        except OSError as error:
            raise self._unusable(error) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, unfinished: Path, name: str, manifest: Manifest) -> None:
        """Make the finished folder the engine of that name, in one step. A damaged one gives way."""
        manifest.write(unfinished)
        target = self.folder(name)
        if target.exists():
            # On the same file system, and removed with the unfinished folders if this process dies here.
            target.rename(tempfile.mkdtemp(prefix=f"{UNFINISHED}{name}-", dir=self.root))
        unfinished.rename(target)
        for left in self.root.glob(f"{UNFINISHED}{name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        self._sweep()

    def _sweep(self) -> None:
        """Remove engines that nothing has used for a while: each change of the sources leaves one behind."""
        for manifest in self.root.glob(f"*/{MANIFEST}"):
            with suppress(OSError):
                if time.time() - manifest.stat().st_mtime > UNUSED_SECONDS:
                    shutil.rmtree(manifest.parent, ignore_errors=True)

    def _holder_file(self, name: str) -> Path:
        return self.root / f"{name}.holder.json"

    def _holder(self, name: str) -> str:
        try:
            holder = json.loads(self._holder_file(name).read_text())
            command = " ".join(psutil.Process(holder["pid"]).cmdline()[:4])
            since = time.strftime("%H:%M:%S", time.localtime(holder["since"]))
        except (OSError, ValueError, KeyError, psutil.Error):
            return "Another process"
        return f"Process {holder['pid']} ({command}), since {since},"

    def _unusable(self, error: OSError) -> CacheError:
        return CacheError(
            f"The cache folder {self.root} cannot be used ({error.strerror}), so no engine can be made.",
            cure=f"make {self.root} writable, or set XDG_CACHE_HOME to a folder that is",
        )
