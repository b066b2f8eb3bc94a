"""Under which conditions a part was measured: when, on what, and how much of the processors others had meanwhile."""

import datetime as dt
import os
import platform
import resource
from typing import Any

import psutil


class Conditions:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._busy, self._all, self._own = _busy(), sum(psutil.cpu_times()), _own()

    def found(self) -> dict[str, Any]:
        """What they were until now. `othersPercent` of the processors' time went to other processes and machines."""
        elapsed = sum(psutil.cpu_times()) - self._all
        others = (_busy() - self._busy) - (_own() - self._own)
        return {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "othersPercent": round(100 * max(0.0, others) / elapsed) if elapsed else 0,
        }


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own() -> float:
    # Servers count once they have ended and were waited for, which all have at the end of a part.
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
