from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from plantain.commands.generate import deployed_campaign, requests_of, run
from plantain.errors import GenerationError, InputError
from plantain.function import Function, Refusal, refusal
from plantain.prompts import read_prompts

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
    assert deployed_campaign(FakeStack({"spring": {"functionUri": "u"}}), None) == {"functionUri": "u"}  # type: ignore[arg-type]  # only outputs() is used


@pytest.mark.parametrize("name", [None, "autumn"])
def test_a_missing_campaign_lists_those_there_are(name: str | None) -> None:
    with pytest.raises(InputError, match="spring, summer"):
        deployed_campaign(FakeStack({"spring": {}, "summer": {}}), name)  # type: ignore[arg-type]  # only outputs() is used


def test_images_are_kept_under_their_request_with_the_right_ending(
    served: Callable[[Respond], None], tmp_path: Path
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert request.headers["authorization"] == "Bearer token"
            return httpx.Response(200, json=ANSWER)
        return httpx.Response(200, content=IMAGE)

    served(respond)
    [result] = run(Function("https://f.run.app", "token"), [{"prompt": "a"}], tmp_path)
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


def test_a_refusal_does_not_stop_the_requests_after_it(served: Callable[[Respond], None], tmp_path: Path) -> None:
    answers = iter([httpx.Response(403, text="no"), httpx.Response(200, json=ANSWER)])
    served(lambda request: next(answers) if request.method == "POST" else httpx.Response(200, content=IMAGE))
    first, second = run(Function("https://f.run.app", "t"), [{"prompt": "a"}, {"prompt": "b"}], tmp_path)
    assert first["error"]["reason"] == "INVOKER"
    assert second["files"]
