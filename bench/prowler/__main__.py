"""``python -m bench.prowler``: Prowler and the audit over the same campaign, to bench/prowler/agreement.json.

A campaign is deployed into a sandbox of its own, and both look at it; then everything is broken by hand, and both look
again. Prowler is unchanged: it calls Google's own hosts, through the sandbox's proxy and with its certificate. Takes
a quarter of an hour, and 1.4 GB of packages the first time. Exit code 1: they disagree, and nothing says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.prowler import comparison
from bench.prowler.breaking import Vandal
from bench.prowler.checks import SHARED
from bench.prowler.environment import HERE, prowler
from plantain.audit import bundle
from plantain.audit import unit as units
from plantain.audit.evaluation import evaluate
from tests.end_to_end.deployment import ROOT, Deployment

RESULTS = HERE / "agreement.json"
STACK = "sandbox"
FINDINGS_FOUND = 3
"""Prowler's exit code when something fails."""
TIMEOUT_SECONDS = 1800


def theirs(deployment: Deployment, project: str, folder: Path) -> list[dict[str, Any]]:
    """Prowler's findings, as OCSF.

    Raises:
        RuntimeError: Prowler broke.
    """
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= deployment.sandbox.client_environment()
    environment |= {"GOOGLE_CLOUD_PROJECT": project, "HOME": str(folder)}
    words = ["gcp", "--project-id", project, "--checks", *(shared.check for shared in SHARED)]
    words += ["--output-formats", "json-ocsf", "--output-directory", str(folder), "--output-filename", "found"]
    words += ["--no-banner", "--no-color", "--log-level", "CRITICAL"]
    done = subprocess.run(  # noqa: S603 -- our own words
        [prowler(), *words], env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
    )
    if done.returncode not in {0, FINDINGS_FOUND}:
        raise RuntimeError(f"Prowler ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    found: list[dict[str, Any]] = json.loads((folder / "found.ocsf.json").read_text())
    return found


def ours(deployment: Deployment, folder: Path) -> list[dict[str, Any]]:
    """Our rows, of the live inventory alone: what Prowler can know, too."""
    folder.mkdir()
    state = folder / "state.json"
    state.write_text(json.dumps(deployment.stack.export()))
    done = subprocess.run(  # noqa: S603 -- our own words
        [
            *(sys.executable, "-m", "plantain.main", "audit", "run", "--stack", STACK, "--state", str(state)),
            *("--out", str(folder / "evidence"), "--fail-on", "never", "--json"),
        ],
        cwd=ROOT,
        env={**os.environ, "PLANTAIN_SANDBOX": deployment.sandbox.url},
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    )
    evidence = Path(json.loads(done.stdout)["bundle"])
    above = tuple(units.read_live(evidence / bundle.UNITS / units.ORGANIZATION))
    found = units.read(evidence / bundle.UNITS / STACK, above, bundle.parameters)
    return evaluate(replace(found, export=None, preview=None), bundle.frame(evidence))


def look(deployment: Deployment, folder: Path) -> dict[str, Any]:
    """Both auditors' verdicts on the campaign as it is now."""
    folder.mkdir()
    project = str(deployment.campaign()["projectId"])
    begun = time.monotonic()
    findings = theirs(deployment, project, folder / "prowler")
    between = time.monotonic()
    compared = comparison.compare(findings, ours(deployment, folder / "plantain"), project)
    shown = comparison.agreement([replace(e, thing=e.thing.replace(project, "PROJECT")) for e in compared])
    seconds = {"prowler": round(between - begun, 1), "plantain": round(time.monotonic() - between, 1)}
    return {**shown, "seconds": seconds, "prowlerVersion": findings[0]["metadata"]["product"]["version"]}


def main() -> int:
    """Compare twice; returns the exit code."""
    prowler()
    with tempfile.TemporaryDirectory() as name:
        deployment = Deployment.make(Path(name))
        try:
            deployment.stack.up()
            sound = look(deployment, Path(name) / "sound")
            Vandal(deployment).break_everything()
            broken = look(deployment, Path(name) / "broken")
        finally:
            deployment.close()
    measured = {"measured": time.strftime("%Y-%m-%d"), "asDeployed": sound, "broken": broken}
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n")
    for title, found in (("as deployed", sound), ("broken", broken)):
        print(
            f"{title}: {found['compared']} compared, {found['agree']} agree, {found['explained']} differ as explained"
        )
        for row in found["unexplained"]:
            print(f"  {row['check']} of {row['thing']}: Prowler {row['prowler']}, Plantain {row['plantain']}")
    return 1 if sound["unexplained"] or broken["unexplained"] else 0


if __name__ == "__main__":
    sys.exit(main())
