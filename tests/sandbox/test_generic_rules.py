"""The rules that hold for every collection of Google's APIs, tried on each one that a near-empty body creates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from tests.sandbox.conftest import Caller
from tests.sandbox.test_every_method import NATURAL, sample

Document = dict[str, Any]

#: What a change of any field may change besides.
FOLLOWS = {"etag", "generation", "mutationRecord", "mutationRecords", "revisionCreateTime", "revisionId", "updateTime"}
#: An update makes a new revision, whose state is shown.
REVISED = {"run.projects.locations.services"}
#: What a mask names and the resource has not, it leaves aside.
LENIENT = {"monitoring.services"}
#: Descriptions of which some collections can be created so, and how many of them at least.
FEWEST = {
    "accesscontextmanager.v1.json": 2,
    "aiplatform.v1.json": 1,
    "artifactregistry.v1.json": 3,
    "cloudasset.v1.json": 2,
    "cloudbilling.v1.json": 2,
    "cloudbuild.v1.json": 4,
    "cloudkms.v1.json": 4,
    "cloudresourcemanager.v3.json": 3,
    "eventarc.v1.json": 4,
    "iam.v1.json": 8,
    "logging.v2.json": 12,
    "monitoring.v1.json": 1,
    "monitoring.v3.json": 2,
    "run.v2.json": 4,
    "secretmanager.v1.json": 1,
}


def collections(document: Document) -> Iterator[tuple[str, dict[str, Document]]]:
    """Methods by collection, of those that can be created, read and listed."""
    found: dict[str, dict[str, Document]] = {}
    for method in document["methods"]:
        collection, _, action = method["id"].rpartition(".")
        found.setdefault(collection, {})[action] = method
    for collection, methods in found.items():
        if {"create", "get", "list"} <= methods.keys():
            yield collection, methods


def address(service: str, method: Document, name: str = "") -> str:
    """The method's path, about one resource when it is given."""
    path = method["path"]
    for parameter, pattern in method["parameters"].items():
        value = name if name and parameter in {"name", "resource"} else sample(parameter, pattern)
        path = path.replace(f"{{+{parameter}}}", value).replace(f"{{{parameter}}}", value)
    return f"/{path}" if path.startswith(NATURAL) else f"/{service}/{path}"


def ids(method: Document) -> str:
    """The query that gives a new resource its id."""
    return "&".join(f"{name}=item-one" for name in method["query"] if name.endswith("Id") and name != "requestId")


def created(admin: Caller, service: str, methods: dict[str, Document], shapes: Document) -> Document:
    """A new resource; empty where more is needed than names."""
    body = {k: "x" for k, s in shapes.items() if s.get("required") and s.get("type") == "string" and "enum" not in s}
    if "displayName" in shapes and not shapes["displayName"].get("readOnly"):
        body["displayName"] = "first"
    status, answer = admin("POST", f"{address(service, methods['create'])}?{ids(methods['create'])}", body)
    if status != 200:
        return {}
    if "operations/" in answer.get("name", ""):
        answer = {key: value for key, value in answer["response"].items() if key != "@type"}
    if ids(methods["create"]):
        assert admin("POST", f"{address(service, methods['create'])}?{ids(methods['create'])}", body)[0] == 409
    return dict(answer)


def changed(admin: Caller, path: str, collection: str, shapes: Document, before: Document) -> None:
    """A masked change touches its field and nothing else; a stale etag and an unknown mask are refused."""
    field = next((name for name in ("description", "displayName") if name in shapes), "")
    if field:
        assert admin("PATCH", f"{path}?updateMask={field}", {field: "second"})[0] == 200, collection
        after = admin("GET", path)[1]
        assert after[field] == "second", collection
        differing = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        assert collection in REVISED or differing <= {field, *FOLLOWS}, (collection, differing)
        if "etag" in before:
            stale = admin("PATCH", f"{path}?updateMask={field}", {field: "third", "etag": before["etag"]})
            assert stale[0] == 409, collection
    status = admin("PATCH", f"{path}?updateMask=noSuchField", {})[0]
    assert status == (200 if collection in LENIENT else 400), collection


@pytest.mark.parametrize("file", FEWEST)
def test_a_collection_follows_the_rules_of_all(admin: Caller, project: str, file: str) -> None:
    document = json.loads(resources.files("sandbox.discovery").joinpath(file).read_text())
    service = document["service"]
    hosts = {"serviceIds": [document["host"]]}
    assert admin("POST", f"/serviceusage/v1/projects/{project}/services:batchEnable", hosts)[0] == 200
    tried = 0
    for collection, methods in collections(document):
        shapes = document["schemas"].get(methods["create"]["request"], {}).get("properties", {})
        made = created(admin, service, methods, shapes)
        path = address(service, methods["get"], made.get("name", ""))
        if not made.get("name") or made["name"] not in path or admin("GET", path)[0] != 200:
            continue
        tried += 1
        assert admin("GET", path)[1] == made, collection
        assert admin("GET", f"{path[:-1]}zz")[0] in {403, 404}, collection
        listed = admin("GET", address(service, methods["list"]))[1]
        names = [item.get("name") for found in listed.values() if isinstance(found, list) for item in found]
        assert made["name"] in names, collection
        if "updateMask" in methods.get("patch", {}).get("query", ()):
            own = address(service, methods["patch"], made["name"])
            if own == path:
                changed(admin, path, collection, shapes, made)
        if "delete" in methods:
            gone = address(service, methods["delete"], made["name"])
            assert admin("DELETE", gone)[0] == 200, collection
            status, rest = admin("GET", path)
            assert status in {403, 404} or "delete" in json.dumps(rest).lower(), collection
    assert tried >= FEWEST[file]
