"""The function's part of docs/performance.md, and of bench/results.json."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results.json"
KEY = "function"
CONDITIONS = "conditions"
NOTE = """
The function runs in an environment of its own that holds what `functions/requirements.txt` locks and nothing else,
started by functions-framework as on Cloud Run: two processes, both counted. LiteLLM's proxy has an environment of
its own, too. The pair is what the libraries offer by themselves: google-genai's asynchronous call on a kept aiohttp
session, and an upload by google-cloud-storage after it. A request to the function is more than that: HTTP in,
validation, a look for the same image, a claim, the model, the image, its record, a signed URL, HTTP out, a log
line. LiteLLM's proxy stores nothing and signs nothing. Model, bucket and signature are a local server that answers
from memory, so these are figures of the function and not of Google's services. CPU is that of the function's
processes; memory is the kernel's peak of resident memory, in which what both processes share is counted twice;
beside LiteLLM it is proportional memory at the end of the run, in which it is counted once.

One process of Python uses one processor, and 3,200 requests in flight filled it when the figures were taken: an image
then took 2.6 to 3.2 ms of it, a third to a half more than with 32 in flight, garbage collection left aside. Run once by
hand with `WORKERS=2`, which is functions-framework's setting and is not what is deployed (an instance has one
processor), the same load gave 427 images a second without an error; the event loops were late by up to 470 ms while
callers arrived and by 200 ms at most (p99 of five seconds) from then on.
"""


def keep(part: str, figures: Any, conditions: dict[str, Any]) -> None:
    """Write one part of the figures into bench/results.json, and under which conditions they were taken."""
    results = json.loads(RESULTS.read_text("utf-8"))
    own = results.setdefault(KEY, {})
    own[part] = figures
    own.setdefault(CONDITIONS, {})[part] = conditions
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


def section(results: dict[str, Any]) -> str:
    """Markdown; empty while nothing was measured."""
    found = results.get(KEY)
    if not found:
        return ""
    rows = [("what", "wanted", "figure"), ("---", "---", "---")]
    rows += [row for part, make in PARTS.items() if part in found for row in make(found[part])]
    lines = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n## The function\n\n" + "\n".join(lines) + "\n" + NOTE + _conditions(found.get(CONDITIONS, {}))


def _conditions(found: dict[str, Any]) -> str:
    said = [
        f"{TITLES[part]} on {each['date']} ({each['cores']} cores, Python {each['python']}, others had "
        f"{each['othersPercent']} % of the processors)"
        for part, each in found.items()
    ]
    return f"\nTaken: {'; '.join(said)}.\n" if said else ""


Rows = list[tuple[str, str, Any]]


def cpu(found: dict[str, Any]) -> Rows:
    rows: Rows = []
    for size, each in found.items():
        rows += [
            (f"CPU an image of {size}, ms", "", each["functionMilliseconds"]),
            ("the bare pair of libraries, ms", "", each["pairMilliseconds"]),
            ("of it, the model call alone, ms", "", each["callAloneMilliseconds"]),
            ("function ÷ pair", "≤ 0.6", each["ratio"]),
        ]
    return rows


def in_flight(found: dict[str, Any]) -> Rows:
    what = f"{found['callers']} in flight, model time {found['modelSeconds']} s"
    return [
        (f"{what}: images a second", "≥ 400", found["imagesPerSecond"]),
        ("requests that the function held at once", "3200", found["mostInFlight"]),
        ("finished, errors", "no error", f"{found['finished']}, {found['errors']}"),
        ("event loop late, p99, ms", "≤ 250", found["lagP99Milliseconds"]),
        ("peak memory, MB", "≤ 1000", found["peakMegabytes"]),
        ("with the model server and the callers, MB", "≤ 1000", found["withServerAndLoadMegabytes"]),
    ]


def large(found: dict[str, Any]) -> Rows:
    limited = found["limited"]
    return [
        ("64 images of 20 MB at once: peak memory ÷ bytes in flight", "≤ 3", found["unlimited"]["ratio"]),
        ("the same with room for 512 MB: peak memory, MB", "", limited["peakMegabytes"]),
        ("errors", "none", found["unlimited"]["errors"] + limited["errors"]),
    ]


def latency(found: dict[str, Any]) -> Rows:
    alone, together = found["independent"], found["atOnce"]
    return [
        (f"added to the bare call at {found['callers']} in flight, p50, ms", "≤ 5", alone["p50Milliseconds"]),
        ("p99, ms", "≤ 25", alone["p99Milliseconds"]),
        ("the same when all call in the same moment, p50, ms", "", together["p50Milliseconds"]),
        ("p99, ms", "", together["p99Milliseconds"]),
    ]


def start(found: float) -> Rows:
    return [("from starting the process to ready, s", "≤ 1.5", found)]


def beside(found: dict[str, Any]) -> Rows:
    rows: Rows = []
    for size, each in found.items():
        rows += [
            (
                f"beside LiteLLM's proxy, {size}: times its images per CPU second",
                "≥ 4",
                (
                    f"{each['timesItsImagesPerCpuSecond']} "
                    f"({each['functionMilliseconds']} to {each['litellmMilliseconds']} ms)"
                ),
            ),
            (
                "of its memory",
                "≤ 0.33",
                f"{each['ofItsMemory']} ({each['functionMegabytes']} to {each['litellmMegabytes']} MB)",
            ),
        ]
    return rows


def requests(found: dict[str, Any]) -> Rows:
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(found["byStatus"].items()))
    return [(f"{found['requests']:,} requests at random", "no 500", answers)]


TITLES = {
    "cpu": "CPU",
    "inFlight": "many in flight",
    "large": "large images",
    "latency": "latency",
    "start": "start",
    "litellm": "LiteLLM",
    "requests": "requests at random",
}
PARTS: dict[str, Callable[[Any], Rows]] = {
    "cpu": cpu,
    "inFlight": in_flight,
    "large": large,
    "latency": latency,
    "start": start,
    "litellm": beside,
    "requests": requests,
}
