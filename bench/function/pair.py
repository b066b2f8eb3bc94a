"""What the function is compared with: google-genai's asynchronous call, and an upload by google-cloud-storage after it.

    python -m bench.function.pair PORT CALLERS REQUESTS RAMP_SECONDS [call]

The best that the libraries offer by themselves: the SDK on a kept aiohttp session. With `call`, the model call alone.
Writes one JSON object: CPU and latency in milliseconds.
"""

import asyncio
import json
import sys
import time
import warnings

import aiohttp
import uvloop
from google.cloud import storage  # type: ignore[attr-defined,import-untyped,unused-ignore] # ships no types
from google.oauth2.credentials import Credentials

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from google import genai
    from google.genai import types

ORIGIN = "http://127.0.0.1:{}"
WARM = 40


async def main(port: int, callers: int, requests: int, ramp: float, upload: bool) -> None:
    origin = ORIGIN.format(port)
    credentials = Credentials(token="bench")  # noqa: S106 -- the model server takes any
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        options = types.HttpOptions(base_url=f"{origin}/aiplatform", api_version="v1", aiohttp_client=session)
        client = genai.Client(
            vertexai=True, project="p", location="global", credentials=credentials, http_options=options
        )
        bucket = storage.Client(
            project="p", credentials=credentials, client_options={"api_endpoint": f"{origin}/storage"}
        ).bucket("bench")
        config = types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"])
        latencies: list[float] = []
        left = requests

        async def one(number: int) -> None:
            start = time.perf_counter()
            answer = await client.aio.models.generate_content(
                model="gemini-3-pro-image", contents=f"a lighthouse, number {number}", config=config
            )
            parts = answer.candidates[0].content.parts  # type: ignore[index,union-attr] # the server always answers one
            data = parts[0].inline_data.data  # type: ignore[index,union-attr]
            if upload:
                blob = bucket.blob(f"images/{number}.png")
                blob.upload_from_string(data, content_type="image/png", if_generation_match=0, checksum=None)
            latencies.append((time.perf_counter() - start) * 1000)

        async def caller(delay: float) -> None:
            nonlocal left
            await asyncio.sleep(delay)
            while left > 0:
                left -= 1
                await one(left)

        for number in range(WARM):
            await one(number)
        latencies.clear()
        start = time.process_time()
        await asyncio.gather(*(caller(ramp * number / callers) for number in range(callers)))
        cpu = time.process_time() - start
    times = sorted(latencies)
    print(
        json.dumps(
            {
                "cpuMilliseconds": round(cpu / len(times) * 1000, 3),
                "p50": round(times[len(times) // 2], 2),
                "p99": round(times[len(times) * 99 // 100], 2),
            }
        )
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    port, callers, requests, ramp, *only = sys.argv[1:]
    uvloop.run(main(int(port), int(callers), int(requests), float(ramp), only != ["call"]))
