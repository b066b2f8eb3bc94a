"""docs/function.md and requirements.txt say what is true."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from generation.errors import REASONS, Reason
from generation.models import table
from generation.request import Request
from generation.settings import NAMES, read
from generation.validation import parse
from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import FakeGoogle, image_answer, refusal_answer
from tests.functions.pictures import png
from tests.functions.reference import PAGE, page

ROOT = Path(__file__).parents[2]
TEXT = PAGE.read_text("utf-8")


def blocks(kind: str) -> list[str]:
    """Code blocks of a kind."""
    return re.findall(rf'^```json title="{kind}"\n(.*?)^```', TEXT, re.MULTILINE | re.DOTALL)


def shape(value: Any) -> Any:
    """Names and types of a document."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


def test_the_reference_is_as_it_is_generated() -> None:
    assert page(TEXT) == TEXT, "write it anew: python -m tests.functions.reference"


def test_every_field_reason_model_and_variable_is_documented() -> None:
    names = [field.alias for field in Request.model_fields.values()]
    for name in (*names, *Reason, *table().ids, *NAMES.values()):
        assert f"`{name}`" in TEXT


CAMPAIGN = {
    "PLANTAIN_BUCKET": "spring-launch-537657a-images",
    "PLANTAIN_QUEUE": "projects/spring-launch-537657a/locations/europe-west4/queues/images",
}


@pytest.mark.parametrize("text", blocks("request"))
def test_an_example_request_is_a_valid_one(text: str) -> None:
    parse(text.encode(), read(ENVIRONMENT | CAMPAIGN))


async def test_the_example_that_may_wait_is_accepted_as_it_says(google: FakeGoogle) -> None:
    function = Function(ENVIRONMENT | {"PLANTAIN_QUEUE": CAMPAIGN["PLANTAIN_QUEUE"]})
    (asked,) = (request for request in map(json.loads, blocks("request")) if request.get("async"))
    try:
        accepted = await function.post(**asked)
    finally:
        await function.close()

    assert accepted.status_code == 202
    assert accepted.json() == json.loads(blocks("accepted")[0])
    assert accepted.headers["location"] == f"/images/{accepted.json()['id']}"
    assert not google.model_calls


async def test_the_example_answer_looks_like_a_real_one(function: Function, google: FakeGoogle) -> None:
    google.answers = [image_answer(png(16, 9))]

    answer = await function.made(**json.loads(blocks("request")[0]))

    assert shape(json.loads(blocks("answer")[0])) == shape(answer)
    assert json.loads(blocks("answer")[0])["id"] == answer["id"], "the same request has the same id everywhere"


async def test_the_example_log_line_looks_like_a_real_one(function: Function) -> None:
    headers = {"x-cloud-trace-context": "a616e4e96bdcda29c0b0c31636829f29/1;o=1"}
    await function.http.post("/images", json=json.loads(blocks("request")[0]), headers=headers)

    assert shape(json.loads(blocks("log")[0])) == shape(function.log[0])


async def test_the_example_errors_are_what_the_function_answers(function: Function, google: FakeGoogle) -> None:
    wrong, declined = map(json.loads, blocks("error"))
    message = (
        "Unable to show the generated image. The model could not generate the image based on the prompt provided. "
        "Support codes: 61493863"
    )
    google.answers = [refusal_answer("IMAGE_SAFETY", message=message)]

    assert await function.refused(prompt="x", imageSize="8K", promt=1) == wrong["error"]
    assert await function.refused(prompt="x") == declined["error"]


def test_a_reasons_meaning_is_one_clause() -> None:
    assert all(facts.meaning and not facts.meaning.endswith(".") for facts in REASONS.values())


def requirement_names(text: str) -> set[str]:
    """Names of packages at the beginning of lines."""
    found = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


class TestRequirements:
    """requirements.txt is requirements.in, locked."""

    wanted = (ROOT / "functions" / "requirements.in").read_text("utf-8")
    locked = (ROOT / "functions" / "requirements.txt").read_text("utf-8")

    def test_everything_wanted_is_locked(self) -> None:
        assert requirement_names(self.wanted) <= requirement_names(self.locked)

    def test_every_line_has_hashes_and_names_no_index(self) -> None:
        packages = [line for line in self.locked.splitlines() if re.match(r"[a-z0-9]", line)]
        assert packages
        assert all("==" in line and line.endswith("\\") for line in packages)
        assert self.locked.count("--hash=sha256:") >= len(packages)
        assert "index-url" not in self.locked

    def test_what_it_is_measured_beside_is_locked_too(self) -> None:
        lock = ROOT / "bench" / "function" / "litellm_requirements.txt"
        locked = lock.read_text("utf-8")
        assert requirement_names(lock.with_suffix(".in").read_text("utf-8")) <= requirement_names(locked)
        packages = [line for line in locked.splitlines() if re.match(r"[a-z0-9]", line)]
        assert all("==" in line and line.endswith("\\") for line in packages)
        assert locked.count("--hash=sha256:") >= len(packages)
        assert "index-url" not in locked

    def test_everything_imported_is_wanted(self) -> None:
        distributions = {
            "functions_framework": "functions-framework",
            "google.auth": "google-auth",
            "google": "google-auth",
            "google_crc32c": "google-crc32c",
            "httptools": "httptools",
            "jinja2": "jinja2",
            "opentelemetry.metrics": "opentelemetry-api",
            "opentelemetry.trace": "opentelemetry-api",
            "opentelemetry.sdk": "opentelemetry-sdk",
            "pybase64": "pybase64",
            "pydantic": "pydantic",
            "pydantic_core": "pydantic",
            "requests": "requests",
            "starlette": "starlette",
        }
        modules = set()
        for path in (ROOT / "functions").rglob("*.py"):
            text = path.read_text("utf-8")
            modules |= set(re.findall(r"^(?:from|import) ([a-z][a-z0-9_]*(?:\.[a-z_]+)?)", text, re.MULTILINE))
        foreign = {m for m in modules if m.partition(".")[0] not in {*sys.stdlib_module_names, "generation"}}
        needed = {distributions.get(module) or distributions[module.partition(".")[0]] for module in foreign}
        found_by_their_users = {"uvloop"}  # uvicorn takes it where it is
        assert needed | found_by_their_users == requirement_names(self.wanted)

    def test_it_agrees_with_the_projects_own_bounds(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
        bounds = {re.split(r"[<>=]", line)[0]: line for line in project}
        for line in self.wanted.splitlines():
            name = re.split(r"[<>=]", line)[0]
            if name in bounds and name.startswith(("functions", "google-genai")):
                assert line == bounds[name]
