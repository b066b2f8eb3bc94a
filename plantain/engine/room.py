"""Is there room on the disks for a build?"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from plantain.engine.errors import DiskFullError

MEBIBYTE = 2**20


def require(needs: Mapping[Path, int]) -> None:
    """Check that each folder's disk has room for what will be written there.

    Args:
        needs: bytes by folder. Folders that do not exist yet count on the disk of their nearest parent.

    Raises:
        DiskFullError: a disk has less.
    """
    by_disk: dict[int, int] = defaultdict(int)
    places: dict[int, Path] = {}
    for folder, size in needs.items():
        existing = _nearest(folder)
        disk = existing.stat().st_dev
        by_disk[disk] += size
        places.setdefault(disk, existing)
    for disk, size in by_disk.items():
        free = shutil.disk_usage(places[disk]).free
        if free < size:
            raise DiskFullError(
                f"The disk of {places[disk]} has {free // MEBIBYTE} MiB free; building the engine needs "
                f"{size // MEBIBYTE} MiB there, so it was not begun.",
                cure="make room, or put the cache elsewhere: XDG_CACHE_HOME=/bigger/disk plantain engine",
            )


def full(folder: Path) -> DiskFullError:
    """The error for a disk that ran full in spite of the check."""
    return DiskFullError(
        f"The disk ran full while the engine was being made for {folder}; what was begun is removed.",
        cure="make room (go clean -cache frees most), then run plantain engine again",
    )


def _nearest(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
