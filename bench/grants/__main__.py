"""Which step fails without which grant: every grant of a whole organisation is taken away with the real engine.

    python -m bench.grants [--only deployer] [--missing] [--json bench/grants.json]

An administrator deploys the seed stack. From then on a pipeline's token deploys: exchanged at the seed's pool for one
of the deployer, who has the rights of `infra/deployer.py` and no others. It deploys a perimeter, the log project,
policies, contacts, tags and a campaign with every option, looks whether anything changed, and takes all of it down.
The sandbox records by which binding each permission was held.

Then each grant is taken away by itself. Those of the deployer: on a copy of the organisation as it was after the seed
stack, where the whole deployment is begun anew. Those of the previewer: by doing the call of its preview once more that
nothing else let through. All others: where everything is deployed, with the step that needs it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.grants.report import counted, joined
from bench.grants.trial import Bench

Document = dict[str, Any]


RESULTS = Path(__file__).parents[1] / "grants.json"


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", choices=["", "campaign", "deployer", "previewer"])
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--seed", type=Path, help="keep the organisation after its seed stack there, or begin with it")
    parser.add_argument("--missing", action="store_true", help="leave alone what the report says was taken away before")
    given = parser.parse_args()
    going_on = given.only or given.missing
    before = json.loads(given.json.read_text()) if going_on and given.json.exists() else None
    proofs = before["grants"] if before and given.missing else []
    proved = frozenset((proof["of"], proof["grant"]) for proof in proofs if proof["denied"])

    def written(report: Document) -> None:
        found = counted(joined(before, report) if before else report)
        given.json.write_text(json.dumps(found, indent=2) + "\n")

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        written(Bench(Path(name), given.only, given.seed, written, proved).run())
    sys.stderr.write(f"{json.loads(given.json.read_text())['counts']}\n")


if __name__ == "__main__":
    main()
