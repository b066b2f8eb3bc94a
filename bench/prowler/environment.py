"""Prowler's own environment, in build/prowler: made from the locked requirements, never from ours."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "build" / "prowler"
LOCK = HERE / "requirements.txt"
STAMP = "plantain-lock.sha256"


def prowler() -> Path:
    """The command; its environment is made anew when the lock has changed. About 1.4 GB.

    Raises:
        subprocess.CalledProcessError: the packages cannot be had.
    """
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    stamp = FOLDER / STAMP
    command = FOLDER / "bin" / "prowler"
    if stamp.exists() and stamp.read_text() == digest and command.exists():
        return command
    uv = [sys.executable, "-m", "uv"]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)], environment)
    wanted = ["--require-hashes", "--requirements", str(LOCK)]
    _run([*uv, "pip", "install", "--quiet", "--python", str(FOLDER / "bin" / "python"), *wanted], environment)
    stamp.write_text(digest)
    return command


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, env=environment)  # noqa: S603 -- our own words and paths
