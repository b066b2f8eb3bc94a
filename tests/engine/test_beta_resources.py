"""The resources of engine/internal/beta, which the generally available provider lacks, against a recording server."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from plantain.engine import Engine
from tests.engine.projects import Project

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import pulumi_gcp as gcp

base = pulumi.Config().require("base")
provider = gcp.Provider(
    "google",
    project="default-project",
    region="europe-west1",
    access_token="secret-token",
    service_usage_custom_endpoint=f"{{base}}/serviceusage/v1/",
    artifact_registry_custom_endpoint=f"{{base}}/artifactregistry/v1/",
    cloud_quotas_custom_endpoint=f"{{base}}/cloudquotas/v1/",
    poll_interval="10ms",
)
options = pulumi.ResourceOptions(provider=provider)
{resource}
for name in {outputs}:
    pulumi.export(name, getattr(made, name))
"""

Answer = Callable[[str, str, dict[str, Any] | None], dict[str, Any] | None]


@dataclass
class Recorder:
    """A server on loopback that remembers requests.

    Attributes:
        answer: body for method, path with query, and body; None is a 404.
        requests: method, path, body, and the authorization header.
    """

    url: str = ""
    answer: Answer = lambda *_: {}
    requests: list[tuple[str, str, Any, str]] = field(default_factory=list)

    def calls(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _, _ in self.requests]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorded = Recorder()

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            path = re.sub(r"[?&]$", "", re.sub(r"\balt=json(&|$)", "", self.path))  # every call has it
            recorded.requests.append((self.command, path, body, self.headers.get("Authorization", "")))
            answer = recorded.answer(self.command, path, body)
            content = json.dumps(answer if answer is not None else {"error": {"code": 404, "message": "none"}}).encode()
            self.send_response(200 if answer is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 -- named by http.server

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        recorded.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield recorded
        server.shutdown()
        thread.join()


@pytest.fixture
def deploy(project: Project, recorder: Recorder, engine: Engine) -> Callable[..., dict[str, Any]]:
    """Deploy one resource and return outputs of it."""
    project.environment["PULUMI_GCP_DISABLE_GLOBAL_PROJECT_WARNING"] = "true"
    project.environment["PULUMI_GCP_SKIP_REGION_VALIDATION"] = "true"
    del engine

    def up(resource: str, *outputs: str) -> dict[str, Any]:
        project.write("__main__.py", PROGRAM.format(resource=resource, outputs=outputs))
        project.pulumi("stack", "select", "--create", "beta")
        project.pulumi("config", "set", "base", recorder.url)
        project.pulumi("up", "--yes", "--skip-preview")
        found: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json").stdout)
        return found

    return up


IDENTITY = 'made = gcp.projects.ServiceIdentity("agent", service="aiplatform.googleapis.com"{more}, opts=options)'
EMAIL = "service-1@gcp-sa-aiplatform.iam.gserviceaccount.com"


def identity_answers(method: str, path: str, _: Any) -> dict[str, Any]:
    operation = {"name": "operations/op-1"}
    if method == "POST":
        assert path.endswith(":generateServiceIdentity")
        return operation
    return {**operation, "done": True, "response": {"@type": "x", "email": EMAIL, "uniqueId": "1"}}


def test_a_service_identity_is_made_in_the_providers_project_with_its_token(
    deploy: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    recorder.answer = identity_answers
    made = deploy(IDENTITY.format(more=""), "email", "member", "project")
    assert made == {"email": EMAIL, "member": f"serviceAccount:{EMAIL}", "project": "default-project"}
    service = "projects/default-project/services/aiplatform.googleapis.com"
    assert recorder.calls()[0] == ("POST", f"/serviceusage/v1beta1/{service}:generateServiceIdentity")
    assert recorder.calls()[1:] == [("GET", "/serviceusage/v1/operations/op-1")]
    assert {token for *_, token in recorder.requests} == {"Bearer secret-token"}


def test_a_service_identity_of_another_project(deploy: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    recorder.answer = identity_answers
    assert deploy(IDENTITY.format(more=', project="other"'), "project") == {"project": "other"}
    assert "/projects/other/services/" in recorder.calls()[0][1]


def test_a_service_identity_is_neither_read_nor_deleted(
    deploy: Callable[..., dict[str, Any]], recorder: Recorder, project: Project
) -> None:
    recorder.answer = identity_answers
    deploy(IDENTITY.format(more=""))
    recorder.requests.clear()
    project.pulumi("preview", "--expect-no-changes")
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert recorder.requests == []


def test_an_api_without_an_identity_gives_no_e_mail(deploy: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    recorder.answer = lambda *_: {"name": "operations/op-1", "done": True, "response": {"@type": "x"}}
    assert deploy(IDENTITY.format(more=""), "project", "email") == {"project": "default-project"}


def test_a_refused_service_identity_is_an_error_that_names_it(
    project: Project, deploy: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    recorder.answer = lambda *_: None
    with pytest.raises(AssertionError, match="creating the service identity of projects/default-project/services/aip"):
        deploy(IDENTITY.format(more=""))
    del project


def test_the_vpcsc_config_is_taken_over_and_left_as_it_is(
    deploy: Callable[..., dict[str, Any]], recorder: Recorder, project: Project
) -> None:
    name = "projects/default-project/locations/europe-west4/vpcscConfig"
    recorder.answer = lambda *_: {"name": name, "vpcscPolicy": "ALLOW"}
    resource = (
        'made = gcp.artifactregistry.VpcscConfig("c", location="europe-west4", vpcsc_policy="ALLOW", opts=options)'
    )
    assert deploy(resource, "name", "vpcsc_policy") == {"name": name, "vpcsc_policy": "ALLOW"}
    method, path, body, _ = recorder.requests[0]
    assert (method, path) == ("PATCH", f"/artifactregistry/v1/{name}?updateMask=vpcscPolicy")
    assert body == {"vpcscPolicy": "ALLOW"}
    project.pulumi("preview", "--expect-no-changes")
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert {method for method, _ in recorder.calls()} == {"PATCH", "GET"}


def test_a_vpcsc_config_that_somebody_changed_is_noticed_by_refresh(
    deploy: Callable[..., dict[str, Any]], recorder: Recorder, project: Project
) -> None:
    name = "projects/default-project/locations/europe-west1/vpcscConfig"
    recorder.answer = lambda *_: {"name": name, "vpcscPolicy": "DENY"}
    deploy('made = gcp.artifactregistry.VpcscConfig("c", vpcsc_policy="DENY", opts=options)', "location")
    recorder.answer = lambda *_: {"name": name, "vpcscPolicy": "ALLOW"}
    project.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes", fails=True)


def test_the_quota_adjuster_is_set_through_its_beta_address(
    deploy: Callable[..., dict[str, Any]], recorder: Recorder, project: Project
) -> None:
    name = "projects/default-project/locations/global/quotaAdjusterSettings"
    recorder.answer = lambda *_: {"name": name, "enablement": "ENABLED", "inherited": False}
    resource = 'made = gcp.cloudquota.SQuotaAdjusterSettings("q", enablement="ENABLED", opts=options)'
    assert deploy(resource, "parent", "enablement") == {
        "parent": "projects/default-project",
        "enablement": "ENABLED",
    }
    method, path, body, _ = recorder.requests[0]
    assert (method, path) == ("PATCH", f"/cloudquotas/v1beta/{name}?updateMask=enablement")
    assert body == {"name": name, "enablement": "ENABLED"}
    project.pulumi("preview", "--expect-no-changes")
