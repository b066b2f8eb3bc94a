"""The machine that a measurement was made on."""

from __future__ import annotations

import os
import platform
from typing import Any

import psutil

MEGABYTE = 1024 * 1024


def machine() -> dict[str, Any]:
    """What figures depend on, for those who compare them with their own."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / MEGABYTE / 1024),
        "python": platform.python_version(),
    }
