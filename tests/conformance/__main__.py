"""Replay the recordings, print the figures, keep them.

    python -m tests.conformance [--only 'basic-kms-*'] [--show 5] [--reading renewed] [--write]

``--write`` keeps the figures in figures.json, where it refuses lower ones, and in causes.json why exchanges disagree.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict

from tests.conformance import causes
from tests.conformance.replay import FIGURES, READINGS, by_service, fallen, kept, replay


def main() -> int:
    """Exit status 1 when a figure would fall."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="*", help="glob on the recordings' names")
    parser.add_argument("--show", type=int, default=0, help="print this many disagreements of each service")
    parser.add_argument("--reading", choices=READINGS, default="once", help="see docs/coverage.md")
    parser.add_argument("--write", action="store_true", help="keep the figures of all readings")
    options = parser.parse_args()
    if options.write:
        return write()
    rows = replay(READINGS[options.reading], options.only)
    shown: Counter[str] = Counter()
    for row in rows:
        if not row.agrees and shown[row.service] < options.show:
            shown[row.service] += 1
            sys.stdout.write(f"{row.scenario} #{row.index} {row.verb} {row.url[:110]}\n    {row.why}\n")
    sys.stdout.write(f"{'service':26}{'exchanges':>10}{'agree':>8}{'exact':>8}{'of the answerable':>19}\n")
    for service, f in by_service(rows).items():
        answerable = f.exchanges - f.unanswerable
        shares = f"{f.agree / f.exchanges:>8.1%}{f.exact / f.exchanges:>8.1%}"
        sys.stdout.write(f"{service:26}{f.exchanges:>10}{shares}{f.agree / answerable if answerable else 1:>19.1%}\n")
    return 0


def write() -> int:
    """Keep all readings' figures, unless one is lower than before."""
    now = {reading: by_service(replay(how)) for reading, how in READINGS.items()}
    if FIGURES.exists():
        before = kept()
        worse = [line for reading, figures in before.items() for line in fallen(now.get(reading, {}), figures)]
        if worse:
            sys.stderr.write("\n".join([*worse, "Nothing was kept: mend what fell, or edit figures.json.\n"]))
            return 1
    document = {reading: {k: asdict(v) for k, v in figures.items()} for reading, figures in now.items()}
    FIGURES.write_text(json.dumps(document, indent=1) + "\n")
    causes.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
