"""``python -m bench.function [PART ...]``: the function's figures, into bench/results.json; all parts by default."""

import json
import sys
from collections.abc import Callable
from typing import Any

from bench.function import litellm_proxy, measure, page, requests

PARTS: dict[str, Callable[[], Any]] = {
    "cpu": measure.cpu,
    "inFlight": measure.in_flight,
    "large": measure.large,
    "latency": measure.added_latency,
    "start": measure.start,
    "litellm": litellm_proxy.beside,
    "requests": requests.measure,
}


def main(names: list[str]) -> int:
    for name in names or PARTS:
        figures = PARTS[name]()
        page.keep(name, figures)
        print(name, json.dumps(figures, indent=1), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
