"""Prowler's own environment, in build/prowler: made from the locked requirements, never from ours."""

from __future__ import annotations

from pathlib import Path

from bench import locked_environment

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "build" / "prowler"
LOCK = HERE / "requirements.txt"


def prowler() -> Path:
    """The command; its environment is made anew when the lock has changed. About 1.4 GB.

    Raises:
        subprocess.CalledProcessError: the packages cannot be had.
    """
    return locked_environment.bin_folder(FOLDER, LOCK) / "prowler"
