"""``python -m bench.function [PART ...]``: the function's figures, into bench/results.json; all parts by default."""

import json
import signal
import sys

from bench.function import page
from bench.function.conditions import Conditions
from bench.function.parts import PARTS


def main(names: list[str]) -> int:
    for name in names or PARTS:
        conditions = Conditions()
        figures = PARTS[name]()
        page.keep(name, figures, conditions.found())
        print(name, json.dumps(figures, indent=1), conditions.found(), flush=True)
    return 0


if __name__ == "__main__":
    # A run that is told to end ends its servers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(sys.argv[1:]))
