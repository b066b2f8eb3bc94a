"""The whole process, server and libraries included, prints and sends no word of a caller, whatever goes wrong."""

import base64
import contextlib
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

from tests.functions.conftest import token_of
from tests.functions.fake_google import (
    AIPLATFORM,
    EMAIL,
    IAM,
    MONITORING,
    STORAGE,
    TOKEN,
    TRACE,
    FakeGoogle,
    error_body,
    image_answer,
    refusal_answer,
)
from tests.functions.instance import Instance, Start, under_way
from tests.functions.pictures import png

SECRET = "the-unannounced-product"
PICTURE = base64.b64encode(png(8, 8, colour=77)).decode()
CALLER = "somebody-by-name@example.com"
TRACED = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
QUEUE = "projects/spring-launch-4711/locations/europe-west4/queues/images"
CONFIDENTIAL = (SECRET, SECRET[4:15], PICTURE[:60], TOKEN, "somebody-by-name", "X-Goog-Signature", "c2lnbmF0dXJl")


def raw(instance: Instance, data: bytes) -> None:
    """Bytes on the wire, and the connection is gone."""
    parts = urlsplit(instance.address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(data)
        connection.settimeout(2)
        with contextlib.suppress(TimeoutError):  # it waits for the rest
            connection.recv(65536)


def ask_for_everything(instance: Instance, google: FakeGoogle) -> int:
    """Requests of every kind and every fate; how many of them have an answer."""
    headers = {**TRACED, "authorization": f"Bearer {token_of(CALLER)}"}
    client = httpx.Client(base_url=instance.address, headers=headers, timeout=60, trust_env=False)

    def ask(**fields: object) -> int:
        return client.post("/images", json={"prompt": SECRET, **fields}).status_code

    denied = error_body(403, "PERMISSION_DENIED", f"{SECRET} with {TOKEN} by {CALLER}")
    codes = [ask(delivery="inline", references=[{"data": PICTURE}], negativePrompt=SECRET, systemInstruction=SECRET)]
    google.answers = [refusal_answer("STOP", text=SECRET), refusal_answer("IMAGE_SAFETY", message=SECRET)]
    google.answers += [{"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": SECRET}}]
    google.answers += [image_answer(png(), text=SECRET), {"candidates": SECRET}, {"candidates": [{"content": SECRET}]}]
    codes += [ask(seed=seed) for seed in range(6)]
    for number, (host, code) in enumerate(
        [(AIPLATFORM, 400), (AIPLATFORM, 403), (AIPLATFORM, 404), (STORAGE, 400), (STORAGE, 403), (IAM, 403)]
    ):
        google.fail(host, code, denied)
        codes.append(ask(seed=100 + number))
        google.faults.clear()
    google.fail(AIPLATFORM, 200, SECRET, part=":generateContent")
    codes.append(ask(seed=200))
    google.put("spring-images", f"images/{'0' * 64}/record.json", SECRET.encode(), "application/json")
    codes.append(client.get(f"/images/{'0' * 64}").status_code)
    codes.append(ask(previous="0" * 64))
    codes.append(
        ask(template={"text": f"{{{{ {SECRET.replace('-', '_')} }}}} {{% {SECRET} %}}", "data": {SECRET: SECRET}})
    )
    codes.append(ask(template={"name": SECRET}))
    codes.append(ask(referenceSet=SECRET))
    codes.append(
        ask(references=[{"uri": f"gs://spring-images/{SECRET}"}, {"uri": f"gs://{SECRET}/x"}, {"data": SECRET}])
    )
    codes.append(
        ask(model=SECRET, aspectRatio=SECRET, imageSize=SECRET, labels={SECRET: SECRET * 9}, **{SECRET: SECRET})
    )
    codes.append(ask(labels={"team": SECRET}, **{"async": True}))
    codes.append(client.post("/images", content=f'{{"prompt": "{SECRET}"'.encode()).status_code)
    codes.append(client.post("/tasks", json={"request": SECRET}).status_code)
    codes.append(client.post(f"/{SECRET}?prompt={SECRET}", content=SECRET).status_code)
    codes.append(client.get(f"/images/{SECRET}?q={SECRET}").status_code)
    codes.append(client.request("PATCH", f"/images?{SECRET}").status_code)
    client.close()
    return len(codes)


def test_no_word_of_a_caller_is_printed_or_sent_anywhere_but_to_the_model_and_the_bucket(
    start: Start, google: FakeGoogle
) -> None:
    instance = start(WORKERS="2", PLANTAIN_TELEMETRY="metrics,traces", PLANTAIN_QUEUE=QUEUE)
    count = ask_for_everything(instance, google)
    raw(instance, f"POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{SECRET}".encode())
    raw(instance, f"{SECRET} {SECRET} {SECRET}\r\n\r\n".encode())
    raw(instance, f"POST /images HTTP/1.1\r\nHost: x\r\nX: {SECRET * 9000}\r\n\r\n".encode())
    google.pause = 1.0
    before = len(google.model_calls)
    body = json.dumps({"prompt": SECRET, "seed": 900}).encode()
    google.answers = [refusal_answer("STOP", text=SECRET)]
    raw_head = f"POST /images HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with ThreadPoolExecutor() as callers:
        gone = callers.submit(raw, instance, raw_head + body)  # hangs up before the refusal comes
        with under_way(google, before + 1):
            instance.end()
        gone.result()
    instance.must_end()

    printed = instance.printed
    lines = instance.log
    assert len([line for line in lines if line["event"] != "request"]) >= 20, "so there is something to be searched"
    assert len(lines) >= count
    found = [word for word in CONFIDENTIAL if word in printed]
    assert not found, re.findall(rf"[^\n]*{re.escape(found[0])}[^\n]*", printed)[:3]
    assert "Traceback" not in printed
    sent = b"".join(call.body for host in (MONITORING, TRACE) for call in google.calls(host))
    assert b"outcomes" in sent
    assert b"generateContent" in sent
    assert not [word for word in CONFIDENTIAL if word.encode() in sent]
    tasks = b"".join(call.body for call in google.calls("cloudtasks.googleapis.com"))
    assert base64.b64encode(SECRET.encode())[:20] not in tasks
    assert EMAIL.encode() in tasks
