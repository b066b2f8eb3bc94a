"""What is sent is what Google's own libraries send: google-genai to the model, google-cloud-storage to the bucket."""

import base64
import datetime as dt
from typing import Any

import pytest
from google.auth.credentials import Signing
from google.cloud import storage  # type: ignore[attr-defined,import-untyped,unused-ignore] # ships no types
from google.genai import Client, types
from google.oauth2.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from generation.bucket import checksum
from generation.signing import string_to_sign
from generation.vertex import model_host
from tests.functions.conftest import Function
from tests.functions.fake_google import EMAIL, STORAGE, TOKEN, FakeGoogle
from tests.functions.pictures import png

AT = dt.datetime(2026, 11, 21, 12, 31, 15, tzinfo=dt.UTC)
PICTURE = png()


def camel(value: Any) -> Any:
    """google-genai sends some names in snake_case, which the API takes as well."""
    if isinstance(value, dict):
        return {key if key == "cost-center" else camel_name(key): camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [camel(item) for item in value]
    return value


def camel_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


CASES: list[tuple[dict[str, Any], list[types.Part], types.GenerateContentConfig]] = [
    (
        {"prompt": "a lighthouse", "seed": 7},
        [types.Part.from_text(text="a lighthouse")],
        types.GenerateContentConfig(
            response_modalities=["TEXT", "IMAGE"],
            candidate_count=1,
            seed=7,
            image_config=types.ImageConfig(image_size="1K"),
            labels={"campaign": "spring-launch", "cost-center": "cc-4711"},
        ),
    ),
    (
        {
            "prompt": "a lighthouse",
            "systemInstruction": "paint in oil",
            "seed": 7,
            "aspectRatio": "16:9",
            "imageSize": "4K",
            "personGeneration": "ALLOW_NONE",
            "outputMimeType": "image/jpeg",
            "outputQuality": 85,
            "thinkingLevel": "HIGH",
            "grounding": "ENTERPRISE_WEB_SEARCH",
            "safety": {"HARM_CATEGORY_IMAGE_HATE": "BLOCK_LOW_AND_ABOVE", "HARM_CATEGORY_HARASSMENT": "OFF"},
            "labels": {"team": "brand"},
            "references": [{"data": base64.b64encode(PICTURE).decode()}],
        },
        [types.Part.from_bytes(data=PICTURE, mime_type="image/png"), types.Part.from_text(text="a lighthouse")],
        types.GenerateContentConfig(
            system_instruction=types.Content(parts=[types.Part.from_text(text="paint in oil")]),
            response_modalities=["TEXT", "IMAGE"],
            candidate_count=1,
            seed=7,
            image_config=types.ImageConfig(
                aspect_ratio="16:9",
                image_size="4K",
                person_generation="ALLOW_NONE",
                output_mime_type="image/jpeg",
                output_compression_quality=85,
            ),
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.HIGH),
            tools=[types.Tool(enterprise_web_search=types.EnterpriseWebSearch())],
            safety_settings=[
                types.SafetySetting(
                    category=types.HarmCategory.HARM_CATEGORY_IMAGE_HATE,
                    threshold=types.HarmBlockThreshold.BLOCK_LOW_AND_ABOVE,
                ),
                types.SafetySetting(
                    category=types.HarmCategory.HARM_CATEGORY_HARASSMENT, threshold=types.HarmBlockThreshold.OFF
                ),
            ],
            labels={"campaign": "spring-launch", "cost-center": "cc-4711", "team": "brand"},
        ),
    ),
]


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # of google-genai
@pytest.mark.parametrize(("fields", "parts", "config"), CASES, ids=["plain", "everything"])
async def test_a_model_request_is_what_google_genai_sends(
    function: Function,
    google: FakeGoogle,
    fields: dict[str, Any],
    parts: list[types.Part],
    config: types.GenerateContentConfig,
) -> None:
    client = Client(
        vertexai=True,
        project="spring-launch-4711",
        location="global",
        credentials=Credentials(token=TOKEN),
        http_options=types.HttpOptions(api_version="v1"),
    )
    contents: Any = [types.Content(role="user", parts=parts)]
    answer = await client.aio.models.generate_content(model="gemini-3-pro-image", contents=contents, config=config)
    await client.aio.aclose()
    client.close()
    made = await function.made(**fields)

    theirs, ours = google.model_calls
    sent = camel(theirs.json)
    for part in sent["contents"][0]["parts"]:
        if "inlineData" in part:
            part["inlineData"]["data"] = base64.b64encode(base64.urlsafe_b64decode(part["inlineData"]["data"])).decode()
    assert ours.json == sent
    assert ours.path == theirs.path
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert answer.candidates is not None, "the fake answers both alike"
    assert made["usage"]["totalTokenCount"] == 1332


async def test_what_was_stored_is_read_by_google_cloud_storage(function: Function, google: FakeGoogle) -> None:
    made = await function.made(prompt="a lighthouse", seed=7)

    client = storage.Client(project="p", credentials=Credentials(token=TOKEN))
    name = made["images"][0]["uri"].removeprefix("gs://spring-images/")
    blob = client.bucket("spring-images").get_blob(name)
    data = blob.download_as_bytes()
    client.close()

    assert blob.crc32c == checksum(data)
    assert blob.content_type == "image/png"
    assert blob.metadata["ai-generated"] == "true"
    assert blob.metadata["digital-source-type"].endswith("/trainedAlgorithmicMedia")
    upload = google.calls(STORAGE, "/upload/")[-2]
    assert b'"cacheControl": "private, max-age=31536000, immutable"' in upload.body


class KeyOf(Signing):
    """Notes what google-cloud-storage wants signed."""

    def __init__(self) -> None:
        self.signed = b""

    @property
    def signer(self) -> None:
        return None

    @property
    def signer_email(self) -> str:
        return EMAIL

    def sign_bytes(self, message: bytes) -> bytes:
        self.signed = message
        return b"signature"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda n: n not in {".", ".."})
)
def test_a_signed_url_is_the_one_of_google_cloud_storage(name: str) -> None:
    key = KeyOf()
    client = storage.Client(project="p", credentials=Credentials(token=TOKEN))
    with pytest.MonkeyPatch.context() as patch:
        module = "google.cloud.storage._signing.get_v4_now_dtstamps"
        patch.setattr(module, lambda: (AT.strftime("%Y%m%dT%H%M%SZ"), AT.strftime("%Y%m%d")))
        blob = client.bucket("spring-images").blob(name)
        url = blob.generate_signed_url(version="v4", expiration=dt.timedelta(hours=1), method="GET", credentials=key)
    client.close()

    resource, query, text = string_to_sign("spring-images", name, EMAIL, AT, 3600)

    assert url == f"https://{STORAGE}{resource}?{query}&X-Goog-Signature={b'signature'.hex()}"
    assert text.encode() == key.signed


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_a_location_has_its_host(location: str, host: str) -> None:
    assert model_host(location) == host
