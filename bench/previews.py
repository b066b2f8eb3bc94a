"""``python -m bench.previews``: every case that must fail stops a real `pulumi preview`; to bench/previews.json.

The tests show it for every case of a control of single resources, and for one case of each control of a whole stack.
Here are all of the latter, several in each preview; those that turn on where a value comes from are left to the
servicer of the policy SDK, for the program is made of components. Exit code 1: a case did not stop its preview.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from plantain.engine import resolve
from tests.policies.cases import CASES
from tests.policies.test_catalogue import JUDGED
from tests.policies.test_preview import broken_stacks, has_dependencies, prepared, violations, write
from tests.policies.world import changed, world

RESULTS = Path(__file__).with_name("previews.json")


def main() -> int:
    """Preview every broken stack; returns the exit code."""
    every = [(c, number, changes) for c in JUDGED if c.of_stack for number, changes in enumerate(CASES[c.id].bad)]
    left = [case for case in every if has_dependencies(changed(world(), case[2]))]
    cases = [case for case in every if case not in left]
    missed: list[str] = []
    previews = 0
    with tempfile.TemporaryDirectory() as name:
        project = prepared(resolve(), Path(name) / "project")
        for resources, failing in broken_stacks(cases):
            write(project, list(resources.values()))
            shown = project.pulumi("preview", "--policy-pack", "policies", fails=True).stdout
            found = {control for level, control, _ in violations(shown) if level == "mandatory"}
            missed += [f"{control.id}.{number}" for control, number, _ in failing if control.id not in found]
            previews += 1
    single = sum(len(CASES[control.id].bad) for control in JUDGED if not control.of_stack)
    found_all = {
        "measured": time.strftime("%Y-%m-%d"),
        "casesOfStacks": len(cases),
        "leftToTheServicer": [f"{control.id}.{number}" for control, number, _ in left],
        "previews": previews,
        "missed": missed,
        "casesOfSingleResourcesInTheTests": single,
    }
    RESULTS.write_text(json.dumps(found_all, indent=1) + "\n")
    print(json.dumps(found_all))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
