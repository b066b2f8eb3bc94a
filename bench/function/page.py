"""The function's part of docs/performance.md, and of bench/results.json."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results.json"
KEY = "function"
CONDITIONS = "conditions"
Rows = list[tuple[Any, ...]]
"""What, what is wanted, the figure, and what it would be on the machine for which the wanted ones were set."""
NOTE = """
The function runs in an environment of its own that holds what `functions/requirements.txt` locks and nothing else,
started by functions-framework as on Cloud Run: its arbiter and its server processes, all counted. LiteLLM's proxy has a
locked environment of its own, too. The pair is what the libraries offer by themselves: google-genai's asynchronous call
on a kept aiohttp session, and an upload by google-cloud-storage after it. A request to the function is more than that:
HTTP in, validation, a look for the same image, a claim, the model, the image, its record, a signed URL, HTTP out, a log
line. LiteLLM's proxy stores nothing and signs nothing. Model, bucket and signature are a local server that answers
from memory, so these are figures of the function and not of Google's services. CPU is that of the function's
processes; memory is the kernel's peak of resident memory, in which what processes share is counted for each;
beside LiteLLM it is proportional memory at the end of the run, in which it is counted once.

One process of Python uses one processor. With many in flight the function has a process for each of the two processors,
as a campaign with `function.cpu: 2` deploys it, and shares them with the model server and the callers; the rows for one
process are those of `function.cpu: 1`, which is the default. Everything else was measured with one process.

The wanted figures were set on a machine on which the bare pair took 2.1 ms (100 KB) and 8.5 ms (1.5 MB). How many times
as long the pair takes here, measured within the same part, is the speed of this machine; the last column is the figure
divided by it (images a second: multiplied, up to the 444 that the callers can ask for). It is an estimate, no
measurement: latencies hold waits that no faster processor shortens.

Connections of its own instead of aiohttp's took the CPU of an image to 0.70 times what it was at 100 KB and 0.68 times
at 1.5 MB (both versions in turn, medians of seven runs each on 2026-11-21, on a busy machine). Where CPU, many in
flight or latency come without the speed of the machine, they were measured before that.
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
    rows: Rows = [("what", "wanted", "figure", "at the reference's speed"), ("---", "---", "---", "---")]
    rows += [row for part, make in PARTS.items() if part in found for row in make(found[part])]
    lines = [f"| {' | '.join(str(cell) for cell in (*row, '', '')[:4])} |" for row in rows]
    return "\n## The function\n\n" + "\n".join(lines) + "\n" + NOTE + _conditions(found.get(CONDITIONS, {}))


def _conditions(found: dict[str, Any]) -> str:
    said = [
        f"{TITLES[part]} on {each['date']} ({each['cores']} cores, Python {each['python']}, others had "
        f"{each['othersPercent']} % of the processors)"
        for part, each in found.items()
    ]
    return f"\nTaken: {'; '.join(said)}.\n" if said else ""


def _machine(found: dict[str, Any]) -> Rows:
    # Figures of before it was measured have none.
    return [("this machine's time ÷ the reference's, meanwhile", "", found["machine"])] if "machine" in found else []


def cpu(found: dict[str, Any]) -> Rows:
    rows: Rows = []
    for size, each in found.items():
        rows += [
            (f"CPU an image of {size}, ms", "", each["functionMilliseconds"]),
            ("the bare pair of libraries, ms", "", each["pairMilliseconds"]),
            ("of it, the model call alone, ms", "", each["callAloneMilliseconds"]),
            ("function ÷ pair", "≤ 0.6", each["ratio"]),
            *_machine(each),
        ]
    return rows


def in_flight(found: dict[str, Any]) -> Rows:
    what = f"{found['callers']} in flight, model time {found['modelSeconds']} s"
    rows = _machine(found)
    for each, wanted in ((found, True), (found.get("oneProcess", {}), False)):
        if not each:
            continue
        how = f"{each['processes']} processes" if each.get("processes", 1) > 1 else "1 process"
        rows += [
            (
                f"{what}, {how}: images a second",
                "≥ 400" if wanted else "",
                each["imagesPerSecond"],
                each.get("imagesPerSecondOnTheReference", ""),
            ),
            ("requests that the function held at once", "3200", each["mostInFlight"]),
            ("finished, errors", "no error", f"{each['finished']}, {each['errors']}"),
            (
                "event loops late, p99, ms",
                "≤ 250" if wanted else "",
                each["lagP99Milliseconds"],
                each.get("lagP99MillisecondsOnTheReference", ""),
            ),
            ("the longest, ms", "", each.get("lagLongestMilliseconds", "")),
            ("CPU an image, ms", "", each.get("cpuMilliseconds", "")),
            ("peak memory, MB", "≤ 1000", each["peakMegabytes"]),
            ("with the model server and the callers, MB", "≤ 1000", each["withServerAndLoadMegabytes"]),
        ]
    return rows


def large(found: dict[str, Any]) -> Rows:
    limited = found["limited"]
    return [
        ("64 images of 20 MB at once: peak memory ÷ bytes in flight", "≤ 3", found["unlimited"]["ratio"]),
        ("the same with room for 512 MB: peak memory, MB", "", limited["peakMegabytes"]),
        ("errors", "none", found["unlimited"]["errors"] + limited["errors"]),
    ]


def latency(found: dict[str, Any]) -> Rows:
    p50, p99 = "p50Milliseconds", "p99Milliseconds"
    rows = _machine(found)
    for each, wanted in ((found, True), (found["oneProcess"], False)):
        how = f"{each['processes']} processes" if each["processes"] > 1 else "1 process"
        alone, together = each["independent"], each["atOnce"]
        runs = f"median of {', '.join(map(str, alone['p99OfEachRun']))}" if "p99OfEachRun" in alone else ""
        rows += [
            (
                f"added to the bare call at {found['callers']} in flight, {how}: p50, ms",
                "≤ 5" if wanted else "",
                alone[p50],
                alone[f"{p50}OnTheReference"],
            ),
            (
                f"p99, ms{f'; {runs}' if runs else ''}",
                "≤ 25" if wanted else "",
                alone[p99],
                alone[f"{p99}OnTheReference"],
            ),
            (
                "the same when all call in the same moment, p50, ms",
                "",
                together[p50],
                together[f"{p50}OnTheReference"],
            ),
            ("p99, ms", "", together[p99], together[f"{p99}OnTheReference"]),
        ]
    return rows


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
