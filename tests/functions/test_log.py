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


SPEAKING = re.compile(
    r"^(print|input|open|exec|eval|os\.write|os\.system|warnings\.warn|log(ger|ging)?\..*|sys\.(__)?std(out|err)(__)?\..*"
    r"|traceback\.(print|format).*|.*\.(write_text|write_bytes|set_attributes?|add_event|record_exception|set_status))$",
    re.IGNORECASE,
)
SPEAKING_MODULES = {
    "logging",
    "pdb",
    "warnings",
    "syslog",
    "faulthandler",
    "pprint",
    "cgitb",
    "subprocess",
    "structlog",
}
ONLY_IN_LOG = {"sys", "traceback"}
SOURCES = sorted((ROOT / "functions").rglob("*.py"))


def trees() -> list[tuple[str, ast.Module]]:
    return [(path.name, ast.parse(path.read_text("utf-8"))) for path in SOURCES]


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def imported(tree: ast.AST) -> set[str]:
    """First parts of the modules a source imports, by either statement."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_nothing_writes_but_the_one_function_with_named_fields() -> None:
    """Every other way to the log would be one for a prompt, too."""
    for name, tree in trees():
        assert not [found for call in calls(tree) if SPEAKING.match(found := ast.unparse(call.func))], name
        assert not imported(tree) & SPEAKING_MODULES, name
        assert (imported(tree) & ONLY_IN_LOG == ONLY_IN_LOG) if name == "log.py" else not imported(tree) & ONLY_IN_LOG


def test_the_line_is_written_at_one_place_from_what_is_known_to_be_harmless() -> None:
    found = [
        (name, {word.arg: ast.unparse(word.value) for word in call.keywords})
        for name, tree in trees()
        for call in calls(tree)
        if ast.unparse(call.func) == "write"
    ]
    assert found == [
        (
            "app.py",
            {
                "status": "response.status_code",
                "latency_ms": "round((time.monotonic() - start) * 1000)",
                "campaign": "self._settings.campaign if self._settings else ''",
                "project": "self._settings.project if self._settings else ''",
                "output": "self._output",
            },
        )
    ]
    set_on_the_line = {
        (ast.unparse(target), ast.unparse(node.value))
        for name, tree in trees()
        if name == "app.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if "line." in ast.unparse(target)
    }
    assert set_on_the_line == {
        ("line.event", "OUTCOME if (line.method, line.route) in MAKING else 'request'"),
        ("line.image", "image[1] if ID.fullmatch(image[1]) else ''"),
        ("line.caller_domain", "caller.domain"),
        ("line.caller_domain", "email.rpartition('@')[2]"),
        ("(line.model, line.request_id)", "(order.models[0].id, order.request.request_id or '')"),
        ("line.capacity", "order.request.capacity.value"),
        ("(line.event, line.image)", "('queued', answer.id)"),
    }


def test_a_span_has_a_fixed_name_and_the_models_id() -> None:
    spans = [
        (ast.unparse(call.args[0]), [ast.unparse(word) for word in call.keywords])
        for _, tree in trees()
        for call in calls(tree)
        if ast.unparse(call.func).endswith("telemetry.span")
    ]
    assert spans == [("'generateContent'", ["model=model.id"])]
    starts = [
        call for _, tree in trees() for call in calls(tree) if ast.unparse(call.func).endswith("start_as_current_span")
    ]
    assert len(starts) == 2
    for call in starts:
        silent = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert silent["record_exception"] == silent["set_status_on_exception"] == "False", (
            "an error's words are a caller's"
        )


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
