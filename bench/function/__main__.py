"""``python -m bench.function [PART ...]``: the function's figures alone, printed and not kept."""

import json
import sys

from bench.function import measure


def main() -> int:
    parts = {
        "cpu": measure.cpu,
        "in-flight": measure.in_flight,
        "large": measure.large,
        "latency": measure.added_latency,
        "start": measure.start,
    }
    for name in sys.argv[1:] or parts:
        print(name, json.dumps(parts[name](), indent=1), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
