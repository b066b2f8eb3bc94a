"""What a campaign does, step by step: each says what went wrong, and nothing when nothing did."""

from __future__ import annotations

import base64
import json
import re
import ssl
import time
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx

from .deployment import ARTIST, Deployment

Document = dict[str, Any]

PATIENCE_SECONDS = 60
HOUR_SECONDS = 3600
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""The smallest PNG."""


@dataclass
class Steps:
    """The steps of one deployed campaign.

    Attributes:
        deployment: the deployment.
        outputs: what the stack says about the campaign.
    """

    deployment: Deployment
    outputs: Document
    _numbers: count[int] = field(default_factory=count)

    @cached_property
    def inside(self) -> httpx.Client:
        """A client in the campaign's own network."""
        environment = self.deployment.sandbox.client_environment(member=ARTIST, network=self.outputs["network"])
        trust = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
        return httpx.Client(proxy=environment["HTTPS_PROXY"], verify=trust, timeout=120, trust_env=False)

    def close(self) -> None:
        """Close what is open."""
        self.inside.close()

    def token(self, **more: str) -> str:
        """A credential of the artist."""
        found: str = self.deployment.sandbox.post("tokens", {"member": ARTIST, **more})["token"]
        return found

    def called(self, verb: str, path: str, body: Any = None) -> Document:
        """A call of the administrator that succeeds."""
        reply = self.deployment.call(verb, path, body)
        assert reply.is_success, reply.text
        found: Document = reply.json()
        return found

    def asked(self, **request: Any) -> httpx.Response:
        """The function's answer to a request of the artist for an image that nobody asked for before."""
        uri = self.outputs["functionUri"]
        body = {"prompt": f"A plantain, number {next(self._numbers)}", "imageSize": "1K", **request}
        headers = {"Authorization": f"Bearer {self.token(audience=uri)}"}
        return self.inside.post(f"{uri}/images", json=body, headers=headers)

    def generates(self, **request: Any) -> str:
        """An image is made and can be fetched by its signed URL."""
        reply = self.asked(**request)
        if reply.is_success:
            return "" if reply.json()["images"][0]["signedUrl"] else "without a signed URL"
        return said(reply)

    def refers(self) -> str:
        """An image is made from a picture of the bucket for references."""
        bucket, name = self.outputs["referencesBucket"], "reference.png"
        url = f"{self.deployment.sandbox.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "image/png"}
        assert httpx.post(url, content=PIXEL, headers=headers, trust_env=False).is_success
        return self.generates(references=[{"uri": f"gs://{bucket}/{name}"}])

    def puts(self) -> str:
        """The team puts a picture into the bucket for references."""
        bucket = self.outputs["referencesBucket"]
        url = f"https://storage.googleapis.com/upload/storage/v1/b/{bucket}/o?uploadType=media"
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "image/png"}
        reply = self.inside.post(f"{url}&name=put-{next(self._numbers)}.png", content=PIXEL, headers=headers)
        return "" if reply.is_success else said(reply)

    def defers(self) -> str:
        """A request that may wait is put into the queue, and the queue has it made."""
        reply = self.asked(**{"async": True})
        if not reply.is_success:
            return said(reply)
        tasks = f"cloudtasks/v2/{self.outputs['queue']}/tasks"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while waiting := self.called("GET", tasks).get("tasks", []):
            status = waiting[0].get("lastAttempt", {}).get("responseStatus", {})
            if status.get("code"):
                assert self.deployment.call("DELETE", f"cloudtasks/v2/{waiting[0]['name']}").is_success
                return str(status.get("message", status))
            assert time.monotonic() < deadline, "the queue sends nothing"
            time.sleep(0.1)
        return ""

    def builds(self) -> str:
        """The function is built and deployed anew."""
        name = self.outputs["functionName"]
        function = self.called("GET", f"cloudfunctions/v2/{name}")
        body = {"buildConfig": function["buildConfig"]}
        reply = self.deployment.call(
            "PATCH", f"cloudfunctions/v2/{name}?updateMask=buildConfig.source,buildConfig", body
        )
        if not reply.is_success:
            return said(reply)
        operation = reply.json()
        for _ in range(600):
            if operation.get("done"):
                break
            time.sleep(0.1)
            operation = self.called("GET", f"cloudfunctions/v2/{operation['name']}")
        return str(operation.get("error", {}).get("message", ""))

    def batches(self) -> str:
        """A batch job reads its requests from the campaign's bucket and writes its answers there."""
        bucket, project = self.outputs["bucket"], self.outputs["projectId"]
        line = {"request": {"contents": [{"role": "user", "parts": [{"text": "A plantain"}]}]}}
        name = f"batch/{next(self._numbers)}.jsonl"
        upload = f"{self.deployment.sandbox.url}/upload/storage/v1/b/{bucket}/o?uploadType=media"
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/jsonl"}
        url = f"{upload}&name={quote(name, safe='')}"
        assert httpx.post(url, content=json.dumps(line).encode(), headers=headers, trust_env=False).is_success
        body = {
            "displayName": "proof",
            "model": "publishers/google/models/gemini-3-pro-image",
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [f"gs://{bucket}/{name}"]}},
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": f"gs://{bucket}/batch/answers"},
            },
        }
        job = self.called("POST", f"aiplatform/v1/projects/{project}/locations/global/batchPredictionJobs", body)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while job["state"] in {"JOB_STATE_PENDING", "JOB_STATE_RUNNING"}:
            assert time.monotonic() < deadline, "the batch does not end"
            time.sleep(0.1)
            job = self.called("GET", f"aiplatform/v1/{job['name']}")
        return str(job.get("error", {}).get("message", ""))

    def reads_logs(self) -> str:
        """The campaign's log bucket is read."""
        query = {"resourceNames": [f"{self.outputs['logBucket']}/views/_AllLogs"], "pageSize": 1}
        reply = self.deployment.call("POST", "logging/v2/entries:list", query)
        return "" if reply.is_success else said(reply)

    def alerts(self) -> str:
        """An incident is announced in the topic for alerts."""
        project, word = self.outputs["projectId"], f"incident-{next(self._numbers)}"
        channels = self.called("GET", f"monitoring/v3/projects/{project}/notificationChannels")["notificationChannels"]
        channel = next(one["name"] for one in channels if one["type"] == "pubsub")
        policy = {
            "displayName": word,
            "combiner": "OR",
            "conditions": [{"displayName": word, "conditionMatchedLog": {"filter": f'textPayload="{word}"'}}],
            "notificationChannels": [channel],
            "alertStrategy": {"notificationRateLimit": {"period": "300s"}},
        }
        name = self.called("POST", f"monitoring/v3/projects/{project}/alertPolicies", policy)["name"]
        entry = {"logName": f"projects/{project}/logs/proof", "resource": {"type": "global"}, "textPayload": word}
        self.called("POST", "logging/v2/entries:write", {"entries": [entry]})
        self.called("GET", f"monitoring/v3/projects/{project}/alerts")
        assert self.deployment.call("DELETE", f"monitoring/v3/{name}").is_success
        announced = self.deployment.sandbox.get("notifications")
        [told] = [one for one in announced if one["message"]["incident"]["policy_name"] == word]
        return str(told.get("failure", ""))

    def records_usage(self) -> str:
        """What was asked of the images bucket within an hour is in the bucket for usage logs after it."""
        images = self.outputs["bucket"]
        logged = self.called("GET", f"storage/v1/b/{images}")["logging"]["logBucket"]
        before = self.called("GET", f"storage/v1/b/{logged}/o").get("items", [])
        self.deployment.sandbox.post("clock", {"seconds": HOUR_SECONDS})
        after = self.called("GET", f"storage/v1/b/{logged}/o").get("items", [])
        return "" if len(after) > len(before) else f"the hour is not in gs://{logged}"


def said(reply: httpx.Response) -> str:
    """The message of a refusal; the title of one that is a page."""
    try:
        return str(reply.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        title = re.search(r"<title>(.*?)</title>", reply.text)
        return title[1] if title else reply.text
