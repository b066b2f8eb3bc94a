"""The function as it is deployed to the local Google Cloud: its queue sends requests back to it, by itself.

What the fake of the other tests plays, the sandbox does: Cloud Tasks keeps the task, sends it when it is due with an
identity token of the function's account, and IAM decides whether it may come in.
"""

import io
import ssl
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from plantain.sandbox_process import Sandbox
from tests.functions.instance import FOLDER

pytestmark = [pytest.mark.timeout(300)]

PROJECT, REGION = "queue-project", "europe-west4"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
QUEUE = f"{PARENT}/queues/images"
RUNTIME, BUILDER = (f"{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("runtime", "builder"))
SOURCE, IMAGES = "queue-project-source", "queue-project-images"
APIS = ("aiplatform", "artifactregistry", "cloudbuild", "cloudfunctions", "cloudtasks", "compute", "iam")
MORE_APIS = ("iamcredentials", "run", "storage")
CALLER = "user:artist@example.com"
PATIENCE_SECONDS = 120


@dataclass
class Deployed:
    """The function, and the sandbox around it."""

    sandbox: Sandbox
    uri: str = ""

    def call(self, verb: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": "Bearer sandbox"}
        reply = httpx.request(
            verb, f"{self.sandbox.url}/{path}", json=body, headers=headers, trust_env=False, timeout=60
        )
        assert reply.is_success, reply.text
        return reply.json()

    def grant(self, path: str, **members: str) -> None:
        """Add roles to a policy; `_` in a role's name stands for a dot."""
        policy = self.call("POST" if "resourcemanager" in path else "GET", f"{path}:getIamPolicy")
        added = [{"role": f"roles/{role.replace('_', '.')}", "members": [member]} for role, member in members.items()]
        bindings = [*policy.get("bindings", []), *added]
        self.call("POST", f"{path}:setIamPolicy", {"policy": {**policy, "bindings": bindings}})

    def ask(self, verb: str, path: str, **fields: Any) -> httpx.Response:
        """As a person who may invoke the function."""
        wanted, _ = self.sandbox.environment(member=CALLER)
        token = self.sandbox.post("tokens", {"member": CALLER, "audience": self.uri})["token"]
        trusted = ssl.create_default_context(cafile=wanted["SSL_CERT_FILE"])
        with httpx.Client(proxy=wanted["HTTPS_PROXY"], verify=trusted, trust_env=False) as client:
            headers = {"Authorization": f"Bearer {token}"}
            return client.request(verb, f"{self.uri}{path}", json=fields or None, headers=headers, timeout=60)


def until(holds: Callable[[], Any]) -> Any:
    """What something is once it is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def source() -> bytes:
    """The function's folder, as it is uploaded."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(FOLDER.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                file.write(path, path.relative_to(FOLDER))
    return archive.getvalue()


def prepare(deployed: Deployed) -> None:
    """What the function needs: project, APIs, accounts with their roles, buckets, queue."""
    deployed.call("POST", "cloudresourcemanager/v1/projects", {"projectId": PROJECT})
    hosts = {"serviceIds": [f"{name}.googleapis.com" for name in (*APIS, *MORE_APIS)]}
    deployed.call("POST", f"serviceusage/v1/projects/{PROJECT}/services:batchEnable", hosts)
    for name in ("runtime", "builder"):
        deployed.call("POST", f"iam/v1/projects/{PROJECT}/serviceAccounts", {"accountId": name})
    project = f"cloudresourcemanager/v1/projects/{PROJECT}"
    builder, runtime = f"serviceAccount:{BUILDER}", f"serviceAccount:{RUNTIME}"
    deployed.grant(
        project,
        storage_objectViewer=builder,
        logging_logWriter=builder,
        artifactregistry_writer=builder,
        aiplatform_user=runtime,
        cloudtasks_enqueuer=runtime,
    )
    deployed.grant(project, storage_objectUser=runtime, iam_serviceAccountTokenCreator=runtime)
    deployed.grant(project, iam_serviceAccountUser=runtime)
    for bucket in (SOURCE, IMAGES):
        deployed.call("POST", f"storage/v1/b?project={PROJECT}", {"name": bucket, "location": REGION})
    retry = {"minBackoff": "0.1s", "maxBackoff": "0.2s", "maxAttempts": 3}
    deployed.call("POST", f"cloudtasks/v2/{PARENT}/queues", {"name": QUEUE, "retryConfig": retry})
    headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/zip"}
    url = f"{deployed.sandbox.url}/upload/storage/v1/b/{SOURCE}/o?uploadType=media&name=source.zip"
    assert httpx.post(url, content=source(), headers=headers, trust_env=False, timeout=60).is_success


def deploy(deployed: Deployed) -> None:
    """The function, from its uploaded source; who may invoke it."""
    function = {
        "buildConfig": {
            "runtime": "python312",
            "entryPoint": "images",
            "serviceAccount": f"projects/{PROJECT}/serviceAccounts/{BUILDER}",
            "dockerRepository": f"{PARENT}/repositories/images",
            "source": {"storageSource": {"bucket": SOURCE, "object": "source.zip"}},
        },
        "serviceConfig": {
            "serviceAccountEmail": RUNTIME,
            "availableCpu": "2",
            "environmentVariables": {
                "WORKERS": "2",
                "GOOGLE_CLOUD_PROJECT": PROJECT,
                "PLANTAIN_CAMPAIGN": "queue",
                "PLANTAIN_BUCKET": IMAGES,
                "PLANTAIN_SERVICE_ACCOUNT": RUNTIME,
                "PLANTAIN_QUEUE": QUEUE,
            },
        },
    }
    operation = deployed.call("POST", f"cloudfunctions/v2/{PARENT}/functions?functionId=images", function)
    done = until(lambda: _done(deployed, operation["name"]))
    assert "error" not in done, done
    deployed.uri = done["response"]["serviceConfig"]["uri"]
    binding = {"role": "roles/run.invoker", "members": [CALLER, f"serviceAccount:{RUNTIME}"]}
    deployed.call("POST", f"run/v2/{PARENT}/services/images:setIamPolicy", {"policy": {"bindings": [binding]}})


def _done(deployed: Deployed, operation: str) -> Any:
    current = deployed.call("GET", f"cloudfunctions/v2/{operation}")
    return current if current.get("done") else None


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The function in a sandbox of its own."""
    sandbox = Sandbox.start(tmp_path_factory.mktemp("sandbox"), 0)
    try:
        found = Deployed(sandbox)
        prepare(found)
        deploy(found)
        yield found
    finally:
        sandbox.stop()


def tasks(deployed: Deployed) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = deployed.call("GET", f"cloudtasks/v2/{QUEUE}/tasks").get("tasks", [])
    return found


def test_a_request_that_may_wait_is_made_by_the_queue(deployed: Deployed) -> None:
    deployed.call("POST", f"cloudtasks/v2/{QUEUE}:pause")
    accepted = deployed.ask("POST", "/images", prompt="a lighthouse at dusk", **{"async": True})
    again = deployed.ask("POST", "/images", prompt="a lighthouse at dusk", **{"async": True})
    image = accepted.json()["id"]
    waiting = deployed.ask("GET", f"/images/{image}")
    queued = tasks(deployed)
    deployed.call("POST", f"cloudtasks/v2/{QUEUE}:resume")
    until(lambda: not tasks(deployed))
    made = deployed.ask("GET", f"/images/{image}")

    assert (accepted.status_code, again.status_code) == (202, 202), accepted.text
    assert (waiting.status_code, waiting.json()["state"]) == (202, "QUEUED")
    assert len(queued) == 1, "equal requests are queued once"
    assert "lighthouse" not in str(queued), "no prompt leaves the bucket"
    assert made.status_code == 200, made.text
    assert made.json()["prompt"] == "a lighthouse at dusk"
    kept = deployed.call("GET", f"storage/v1/b/{IMAGES}/o?prefix=images/{image}/")["items"]
    assert len(kept) == 2, "one image and its record"


def test_a_request_of_the_queue_that_is_declined_ends_and_says_why(deployed: Deployed) -> None:
    accepted = deployed.ask("POST", "/images", prompt="a lighthouse and a massacre", **{"async": True})
    until(lambda: not tasks(deployed))
    shown = deployed.ask("GET", f"/images/{accepted.json()['id']}")

    assert accepted.status_code == 202, accepted.text
    assert shown.json()["error"]["details"][0]["reason"] == "IMAGE_SAFETY"


def test_an_edit_goes_on_from_an_image_and_keeps_a_product_the_same(deployed: Deployed) -> None:
    first = deployed.ask("POST", "/images", prompt="a chip bag")
    kept = first.json()["images"][0]["uri"].removeprefix(f"gs://{IMAGES}/")
    copy = f"storage/v1/b/{IMAGES}/o/{quote(kept, safe='')}/copyTo/b/{IMAGES}/o/reference-sets%2Fbag%2Ffront.png"
    deployed.call("POST", copy, {})

    edited = deployed.ask("POST", "/images", prompt="make it blue", previous=first.json()["id"])
    same = deployed.ask("POST", "/images", prompt="on a beach", referenceSet="bag")

    assert (edited.status_code, same.status_code) == (200, 200), edited.text + same.text
    record = deployed.ask("GET", f"/images/{edited.json()['id']}").json()
    assert record["provenance"]["previous"] == first.json()["id"]
    assert same.json()["disclosure"]["digitalSourceType"] != first.json()["disclosure"]["digitalSourceType"], "edited"
    assert same.json()["usage"]["promptTokenCount"] > first.json()["usage"]["promptTokenCount"], "the image went along"


def test_equal_requests_at_once_are_made_once_by_both_server_processes(deployed: Deployed) -> None:
    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(deployed.ask, "POST", "/images", prompt="the same for all of us") for _ in range(8)]
        answers = [each.result() for each in asked]

    assert [answer.status_code for answer in answers] == [200] * 8, [answer.text for answer in answers]
    (image,) = {answer.json()["id"] for answer in answers}
    assert sum(answer.json()["attempts"] for answer in answers) == 1, "one of them asked the model"
    kept = deployed.call("GET", f"storage/v1/b/{IMAGES}/o?prefix=images/{image}/")["items"]
    assert len(kept) == 2, "one image and its record"


def test_nobody_but_the_queue_hands_requests_in(deployed: Deployed) -> None:
    refused = deployed.ask("POST", "/tasks", request="queue/x")

    assert refused.status_code == 403
    assert refused.json()["error"]["details"][0]["reason"] == "CALLER_NOT_ALLOWED"


def test_the_bucket_is_read_by_googles_own_client(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    made = deployed.ask("POST", "/images", prompt="a lighthouse, read by another client")
    wanted, cleared = deployed.sandbox.environment()
    for name in cleared:
        monkeypatch.delenv(name, raising=False)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", PROJECT)
    from google.cloud import storage  # type: ignore[attr-defined,import-untyped,unused-ignore]  # noqa: PLC0415 -- reads its environment; ships no types

    client = storage.Client(project=PROJECT)
    image = made.json()["images"][0]
    blob = client.bucket(IMAGES).get_blob(Path(image["uri"].removeprefix(f"gs://{IMAGES}/")).as_posix())

    assert made.status_code == 200, made.text
    assert blob is not None
    assert len(blob.download_as_bytes()) == image["bytes"]
    assert blob.metadata["sha256"] == image["sha256"]
    assert blob.metadata["ai-generated"] == "true"
