"""Every described method, called with next to nothing: answered as Google answers, never by a defect."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.conftest import Caller

NATURAL = ("bigquery/", "compute/", "dns/", "storage/")
KNOWN = {"project": "test-project", "projectId": "test-project", "region": "europe-west4", "zone": "europe-west4-a"}
PATTERNS = {
    "projects/[^/]+": "projects/test-project",
    "organizations/[^/]+": "organizations/123456789012",
    "locations/[^/]+": "locations/europe-west4",
    "[^/]+": "x1",
    ".*": "x1",
    ".+": "x1",
}
#: They would end the project that the others are about.
LEFT_OUT = {"cloudresourcemanager.projects.delete", "serviceusage.services.disable"}
#: One implementation for all services, with tests of its own.
SHARED = ("etIamPolicy", "testIamPermissions", "operations.get", "operations.list")
DESCRIPTIONS = sorted(
    item.name for item in resources.files("sandbox.discovery").iterdir() if item.name.endswith(".json")
)


def sample(name: str, pattern: str) -> str:
    """A value that a path parameter's pattern admits."""
    if not pattern:
        return KNOWN.get(name, "x1")
    text = pattern.removeprefix("^").removesuffix("$")
    for part, value in PATTERNS.items():
        text = text.replace(part, value)
    return text


def address(service: str, method: dict[str, Any]) -> str:
    """The method's path with sample parameters, and ids for what a creation makes."""
    path = method["path"]
    for name, pattern in method["parameters"].items():
        value = sample(name, pattern)
        path = path.replace(f"{{+{name}}}", value).replace(f"{{{name}}}", value)
    path = f"/{path}" if path.startswith(NATURAL) else f"/{service}/{path}"
    ids = [name for name in method["query"] if name.endswith("Id") and name != "requestId"]
    return f"{path}?{'&'.join(f'{name}=x1' for name in ids)}"


def rank(method: dict[str, Any]) -> int:
    """Creations first, deletions last, so that the methods between find something."""
    action = method["id"].rpartition(".")[2].lower()
    return 0 if action.startswith(("create", "insert")) else 2 if "delete" in action else 1


@pytest.mark.parametrize("file", DESCRIPTIONS)
def test_no_described_method_ends_in_a_defect(admin: Caller, cloud: Cloud, project: str, file: str) -> None:
    document = json.loads(resources.files("sandbox.discovery").joinpath(file).read_text())
    service = {"serviceIds": [document["host"]]}
    assert admin("POST", f"/serviceusage/v1/projects/{project}/services:batchEnable", service)[0] == 200
    answered = 0
    for method in sorted(document["methods"], key=rank):
        if method["id"] in LEFT_OUT or method["id"].endswith(SHARED):
            continue
        writes = method["verb"] in {"POST", "PUT", "PATCH"}
        for body in ({}, {"name": "x1", "displayName": "x1"}) if writes else (None,):
            status, answer = admin(method["verb"], address(document["service"], method), body)
            assert status != 500, (method["id"], list(cloud.log.defects)[-1:])
            if status == 501:
                assert method["id"] in answer["error"]["message"]
            answered += 1
    assert answered
    assert not cloud.log.defects, cloud.log.defects[-1]
