"""The function beside LiteLLM's proxy: its Vertex image route in front of the same model server.

The proxy is installed in a virtual environment of its own in the user's cache, as litellm_requirements.txt locks it:
its dependencies contradict ours.
"""

import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import platformdirs
import psutil

from bench import locked_environment
from bench.function import measure, processes
from bench.function.processes import LOOPBACK, cpu_seconds, function, load, model_server, proportional_megabytes

HOME = Path(platformdirs.user_cache_dir("plantain")) / "litellm"
REQUIREMENTS = Path(__file__).with_name("litellm_requirements.txt")
CALLERS = 16
REQUESTS = {"100 KB": 300, "1.5 MB": 150}
START_SECONDS = 180
ROUTE = "/v1/images/generations"


def installed() -> Path:
    """The proxy's program; installed when it is not there, or its lock has changed."""
    return locked_environment.bin_folder(HOME, REQUIREMENTS, "--compile-bytecode") / "litellm"


@contextmanager
def proxy(model_port: int, folder: Path) -> Iterator[tuple[int, psutil.Process, str]]:
    """The running proxy: its port, its process and its key."""
    port, key = processes.free_port(), f"sk-{secrets.token_hex(24)}"
    model = f"http://{LOOPBACK}:{model_port}/v1/projects/bench/locations/global/publishers/google/models"
    parameters = {
        "model": "vertex_ai/gemini-3-pro-image",
        "vertex_project": "bench",
        "vertex_location": "global",
        "api_base": f"{model}/gemini-3-pro-image:generateContent",
    }
    settings = folder / "litellm.yaml"
    settings.write_text(json.dumps({"model_list": [{"model_name": "image", "litellm_params": parameters}]}))
    metadata = f"{LOOPBACK}:{model_port}"
    environment = {
        "HOME": str(folder),
        "LITELLM_MASTER_KEY": key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "GCE_METADATA_HOST": metadata,
        "GCE_METADATA_IP": metadata,
        "GCE_METADATA_ROOT": metadata,
    }
    command = [str(installed()), "--config", str(settings), "--host", LOOPBACK, "--port", str(port)]
    with processes.running(command, port, environment, patience=START_SECONDS) as process:
        wait(port)
        yield port, process, key


def wait(port: int) -> None:
    """Until it is ready: it listens before that."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://{LOOPBACK}:{port}/health/liveliness", trust_env=False, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError("LiteLLM's proxy is not ready")


def one_size(size: int, requests: int, folder: Path) -> dict[str, Any]:
    """Both at one image size."""
    body = '{"model": "image", "prompt": "a lighthouse at dusk, number %d"}'
    with model_server(size, 0.0) as port:
        with proxy(port, folder) as (theirs, process, key):
            more = {"BENCH_BODY": body, "BENCH_TOKEN": key}
            load(theirs, CALLERS, 32, path=ROUTE, environment=more)
            before = cpu_seconds(process)
            done = load(theirs, CALLERS, requests, path=ROUTE, environment=more)
            if done["errors"] or done["smallest"] < size:
                raise RuntimeError(f"LiteLLM's proxy did not answer images: {done}")
            their_cpu = (cpu_seconds(process) - before) / requests * 1000
            their_memory = proportional_megabytes(process)
        with function(port) as (ours, process):
            load(ours, CALLERS, 100)
            before = cpu_seconds(process)
            load(ours, CALLERS, requests * 4)
            our_cpu = (cpu_seconds(process) - before) / (requests * 4) * 1000
            our_memory = proportional_megabytes(process)
    return {
        "functionMilliseconds": round(our_cpu, 2),
        "litellmMilliseconds": round(their_cpu, 2),
        "timesItsImagesPerCpuSecond": round(their_cpu / our_cpu, 1),
        "functionMegabytes": our_memory,
        "litellmMegabytes": their_memory,
        "ofItsMemory": round(our_memory / their_memory, 2),
    }


def beside() -> dict[str, Any]:
    """Both, at both sizes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {size: one_size(measure.SIZES[size], REQUESTS[size], folder) for size in measure.SIZES}


if __name__ == "__main__":
    print(json.dumps(beside(), indent=1))
