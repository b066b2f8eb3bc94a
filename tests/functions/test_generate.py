"""POST /images makes an image, keeps it, and never makes it twice."""

import asyncio
import base64
import hashlib
import json

import httpx

from tests.functions.conftest import ENVIRONMENT, Function
from tests.functions.fake_google import FakeGoogle, image_answer
from tests.functions.pictures import encoded, png

PROMPT = "a lighthouse at dusk"


async def test_an_image_is_made_stored_and_described(function: Function, google: FakeGoogle) -> None:
    data = png(1376, 768, credentials=True)
    google.answers = [image_answer(data, text="Here it is.")]

    answer = await function.made(prompt=PROMPT, aspectRatio="16:9", imageSize="2K", seed=7)

    name = f"images/{answer['id']}/0.png"
    stored = google.objects["spring-images"][name]
    assert stored.data == data, "the bytes are kept as the model returned them"
    assert stored.metadata["sha256"] == hashlib.sha256(data).hexdigest()
    assert stored.metadata["campaign"] == "spring-launch"
    image = answer["images"][0]
    signed = image.pop("signedUrl")
    assert image == {
        "uri": f"gs://spring-images/{name}",
        "sha256": hashlib.sha256(data).hexdigest(),
        "mimeType": "image/png",
        "width": 1376,
        "height": 768,
        "bytes": len(data),
        "contentCredentials": True,
    }
    assert httpx.URL(signed).params["X-Goog-Algorithm"] == "GOOG4-RSA-SHA256"
    assert answer["model"] == "gemini-3-pro-image"
    assert answer["cached"] is False
    assert answer["attempts"] == 1
    assert answer["finishReason"] == "STOP"
    assert answer["text"] == "Here it is.", "the text of thinking is not the model's answer"
    assert answer["usage"]["imageTokenCount"] == 1120
    assert answer["cost"] == {"amount": 0.136824, "currency": "USD", "asOf": "2026-11"}
    assert set(answer["timing"]) == {"queueMs", "modelMs", "storeMs", "totalMs"}


async def test_the_model_is_asked_what_the_request_says(function: Function, google: FakeGoogle) -> None:
    await function.made(
        prompt=PROMPT,
        negativePrompt="people",
        aspectRatio="16:9",
        imageSize="4K",
        seed=7,
        personGeneration="ALLOW_NONE",
        outputMimeType="image/jpeg",
        safety={"HARM_CATEGORY_IMAGE_HATE": "BLOCK_LOW_AND_ABOVE"},
        labels={"team": "brand"},
        grounding="GOOGLE_SEARCH",
    )

    call = google.model_calls[0]
    assert call.path.startswith(
        "/v1/projects/spring-launch-4711/locations/global/publishers/google/models/gemini-3-pro-image:"
    )
    body = call.json
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "a lighthouse at dusk\n\nDo not show in the image: people"}]}
    ]
    assert body["generationConfig"] == {
        "candidateCount": 1,
        "responseModalities": ["TEXT", "IMAGE"],
        "seed": 7,
        "imageConfig": {
            "aspectRatio": "16:9",
            "imageSize": "4K",
            "personGeneration": "ALLOW_NONE",
            "imageOutputOptions": {"mimeType": "image/jpeg"},
        },
    }
    assert body["safetySettings"] == [{"category": "HARM_CATEGORY_IMAGE_HATE", "threshold": "BLOCK_LOW_AND_ABOVE"}]
    assert body["labels"] == {"campaign": "spring-launch", "cost-center": "cc-4711", "team": "brand"}
    assert body["tools"] == [{"googleSearch": {}}]


async def test_a_prompt_of_many_thousand_tokens_goes_to_the_model_whole(function: Function, google: FakeGoogle) -> None:
    prompt = " ".join(f"a house with the number {number} on its door," for number in range(4000))

    await function.made(prompt=prompt)

    assert len(prompt.split()) > 4 * 8_192, "words, of which each is a token at least"
    assert google.model_calls[0].json["contents"][0]["parts"][0]["text"] == prompt


async def test_capacity_is_chosen_by_headers(function: Function, google: FakeGoogle) -> None:
    for seed, capacity in enumerate(("auto", "dedicated", "shared", "flex")):
        await function.made(prompt=PROMPT, seed=seed, capacity=capacity)

    kind, shared = "x-vertex-ai-llm-request-type", "x-vertex-ai-llm-shared-request-type"
    sent = [(call.headers.get(kind), call.headers.get(shared)) for call in google.model_calls]
    assert sent == [(None, None), ("dedicated", None), ("shared", None), ("shared", "flex")]


async def test_the_record_beside_the_image_says_how_it_was_made(function: Function, google: FakeGoogle) -> None:
    answer = await function.made(prompt=PROMPT, seed=7, requestId="run-1", labels={"team": "brand"})

    record = json.loads(google.objects["spring-images"][f"images/{answer['id']}/record.json"].data)
    assert record["prompt"] == PROMPT
    assert record["seed"] == 7
    assert record["model"] == "gemini-3-pro-image"
    assert record["requestId"] == "run-1"
    assert record["labels"]["team"] == "brand"
    assert record["safety"]["ratings"] == {"HARM_CATEGORY_IMAGE_HATE": "NEGLIGIBLE"}
    assert record["usage"] == answer["usage"]
    assert record["cost"] == answer["cost"]
    assert record["provenance"]["responseIds"] == ["response-1"]
    assert record["provenance"]["contentCredentials"] is True
    assert record["canonical"]["prompt"] == PROMPT
    assert record["finishReason"] == "STOP"
    canonical = json.dumps(record["canonical"], separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == answer["id"], "the id can be recomputed from the record"


async def test_the_same_request_is_answered_from_the_bucket(function: Function, google: FakeGoogle) -> None:
    first = await function.made(prompt=PROMPT)

    second = await function.made(prompt=PROMPT, labels={"team": "other"}, requestId="again", timeoutSeconds=9)

    assert len(google.model_calls) == 1
    assert second["cached"] is True
    assert second["attempts"] == 0
    assert second["cost"]["amount"] == 0
    assert second["usage"]["totalTokenCount"] == 0
    assert second["id"] == first["id"]
    assert [image["sha256"] for image in second["images"]] == [image["sha256"] for image in first["images"]]


async def test_another_seed_makes_another_image(function: Function, google: FakeGoogle) -> None:
    first, second = await function.made(prompt=PROMPT, seed=1), await function.made(prompt=PROMPT, seed=2)

    assert first["id"] != second["id"]
    assert len(google.model_calls) == 2


async def test_simultaneous_equal_requests_generate_once(function: Function, google: FakeGoogle) -> None:
    google.pause = 0.2

    answers = await asyncio.gather(*(function.made(prompt=PROMPT) for _ in range(5)))

    assert len(google.model_calls) == 1
    assert sorted(answer["cached"] for answer in answers) == [False, True, True, True, True]
    assert len({answer["id"] for answer in answers}) == 1


async def test_two_instances_generate_once(function: Function, google: FakeGoogle) -> None:
    google.pause = 0.5
    other = Function(ENVIRONMENT)
    try:
        answers = await asyncio.gather(function.made(prompt=PROMPT), other.made(prompt=PROMPT))
    finally:
        await other.close()

    assert len(google.model_calls) == 1, "the claim in the bucket kept the second instance waiting"
    assert sorted(answer["cached"] for answer in answers) == [False, True]
    assert answers[0]["images"][0]["sha256"] == answers[1]["images"][0]["sha256"]


async def test_count_asks_once_for_each_image_with_seeds_that_follow(function: Function, google: FakeGoogle) -> None:
    answer = await function.made(prompt=PROMPT, seed=10, count=3)

    assert sorted(call.json["generationConfig"]["seed"] for call in google.model_calls) == [10, 11, 12]
    assert [image["uri"].rpartition("/")[2] for image in answer["images"]] == ["0.png", "1.png", "2.png"]
    assert answer["usage"]["imageTokenCount"] == 3 * 1120
    assert answer["attempts"] == 3


async def test_inline_delivery_adds_the_bytes(function: Function, google: FakeGoogle) -> None:
    made = await function.made(prompt=PROMPT, delivery="inline")
    cached = await function.made(prompt=PROMPT, delivery="inline")

    stored = google.objects["spring-images"][f"images/{made['id']}/0.png"].data
    assert base64.b64decode(made["images"][0]["data"]) == stored
    assert base64.b64decode(cached["images"][0]["data"]) == stored


async def test_a_large_image_is_uploaded_in_a_resumable_session(function: Function, google: FakeGoogle) -> None:
    data = png(8, 8, padding=9_000_000)
    google.answers = [image_answer(data)]

    answer = await function.made(prompt=PROMPT, delivery="inline")

    assert google.objects["spring-images"][f"images/{answer['id']}/0.png"].data == data
    assert base64.b64decode(answer["images"][0]["data"]) == data


async def test_a_jpeg_is_named_and_measured_as_one(function: Function, google: FakeGoogle) -> None:
    google.answers = [image_answer(encoded("JPEG", 64, 48), "image/jpeg")]

    answer = await function.made(prompt=PROMPT, outputMimeType="image/jpeg")

    image = answer["images"][0]
    assert image["uri"].endswith("/0.jpg")
    assert (image["mimeType"], image["width"], image["height"]) == ("image/jpeg", 64, 48)


async def test_an_image_left_by_a_crash_is_not_overwritten(function: Function, google: FakeGoogle) -> None:
    first = await function.made(prompt=PROMPT)
    objects = google.objects["spring-images"]
    left = objects[f"images/{first['id']}/0.png"].data
    del objects[f"images/{first['id']}/record.json"]
    google.put("spring-images", f"claims/{first['id']}/00000.failed", b"{}", "application/json")

    second = await function.made(prompt=PROMPT)

    assert objects[f"images/{first['id']}/0.png"].data == left
    assert second["images"][0]["uri"].endswith("/0-1.png")
    assert second["cached"] is False


async def test_a_seed_is_known_even_when_none_was_asked_for(function: Function, google: FakeGoogle) -> None:
    answer = await function.made(prompt=PROMPT, count=2)

    first = int(answer["id"][:8], 16) % 2**31
    record = json.loads(google.objects["spring-images"][f"images/{answer['id']}/record.json"].data)
    assert sorted(call.json["generationConfig"]["seed"] for call in google.model_calls) == [first, first + 1]
    assert record["seed"] == first
    assert [image["seed"] for image in record["images"]] == [first, first + 1]
    assert google.objects["spring-images"][f"images/{answer['id']}/1.png"].metadata["seed"] == str(first + 1)


async def test_a_model_that_refuses_seeds_is_sent_none(function: Function, google: FakeGoogle) -> None:
    answer = await function.made(prompt=PROMPT, model="gemini-nano-banana-2.1")

    record = json.loads(google.objects["spring-images"][f"images/{answer['id']}/record.json"].data)
    assert "seed" not in google.model_calls[0].json["generationConfig"]
    assert record["seed"] is None
