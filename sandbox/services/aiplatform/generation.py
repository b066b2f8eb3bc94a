"""generateContent, streamGenerateContent and countTokens of image models.

Field rules: https://docs.cloud.google.com/gemini-enterprise-agent-platform (model pages, read 2026-08 to 2026-10).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from functools import cache
from importlib import resources
from typing import Any

from sandbox.call import Call, Reply
from sandbox.errors import ApiError, InvalidArgument, NotFound
from sandbox.services.aiplatform.metering import meter
from sandbox.services.registry import Handler

Document = dict[str, Any]

CHARACTERS_PER_TOKEN = 4
THINKING_TOKENS = 180
LARGEST_INLINE = 7 * 1024 * 1024
LABELS = 64
DEFAULT_QUALITY = 75

#: Google's JSON takes both alphabets of base64.
URL_SAFE = str.maketrans("-_", "+/")


@cache
def table() -> Document:
    """The models which the sandbox serves."""
    document: Document = json.loads(resources.files("sandbox.services.aiplatform").joinpath("models.json").read_text())
    return document


def model_of(call: Call) -> tuple[str, Document]:
    """Name and facts of the addressed model.

    Raises:
        NotFound: unknown, retired, or not served in this location.
    """
    name = call.segment("models")
    facts = served(call, name)
    if facts is None or call.segment("locations") not in facts["locations"]:
        raise NotFound(
            f"Publisher Model `{call.name}` was not found or your project does not have access to it. Please ensure "
            "you are using a valid model version. For more information, see: "
            "https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions"
        )
    return name, facts


def served(call: Call, name: str) -> Document | None:
    """A model's facts, unless it is unknown or retired by now."""
    facts: Document | None = table()["models"].get(name)
    today = call.cloud.clock.now().date().isoformat()
    return facts if facts and today < facts.get("retired", "9999") else None


def describe(call: Call) -> Document:
    """``publishers.models.get``.

    Raises:
        NotFound: unknown or retired.
    """
    publisher, name = call.segment("publishers"), call.segment("models")
    facts = served(call, name) if publisher == "google" else None
    if facts is None:
        raise NotFound(f"Publisher Model `{call.name}` is not found.")
    return {
        "name": call.name,
        "versionId": "default",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": facts["stage"],
        "publisherModelTemplate": f"projects/{{user-project}}/locations/{{location}}/{call.name}",
    }


def texts(call: Call) -> str:
    """All text of the conversation."""
    parts = [part for content in call.body.get("contents", []) for part in content.get("parts", [])]
    parts += call.body.get("systemInstruction", {}).get("parts", [])
    return "\n".join(part["text"] for part in parts if part.get("text"))


def pictures(call: Call) -> list[Document]:
    """The inline and referenced pictures of the conversation."""
    parts = [part for content in call.body.get("contents", []) for part in content.get("parts", [])]
    return [part for part in parts if part.get("inlineData") or part.get("fileData")]


def validate(call: Call, name: str, facts: Document) -> Document:
    """The generation settings with their defaults.

    Raises:
        InvalidArgument: a field is wrong for the model.
    """
    if not call.body.get("contents"):
        raise InvalidArgument("contents is required: the request has no turn to answer.")
    config = call.body.get("generationConfig", {})
    image = config.get("imageConfig", {})
    for field in facts["refuses"]:
        if field in config:
            raise InvalidArgument(f"{field} is not supported by {name}.")
    size, ratio = image.get("imageSize", "1K"), image.get("aspectRatio", "1:1")
    if size not in facts["sizes"]:
        raise InvalidArgument(f"Image size {size!r} is not supported by {name}: {', '.join(facts['sizes'])}.")
    if ratio not in facts["aspectRatios"]:
        raise InvalidArgument(f"Aspect ratio {ratio!r} is not supported by {name}: {', '.join(facts['aspectRatios'])}.")
    if int(config.get("candidateCount", 1)) != 1:
        raise InvalidArgument("Only one candidate can be specified for this model.")
    given = pictures(call)
    if len(given) > facts["inputImages"]:
        raise InvalidArgument(f"At most {facts['inputImages']} images per prompt, not {len(given)}.")
    for part in given:
        check_inline(part)
    if len(call.body.get("labels", {})) > LABELS:
        raise InvalidArgument(f"At most {LABELS} labels.")
    output = image.get("imageOutputOptions", {})
    return {"size": size, "ratio": ratio, "seed": int(config.get("seed", 0)), "output": output}


def check_inline(part: Document) -> None:
    """Inline data is base64 and small enough."""
    data = part.get("inlineData", {}).get("data")
    if data is None:
        return
    try:
        raw = base64.b64decode(data.translate(URL_SAFE), validate=True)
    except ValueError:
        raise InvalidArgument("Invalid value at 'contents.parts.inline_data.data' (TYPE_BYTES): not base64.") from None
    if len(raw) > LARGEST_INLINE:
        raise InvalidArgument(f"Inline data must not exceed {LARGEST_INLINE} bytes; use a gs:// URI.")


def refusal(prompt: str, kind: str) -> Document | None:
    """The rule by which a prompt is refused."""
    lowered = prompt.lower()
    rules: list[Document] = table()[kind]
    return next((rule for rule in rules if any(word in lowered for word in rule["words"])), None)


def usage(call: Call, facts: Document, image_tokens: int) -> Document:
    """Token counts."""
    text_tokens = max(1, len(texts(call)) // CHARACTERS_PER_TOKEN)
    inputs = len(pictures(call)) * facts["inputImageTokens"]
    thoughts = THINKING_TOKENS + text_tokens if facts["thinking"] else 0
    details = [{"modality": "TEXT", "tokenCount": text_tokens}]
    if inputs:
        details.append({"modality": "IMAGE", "tokenCount": inputs})
    document: Document = {
        "promptTokenCount": text_tokens + inputs,
        "totalTokenCount": text_tokens + inputs + image_tokens + thoughts,
        "trafficType": "ON_DEMAND",
        "promptTokensDetails": details,
    }
    if image_tokens:
        document["candidatesTokenCount"] = image_tokens
        document["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": image_tokens}]
    if thoughts:
        document["thoughtsTokenCount"] = thoughts
    return document


async def respond(call: Call) -> Document:
    """The model's answer."""
    name, facts = model_of(call)
    settings = validate(call, name, facts)
    prompt = texts(call)
    answer: Document = {
        "modelVersion": name,
        "createTime": call.cloud.clock.timestamp(),
        "responseId": call.cloud.identifiers.hexadecimal("responseId", 22),
    }
    if rule := refusal(prompt, "blocked"):
        feedback = {"blockReason": rule["blockReason"], "blockReasonMessage": "The prompt was blocked."}
        return {"promptFeedback": feedback, "usageMetadata": usage(call, facts, 0), **answer}
    if rule := refusal(prompt, "refusals"):
        candidate = {
            "content": {"role": "model"},
            "finishReason": rule["finishReason"],
            "finishMessage": "Unable to show the generated image. The model could not generate the image based on the "
            f"prompt provided. Support codes: {rule['supportCode']}",
        }
        return {"candidates": [candidate], "usageMetadata": usage(call, facts, 0), **answer}
    from sandbox.services.aiplatform.drawing import draw  # noqa: PLC0415 -- no start waits for a picture

    output = settings["output"]
    mime = output.get("mimeType", "image/png")
    data = await asyncio.to_thread(
        draw,
        prompt,
        aspect_ratio=settings["ratio"],
        size=settings["size"],
        seed=settings["seed"],
        inputs=hashlib.sha256(json.dumps(pictures(call), sort_keys=True).encode()).digest() if pictures(call) else b"",
        quality=int(output.get("compressionQuality", DEFAULT_QUALITY)) if mime == "image/jpeg" else None,
    )
    parts: list[Document] = [{"inlineData": {"mimeType": mime, "data": base64.b64encode(data).decode()}}]
    if facts["thinking"]:
        parts[0]["thoughtSignature"] = base64.b64encode(hashlib.sha256(data).digest()).decode()
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    return {
        "candidates": [candidate],
        "usageMetadata": usage(call, facts, facts["sizes"][settings["size"]]),
        **answer,
    }


async def metered(call: Call) -> Document:
    """The model's answer, counted whether it succeeds or not."""
    started = time.perf_counter()
    answer: Document = {}
    code = 200
    try:
        answer = await respond(call)
    except ApiError as error:
        code = error.code
        raise
    finally:
        meter(call, call.segment("models"), code, time.perf_counter() - started, answer)
    return answer


async def generate(call: Call) -> Document:
    """One answer."""
    return await metered(call)


async def stream(call: Call) -> Reply:
    """The answer as server-sent events, or as a JSON array without ``alt=sse``."""
    answer = await metered(call)
    if call.query.get("alt") == "sse":
        return Reply(content=f"data: {json.dumps(answer)}\r\n\r\n".encode(), media_type="text/event-stream")
    return Reply(document=[answer])


def count_tokens(call: Call) -> Document:
    """Tokens of a prompt."""
    _, facts = model_of(call)
    counted = usage(call, facts, 0)
    return {
        "totalTokens": counted["promptTokenCount"],
        "totalBillableCharacters": len(texts(call)),
        "promptTokensDetails": counted["promptTokensDetails"],
    }


def to_project(call: Call) -> tuple[str, str]:
    """Publisher models have no policy of their own."""
    return "aiplatform", "/".join(call.name.split("/")[:4])


HANDLERS: dict[str, Handler] = {
    "aiplatform.models.generateContent": generate,
    "aiplatform.models.streamGenerateContent": stream,
    "aiplatform.models.countTokens": count_tokens,
    "aiplatform.models.get": describe,
}
TARGETS = {"aiplatform.models": to_project}
