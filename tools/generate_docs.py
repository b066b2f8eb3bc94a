"""``make docs``: rewrite what the documentation takes from the code and from measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench import audit_pages, command_line_page, load_page, preview_page, shapes_page
from bench.function import page as function_page
from bench.grants import page as grants_page
from infra import reference
from plantain import reference as command_reference
from plantain.doctor import catalogue as doctor_catalogue
from policies import reference as policy_reference
from tests.conformance import coverage
from tests.infra import graph

ROOT = Path(__file__).resolve().parents[1]

MEANINGS = {
    "readySeconds": "sandbox answers after, s (median)",
    "readyMegabytes": "its memory then, MB (largest)",
    "runs": "starts",
    "upSeconds": "`pulumi up` of the example campaign, s",
    "upRequests": "requests in that time",
    "upSandboxAnsweringSeconds": "of that, the sandbox answering, s",
    "upFunctionDeploymentSeconds": "of that, building and starting the function, s",
    "upSandboxPercent": "both together, as a share of `pulumi up`, % (at most 5)",
    "previewUnchangedSeconds": "`pulumi preview` of the unchanged campaign, s (median of 3)",
    "generateOneImageSeconds": "`plantain generate` of one 1K image, process start included, s (median)",
    "sandboxMegabytesAfterwards": "sandbox's memory after all that, MB",
    "destroySeconds": "`pulumi destroy`, s",
}

HEAD = """# Performance

Written by `make docs` from `bench/results.json`, which `make bench` measures. One machine, one run: read the ratios.

"""

FLOOR = """
The floor of `pulumi up` is set by waits inside Google's provider: 15 s after a project is created, 10 s after each
service account, 3 s after each grant, one grant after the other on the same resource. The example campaign's own share
is the two figures that say so.
"""


def performance(results: dict[str, Any]) -> str:
    """The page of measured figures."""
    machine = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    lines = [f"Measured {results['measured']} on: {machine}.", "", "| what | figure |", "|---|---|"]
    for part in ("sandbox", "campaign"):
        lines += [f"| {MEANINGS[name]} | {value} |" for name, value in results[part].items()]
    sections = (
        load_page.section(),
        preview_page.section(),
        command_line_page.section(),
        function_page.section(results),
    )
    return HEAD + "\n".join(lines) + "\n" + FLOOR + "".join(sections)


def main() -> None:
    """Write every generated page."""
    reference.write(ROOT)
    policy_reference.write(ROOT)
    coverage.main()
    (ROOT / "docs" / "doctor.md").write_text(doctor_catalogue.page())
    (ROOT / "docs" / "commands.md").write_text(command_reference.page())
    results = json.loads((ROOT / "bench" / "results.json").read_text())
    (ROOT / "docs" / "performance.md").write_text(performance(results))
    identities = ROOT / "docs" / "identities.md"
    grants = json.loads((ROOT / "bench" / "grants.json").read_text())
    identities.write_text(grants_page.page(identities.read_text(), grants))
    shapes = json.loads((ROOT / "bench" / "shapes.json").read_text())
    (ROOT / "docs" / "shapes.md").write_text(shapes_page.page(shapes))
    audit_pages.main()
    graph.main()


if __name__ == "__main__":
    main()
