"""The function's figures. Ratios come from one run on one machine, so they say more than the figures themselves."""

import contextlib
import os
import statistics
import sys
import time
from typing import Any

import httpx
import psutil

from bench.function import processes
from bench.function.processes import cpu_seconds, function, load, model_server, peak_megabytes, said

SIZES = {"100 KB": 100_000, "1.5 MB": 1_500_000}
REFERENCE = {"100 KB": 2.1, "1.5 MB": 8.5}
"""Milliseconds of CPU that the bare pair of libraries took on the machine for which the wanted figures were set."""
PAIRS = 1500
RUNS = 3
REQUESTS = {"100 KB": 3000, "1.5 MB": 800}
CALLERS = 32
FLIGHT = 3200
FLIGHT_SECONDS = 7.2
FLIGHT_REQUESTS = 24_000
LARGE = 20 * processes.MEGABYTE
LARGE_CALLERS = 64
ADDED_MODEL_SECONDS = 0.5
LATENCY_REQUESTS = 1500


def cpu_of_the_function(port: int, requests: int) -> float:
    """Milliseconds of CPU an image, all stages included."""
    with function(port) as (own, process):
        load(own, CALLERS, 200)
        before = cpu_seconds(process)
        done = load(own, CALLERS, requests)
        if done["errors"]:
            raise RuntimeError(f"requests failed: {done['errors']}")
        return (cpu_seconds(process) - before) / requests * 1000


def cpu() -> dict[str, Any]:
    """CPU an image, beside the bare pair of libraries."""
    found: dict[str, Any] = {}
    for name, size in SIZES.items():
        ours, theirs, alone = [], [], []
        with model_server(size, 0.0) as port:
            for _ in range(RUNS):
                ours.append(cpu_of_the_function(port, REQUESTS[name]))
                theirs.append(pair(port, REQUESTS[name])["cpuMilliseconds"])
                alone.append(pair(port, REQUESTS[name], "call")["cpuMilliseconds"])
        own, both = statistics.median(ours), statistics.median(theirs)
        found[name] = {
            "functionMilliseconds": round(own, 2),
            "pairMilliseconds": round(both, 2),
            "callAloneMilliseconds": round(statistics.median(alone), 2),
            "ratio": round(own / both, 2),
            "machine": round(both / REFERENCE[name], 2),
        }
    return found


def machine(port: int) -> float:
    """How many times the reference's CPU time this machine takes for the same work, now; from 100 KB images."""
    return float(pair(port, PAIRS)["cpuMilliseconds"]) / REFERENCE["100 KB"]


def in_flight() -> dict[str, Any]:
    """Many requests at once, at the time a model takes: with a process for each processor, and with one."""
    with model_server(SIZES["100 KB"], 0.0) as port:
        before = machine(port)
    found = many(os.cpu_count() or 1)
    found["oneProcess"] = many(1)
    with model_server(SIZES["100 KB"], 0.0) as port:
        slower = (before + machine(port)) / 2
    found["machine"] = round(slower, 2)
    for each in (found, found["oneProcess"]):
        # More than the callers ask for cannot be answered.
        each["imagesPerSecondOnTheReference"] = round(min(FLIGHT / FLIGHT_SECONDS, each["imagesPerSecond"] * slower), 1)
        each["lagP99MillisecondsOnTheReference"] = round(each["lagP99Milliseconds"] / slower, 1)
    return found


def many(workers: int) -> dict[str, Any]:
    """Many requests at once, for a number of server processes."""
    with (
        model_server(SIZES["100 KB"], FLIGHT_SECONDS) as port,
        function(port, WORKERS=str(workers)) as (own, process),
    ):
        load(own, workers, workers)
        since = processes.get(own, "/lag")["now"]
        done = load(own, FLIGHT, FLIGHT_REQUESTS, ramp=FLIGHT_SECONDS)
        lag = processes.get(own, f"/lag?since={since}")
        return {
            "callers": FLIGHT,
            "processes": lag["processes"],
            "mostInFlight": lag["mostInFlight"],
            "modelSeconds": FLIGHT_SECONDS,
            "finished": done["finished"],
            "errors": sum(done["errors"].values()),
            "imagesPerSecond": done["perSecond"],
            "lagP99Milliseconds": lag["p99"],
            "lagLongestMilliseconds": lag["longest"],
            "cpuMilliseconds": round(cpu_seconds(process) / FLIGHT_REQUESTS * 1000, 2),
            "peakMegabytes": peak_megabytes(process),
            "withServerAndLoadMegabytes": peak_megabytes(psutil.Process()) + done["peakMegabytes"],
        }


def large() -> dict[str, Any]:
    """Large images at once; then with a limit on the bytes in flight."""
    found: dict[str, Any] = {}
    for name, limit in (("unlimited", ""), ("limited", str(512 * processes.MEGABYTE))):
        environment = {"PLANTAIN_BYTES_IN_FLIGHT": limit} if limit else {}
        with model_server(LARGE, 1.0) as port, function(port, **environment) as (own, process):
            done = load(own, LARGE_CALLERS, LARGE_CALLERS * 3)
            peak = peak_megabytes(process)
        in_flight_megabytes = LARGE_CALLERS * LARGE / processes.MEGABYTE
        found[name] = {
            "errors": sum(done["errors"].values()),
            "finished": done["finished"],
            "peakMegabytes": peak,
            "ratio": round(peak / in_flight_megabytes, 2),
        }
    return found


def pair(port: int, requests: int, *only: str, ramp: float = 0.0) -> Any:
    """What the libraries by themselves take."""
    command = [sys.executable, "-m", "bench.function.pair", *map(str, (port, CALLERS, requests, ramp)), *only]
    return said(command)


def added_latency() -> dict[str, Any]:
    """What the function adds to the bare model call: with a process for each processor, and with one."""
    with model_server(SIZES["100 KB"], 0.0) as port:
        slower = machine(port)
    found = {"callers": CALLERS, "machine": round(slower, 2)}
    return found | latencies(os.cpu_count() or 1, slower) | {"oneProcess": latencies(1, slower)}


def latencies(workers: int, slower: float) -> dict[str, Any]:
    """What a number of server processes adds for callers who are independent, and for those in lockstep."""
    found: dict[str, Any] = {"processes": workers}
    with (
        model_server(SIZES["100 KB"], ADDED_MODEL_SECONDS) as port,
        function(port, WORKERS=str(workers)) as (own, _),
    ):
        load(own, CALLERS, 100)
        # Those in lockstep wait for each other and not for the machine: one run says it.
        for name, ramp, runs in (("independent", ADDED_MODEL_SECONDS, RUNS), ("atOnce", 0.0, 1)):
            pairs = [
                (load(own, CALLERS, LATENCY_REQUESTS, ramp=ramp), pair(port, LATENCY_REQUESTS, "call", ramp=ramp))
                for _ in range(runs)
            ]
            found[name] = _added(pairs, slower)
    return found


def _added(pairs: list[tuple[dict[str, float], dict[str, float]]], slower: float) -> dict[str, Any]:
    """The medians over pairs of runs that were made in turn, of the function and of the bare call; and every run."""
    found: dict[str, Any] = {}
    for name in ("p50", "p99"):
        each = [ours[name] - bare[name] for ours, bare in pairs]
        median = statistics.median(each)
        found |= {
            f"{name}Milliseconds": round(median, 1),
            f"{name}MillisecondsOnTheReference": round(median / slower, 1),
            f"{name}OfEachRun": [round(one, 1) for one in each],
            f"bare{name.upper()}Milliseconds": statistics.median(bare[name] for _, bare in pairs),
        }
    return found


def start() -> float:
    """Seconds from starting the process to ready."""
    times = []
    with model_server(SIZES["100 KB"], 0.0) as port:
        for _ in range(5):
            began = time.perf_counter()
            with function(port) as (own, _):
                while time.perf_counter() - began < processes.START_SECONDS:
                    with contextlib.suppress(httpx.TransportError):
                        answer = httpx.get(f"http://{processes.LOOPBACK}:{own}/readyz", trust_env=False, timeout=10)
                        if answer.is_success:
                            break
                else:
                    raise RuntimeError(f"the function is not ready: {answer.text}")
                times.append(time.perf_counter() - began)
    return round(statistics.median(times), 2)
