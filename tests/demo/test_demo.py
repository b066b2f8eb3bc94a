from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from plantain.generation_run.prompts import read_prompts

ROOT = Path(__file__).parents[2]
DATA = ROOT / ".plantain" / "demo"
PROMPTS = ROOT / "demo" / "prompts.jsonl"

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def demo() -> subprocess.Popen[str]:
    environment = {**os.environ, "PORT": str(free_port())}
    environment.pop("KEEP", None)
    return subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def processes_of(folder: Path) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


def test_the_prompts_are_a_campaigns_and_cover_the_formats() -> None:
    requests = read_prompts(PROMPTS)
    assert len(requests) >= 8
    assert {"1K", "2K", "4K"} <= {request["imageSize"] for request in requests}
    assert {"16:9", "9:16", "1:1", "21:9"} <= {request["aspectRatio"] for request in requests}


def test_the_demo_makes_every_image_and_leaves_nothing_running() -> None:
    process = demo()
    output, errors = process.communicate(timeout=500)
    assert process.returncode == 0, output[-2000:] + errors[-2000:]
    assert output.count("images/") >= len(read_prompts(PROMPTS))
    assert "which the sandbox answered in" in output
    copies = [line for line in output.splitlines() if line.startswith("out/demo/")]
    assert len(copies) == len(read_prompts(PROMPTS))
    assert all((ROOT / copy).stat().st_size for copy in copies)
    assert not DATA.exists()
    assert not processes_of(DATA)


def test_ctrl_c_takes_everything_down() -> None:
    process = demo()
    deadline = time.monotonic() + 90
    while not (DATA / "pulumi").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(3)
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Interrupted" in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(family, timeout=20)[1]
    assert not DATA.exists()
