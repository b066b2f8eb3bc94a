"""An environment of its own for a program that is measured beside ours: what a file locks with hashes, nothing else."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

STAMP = "plantain-lock.sha256"


def bin_folder(folder: Path, requirements: Path, *options: str) -> Path:
    """The environment's folder of commands; made anew when the lock, or the Python that runs this, is another.

    Args:
        folder: where the environment is.
        requirements: the locked packages.
        options: of `uv pip install`, besides those that every environment needs.

    Raises:
        subprocess.CalledProcessError: the packages cannot be had.
    """
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp, commands = folder / STAMP, folder / "bin"
    if not (stamp.exists() and stamp.read_text() == digest and commands.exists()):
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        wanted = ["--require-hashes", "--requirements", str(requirements), *options]
        _run([*uv, "pip", "install", "--quiet", "--python", str(commands / "python"), *wanted])
        stamp.write_text(digest)
    return commands


def _run(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(command, check=True, env=environment)  # noqa: S603 -- uv, with our own words and paths
