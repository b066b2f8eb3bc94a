"""What comes back from outside is believed no more than what callers send."""

import json
from typing import Any

import pytest

from generation.decoding import object_of
from generation.refusals import LONGEST_WAIT_SECONDS, Refusal
from tests.functions.conftest import Function
from tests.functions.fake_google import AIPLATFORM, STORAGE, FakeGoogle, error_body, image_answer, refusal_answer
from tests.functions.pictures import png

HALF = '"\\ud83d"'
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("0", 0.0),
        ("37", 37.0),
        ("9" * 400, LONGEST_WAIT_SECONDS),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT_SECONDS),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999", None),
        ("Wed, 21 Oct 2015 07:28:00 -0000", None),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_wait_is_a_number_of_seconds_or_a_date_and_at_most_a_day(stated: str, seconds: float | None) -> None:
    assert Refusal(AIPLATFORM, 429, {}, {"retry-after": stated}).retry_after() == seconds


@pytest.mark.parametrize(("delay", "seconds"), [("37s", 37.0), ("9" * 400 + "s", LONGEST_WAIT_SECONDS), ("s", None)])
def test_a_stated_delay_is_at_most_a_day(delay: str, seconds: float | None) -> None:
    body = error_body(429, "RESOURCE_EXHAUSTED", "no", [{"@type": RETRY_INFO, "retryDelay": delay}])

    assert Refusal(AIPLATFORM, 429, body).retry_after() == seconds


@pytest.mark.parametrize(("host", "code"), [(AIPLATFORM, 429), (STORAGE, 503)])
async def test_a_wait_without_end_is_told_as_a_day(
    function: Function, google: FakeGoogle, host: str, code: int
) -> None:
    google.fail(host, 429, error_body(429, "RESOURCE_EXHAUSTED", "no"), times=9, retry_after="9" * 400)

    response = await function.post(prompt="x")

    assert response.status_code == code
    assert response.headers["retry-after"] == "86400"
    assert response.json()["error"]["details"][0]["retryAfterSeconds"] == 86_400


class TestHalvesOfCharacters:
    """JSON can escape half a surrogate pair; nothing that is sent on can hold one."""

    async def test_beside_an_image(self, function: Function, google: FakeGoogle) -> None:
        answer = json.dumps(image_answer(png(), text="HERE")).replace('"HERE"', HALF)
        google.fail(AIPLATFORM, 200, answer, part=":generateContent")

        made = await function.made(prompt="x")

        assert made["text"] == "\ufffd"
        assert (await function.http.get(f"/images/{made['id']}")).json()["text"] == "\ufffd"

    async def test_instead_of_an_image(self, function: Function, google: FakeGoogle) -> None:
        answer = json.dumps(refusal_answer("STOP", text="HERE")).replace('"HERE"', HALF)
        google.fail(AIPLATFORM, 200, answer, part=":generateContent")

        error = await function.refused(prompt="x")

        assert error["details"][0]["reason"] == "NO_IMAGE"
        assert error["message"].endswith('It said: "\ufffd"')

    @pytest.mark.parametrize("host", [AIPLATFORM, STORAGE])
    async def test_in_a_refusal(self, function: Function, google: FakeGoogle, host: str) -> None:
        body = json.dumps(error_body(403, "PERMISSION_DENIED", "HERE")).replace('"HERE"', HALF)
        google.fail(host, 403, body)

        error = await function.refused(prompt="x")

        assert error["details"][0]["reason"] == "PERMISSION_DENIED"
        assert error["message"].endswith("\ufffd")

    def test_a_whole_character_stays(self) -> None:
        assert object_of(b'{"a": ["\\ud83d\\ude00", "\\ud83d", 1, null]}') == {"a": ["😀", "\ufffd", 1, None]}


def test_lists_in_lists_are_no_object() -> None:
    assert object_of(b"[" * 100_000) == {}


class TestRecordsThatSomebodyElseWrote:
    """Only what this function could have written is answered, signed or sent to the model."""

    async def tampered(self, function: Function, google: FakeGoogle, **changes: Any) -> str:
        """Id of an image whose record has other values."""
        made = await function.made(prompt="x")
        stored = google.objects["spring-images"][f"images/{made['id']}/record.json"]
        stored.data = json.dumps(json.loads(stored.data) | changes).encode()
        google.seen.clear()
        image: str = made["id"]
        return image

    def kept(self, **changes: Any) -> list[dict[str, Any]]:
        image = {"object": "images/x/0.png", "sha256": "0" * 64, "mimeType": "image/png", "width": 1, "height": 1}
        return [image | {"bytes": 1, "thoughtSignature": ""} | changes]

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": "0" * 64},
            {"images": []},
            {"images": "object of another request"},
            {"provenance": None},
            {"cost": {"amount": "free"}},
        ],
    )
    async def test_it_is_no_record(self, function: Function, google: FakeGoogle, changes: dict[str, Any]) -> None:
        if isinstance(changes.get("images"), str):
            changes = {"images": self.kept(object="queue/0000/00000.json")}
        image = await self.tampered(function, google, **changes)

        for response in (await function.post(prompt="x"), await function.http.get(f"/images/{image}")):
            error = response.json()["error"]
            assert (response.status_code, error["details"][0]["reason"]) == (500, "INTERNAL")
            assert "this function did not write it" in error["message"]
            assert error["details"][0]["hint"].startswith("Look at it: gcloud storage cat gs://spring-images/images/")
        assert not google.calls("iamcredentials.googleapis.com")

    async def test_a_signature_of_thoughts_that_is_none(self, function: Function, google: FakeGoogle) -> None:
        made = await function.made(prompt="x")
        stored = google.objects["spring-images"][f"images/{made['id']}/record.json"]
        record = json.loads(stored.data)
        record["images"][0]["thoughtSignature"] = "%%%"
        stored.data = json.dumps(record).encode()

        error = await function.refused(prompt="blue", previous=made["id"])

        assert error["details"][0]["reason"] == "INTERNAL"
        assert "its thoughtSignature is not base64" in error["message"]
        assert len(google.model_calls) == 1

    async def test_a_signature_of_thoughts_that_the_model_does_not_know(
        self, function: Function, google: FakeGoogle
    ) -> None:
        made = await function.made(prompt="x")
        google.fail(AIPLATFORM, 400, error_body(400, "INVALID_ARGUMENT", "Thought signature is not valid."))

        error = await function.refused(prompt="blue", previous=made["id"])

        assert (error["details"][0]["reason"], error["details"][0]["class"]) == ("MODEL_INVALID_ARGUMENT", "invalid")

    async def test_a_conversation_that_goes_in_a_circle_ends(self, function: Function, google: FakeGoogle) -> None:
        made = await function.made(prompt="x")
        stored = google.objects["spring-images"][f"images/{made['id']}/record.json"]
        record = json.loads(stored.data)
        record["provenance"]["previous"] = made["id"]
        stored.data = json.dumps(record).encode()

        await function.made(prompt="blue", previous=made["id"])

        images = str(google.model_calls[-1].json).split("fileUri")[1:]
        assert len(images) <= 14, "as many as the model takes"


class TestHeaders:
    """What stands in headers is bounded, too."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-length": "9" * 5000},
            {"content-length": "-1"},
            {"x-cloud-trace-context": f"{'a' * 32}/{'9' * 6000};o=1"},
            {"traceparent": f"00-{'a' * 32}-{'b' * 16}-zz"},
            {"authorization": "Bearer " + "." * 5000},
            {"authorization": "Bearer e30.W10.x"},
            {"authorization": "Bearer e30.eyJlbWFpbCI6IlxcdWQ4M2QifQ.x"},
            {"host": "evil.example"},
        ],
    )
    async def test_a_header_of_any_kind_is_no_defect(self, function: Function, headers: dict[str, str]) -> None:
        response = await function.http.post("/images", content=b'{"prompt": "x"}', headers=headers)

        assert response.status_code == 200
        assert len(function.output.getvalue()) < 5000

    async def test_a_method_is_a_word_of_http_or_none(self, function: Function) -> None:
        await function.http.request("OPTIONS", "/images")

        assert function.log[-1]["message"] == "OPTIONS /images 405 METHOD_NOT_ALLOWED"
