"""A function of a stranger, deployed to a sandbox process: build, identity, network, ingress, invoker."""

from __future__ import annotations

import base64
import io
import json
import ssl
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
import pytest

from plantain.sandbox_process import Sandbox

pytestmark = [pytest.mark.timeout(300)]

PROJECT, REGION = "function-project", "europe-west4"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
NETWORK = f"projects/{PROJECT}/global/networks/vpc"
RUNTIME, BUILDER = (f"{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("runtime", "builder"))
REQUIREMENTS = "functions-framework==3.10.2\n"

SOURCE = """
import os
import urllib.request
import functions_framework

METADATA = "http://" + os.environ["GCE_METADATA_HOST"] + "/computeMetadata/v1/"

def read(url, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)

@functions_framework.http
def probe(request):
    flavor = {"Metadata-Flavor": "Google"}
    account = METADATA + "instance/service-accounts/default/"
    import json
    token = json.loads(read(account + "token", flavor)[1])["access_token"]
    bearer = {"Authorization": "Bearer " + token}
    return {
        "email": read(account + "email", flavor)[1],
        "project": read(METADATA + "project/project-id", flavor)[1],
        "without_flavor": read(METADATA + "project/project-id", {})[0],
        "own_project": read("https://cloudresourcemanager.googleapis.com/v1/projects/PROJECT", bearer),
        "elsewhere": read("https://example.org/", {}),
        "greeting": os.environ["GREETING"],
    }
""".replace("PROJECT", PROJECT)


@dataclass
class Caller:
    sandbox: Sandbox

    def __call__(self, verb: str, path: str, body: Any = None, *, ok: bool = True, **options: Any) -> Any:
        headers = {"Authorization": "Bearer sandbox"}
        reply = httpx.request(
            verb, f"{self.sandbox.url}/{path}", json=body, headers=headers, trust_env=False, timeout=60, **options
        )
        assert reply.is_success == ok, reply.text
        return reply.json()

    def upload(self, bucket: str, name: str, files: dict[str, str]) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            for path, text in files.items():
                file.writestr(path, text)
        headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/zip"}
        url = f"{self.sandbox.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
        assert httpx.post(url, content=archive.getvalue(), headers=headers, trust_env=False).is_success

    def finished(self, operation: dict[str, Any]) -> dict[str, Any]:
        for _ in range(600):
            current: dict[str, Any] = self("GET", f"cloudfunctions/v2/{operation['name']}")
            if current["done"]:
                return current
            time.sleep(0.2)
        raise AssertionError("the operation does not end")


def function(entry_point: str = "probe", **service: Any) -> dict[str, Any]:
    return {
        "buildConfig": {
            "runtime": "python313",
            "entryPoint": entry_point,
            "serviceAccount": f"projects/{PROJECT}/serviceAccounts/{BUILDER}",
            "dockerRepository": f"{PARENT}/repositories/images",
            "source": {"storageSource": {"bucket": "function-source", "object": "source.zip"}},
        },
        "serviceConfig": {
            "serviceAccountEmail": RUNTIME,
            "environmentVariables": {"GREETING": "hello"},
            "ingressSettings": "ALLOW_INTERNAL_ONLY",
            "directVpcEgress": "VPC_EGRESS_ALL_TRAFFIC",
            "directVpcNetworkInterface": [{"network": NETWORK}],
            **service,
        },
    }


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    sandbox = Sandbox.start(tmp_path_factory.mktemp("sandbox"), 0)
    call = Caller(sandbox)
    call("POST", "cloudresourcemanager/v1/projects", {"projectId": PROJECT})
    names = ("artifactregistry", "cloudbuild", "cloudfunctions", "compute", "iam", "iamcredentials", "run")
    body = {"serviceIds": [f"{name}.googleapis.com" for name in names]}
    call("POST", f"serviceusage/v1/projects/{PROJECT}/services:batchEnable", body)
    for name in ("runtime", "builder"):
        call("POST", f"iam/v1/projects/{PROJECT}/serviceAccounts", {"accountId": name})
    call("POST", f"compute/v1/projects/{PROJECT}/global/networks", {"name": "vpc", "autoCreateSubnetworks": False})
    call("POST", f"storage/v1/b?project={PROJECT}", {"name": "function-source", "location": REGION})
    call.upload("function-source", "source.zip", {"main.py": SOURCE, "requirements.txt": REQUIREMENTS})
    yield call
    call.sandbox.stop()


def grant(caller: Caller, member: str, *roles: str) -> None:
    path = f"cloudresourcemanager/v1/projects/{PROJECT}"
    policy = caller("POST", f"{path}:getIamPolicy", {})
    added = [{"role": role, "members": [member]} for role in roles]
    caller("POST", f"{path}:setIamPolicy", {"policy": {**policy, "bindings": [*policy["bindings"], *added]}})


def test_a_build_identity_without_its_roles_fails_the_deployment_in_googles_words(caller: Caller) -> None:
    operation = caller("POST", f"cloudfunctions/v2/{PARENT}/functions?functionId=probe", function())
    message = caller.finished(operation)["error"]["message"]
    assert "Access to bucket gcf-v2-sources-" in message
    assert f"You must grant Storage Object Viewer permission to {BUILDER}" in message
    assert caller("GET", f"cloudfunctions/v2/{PARENT}/functions/probe")["state"] == "FAILED"


def test_a_build_identity_that_cannot_store_its_image_fails_the_deployment(caller: Caller) -> None:
    grant(caller, f"serviceAccount:{BUILDER}", "roles/storage.objectViewer", "roles/logging.logWriter")
    path = f"cloudfunctions/v2/{PARENT}/functions/probe?updateMask=serviceConfig"
    message = caller.finished(caller("PATCH", path, function()))["error"]["message"]
    assert "missing permission on the build service account" in message
    assert "roles/artifactregistry.writer" in message


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("gcf-admin-robot", "Failed to copy the source"),
        ("gcp-sa-cloudbuild", "cannot act as"),
        ("serverless-robot-prod", "must have permission to read the image"),
    ],
)
def test_an_agent_without_its_role_fails_the_deployment(caller: Caller, agent: str, said: str) -> None:
    grant(caller, f"serviceAccount:{BUILDER}", "roles/artifactregistry.writer")
    path = f"cloudresourcemanager/v1/projects/{PROJECT}"
    policy = caller("POST", f"{path}:getIamPolicy", {})
    kept = [
        {**binding, "members": members}
        for binding in policy["bindings"]
        if (members := [member for member in binding["members"] if agent not in member])
    ]
    assert len(kept) < len(policy["bindings"])
    caller("POST", f"{path}:setIamPolicy", {"policy": {"bindings": kept}})
    try:
        function_path = f"cloudfunctions/v2/{PARENT}/functions/probe?updateMask=serviceConfig"
        assert said in caller.finished(caller("PATCH", function_path, function()))["error"]["message"]
    finally:
        caller("POST", f"{path}:setIamPolicy", {"policy": {"bindings": policy["bindings"]}})


def test_a_deployed_function_runs_as_itself_inside_its_network(caller: Caller) -> None:
    roles = ("roles/storage.objectViewer", "roles/logging.logWriter", "roles/artifactregistry.writer")
    grant(caller, f"serviceAccount:{BUILDER}", *roles)
    path = f"cloudfunctions/v2/{PARENT}/functions/probe?updateMask=serviceConfig"
    deployed = caller.finished(caller("PATCH", path, function()))["response"]
    assert deployed["state"] == "ACTIVE"
    uri = deployed["serviceConfig"]["uri"]
    assert deployed["serviceConfig"]["service"] == f"{PARENT}/services/probe"

    grant_invoker(caller)
    answer = call_function(caller, uri)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["email"], told["project"], told["greeting"]) == (RUNTIME, PROJECT, "hello")
    assert told["without_flavor"] == 403
    status, text = told["own_project"]
    assert (status, json.loads(text)["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert told["elsewhere"][0] != 200
    entry = next(
        e
        for e in caller("GET", "_sandbox/requests?count=200")
        if e["principal"] == f"serviceAccount:{RUNTIME}" and e["method"] == "cloudresourcemanager.projects.get"
    )
    assert entry["network"] == NETWORK


def grant_invoker(caller: Caller) -> None:
    path = f"run/v2/{PARENT}/services/probe"
    binding = {"role": "roles/run.invoker", "members": ["user:jo@example.com"]}
    caller("POST", f"{path}:setIamPolicy", {"policy": {"bindings": [binding]}})


def call_function(
    caller: Caller, uri: str, *, member: str = "user:jo@example.com", network: str | None = NETWORK
) -> httpx.Response:
    wanted, _ = caller.sandbox.environment(member=member, network=network)
    token = caller.sandbox.post("tokens", {"member": member, "audience": uri})["token"]
    trusted = ssl.create_default_context(cafile=wanted["SSL_CERT_FILE"])
    with httpx.Client(proxy=wanted["HTTPS_PROXY"], verify=trusted, trust_env=False) as client:
        return client.get(uri, headers={"Authorization": f"Bearer {token}"}, timeout=60)


@pytest.fixture(scope="module")
def uri(caller: Caller) -> str:
    found: str = caller("GET", f"cloudfunctions/v2/{PARENT}/functions/probe")["serviceConfig"]["uri"]
    return found


def test_internal_ingress_hides_the_function_from_the_internet(caller: Caller, uri: str) -> None:
    assert call_function(caller, uri, network=None).status_code == 404
    why = caller("GET", "_sandbox/denials?count=1")[0]
    assert (why["method"], why["status"]) == ("run.invoke", 404)
    assert "ingress is INGRESS_TRAFFIC_INTERNAL_ONLY" in why["because"][0]


def test_a_network_of_another_project_is_not_internal(caller: Caller, uri: str) -> None:
    assert call_function(caller, uri, network="projects/other-project/global/networks/vpc").status_code == 404


def test_who_is_no_invoker_is_refused(caller: Caller, uri: str) -> None:
    assert call_function(caller, uri, member="user:stranger@example.com").status_code == 403
    why = caller("GET", "_sandbox/denials?count=1")[0]
    assert (why["refusedBy"], why["caller"]) == ("permission", "user:stranger@example.com")
    assert why["cure"][0].startswith(f"gcloud run services add-iam-policy-binding probe --region={REGION}")


def test_a_changed_environment_reaches_the_next_revision(caller: Caller, uri: str) -> None:
    path = f"cloudfunctions/v2/{PARENT}/functions/probe?updateMask=serviceConfig.environmentVariables"
    body = {"serviceConfig": {"environmentVariables": {"GREETING": "good morning"}}}
    assert caller.finished(caller("PATCH", path, body))["response"]["state"] == "ACTIVE"
    assert call_function(caller, uri).json()["greeting"] == "good morning"


def test_a_function_that_does_not_start_fails_with_its_last_words(caller: Caller) -> None:
    caller.upload("function-source", "broken.zip", {"main.py": "raise SystemExit('no such luck')"})
    body = function()
    body["buildConfig"]["source"]["storageSource"]["object"] = "broken.zip"
    operation = caller("POST", f"cloudfunctions/v2/{PARENT}/functions?functionId=broken", body)
    message = caller.finished(operation)["error"]["message"]
    assert "failed to start and listen on the port" in message
    assert "no such luck" in message


def test_a_source_that_is_no_archive_is_refused(caller: Caller) -> None:
    url = f"{caller.sandbox.url}/upload/storage/v1/b/function-source/o?uploadType=media&name=text.zip"
    headers = {"Authorization": "Bearer sandbox"}
    assert httpx.post(url, content=b"not a zip", headers=headers, trust_env=False).is_success
    body = function()
    body["buildConfig"]["source"]["storageSource"]["object"] = "text.zip"
    operation = caller("POST", f"cloudfunctions/v2/{PARENT}/functions?functionId=text", body)
    assert "not a zip file" in caller.finished(operation)["error"]["message"]


def test_a_secret_variable_needs_an_accessor_and_then_reaches_the_function(caller: Caller, uri: str) -> None:
    caller("POST", f"serviceusage/v1/projects/{PROJECT}/services/secretmanager.googleapis.com:enable", {})
    secrets = f"secretmanager/v1/projects/{PROJECT}/secrets"
    caller("POST", f"{secrets}?secretId=greeting", {"replication": {"automatic": {}}})
    data = base64.b64encode(b"from the secret").decode()
    caller("POST", f"{secrets}/greeting:addVersion", {"payload": {"data": data}})
    variable = {"key": "GREETING", "projectId": PROJECT, "secret": "greeting", "version": "latest"}
    body = function(environmentVariables={}, secretEnvironmentVariables=[variable])
    path = f"cloudfunctions/v2/{PARENT}/functions/probe?updateMask=serviceConfig"
    message = caller.finished(caller("PATCH", path, body))["error"]["message"]
    assert "Permission denied on secret" in message
    assert "roles/secretmanager.secretAccessor" in message
    binding = {"role": "roles/secretmanager.secretAccessor", "members": [f"serviceAccount:{RUNTIME}"]}
    caller("POST", f"{secrets}/greeting:setIamPolicy", {"policy": {"bindings": [binding]}})
    deployed = caller.finished(caller("PATCH", path, body))["response"]
    assert deployed["serviceConfig"]["secretEnvironmentVariables"] == [variable]
    assert call_function(caller, uri).json()["greeting"] == "from the secret"


GREETER = """
import os

def greet(request):
    return {"said": request.get_json(silent=True), "path": request.path, "greeting": os.environ["GREETING"]}
"""


def test_a_first_generation_function_is_uploaded_deployed_called_and_changed(caller: Caller) -> None:
    functions = f"cloudfunctions/v1/{PARENT}/functions"
    address = caller("POST", f"{functions}:generateUploadUrl", {})["uploadUrl"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("main.py", GREETER)
        file.writestr("requirements.txt", REQUIREMENTS)
    wanted, _ = caller.sandbox.environment()
    trusted = ssl.create_default_context(cafile=wanted["SSL_CERT_FILE"])
    with httpx.Client(proxy=wanted["HTTPS_PROXY"], verify=trusted, trust_env=False) as client:
        sent = client.put(address, content=archive.getvalue(), headers={"Content-Type": "application/zip"})
        assert sent.status_code == 200, sent.text
    body = {
        "name": f"{PARENT}/functions/greeter",
        "runtime": "python313",
        "entryPoint": "greet",
        "sourceUploadUrl": address,
        "httpsTrigger": {},
        "serviceAccountEmail": RUNTIME,
        "buildServiceAccount": f"projects/{PROJECT}/serviceAccounts/{BUILDER}",
        "dockerRepository": f"{PARENT}/repositories/images",
        "environmentVariables": {"GREETING": "hello"},
        "availableMemoryMb": 512,
    }
    operation = caller("POST", functions, body)
    assert operation["metadata"]["type"] == "CREATE_FUNCTION"
    made = older(caller, operation)
    assert (made["status"], made["availableMemoryMb"], made["versionId"]) == ("ACTIVE", 512, "1")
    url = made["httpsTrigger"]["url"]
    assert url == f"https://{REGION}-{PROJECT}.cloudfunctions.net/greeter"
    assert call_function(caller, url).status_code == 403
    binding = {"role": "roles/cloudfunctions.invoker", "members": ["user:jo@example.com", "user:user@example.com"]}
    caller("POST", f"{functions}/greeter:setIamPolicy", {"policy": {"bindings": [binding]}})
    assert call_function(caller, url, network=None).json()["path"] == "/"
    called = caller("POST", f"{functions}/greeter:call", {"data": '{"a": 1}'})
    assert json.loads(called["result"]) == {"said": {"a": 1}, "path": "/", "greeting": "hello"}
    mask = f"{functions}/greeter?updateMask=environmentVariables"
    changed = older(caller, caller("PATCH", mask, {"environmentVariables": {"GREETING": "good morning"}}))
    assert (changed["versionId"], changed["environmentVariables"]) == ("2", {"GREETING": "good morning"})
    assert (
        json.loads(caller("POST", f"{functions}/greeter:call", {"data": "{}"})["result"])["greeting"] == "good morning"
    )
    assert [f["name"] for f in caller("GET", functions)["functions"]] == [made["name"]]
    second = caller("GET", f"cloudfunctions/v2/{PARENT}/functions/greeter")
    assert second["environment"] == "GEN_1"
    caller("GET", f"run/v2/{PARENT}/services/greeter", ok=False)
    caller("GET", f"{functions}/probe", ok=False)
    assert caller("POST", f"{functions}/greeter:generateDownloadUrl", {})["downloadUrl"].startswith("https://storage")
    assert "response" in done(caller, caller("DELETE", f"{functions}/greeter"))


def done(caller: Caller, operation: dict[str, Any]) -> dict[str, Any]:
    for _ in range(600):
        current: dict[str, Any] = caller("GET", f"cloudfunctions/v1/{operation['name']}")
        if current.get("done"):
            return current
        time.sleep(0.2)
    raise AssertionError("the operation does not end")


def older(caller: Caller, operation: dict[str, Any]) -> dict[str, Any]:
    found = done(caller, operation)
    assert "response" in found, found
    response: dict[str, Any] = found["response"]
    return response


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"eventTrigger": {"eventType": "google.pubsub.topic.publish"}}, 501, "does not emulate eventTrigger"),
        ({"sourceRepository": {"url": "https://source.developers.google.com/x"}}, 501, "sourceRepository"),
        ({"sourceArchiveUrl": ""}, 400, "needs a source"),
        ({"httpsTrigger": None}, 400, "exactly one trigger"),
    ],
)
def test_a_first_generation_function_that_cannot_be_is_refused(
    caller: Caller, change: dict[str, Any], status: int, words: str
) -> None:
    body = {"name": f"{PARENT}/functions/x", "sourceArchiveUrl": "gs://function-source/source.zip", "httpsTrigger": {}}
    sent = {key: value for key, value in {**body, "runtime": "python313", **change}.items() if value is not None}
    error = caller("POST", f"cloudfunctions/v1/{PARENT}/functions", sent, ok=False)["error"]
    assert error["code"] == status
    assert words in error["message"]


LISTENER = """
import functions_framework

@functions_framework.cloud_event
def listen(event):
    print("heard", event["type"], event.data["message"]["attributes"]["what"], flush=True)
"""


def test_an_event_reaches_a_function_through_its_trigger(caller: Caller) -> None:
    body = {"serviceIds": ["eventarc.googleapis.com", "pubsub.googleapis.com", "logging.googleapis.com"]}
    caller("POST", f"serviceusage/v1/projects/{PROJECT}/services:batchEnable", body)
    caller.upload("function-source", "listener.zip", {"main.py": LISTENER, "requirements.txt": REQUIREMENTS})
    wanted = function("listen")
    wanted["buildConfig"]["source"]["storageSource"]["object"] = "listener.zip"
    wanted["eventTrigger"] = {"eventType": "google.cloud.pubsub.topic.v1.messagePublished"}
    functions = f"cloudfunctions/v2/{PARENT}/functions"
    made = caller.finished(caller("POST", f"{functions}?functionId=listener", wanted))["response"]
    binding = {"role": "roles/run.invoker", "members": [f"serviceAccount:{RUNTIME}"]}
    caller("POST", f"run/v2/{PARENT}/services/listener:setIamPolicy", {"policy": {"bindings": [binding]}})
    trigger = caller("GET", f"eventarc/v1/{made['eventTrigger']['trigger']}")
    assert trigger["destination"] == {"cloudFunction": f"{PARENT}/functions/listener"}
    message = {"attributes": {"what": "a plantain"}}
    caller("POST", f"pubsub/v1/{made['eventTrigger']['pubsubTopic']}:publish", {"messages": [message]})
    asked = {"resourceNames": [f"projects/{PROJECT}"], "filter": 'textPayload:"heard"'}
    for _ in range(200):
        if found := caller("POST", "logging/v2/entries:list", asked).get("entries"):
            break
        time.sleep(0.1)
    assert [e["textPayload"] for e in found] == ["heard google.cloud.pubsub.topic.v1.messagePublished a plantain"]
    caller.finished(caller("DELETE", f"{functions}/listener"))
    assert caller("GET", f"eventarc/v1/{PARENT}/triggers") == {}


def test_a_pool_without_internet_asks_no_index(caller: Caller) -> None:
    pool = f"{PARENT}/workerPools/closed"
    body = function()
    body["buildConfig"]["workerPool"] = pool
    path = f"cloudfunctions/v2/{PARENT}/functions?functionId=closed"
    assert f"worker pool not found: {pool}" in caller.finished(caller("POST", path, body))["error"]["message"]
    network = {"egressOption": "NO_PUBLIC_EGRESS"}
    made = caller(
        "POST",
        f"cloudbuild/v1/{PARENT}/workerPools?workerPoolId=closed",
        {"privatePoolV1Config": {"networkConfig": network}},
    )
    assert made["response"]["state"] == "RUNNING"
    path = f"cloudfunctions/v2/{PARENT}/functions/closed?updateMask=buildConfig"
    assert "cannot be installed" in caller.finished(caller("PATCH", path, body))["error"]["message"]
    last = caller("GET", f"cloudbuild/v1/{PARENT}/builds")["builds"][0]
    assert (last["status"], last["options"]["pool"]["name"]) == ("FAILURE", pool)
    succeeded = caller("GET", f"cloudbuild/v1/projects/{PROJECT}/builds", params={"filter": 'status="SUCCESS"'})
    assert succeeded["builds"][-1]["results"]["images"][0]["digest"].startswith("sha256:")


def test_an_instance_ends_with_the_sandbox_even_when_that_is_killed(caller: Caller) -> None:
    [instance] = [i for i in caller("GET", "_sandbox/status")["instances"] if i["service"].endswith("/probe")]
    processes = [psutil.Process(instance["pid"]), *psutil.Process(instance["pid"]).children(recursive=True)]
    psutil.Process(caller.sandbox.pid).kill()
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert not alive
    caller.sandbox.stop()
    again = Sandbox.start(caller.sandbox.data, 0)
    caller.sandbox = again
    found = caller("GET", f"cloudfunctions/v2/{PARENT}/functions/probe")
    assert call_function(caller, found["serviceConfig"]["uri"]).json()["email"] == RUNTIME
