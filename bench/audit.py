"""``python -m bench.audit``: 1,000 campaign projects judged, verified and reported; images traced; to audit.json.

Budgets: 60 s and 1 GB for the judgement on two cores, 500 images of 100 KB a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.plantain.audit.images import write_images
from tests.plantain.audit.synthetic import entries, write_units
from tools.setup_browser import find

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("audit.json")
OPENED = 5


def timed(*arguments: str) -> tuple[float, float, float, str]:
    """Seconds, seconds of the processors, memory of the process and its two workers in MB, and what it printed."""
    script = (
        "import resource, runpy, sys, json\n"
        "sys.argv = ['plantain', *sys.argv[1:]]\n"
        "code = 0\n"
        "try:\n    runpy.run_module('plantain.main', run_name='__main__')\n"
        "except SystemExit as end:\n    code = end.code or 0\n"
        "own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
        "cpu = sum(one.ru_utime + one.ru_stime for one in used)\n"
        "print('\\nMEMORY', json.dumps([own, child, code, cpu]))\n"
    )
    start = time.perf_counter()
    done = subprocess.run(  # noqa: S603 -- this interpreter, with our own arguments
        [sys.executable, "-c", script, *arguments], cwd=ROOT, text=True, capture_output=True, check=False
    )
    seconds = time.perf_counter() - start
    text, _, memory = done.stdout.rpartition("MEMORY")
    if not memory:
        raise SystemExit(done.stderr)
    own, child, code, cpu = json.loads(memory)
    if code not in {0, 10, 11}:
        raise SystemExit(done.stderr)
    # Two workers: each as large as the largest.
    return seconds, cpu, (own + 2 * child) / 1024, text


def load_of_the_machine() -> float:
    """Processes that want to run: above 2, figures are those of a busy machine."""
    return round(os.getloadavg()[0], 1)


def judge(folder: Path, projects: int) -> dict[str, Any]:
    """The whole audit of synthetic projects."""
    write_units(folder / "units", projects)
    evidence = folder / "evidence"
    subprocess.run(  # noqa: S603 -- as above
        [sys.executable, "-m", "plantain.main", "audit", "key", str(folder / "key")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    seconds, cpu, memory, _ = timed(
        "audit", "run", "--units", str(folder / "units"), "--out", str(evidence), "--key", str(folder / "key"), "--json"
    )
    verify_seconds, _, verify_memory, _ = timed(
        "audit", "verify", str(evidence), "--public-key", str(folder / "key.pub")
    )
    report_seconds, _, report_memory, _ = timed(
        "audit", "report", str(evidence), "--format", "html", "--format", "csv", "--out", str(folder / "reports")
    )
    load = load_of_the_machine()
    bundle = next(evidence.glob("0*"))
    results = json.loads((bundle / "results.json").read_bytes())
    return {
        "projects": projects,
        "resourcesPerProject": len(list(entries(0))),
        "rows": sum(results["rows"].values()),
        "runSeconds": round(seconds, 1),
        "runProcessorSeconds": round(cpu, 1),
        "runMegabytes": round(memory),
        "verifySeconds": round(verify_seconds, 1),
        "verifyMegabytes": round(verify_memory),
        "reportSeconds": round(report_seconds, 1),
        "reportMegabytes": round(report_memory),
        "bundleMegabytes": round(sum(p.stat().st_size for p in bundle.rglob("*") if p.is_file()) / 1e6),
        "loadOfTheMachine": load,
        "htmlKilobytes": round((folder / "reports" / "report.html").stat().st_size / 1e3),
    }


def trace(folder: Path, images: int) -> dict[str, Any]:
    """Images of 100 KB from disk."""
    write_images(folder, images, 100_000)
    seconds, _, memory, text = timed(
        "audit", "provenance", str(folder), "--out", str(folder / "results.ndjson"), "--json"
    )
    found = json.loads(text)
    if found["passed"] != images:
        raise SystemExit(f"{found['failed']} images failed: {found['problems']}")
    return {
        "images": images,
        "seconds": round(seconds, 2),
        "imagesPerSecond": round(images / seconds),
        "megabytes": round(memory),
        "loadOfTheMachine": load_of_the_machine(),
    }


def open_page(page: Path) -> dict[str, Any]:
    """Seconds until a headless Chromium has loaded the page, several times."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        seconds = []
        for _ in range(OPENED):
            tab = browser.new_page()
            tab.goto(page.as_uri(), wait_until="load")
            milliseconds = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            seconds.append(round(milliseconds / 1000, 2))
            tab.close()
        browser.close()
    return {"seconds": seconds, "loadOfTheMachine": load_of_the_machine()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=1000)
    parser.add_argument("--images", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = {
            "measured": time.strftime("%Y-%m-%d"),
            "cores": os.cpu_count(),
            "judge": judge(Path(name) / "judge", options.projects),
            "page": open_page(Path(name) / "judge" / "reports" / "report.html"),
            "trace": trace(Path(name) / "trace", options.images),
        }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
