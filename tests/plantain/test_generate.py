from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from generation.request import Request
from plantain.commands.generate import OPTION_FIELDS, deployed_campaign, options_of, requests_of
from plantain.errors import GenerationError, InputError
from plantain.function import Function, Refusal, refusal
from plantain.generation_run.journal import Journal, key_of
from plantain.generation_run.prompts import read_prompts
from plantain.generation_run.references import reference
from plantain.generation_run.runner import Runner, wait
from plantain.generation_run.sheet import write_sheet
from tests.plantain.ending import ends

IMAGE = b"image bytes"
DIGEST = hashlib.sha256(IMAGE).hexdigest()
ANSWER = {
    "id": "ab" * 32,
    "cached": False,
    "cost": {"amount": "0.134", "currency": "USD"},
    "images": [
        {
            "uri": "gs://bucket/images/x/0.png",
            "signedUrl": "https://storage.googleapis.com/bucket/x",
            "sha256": DIGEST,
            "mimeType": "image/png",
            "width": 1024,
            "height": 1024,
            "bytes": len(IMAGE),
        }
    ],
}
Respond = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Respond], None]:
    """Answer the module's HTTP calls by a function of the request."""

    def serve(respond: Respond) -> None:
        client = httpx.Client(transport=httpx.MockTransport(respond))
        monkeypatch.setattr(httpx, "post", client.post)
        monkeypatch.setattr(httpx, "get", client.get)

    return serve


def test_a_prompt_file_gives_its_requests_without_comments_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('# heading\n\n{"prompt": "a", "seed": 1}\n{"prompt": "b"}\n')
    assert read_prompts(path) == [{"prompt": "a", "seed": 1}, {"prompt": "b"}]


def test_all_wrong_lines_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "a"}\nnonsense\n{"prompt": 5}\n[]\n')
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    assert [f"line {n}:" in caught.value.message for n in (1, 2, 3, 4)] == [False, True, True, True]
    assert "nothing was generated" in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"\xff\xfe\x00", "not UTF-8"), (b"# only a comment\n", "holds no prompt")],
)
def test_an_unusable_prompt_file_says_why(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "p.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_prompts(path)


@pytest.mark.parametrize(("prompt", "file"), [(None, None), ("a", Path("b"))])
def test_exactly_one_source_of_prompts_is_needed(prompt: str | None, file: Path | None) -> None:
    with pytest.raises(InputError, match="either --prompt or --file"):
        requests_of(prompt, file, {})


def test_options_of_the_command_line_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "a", "seed": 1}\n')
    assert requests_of(None, path, {"seed": 2}) == [{"prompt": "a", "seed": 2}]


class FakeStack:
    name = "team"

    def __init__(self, campaigns: dict[str, Any]) -> None:
        self._campaigns = campaigns

    def outputs(self) -> dict[str, Any]:
        return {"campaigns": self._campaigns}


def test_the_only_campaign_needs_no_name() -> None:
    assert deployed_campaign(FakeStack({"spring": {"functionUri": "u"}}), None) == {"functionUri": "u"}


@pytest.mark.parametrize("name", [None, "autumn"])
def test_a_missing_campaign_lists_those_there_are(name: str | None) -> None:
    with pytest.raises(InputError, match="spring, summer"):
        deployed_campaign(FakeStack({"spring": {}, "summer": {}}), name)


def test_images_are_kept_under_their_request_with_the_right_ending(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert request.headers["authorization"] == "Bearer token"
            return httpx.Response(200, json=ANSWER)
        return httpx.Response(200, content=IMAGE)

    served(respond)
    [result] = Runner(Function("https://f.run.app", "token"), tmp_path).run([{"prompt": "a"}])
    [path] = result["files"]
    assert path.endswith("abababababab-0.png")
    assert Path(path).read_bytes() == IMAGE


def test_a_copy_that_differs_from_the_record_is_refused(served: Callable[[Respond], None], tmp_path: Path) -> None:
    served(lambda _: httpx.Response(200, content=b"other bytes"))
    with pytest.raises(GenerationError, match="but the function recorded"):
        Function("https://f.run.app", "t").download(ANSWER["images"][0], tmp_path / "x")  # type: ignore[index]  # a JSON document
    assert not list(tmp_path.iterdir())


def test_a_function_that_cannot_be_reached_says_how_to_reach_it(served: Callable[[Respond], None]) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    served(respond)
    with pytest.raises(GenerationError) as caught:
        Function("https://f.run.app", "t").generate({"prompt": "a"})
    assert caught.value.cure is not None
    assert "internal" in caught.value.cure
    assert caught.value.exit_code == 6


def test_the_functions_own_refusal_keeps_reason_class_and_hint() -> None:
    body = {
        "error": {
            "code": 429,
            "status": "RESOURCE_EXHAUSTED",
            "message": "busy",
            "details": [{"reason": "CAPACITY", "class": "quota", "hint": "wait"}],
        }
    }
    assert refusal(httpx.Response(429, json=body)) == Refusal(
        429, "RESOURCE_EXHAUSTED", "busy", "CAPACITY", "quota", "wait"
    )


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [(401, "INVOKER", "auth"), (403, "INVOKER", "auth"), (404, "INGRESS", "auth"), (502, "", "retryable")],
)
def test_a_page_of_the_front_end_is_explained(code: int, reason: str, kind: str) -> None:
    found = refusal(httpx.Response(code, text="<html>no</html>"))
    assert (found.code, found.reason, found.kind) == (code, reason, kind)


def refused(status: int, kind: str, reason: str, seconds: float | None = None) -> httpx.Response:
    detail = {"reason": reason, "class": kind, "hint": "mend it", "retryAfterSeconds": seconds}
    return httpx.Response(status, json={"error": {"code": status, "status": "S", "message": "no", "details": [detail]}})


def runner_of(tmp_path: Path, **settings: Any) -> tuple[Runner, list[float]]:
    waited: list[float] = []
    return Runner(Function("https://f.run.app", "t"), tmp_path, sleep=waited.append, **settings), waited


def answering(served: Callable[[Respond], None], *answers: httpx.Response) -> list[dict[str, Any]]:
    """Serve answers in turn, the last one for ever; returns the bodies that were sent."""
    left, sent = list(answers), list[dict[str, Any]]()

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=IMAGE)
        sent.append(json.loads(request.content))
        return left.pop(0) if len(left) > 1 else left[0]

    served(respond)
    return sent


MADE = httpx.Response(200, json=ANSWER)


def test_a_declined_prompt_does_not_stop_the_requests_after_it(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    answering(served, refused(400, "safety", "PROMPT_BLOCKED"), MADE)
    first, second = runner_of(tmp_path)[0].run([{"prompt": "a"}, {"prompt": "b"}])
    assert first["error"]["reason"] == "PROMPT_BLOCKED"
    assert second["files"]


def test_a_refused_caller_stops_the_run_because_the_others_would_be_refused_too(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    sent = answering(served, httpx.Response(403, text="no"))
    first, second = runner_of(tmp_path)[0].run([{"prompt": "a"}, {"prompt": "b"}])
    assert first["error"]["reason"] == "INVOKER"
    assert second["error"]["kind"] == "stopped"
    assert len(sent) == 1


def test_what_may_pass_is_sent_again_after_the_wait_that_was_asked_for(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    sent = answering(served, refused(429, "quota", "QUOTA_EXCEEDED", 7), refused(503, "retryable", "X"), MADE)
    runner, waited = runner_of(tmp_path)
    [result] = runner.run([{"prompt": "a"}])
    assert result["files"]
    assert (len(sent), runner.meter.retries, waited[0]) == (3, 2, 7)
    assert 2 <= waited[1] <= 4


def test_trying_again_ends_after_the_attempts(served: Callable[[Respond], None], tmp_path: Path) -> None:
    sent = answering(served, refused(503, "retryable", "MODEL_UNAVAILABLE"))
    runner, _ = runner_of(tmp_path, attempts=2)
    [result] = runner.run([{"prompt": "a"}])
    assert result["error"]["reason"] == "MODEL_UNAVAILABLE"
    assert len(sent) == 2


def test_equal_requests_are_sent_once(served: Callable[[Respond], None], tmp_path: Path) -> None:
    sent = answering(served, MADE)
    one, two = runner_of(tmp_path)[0].run([{"prompt": "a", "seed": 1}, {"seed": 1, "prompt": "a"}])
    assert one == two
    assert len(sent) == 1


def test_a_run_that_was_killed_goes_on_where_it_was(served: Callable[[Respond], None], tmp_path: Path) -> None:
    sent = answering(served, MADE)
    requests = [{"prompt": "a"}, {"prompt": "b"}]
    runner_of(tmp_path, journal=Journal.open(tmp_path))[0].run(requests[:1])
    with (tmp_path / "run.jsonl").open("a") as file:
        file.write('{"key": "half a li')
    runner, _ = runner_of(tmp_path, journal=Journal.open(tmp_path))
    first, second = runner.run(requests)
    assert [body["prompt"] for body in sent] == ["a", "b"]
    assert first["resumed"]
    assert "resumed" not in second
    assert runner.meter.cost == Decimal("0.134")


def test_a_result_whose_copy_is_gone_is_asked_for_again(served: Callable[[Respond], None], tmp_path: Path) -> None:
    sent = answering(served, MADE)
    [made] = runner_of(tmp_path, journal=Journal.open(tmp_path))[0].run([{"prompt": "a"}])
    Path(made["files"][0]).unlink()
    runner_of(tmp_path, journal=Journal.open(tmp_path))[0].run([{"prompt": "a"}])
    assert len(sent) == 2


def test_a_fresh_run_forgets_the_one_before(served: Callable[[Respond], None], tmp_path: Path) -> None:
    sent = answering(served, MADE)
    runner_of(tmp_path, journal=Journal.open(tmp_path))[0].run([{"prompt": "a"}])
    runner_of(tmp_path, journal=Journal.open(tmp_path, fresh=True))[0].run([{"prompt": "a"}])
    assert len(sent) == 2


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        Journal.open(tmp_path / "file")


def test_nothing_is_begun_once_the_most_was_spent(served: Callable[[Respond], None], tmp_path: Path) -> None:
    sent = answering(served, MADE)
    runner, _ = runner_of(tmp_path, most_cost=Decimal("0.2"))
    results = runner.run([{"prompt": text} for text in "abcd"])
    assert len(sent) == 2
    assert [result.get("error", {}).get("kind") for result in results] == [None, None, "stopped", "stopped"]
    assert "the most it may" in results[-1]["error"]["message"]


def test_a_connection_that_breaks_in_the_middle_is_tried_again(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    calls: Iterator[httpx.Response | Exception] = iter([MADE, httpx.ConnectError("reset"), MADE])

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=IMAGE)
        found = next(calls)
        if isinstance(found, Exception):
            raise found
        return found

    served(respond)
    _, second = runner_of(tmp_path)[0].run([{"prompt": "a"}, {"prompt": "b"}])
    assert second["files"]


def test_the_wait_is_bounded_whatever_is_asked_for() -> None:
    assert wait(1, 10_000) == 60
    assert wait(30, None) <= 60


def test_the_name_of_a_request_does_not_depend_on_the_order_of_its_fields() -> None:
    assert key_of({"prompt": "a", "seed": 1}) == key_of({"seed": 1, "prompt": "a"}) != key_of({"prompt": "a"})


def test_a_csv_file_gives_fields_lists_and_objects(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('prompt,seed,references,labels\na,1,gs://b/1.png; gs://b/2.png,"{""market"": ""de""}"\nb,,,\n')
    assert read_prompts(path) == [
        {
            "prompt": "a",
            "seed": 1,
            "references": [{"uri": "gs://b/1.png"}, {"uri": "gs://b/2.png"}],
            "labels": {"market": "de"},
        },
        {"prompt": "b"},
    ]


def test_a_template_makes_prompts_of_rows_and_other_columns_stay_out_of_the_request(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("product,city,seed\nchips,Lagos,7\n")
    assert read_prompts(path, "{{ product }} in {{ city | upper }}") == [{"prompt": "chips in LAGOS", "seed": 7}]


@pytest.mark.parametrize(
    ("text", "template", "words"),
    [
        ("a\nx\n", "{{ b }}", "line 2: the template: 'b' is undefined"),
        ("a\nx\n", "{{ a ", "line 2: the template"),
        ("prompt,seed\na,many\n", None, "line 2: seed is no number"),
        ("prompt\na,b\n", None, "line 2: more cells"),
        ("prompt,labels\na,{\n", None, "line 2: labels is no JSON"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, text: str, template: str | None, words: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_prompts(path, template)
    assert words in caught.value.message


def test_a_text_file_has_a_prompt_a_line(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("# heading\na ripe plantain\n\nanother\n")
    assert [request["prompt"] for request in read_prompts(path)] == ["a ripe plantain", "another"]


def test_many_wrong_lines_do_not_fill_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("nonsense\n" * 500)
    with pytest.raises(InputError) as caught:
        read_prompts(path)
    assert "and 480 more" in caught.value.message
    assert len(caught.value.message.splitlines()) < 30


def test_a_template_without_rows_is_refused() -> None:
    with pytest.raises(InputError, match="rows"):
        requests_of("a", None, {}, "{{ b }}")


def test_a_local_picture_goes_along_as_data_and_an_object_by_address(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")
    assert reference(str(tmp_path / "a.png")) == {"data": "cGljdHVyZQ=="}
    assert reference("gs://b/o.png") == {"uri": "gs://b/o.png"}


def test_a_picture_that_is_too_large_or_missing_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(bytes(8 * 1024 * 1024))
    with pytest.raises(InputError, match="may have 7") as caught:
        reference(str(tmp_path / "a.png"))
    assert caught.value.cure
    assert "gcloud storage cp" in caught.value.cure
    with pytest.raises(InputError, match="cannot be read"):
        reference(str(tmp_path / "none.png"))


def test_the_bytes_of_a_picture_are_not_kept_in_the_journal(served: Callable[[Respond], None], tmp_path: Path) -> None:
    answering(served, MADE)
    request = {"prompt": "a", "references": [{"data": "cGljdHVyZQ=="}]}
    runner_of(tmp_path, journal=Journal.open(tmp_path))[0].run([request])
    text = (tmp_path / "run.jsonl").read_text()
    assert "cGljdHVyZQ==" not in text
    assert "base64 with SHA-256" in text


GIVEN = dict.fromkeys(
    (*(name for name, _ in OPTION_FIELDS), "reference", "mask", "fallback", "safety", "label", "field", "queued"), None
)


def test_every_option_becomes_a_field_of_the_request_that_the_function_knows() -> None:
    options: dict[str, Any] = {
        **GIVEN,
        "negative_prompt": "people",
        "count": 2,
        "reference": ["gs://bucket/o.png"],
        "fallback": ["gemini-3.1-flash-image"],
        "safety": ["HARM_CATEGORY_IMAGE_HATE=BLOCK_NONE"],
        "label": ["market=de"],
        "person_generation": "ALLOW_NONE",
        "capacity": "flex",
        "field": ["delivery=uri", "seed=4"],
    }
    request = Request.model_validate_json(json.dumps({"prompt": "a", **options_of(options)}))
    assert (request.count, request.seed, request.labels) == (2, 4, {"market": "de"})
    assert {field for _, field in OPTION_FIELDS} <= {field.alias for field in Request.model_fields.values()}


def test_an_option_that_is_no_pair_is_refused() -> None:
    with pytest.raises(InputError, match="NAME=VALUE"):
        options_of({**GIVEN, "label": ["market"]})


def test_the_contact_sheet_shows_every_image_and_every_refusal_and_escapes_prompts(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    answering(served, MADE, refused(400, "safety", "PROMPT_BLOCKED"))
    runner, _ = runner_of(tmp_path / "images")
    results = runner.run([{"prompt": "<b>a</b>"}, {"prompt": "b"}])
    page = write_sheet(results, runner.meter, tmp_path / "sheet.html", "Run").read_text()
    assert 'src="images/abababababab-0.png"' in page
    assert "&lt;b&gt;a&lt;/b&gt;" in page
    assert "<b>a</b>" not in page
    assert "PROMPT_BLOCKED" in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_a_queued_request_is_asked_for_until_its_image_is_there(served: Callable[[Respond], None]) -> None:
    answers = iter([httpx.Response(202, json={"id": "ab"}, headers={"retry-after": "3"}), MADE])
    served(lambda _: next(answers))
    waited: list[float] = []
    accepted = httpx.Response(202, json={"id": "ab"})
    answer = Function("https://f.run.app", "t").when_ready(accepted, waited.append)
    assert answer == ANSWER
    assert waited == [5, 3]


def test_a_queued_request_that_fails_is_a_refusal_and_one_that_never_ends_is_a_failure(
    served: Callable[[Respond], None],
) -> None:
    function, accepted = Function("https://f.run.app", "t"), httpx.Response(202, json={"id": "ab"})
    served(lambda _: refused(400, "safety", "IMAGE_SAFETY"))
    found = function.when_ready(accepted, lambda _: None)
    assert isinstance(found, Refusal)
    assert found.reason == "IMAGE_SAFETY"
    served(lambda _: accepted)
    with pytest.raises(GenerationError, match="60 minutes in the queue"):
        function.when_ready(accepted, lambda _: None)


def test_the_queue_is_asked_for_by_an_option() -> None:
    assert options_of({**GIVEN, "queued": True}) == {"async": True}
    assert "async" in {field.alias or name for name, field in Request.model_fields.items()}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(403, text="<Error>ExpiredToken</Error>"), "gs://b/o cannot be fetched: HTTP 403"),
        (httpx.ConnectError("refused"), "gs://b/o cannot be fetched (ConnectError: refused)."),
    ],
)
def test_an_image_that_cannot_be_fetched_is_named_with_the_reason(
    answer: httpx.Response | httpx.HTTPError, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(*_: Any, **__: Any) -> httpx.Response:
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    monkeypatch.setattr(httpx, "get", get)
    image = {"uri": "gs://b/o", "signedUrl": "https://storage.example/o", "sha256": "00", "mimeType": "image/png"}
    with ends(6, words):
        Function("https://f", "token").download(image, tmp_path / "o")
    assert list(tmp_path.iterdir()) == []


def test_a_queued_image_whose_function_went_away_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    monkeypatch.setattr(httpx, "get", gone)
    with ends(6, "https://f/images/ab cannot be read (ReadTimeout: too slow)."):
        Function("https://f", "token").when_ready(httpx.Response(202, json={"id": "ab"}), sleep=lambda _: None)
