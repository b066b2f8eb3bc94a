"""Managed folders of buckets with uniform access, and folders of buckets with a hierarchical namespace."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.call import Call, Reply
from sandbox.errors import AlreadyExists, Conflict, NotFound
from sandbox.paging import page
from sandbox.services.registry import Handler
from sandbox.services.storage import generations, refusals
from sandbox.services.storage.access import policy_view, resource
from sandbox.services.storage.buckets import read as read_bucket
from sandbox.services.storage.restoring import operation

Document = dict[str, Any]

MANAGED, PLAIN = "managedFolders", "folders"
FOLDERS = f"storage.{PLAIN}"
METADATA = "type.googleapis.com/google.storage.control.v2"
NOUNS = {MANAGED: "managedFolder", PLAIN: "folder"}


def kind(call: Call) -> str:
    """``managedFolders`` or ``folders``."""
    return call.method.collection


def named(call: Call) -> str:
    """The folder's name, which ends in a slash."""
    given = call.parameters.get(NOUNS[kind(call)]) or call.body.get("name", "")
    return given if given.endswith("/") else f"{given}/"


def place(call: Call, name: str) -> str:
    """The store's name."""
    return f"b/{call.parameters['bucket']}/{kind(call)}/{quote(name, safe='')}"


def require(call: Call) -> Document:
    """The folder of the call.

    Raises:
        NotFound: there is none.
    """
    read_bucket(call.cloud, call.parameters["bucket"])
    document = call.cloud.store.get(f"storage.{kind(call)}", place(call, named(call)))
    if document is None:
        noun = "managed folder" if kind(call) == MANAGED else "folder"
        raise NotFound(f"The specified {noun} does not exist.")
    return document


def insert(call: Call) -> Document:
    """Create one."""
    bucket = read_bucket(call.cloud, call.parameters["bucket"])
    name = named(call)
    if kind(call) == MANAGED and not bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]:
        raise refusals.invalid("Managed folders require uniform bucket-level access.")
    if kind(call) == PLAIN and not bucket.get("hierarchicalNamespace", {}).get("enabled"):
        raise refusals.invalid("The bucket does not have a hierarchical namespace enabled.")
    if name == "/" or name.startswith("/"):
        raise refusals.invalid(f"Invalid folder name: '{name}'.")
    if call.cloud.store.get(f"storage.{kind(call)}", place(call, name)):
        raise AlreadyExists("The folder you tried to create already exists.", reason="conflict")
    now = call.cloud.clock.timestamp_millis()
    document = {
        "kind": f"storage#{NOUNS[kind(call)]}",
        "id": f"{bucket['name']}/{name}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{bucket['name']}/{kind(call)}/{quote(name, safe='')}",
        "bucket": bucket["name"],
        "name": name,
        "metageneration": "1",
        "createTime": now,
        "updateTime": now,
    }
    call.cloud.store.put(f"storage.{kind(call)}", place(call, name), document)
    return document


def get(call: Call) -> Document:
    """One folder."""
    return require(call)


def listing(call: Call) -> Document:
    """Folders by name, below ``prefix``."""
    bucket = read_bucket(call.cloud, call.parameters["bucket"])["name"]
    found = sorted(
        call.cloud.store.documents(f"storage.{kind(call)}", f"b/{bucket}/{kind(call)}"), key=lambda f: str(f["name"])
    )
    shown, following = page([f for f in found if f["name"].startswith(call.query.get("prefix", ""))], call.query)
    answer: Document = {"kind": f"storage#{kind(call)}"}
    answer |= {"items": shown} if shown else {}
    return {**answer, "nextPageToken": following} if following else answer


def delete(call: Call) -> Reply:
    """Delete one; objects below it keep it unless the caller allows that."""
    document = require(call)
    below = any(
        o["name"].startswith(document["name"])
        for o in generations.listed(call.cloud, document["bucket"], versions=True)
    )
    if below and call.query.get("allowNonEmpty") != "true":
        raise Conflict("The folder you tried to delete is not empty.")
    call.cloud.store.delete(f"storage.{kind(call)}", place(call, document["name"]))
    call.cloud.store.delete("iam.policies", policy_name(document))
    return Reply(204)


def rename(call: Call) -> Document:
    """Give a folder of a hierarchical bucket another name, and all below it with it."""
    bucket = read_bucket(call.cloud, call.parameters["bucket"])["name"]
    source, target = (f"{call.parameters[key].rstrip('/')}/" for key in ("sourceFolder", "destinationFolder"))
    if call.cloud.store.get(FOLDERS, f"b/{bucket}/{PLAIN}/{quote(source, safe='')}") is None:
        raise NotFound("The specified folder does not exist.")
    if call.cloud.store.get(FOLDERS, f"b/{bucket}/{PLAIN}/{quote(target, safe='')}"):
        raise AlreadyExists("The destination folder already exists.", reason="conflict")
    now = call.cloud.clock.timestamp_millis()
    for folder in call.cloud.store.documents(FOLDERS, f"b/{bucket}/{PLAIN}"):
        if not folder["name"].startswith(source):
            continue
        name = f"{target}{folder['name'].removeprefix(source)}"
        link = f"https://www.googleapis.com/storage/v1/b/{bucket}/{PLAIN}/{quote(name, safe='')}"
        moved = {**folder, "name": name, "id": f"{bucket}/{name}", "selfLink": link, "updateTime": now}
        call.cloud.store.delete(FOLDERS, f"b/{bucket}/{PLAIN}/{quote(folder['name'], safe='')}")
        call.cloud.store.put(FOLDERS, f"b/{bucket}/{PLAIN}/{quote(name, safe='')}", moved)
    for found in generations.listed(call.cloud, bucket):
        if found["name"].startswith(source):
            generations.rename(call.cloud, found, f"{target}{found['name'].removeprefix(source)}")
    return operation(call, bucket, {"@type": f"{METADATA}.RenameFolderMetadata", "destinationFolderId": target})


def delete_recursive(call: Call) -> Document:
    """Delete a folder of a hierarchical bucket with all below it."""
    bucket, name = call.parameters["bucket"], f"{call.parameters['folder'].rstrip('/')}/"
    read_bucket(call.cloud, bucket)
    if call.cloud.store.get(FOLDERS, f"b/{bucket}/{PLAIN}/{quote(name, safe='')}") is None:
        raise NotFound("The specified folder does not exist.")
    for folder in call.cloud.store.documents(FOLDERS, f"b/{bucket}/{PLAIN}"):
        if folder["name"].startswith(name):
            call.cloud.store.delete(FOLDERS, f"b/{bucket}/{PLAIN}/{quote(folder['name'], safe='')}")
    for found in generations.listed(call.cloud, bucket):
        if found["name"].startswith(name):
            generations.retire(call.cloud, found)
    return operation(call, bucket, {"@type": f"{METADATA}.DeleteFolderRecursiveMetadata", "folderId": name})


def policy_name(document: Document) -> str:
    """Where a managed folder's policy is kept: objects below it inherit it."""
    return f"{resource(document['bucket'])}/o/{document['name'].rstrip('/')}"


def get_policy(call: Call) -> Document:
    """``…/iam`` of a managed folder."""
    document = require(call)
    return folder_view(call, document, call.cloud.policies.get(policy_name(document)))


def set_policy(call: Call) -> Document:
    """``PUT …/iam`` of a managed folder."""
    document = require(call)
    body = {key: value for key, value in call.body.items() if key not in {"kind", "resourceId"}}
    return folder_view(call, document, call.cloud.policies.replace(policy_name(document), body))


def folder_view(call: Call, document: Document, policy: Document) -> Document:
    """A policy under the folder's own id."""
    name = f"projects/_/buckets/{document['bucket']}/managedFolders/{document['name']}"
    return {**policy_view(call, policy), "resourceId": name}


HANDLERS: dict[str, Handler] = {
    f"storage.{collection}.{action}": handler
    for collection in (MANAGED, PLAIN)
    for action, handler in (("insert", insert), ("get", get), ("list", listing), ("delete", delete))
} | {
    "storage.folders.rename": rename,
    "storage.folders.deleteRecursive": delete_recursive,
    "storage.managedFolders.getIamPolicy": get_policy,
    "storage.managedFolders.setIamPolicy": set_policy,
}
