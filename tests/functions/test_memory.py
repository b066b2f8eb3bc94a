"""Requests leave nothing behind that only a look through all objects would find."""

import gc
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from generation import memory
from tests.functions.conftest import Function
from tests.functions.fake_google import AIPLATFORM, IAM, STORAGE, FakeGoogle, error_body

FOLDER = Path(__file__).parents[2] / "functions"


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What the collector finds, kept."""
    gc.collect()
    gc.garbage.clear()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def _ours(found: object) -> bool:
    if inspect.iscoroutine(found) or inspect.isframe(found):
        code = found.cr_code if inspect.iscoroutine(found) else found.f_code
        return "/generation/" in code.co_filename
    return type(found).__module__.partition(".")[0] in {"generation", "starlette", "httptools"}


async def test_a_request_leaves_no_cycle(function: Function, garbage: list[object]) -> None:
    await function.made(prompt="the first, which makes connections")
    gc.collect()
    garbage.clear()

    for number in range(20):
        await function.made(prompt=f"a lighthouse, number {number}")
        await function.made(prompt=f"a lighthouse, number {number}")
    gc.collect()

    assert [str(type(found)) for found in garbage if _ours(found)] == []


@pytest.mark.parametrize(
    ("host", "part", "fields"),
    [
        ("", "", {"promt": "a misspelt field"}),
        ("", "", {"prompt": "a lighthouse", "previous": "0" * 64}),
        (AIPLATFORM, ":generateContent", {"prompt": "a lighthouse"}),
        (AIPLATFORM, ":generateContent", {"prompt": "a lighthouse", "count": 3}),
        (STORAGE, "/upload/", {"prompt": "a lighthouse"}),
        (IAM, ":signBlob", {"prompt": "a lighthouse", "seed": 3}),
    ],
    ids=["field", "previous", "model", "several", "bucket", "signature"],
)
async def test_a_request_that_fails_leaves_no_cycle(
    function: Function, google: FakeGoogle, garbage: list[object], host: str, part: str, fields: dict[str, object]
) -> None:
    google.fail(host, 403, error_body(403, "PERMISSION_DENIED", "no"), part=part, times=1000)
    gc.collect()
    garbage.clear()

    for _ in range(10):
        await function.refused(**fields)
    gc.collect()

    assert [str(type(found)) for found in garbage if _ours(found)] == []


def test_the_deployed_entry_point_settles_once_everything_is_imported() -> None:
    look = "import main, gc; print(gc.get_threshold(), gc.get_freeze_count() > 10_000)"

    said = subprocess.run([sys.executable, "-c", look], cwd=FOLDER, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == f"{memory.THRESHOLDS} True"
