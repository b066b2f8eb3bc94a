"""Builds a Python function from its uploaded source: its requirements.txt in an environment of its own."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from sandbox.errors import FailedPrecondition, InvalidArgument

FRAMEWORK = "functions-framework"
TIMEOUT_SECONDS = 900

#: Bytes of all files of a source: https://docs.cloud.google.com/functions/quotas (read 2026-08), "max deployment size".
LARGEST_SOURCE = 500 * 1024 * 1024
MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Image:
    """A built function: what a container image is in the cloud.

    Attributes:
        digest: SHA-256 of the source archive.
        source: folder with the unpacked source.
        python: interpreter that has its dependencies.
    """

    digest: str
    source: Path
    python: Path


def build(archive: bytes, cache: Path, *, vendored: str = "", offline: bool = False) -> Image:
    """Build, or reuse what an equal source and an equal requirements file gave before.

    Args:
        archive: the uploaded zip.
        cache: shared by all builds; safe when two run at once.
        offline: the build machines cannot reach the internet, so no index is asked.
        vendored: folder of wheels in the source (``GOOGLE_VENDOR_PIP_DEPENDENCIES``): no index is asked then.

    Raises:
        InvalidArgument: the archive is no zip, or reaches outside its folder.
        FailedPrecondition: the dependencies cannot be installed; the message ends with the installer's last lines.
    """
    digest = hashlib.sha256(archive).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    source = cache / "sources" / digest
    with FileLock(cache / "sources.lock"):
        if not source.exists():
            unpack(archive, source)
    requirements = source / "requirements.txt"
    wanted = requirements.read_bytes() if requirements.exists() else FRAMEWORK.encode()
    wheels = source / vendored if vendored else None
    key = hashlib.sha256(
        wanted + sys.version.encode() + (digest.encode() if wheels else b"offline" * offline)
    ).hexdigest()[:32]
    environment = cache / "environments" / key
    with FileLock(cache / f"{key}.lock"):
        if not (environment / "complete").exists():
            shutil.rmtree(environment, ignore_errors=True)
            install(environment, requirements if requirements.exists() else None, wheels, offline=offline)
            (environment / "complete").touch()
    return Image(digest, source, environment / ("Scripts" if os.name == "nt" else "bin") / "python")


def unpack(archive: bytes, target: Path) -> None:
    """Unpack into ``target``, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name) / "source"
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as file:
                check(file.infolist(), folder.resolve())
                file.extractall(folder)
        except zipfile.BadZipFile:
            raise InvalidArgument("Build failed: the source archive is not a zip file.") from None
        folder.mkdir(exist_ok=True)
        folder.replace(target)


def check(members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Look at an archive before any of it is written.

    Raises:
        InvalidArgument: it would write outside the folder, or more than a source may hold.
    """
    for member in members:
        if not (folder / member.filename).resolve().is_relative_to(folder):
            raise InvalidArgument(f"The source archive names a path outside its folder: {member.filename!r}.")
    unpacked = sum(member.file_size for member in members)  # no more than it says is ever read of a file
    if unpacked > LARGEST_SOURCE or len(members) > MOST_FILES:
        raise InvalidArgument(
            f"Build failed: the source unpacks to {unpacked} bytes in {len(members)} files; at most {LARGEST_SOURCE} "
            f"bytes in {MOST_FILES} files are taken. Leave out what the function does not need."
        )


def install(environment: Path, requirements: Path | None, wheels: Path | None, *, offline: bool = False) -> None:
    """Make the environment and install into it."""
    run(
        [*uv(), "venv", "--quiet", "--python", sys.executable, str(environment)]
        if uv()
        else [sys.executable, "-m", "venv", str(environment)]
    )
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = (
        [*uv(), "pip", "install", "--quiet", "--python", str(python)]
        if uv()
        else [str(python), "-m", "pip", "install", "--quiet"]
    )
    if wheels:
        command += ["--no-index", "--find-links", str(wheels)]
    elif offline:
        command.append("--no-index")
    command += ["-r", str(requirements)] if requirements else [FRAMEWORK]
    run(command)


def uv() -> list[str]:
    """The faster installer, where it is there."""
    return [sys.executable, "-m", "uv"] if find_spec("uv") else []


def run(command: list[str]) -> None:
    """Run one step of a build.

    Raises:
        FailedPrecondition: it failed, or took too long.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603 -- built above from fixed words and paths
    except subprocess.TimeoutExpired:
        raise FailedPrecondition(f"Build failed: no end after {TIMEOUT_SECONDS} s.") from None
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise FailedPrecondition(f"Build failed: the dependencies of requirements.txt cannot be installed.\n{tail}")
