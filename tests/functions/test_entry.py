"""The function as it is deployed: its folder alone, run by functions-framework with the metadata identity."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.functions.conftest import ENVIRONMENT
from tests.functions.fake_google import LOOPBACK, TOKEN, FakeGoogle
from tests.functions.instance import FOLDER, START_SECONDS, address_of


@pytest.fixture(params=[(), ("--asgi",)], ids=["autodetected", "asgi"])
def deployed(request: pytest.FixtureRequest, google: FakeGoogle, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address and log of a running function."""
    source = tmp_path / "source"
    shutil.copytree(FOLDER, source, ignore=shutil.ignore_patterns("__pycache__"))
    log = tmp_path / "log"
    environment = ENVIRONMENT | google.environment | {"PATH": os.environ["PATH"], "FUNCTION_TARGET": "images"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "functions_framework", f"--host={LOOPBACK}", "--port=0", *request.param],
            cwd=source,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield address_of(process), log
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(START_SECONDS)


def test_it_makes_an_image_and_logs_one_line(deployed: tuple[str, Path], google: FakeGoogle) -> None:
    address, log = deployed

    made = httpx.post(f"{address}/images", json={"prompt": "a lighthouse at dusk"}, timeout=60, trust_env=False)
    shown = httpx.get(f"{address}/images/{made.json()['id']}", timeout=60, trust_env=False)
    ready = httpx.get(f"{address}/readyz", timeout=60, trust_env=False)

    assert made.status_code == 200, made.text
    assert shown.json()["prompt"] == "a lighthouse at dusk"
    assert ready.json()["status"] == "ok"
    assert f"images/{made.json()['id']}/0.png" in google.objects["spring-images"]
    assert google.model_calls[0].headers["authorization"] == f"Bearer {TOKEN}", "the metadata server's token"
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line["message"] for line in lines] == ["POST /images 200", "GET /images/{id} 200", "GET /readyz 200"]
