"""One line per outcome; never a prompt, an image or a token."""

import ast
import base64
import json
import re
from pathlib import Path

import pytest

from generation.log import trace_of
from tests.functions.conftest import Function
from tests.functions.fake_google import AIPLATFORM, TOKEN, FakeGoogle, error_body, image_answer, refusal_answer
from tests.functions.pictures import png

ROOT = Path(__file__).parents[2]
SECRET = "the-unannounced-product"
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def test_an_image_is_logged_with_what_it_took(function: Function) -> None:
    headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    response = await function.http.post("/images", json={"prompt": "x", "requestId": "run-1"}, headers=headers)

    assert len(function.log) == 1
    line = function.log[0]
    assert line["severity"] == "INFO"
    assert line["message"] == "POST /images 200"
    assert line["campaign"] == "spring-launch"
    assert line["model"] == "gemini-3-pro-image"
    assert line["imageId"] == response.json()["id"]
    assert line["requestId"] == "run-1"
    assert line["usage"]["totalTokenCount"] == 1332
    assert line["cost"]["amount"] == 0.136824
    assert line["attempts"] == 1
    assert line["cached"] is False
    assert isinstance(line["latencyMs"], int)
    assert line["logging.googleapis.com/trace"] == f"projects/spring-launch-4711/traces/{TRACE}"


async def test_a_failure_is_logged_with_its_class_and_its_cure(function: Function, google: FakeGoogle) -> None:
    google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", "Permission denied."))

    await function.refused(prompt="x")

    line = function.log[0]
    assert line["severity"] == "ERROR"
    assert (line["class"], line["reason"]) == ("auth", "PERMISSION_DENIED")
    assert line["hint"].startswith("gcloud projects add-iam-policy-binding")


async def test_a_declined_prompt_is_a_warning_with_the_tokens_it_took(function: Function, google: FakeGoogle) -> None:
    google.answers = [refusal_answer("IMAGE_SAFETY")]

    await function.refused(prompt="x")

    line = function.log[0]
    assert (line["severity"], line["class"]) == ("WARNING", "safety")
    assert line["usage"]["promptTokenCount"] == 12
    assert line["cost"]["amount"] > 0


async def test_nothing_confidential_is_ever_logged(
    function: Function, google: FakeGoogle, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    data = png(colour=99)
    google.answers = [image_answer(data), refusal_answer("STOP", text=f"I will not draw {SECRET}")]
    picture = base64.b64encode(data).decode()
    await function.made(prompt=SECRET, negativePrompt=SECRET, delivery="inline", references=[{"data": picture}])
    await function.refused(prompt=SECRET, seed=1)
    google.fail(AIPLATFORM, 400, error_body(400, "INVALID_ARGUMENT", f"cannot draw {SECRET}"))
    await function.refused(prompt=SECRET, seed=2)
    google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", f"denied for {SECRET} with {TOKEN}"))
    await function.refused(prompt=SECRET, seed=3)
    await function.refused(prompt=SECRET, aspectRatio=SECRET, model=SECRET, labels={SECRET: SECRET}, **{SECRET: 1})
    await function.http.post("/images", content=f'{{"prompt": "{SECRET}"'.encode())
    await function.http.get(f"/images/{SECRET}")
    await function.http.get(f"/{SECRET}")

    printed = capfd.readouterr()
    everything = function.output.getvalue() + printed.out + printed.err + caplog.text
    assert len(function.log) == 8, "each request has its line, so the search below has something to find"
    for confidential in (SECRET, TOKEN, picture[:40], "X-Goog-Signature"):
        assert confidential not in everything


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}, (TRACE, "b7ad6b7169203331")),
        ({"x-cloud-trace-context": f"{TRACE}/123;o=1"}, (TRACE, "123")),
        ({"x-cloud-trace-context": TRACE}, (TRACE, "")),
        ({"traceparent": "nonsense", "x-cloud-trace-context": "nonsense"}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_the_trace_is_found_in_either_header(headers: dict[str, str], found: tuple[str, str]) -> None:
    assert trace_of(headers) == found


def calls(tree: ast.AST) -> set[str]:
    """Dotted names of what is called."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_nothing_writes_but_the_one_function_with_named_fields() -> None:
    """Every other way to the log would be one for a prompt, too."""
    speaking = re.compile(
        r"^(print|warnings\.warn|log(ger|ging)?\..*|sys\.std(out|err)\..*|traceback\.print.*)$", re.IGNORECASE
    )
    for path in sorted((ROOT / "functions").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        assert not {name for name in calls(tree) if speaking.match(name)}, path
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not modules & {"logging", "pdb"}, path
        streams = "sys.stdout" in ast.unparse(tree)
        assert streams == (path.name == "log.py"), path


async def test_every_field_of_a_line_is_one_of_these(function: Function, google: FakeGoogle) -> None:
    """What is logged is a list, so that a new field is a decision."""
    google.answers = [refusal_answer("IMAGE_SAFETY", text=SECRET)]
    trace = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    await function.refused(prompt=SECRET)
    await function.http.post("/images", json={"prompt": SECRET, "requestId": "run-1"}, headers=trace)
    await function.http.get("/nowhere")
    google.fail(AIPLATFORM, 403, error_body(403, "PERMISSION_DENIED", "vpcServiceControlsUniqueIdentifier: Zk3vQ"))
    await function.refused(prompt=SECRET, seed=3)

    assert set().union(*function.log) == {
        "severity", "message", "event", "campaign", "model", "status", "latencyMs", "imageId", "requestId", "capacity",
        "tokens", "modelRetiresInDays", "attempts", "cached", "usage", "cost", "finishReason", "images", "timing",
        "class", "reason", "hint", "uniqueId", "logging.googleapis.com/trace", "logging.googleapis.com/spanId",
    }  # fmt: skip
    assert [line["event"] for line in function.log] == ["outcome", "outcome", "request", "outcome"]


async def test_a_line_is_one_line(function: Function) -> None:
    await function.http.get("/nowhere%0A")

    assert len(function.output.getvalue().splitlines()) == 1
    assert json.loads(function.output.getvalue())["message"] == "GET unknown 404 ROUTE_NOT_FOUND"
