"""What POST /images takes, and how it says what it does not take."""

import base64
import datetime as dt
import gzip
import json
from typing import Any

import pytest

from generation.labels import label_problems
from generation.request import MOST_IMAGES, HarmCategory, HarmThreshold, Request
from generation.settings import read
from generation.validation import parse
from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import STORAGE, FakeGoogle
from tests.functions.pictures import encoded, png

PROMPT = "a lighthouse at dusk"
INLINE = base64.b64encode(png()).decode()


def violations(error: dict[str, Any]) -> dict[str, str]:
    """Reasons by field."""
    return {detail["field"]: detail["reason"] for detail in error["details"]}


class TestShape:
    """Names, types and ranges."""

    async def test_everything_that_is_wrong_is_said_at_once(self, function: Function, google: FakeGoogle) -> None:
        error = await function.refused(
            promt="x",
            seed="7",
            count=MOST_IMAGES + 1,
            imageSize="8K",
            aspectRatio="5:7",
            labels={"Team": "x", "campaign": "other"},
            safety={"HARM_CATEGORY_IMAGE_HATE": "LOW", "HATE": "OFF"},
            references=[{"uri": "http://example.com/a.png"}, {}, {"data": "%"}, {"data": INLINE, "name": "x"}],
            delivery="email",
        )

        assert violations(error) == {
            "promt": "UNKNOWN_FIELD",
            "prompt": "INVALID_FIELD",
            "seed": "INVALID_FIELD",
            "count": "INVALID_FIELD",
            "imageSize": "UNSUPPORTED_BY_MODEL",
            "aspectRatio": "UNSUPPORTED_BY_MODEL",
            "labels.Team": "INVALID_LABEL",
            "labels.campaign": "INVALID_LABEL",
            "safety.HARM_CATEGORY_IMAGE_HATE": "INVALID_FIELD",
            "safety.HATE": "INVALID_FIELD",
            "references[0].uri": "INVALID_FIELD",
            "references[1]": "INVALID_FIELD",
            "references[2]": "INVALID_FIELD",
            "references[3].name": "UNKNOWN_FIELD",
            "delivery": "INVALID_FIELD",
        }
        assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")
        assert error["message"].startswith("15 fields are wrong. ")
        assert {detail["class"] for detail in error["details"]} == {"invalid"}
        assert all(detail["hint"] for detail in error["details"])
        assert not google.seen, "a wrong request costs no call"

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"", "not JSON"),
            (b"{", "not JSON"),
            (b"[]", "a JSON list, not an object"),
            (b'{"prompt": "a", "prompt": "b"}', "the key 'prompt' appears twice"),
            (b'{"prompt": "\\ud800"}', "surrogates not allowed"),
            (b'{"prompt": "a", "seed": NaN}', "not JSON compliant"),
            (b'{"prompt": "a", "seed": 1e999}', "not JSON compliant"),
            (b"\xff\xfe\x00", "not JSON"),
            (b"[" * 100_000, "not JSON"),
        ],
    )
    async def test_a_body_that_is_no_object(self, function: Function, body: bytes, says: str) -> None:
        response = await function.http.post("/images", content=body)

        error = response.json()["error"]
        assert response.status_code == 400
        assert error["details"][0]["reason"] == "INVALID_JSON"
        assert says in error["message"]
        assert '{"prompt"' in error["details"][0]["hint"]

    async def test_a_compressed_body_is_not_unpacked(self, function: Function) -> None:
        bomb = gzip.compress(json.dumps({"prompt": "a" * 10_000_000}).encode())

        response = await function.http.post("/images", content=bomb, headers={"content-encoding": "gzip"})

        assert (response.status_code, response.json()["error"]["details"][0]["reason"]) == (400, "INVALID_JSON")

    @pytest.mark.parametrize(
        "fields",
        [
            {"seed": 7.5},
            {"seed": True},
            {"seed": -1},
            {"seed": 2**31},
            {"count": 0},
            {"timeoutSeconds": 0},
            {"timeoutSeconds": 3601},
            {"prompt": ""},
            {"negativePrompt": ""},
            {"previous": "abc"},
            {"requestId": "a b"},
            {"personGeneration": "DONT_ALLOW"},
            {"outputMimeType": "image/gif"},
            {"capacity": "priority"},
            {"grounding": "MAPS"},
            {"references": {"uri": "gs://b/o"}},
            {"references": [{"uri": "gs://bucket/o", "data": INLINE}]},
            {"model": "dall-e-3"},
            {"fallback": ["gemini-3-pro-image"]},
        ],
    )
    async def test_a_value_out_of_range(self, function: Function, fields: dict[str, Any]) -> None:
        error = await function.refused(**({"prompt": PROMPT} | fields))

        field = next(iter(violations(error)))
        assert field.startswith(next(iter(fields)))
        assert violations(error)[field] == "INVALID_FIELD"

    async def test_a_retired_model_names_its_successor(self, function: Function) -> None:
        error = await function.refused(prompt=PROMPT, model="gemini-3-pro-image-preview")

        assert "was retired on 2026-07-17; use gemini-3-pro-image" in error["message"]

    @pytest.mark.parametrize("field", ["model", "fallback"])
    async def test_a_model_whose_day_has_come_names_its_successor(
        self, function: Function, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch, field: str
    ) -> None:
        old = "gemini-2.5-flash-image"
        fields = {"model": old} if field == "model" else {"fallback": [old]}
        monkeypatch.setattr("generation.validation.today", lambda: dt.date(2027, 3, 14))
        await function.made(prompt=PROMPT, **fields)
        google.seen.clear()
        monkeypatch.setattr("generation.validation.today", lambda: dt.date(2027, 3, 15))

        error = await function.refused(prompt=PROMPT, **fields)

        assert f"{old} was retired on 2027-03-15; use gemini-3.1-flash-lite-image" in error["message"]
        assert error["details"][0]["reason"] == "INVALID_FIELD"
        assert not google.seen

    async def test_a_preview_names_the_model_it_became(self, function: Function) -> None:
        error = await function.refused(prompt=PROMPT, model="gemini-2.5-flash-image-preview")

        assert "is a preview, which campaigns do not use; use gemini-2.5-flash-image" in error["message"]

    @pytest.mark.parametrize("threshold", HarmThreshold)
    async def test_each_category_takes_each_threshold(
        self, function: Function, google: FakeGoogle, threshold: HarmThreshold
    ) -> None:
        safety = dict.fromkeys(HarmCategory, threshold)

        made = await function.made(prompt="a lighthouse", safety=safety)

        sent = google.model_calls[0].json["safetySettings"]
        assert {setting["category"]: setting["threshold"] for setting in sent} == safety
        record = google.objects["spring-images"][f"images/{made['id']}/record.json"]
        assert json.loads(record.data)["safety"]["thresholds"] == safety

    def test_fields_are_named_as_google_names_them(self) -> None:
        names = {field.alias for field in Request.model_fields.values()}
        assert {"negativePrompt", "aspectRatio", "imageSize", "outputMimeType", "timeoutSeconds"} <= names
        assert not any("_" in (name or "") for name in names)


class TestModelRules:
    """Each model's own limits, from the table."""

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"imageSize": "512"}, "imageSize"),
            ({"imageSize": "2k"}, "imageSize"),
            ({"aspectRatio": "1:8"}, "aspectRatio"),
            ({"model": "gemini-nano-banana-2.1", "seed": 7}, "seed"),
            ({"model": "gemini-nano-banana-2.1", "capacity": "flex"}, "capacity"),
            ({"model": "gemini-nano-banana-2.1", "capacity": "dedicated"}, "capacity"),
            ({"model": "gemini-3.1-flash-lite-image", "imageSize": "2K"}, "imageSize"),
            ({"model": "gemini-2.5-flash-image", "grounding": "GOOGLE_SEARCH"}, "grounding"),
            ({"references": [{"uri": "gs://bucket/o"}] * 15}, "references"),
            ({"model": "gemini-2.5-flash-image", "references": [{"uri": "gs://bucket/o"}] * 4}, "references"),
        ],
    )
    async def test_what_a_model_does_not_take(self, function: Function, fields: dict[str, Any], field: str) -> None:
        error = await function.refused(**({"prompt": PROMPT} | fields))

        assert violations(error) == {field: "UNSUPPORTED_BY_MODEL"}

    @pytest.mark.parametrize(
        "fields",
        [
            {"model": "gemini-3.1-flash-image", "imageSize": "512", "aspectRatio": "1:8"},
            {"model": "gemini-nano-banana-2.1", "imageSize": "4K"},
            {"references": [{"data": INLINE}] * 14},
        ],
    )
    async def test_what_a_model_does_take(self, function: Function, fields: dict[str, Any]) -> None:
        await function.made(**({"prompt": PROMPT} | fields))

    async def test_a_fallback_must_take_the_request_too(self, function: Function) -> None:
        error = await function.refused(prompt=PROMPT, seed=7, fallback=["gemini-nano-banana-2.1"])

        assert violations(error) == {"seed": "UNSUPPORTED_BY_MODEL"}
        assert error["details"][0]["hint"] == "leave out seed, or leave out fallback[0]"

    async def test_a_size_is_not_sent_to_a_model_that_has_one_only(
        self, function: Function, google: FakeGoogle
    ) -> None:
        await function.made(prompt=PROMPT, model="gemini-2.5-flash-image", imageSize="1K")

        assert "imageSize" not in google.model_calls[0].json["generationConfig"].get("imageConfig", {})

    def test_a_location_must_serve_the_model(self) -> None:
        settings = read(ENVIRONMENT | {"GOOGLE_CLOUD_LOCATION": "eu"})
        with pytest.raises(Exception, match="is not served at 'eu'") as caught:
            parse(b'{"prompt": "x"}', settings)
        assert caught.value.violations[0].hint == "set GOOGLE_CLOUD_LOCATION to global"  # type: ignore[attr-defined] # an InvalidRequest

        _, models = parse(b'{"prompt": "x", "model": "gemini-3.1-flash-image"}', settings)
        assert models[0].id == "gemini-3.1-flash-image"


class TestReferences:
    """Images that go to the model."""

    async def test_inline_and_stored_images_go_along_in_order(self, function: Function, google: FakeGoogle) -> None:
        google.put("brand-assets", "logo.webp", b"stored", "image/webp")
        jpeg = base64.b64encode(encoded("JPEG")).decode()

        await function.made(
            prompt=PROMPT, references=[{"uri": "gs://brand-assets/logo.webp"}, {"data": jpeg}], mask={"data": INLINE}
        )

        parts = google.model_calls[0].json["contents"][0]["parts"]
        assert parts[0] == {"fileData": {"fileUri": "gs://brand-assets/logo.webp", "mimeType": "image/webp"}}
        assert parts[1]["inlineData"]["mimeType"] == "image/jpeg"
        assert base64.b64decode(parts[1]["inlineData"]["data"]) == encoded("JPEG")
        assert "mask" in parts[2]["text"]
        assert parts[3]["inlineData"]["mimeType"] == "image/png"
        assert parts[4] == {"text": PROMPT}

    async def test_other_contents_under_the_same_name_make_another_image(
        self, function: Function, google: FakeGoogle
    ) -> None:
        google.put("brand-assets", "logo.png", b"old")
        first = await function.made(prompt=PROMPT, references=[{"uri": "gs://brand-assets/logo.png"}])
        google.put("brand-assets", "logo.png", b"new")

        second = await function.made(prompt=PROMPT, references=[{"uri": "gs://brand-assets/logo.png"}])

        assert first["id"] != second["id"]

    async def test_references_that_are_not_there_are_all_named(self, function: Function) -> None:
        error = await function.refused(
            prompt=PROMPT, references=[{"uri": "gs://brand-assets/a.png"}, {"uri": "gs://brand-assets/b.png"}]
        )

        assert violations(error) == {
            "references[0].uri": "REFERENCE_NOT_FOUND",
            "references[1].uri": "REFERENCE_NOT_FOUND",
        }

    async def test_a_stored_object_that_is_no_image(self, function: Function, google: FakeGoogle) -> None:
        google.put("brand-assets", "notes.txt", b"text", "text/plain")

        error = await function.refused(prompt=PROMPT, references=[{"uri": "gs://brand-assets/notes.txt"}])

        assert violations(error) == {"references[0].mimeType": "UNSUPPORTED_BY_MODEL"}

    async def test_a_stored_image_that_is_too_large(self, function: Function, google: FakeGoogle) -> None:
        google.put("brand-assets", "huge.png", bytes(31_457_281))

        error = await function.refused(prompt=PROMPT, references=[{"uri": "gs://brand-assets/huge.png"}])

        assert violations(error) == {"references[0].uri": "UNSUPPORTED_BY_MODEL"}
        assert "31,457,281 bytes" in error["message"]

    async def test_an_inline_image_that_is_too_large(self, function: Function) -> None:
        large = base64.b64encode(png(padding=7_340_033)).decode()

        error = await function.refused(prompt=PROMPT, references=[{"data": large}])

        assert violations(error) == {"references[0].data": "UNSUPPORTED_BY_MODEL"}
        assert "gs://" in error["details"][0]["hint"]

    async def test_inline_bytes_that_are_something_else(self, function: Function) -> None:
        text = base64.b64encode(b"hello").decode()

        error = await function.refused(
            prompt=PROMPT,
            references=[
                {"data": text},
                {"data": INLINE, "mimeType": "image/jpeg"},
                {"data": INLINE, "mimeType": "image/gif"},
            ],
        )

        assert violations(error) == {
            "references[0].data": "INVALID_FIELD",
            "references[1].mimeType": "INVALID_FIELD",
            "references[2].mimeType": "INVALID_FIELD",
        }

    async def test_a_bucket_that_may_not_be_read(self, function: Function, google: FakeGoogle) -> None:
        message = "x does not have storage.objects.get access to the Google Cloud Storage object."
        google.fail(STORAGE, 403, {"error": {"code": 403, "message": message}}, part="brand-assets")

        error = await function.refused(prompt=PROMPT, references=[{"uri": "gs://brand-assets/logo.png"}])

        assert error["details"][0]["reason"] == "PERMISSION_DENIED"
        assert "add-iam-policy-binding gs://brand-assets" in error["details"][0]["hint"]

    async def test_a_mask_needs_an_image(self, function: Function) -> None:
        error = await function.refused(prompt=PROMPT, mask={"data": INLINE})

        assert violations(error) == {"mask": "INVALID_FIELD"}


class TestConversation:
    """An edit goes on from an earlier image."""

    async def test_the_turns_so_far_go_along(self, function: Function, google: FakeGoogle) -> None:
        first = await function.made(prompt="a lighthouse")
        second = await function.made(prompt="at dusk", previous=first["id"])
        await function.made(prompt="with gulls", previous=second["id"])

        contents = google.model_calls[2].json["contents"]
        assert [content["role"] for content in contents] == ["user", "model", "user", "model", "user"]
        assert [c["parts"][0]["text"] for c in contents if c["role"] == "user"] == [
            "a lighthouse",
            "at dusk",
            "with gulls",
        ]
        image = contents[1]["parts"][0]
        assert image["fileData"]["fileUri"] == first["images"][0]["uri"]
        assert base64.b64decode(image["thoughtSignature"]) == b"signature"

    async def test_an_image_that_is_not_there(self, function: Function) -> None:
        error = await function.refused(prompt=PROMPT, previous="0" * 64)

        assert violations(error) == {"previous": "REFERENCE_NOT_FOUND"}


class TestLabels:
    """Google's rules, and the campaign's own labels."""

    @pytest.mark.parametrize(
        "labels", [{"a" * 64: "x"}, {"1a": "x"}, {"a": "X"}, {"a": "x" * 64}, {"ä": "x"}, {"a": "x\n"}]
    )
    def test_a_label_that_breaks_a_rule(self, labels: dict[str, str]) -> None:
        assert label_problems(labels)

    def test_a_campaigns_label_stays_what_it_is(self) -> None:
        assert label_problems({"env": "dev"}, {"env": "prod"})
        assert not label_problems({"env": "prod"}, {"env": "prod"})

    def test_labels_are_counted_with_the_campaigns(self) -> None:
        campaign = {f"c{index}": "x" for index in range(60)}
        assert not label_problems({f"r{index}": "x" for index in range(4)}, campaign)
        assert label_problems({f"r{index}": "x" for index in range(5)}, campaign)


def test_a_request_of_only_a_prompt_has_the_campaigns_model() -> None:
    request, models = parse(json.dumps({"prompt": PROMPT}).encode(), read(ENVIRONMENT))

    assert models[0].id == "gemini-3-pro-image"
    assert (request.count, request.delivery.value, request.timeout_seconds) == (1, "uri", 240)
