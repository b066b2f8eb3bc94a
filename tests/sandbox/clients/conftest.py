"""A sandbox process, and the environment in which Google's own clients find it."""

from __future__ import annotations

import importlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from plantain.sandbox_process import Sandbox

PROJECT = "client-project"
REGION = "europe-west4"
APIS = (
    *("accesscontextmanager", "aiplatform", "artifactregistry", "billingbudgets", "cloudasset", "cloudbilling"),
    *(
        "cloudbuild",
        "cloudfunctions",
        "cloudkms",
        "cloudquotas",
        "cloudresourcemanager",
        "cloudtasks",
        "compute",
        "dns",
    ),
    *("essentialcontacts", "eventarc", "iam", "iamcredentials", "logging", "monitoring", "orgpolicy", "pubsub", "run"),
    *("secretmanager", "serviceusage", "vpcaccess"),
)
#: APIs that one request enables.
MOST_AT_ONCE = 20


@pytest.fixture(autouse=True)
def nothing_leaves_the_machine() -> None:
    """Not watched here: Google's clients ask by themselves for the name of a metadata server."""


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox with one project for all clients."""
    sandbox = Sandbox.start(tmp_path_factory.mktemp("sandbox"), 0)
    try:
        with httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer sandbox"}, trust_env=False) as call:
            body = {"projectId": PROJECT, "parent": {"type": "organization", "id": "123456789012"}}
            call.post("/cloudresourcemanager/v1/projects", json=body).raise_for_status()
            for first in range(0, len(APIS), MOST_AT_ONCE):
                hosts = {"serviceIds": [f"{name}.googleapis.com" for name in APIS[first : first + MOST_AT_ONCE]]}
                call.post(f"/serviceusage/v1/projects/{PROJECT}/services:batchEnable", json=hosts).raise_for_status()
        yield sandbox
    finally:
        sandbox.stop()


@pytest.fixture
def project(process: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The project's id; the environment is what ``plantain sandbox env`` prints, and clients are told nothing else."""
    wanted, cleared = process.environment()
    for name in cleared:
        monkeypatch.delenv(name, raising=False)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    # Where gcloud is installed google-auth runs it for each client, a second of CPU, though the project is named below.
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", PROJECT)
    return PROJECT


@pytest.fixture
def place(project: str) -> str:
    """The location in which everything is made."""
    return f"projects/{project}/locations/{REGION}"


@pytest.fixture
def name() -> str:
    """An id that no other test has."""
    return f"x{uuid.uuid4().hex[:10]}"


def package(library: str) -> Any:
    """A client library by what follows ``google.``, hidden from mypy, which would read every line of it."""
    return importlib.import_module(f"google.{library}")
