"""Buckets: global names, the defaults that Cloud Storage fills in, and merge-patch updates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.call import Call, Reply
from sandbox.errors import Conflict, NotEmulated
from sandbox.paging import page
from sandbox.services.registry import Handler
from sandbox.services.serviceusage.agents import ensure
from sandbox.services.storage import access, bucket_fields, constraints, deleted_buckets, generations, refusals
from sandbox.services.storage.encryption import check_default_key
from sandbox.services.storage.generations import BUCKETS as KIND
from sandbox.services.storage.generations import etag

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

SERVER_OWNED = (
    "kind",
    "id",
    "selfLink",
    "projectNumber",
    "metageneration",
    "generation",
    "etag",
    "timeCreated",
    "updated",
    "locationType",
    "satisfiesPZI",
    "satisfiesPZS",
    "owner",
)
FIXED = ("name", "location", "customPlacementConfig", "hierarchicalNamespace")


def insert(call: Call) -> Document:
    """Create a bucket in the project of the query."""
    cloud, body = call.cloud, dict(call.body)
    project_id = project_of_query(call)
    name = body.get("name", "")
    bucket_fields.check_name(name)
    taken = cloud.store.get(KIND, f"b/{name}")
    if taken:
        raise refusals.bucket_taken(name, own=taken["_project"] == project_id)
    now = cloud.clock.timestamp_millis()
    document: Document = {
        **{k: v for k, v in body.items() if k not in SERVER_OWNED and k not in {"acl", "defaultObjectAcl"}},
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "projectNumber": cloud.hierarchy.project_number(project_id),
        "location": str(body.get("location", "US")).upper(),
        "storageClass": body.get("storageClass", "STANDARD"),
        "generation": generations.next_generation(cloud),
        "metageneration": "1",
        "timeCreated": now,
        "updated": now,
        "_project": project_id,
    }
    document["etag"] = etag(document["metageneration"])
    bucket_fields.complete(cloud, document, {})
    ensure(cloud, "storage", project_id)
    check_default_key(cloud, document)
    constraints.check(cloud, document)
    cloud.store.put(KIND, f"b/{name}", document)
    access.grant_defaults(cloud, document, call.query)
    return shown(call, document, default="noAcl")


def project_of_query(call: Call) -> str:
    """Id of the project that the ``project`` parameter names.

    Raises:
        InvalidArgument: there is none, or none of that name.
    """
    given = call.query.get("project", "")
    if not given:
        raise refusals.invalid("Required parameter: project", "required")
    project = call.cloud.hierarchy.project(given)
    if project is None:
        raise refusals.invalid(f"Unknown project id: {given}")
    return str(project["projectId"])


def project_of_path(call: Call) -> str:
    """Id of the project that the path names.

    Raises:
        InvalidArgument: there is none of that name.
    """
    given = call.parameters["projectId"]
    project = call.cloud.hierarchy.project(given)
    if project is None:
        raise refusals.invalid(f"Unknown project id: {given}")
    return str(project["projectId"])


def require(call: Call, parameter: str = "bucket") -> Document:
    """The bucket that the path names, its metageneration conditions met."""
    document = read(call.cloud, call.parameters[parameter])
    check_metageneration(call, document)
    return document


def read(cloud: Cloud, name: str) -> Document:
    """The bucket of that name.

    Raises:
        NotFound: there is none.
    """
    document = cloud.store.get(KIND, f"b/{name}")
    if document is None:
        raise refusals.no_bucket()
    return document


def check_metageneration(call: Call, document: Document) -> None:
    """Conditions on a bucket's metageneration."""
    wanted, unwanted = call.query.get("ifMetagenerationMatch"), call.query.get("ifMetagenerationNotMatch")
    if wanted is not None and wanted != document["metageneration"]:
        raise refusals.unmet()
    if unwanted is not None and unwanted == document["metageneration"]:
        raise refusals.NotModified("Not Modified") if call.method.verb == "GET" else refusals.unmet()


def get(call: Call) -> Document:
    """One bucket, a deleted one on demand."""
    if call.query.get("softDeleted") == "true":
        return {key: value for key, value in deleted_buckets.find(call).items() if not key.startswith("_")}
    return shown(call, require(call), default="noAcl")


def listing(call: Call) -> Document:
    """The buckets of a project by name."""
    project_id = project_of_query(call)
    prefix = call.query.get("prefix", "")
    deleted = call.query.get("softDeleted") == "true"
    buckets = deleted_buckets.listed(call.cloud) if deleted else call.cloud.store.documents(KIND)
    found = sorted(
        (b for b in buckets if b["_project"] == project_id and b["name"].startswith(prefix)),
        key=lambda bucket: str(bucket["name"]),
    )
    chosen, following = page(found, call.query)
    answer: Document = {"kind": "storage#buckets"}
    if following:
        answer["nextPageToken"] = following
    if chosen:
        plain = [{k: v for k, v in bucket.items() if not k.startswith("_")} for bucket in chosen] if deleted else []
        answer["items"] = plain or [shown(call, bucket, default="noAcl") for bucket in chosen]
    return answer


def patch(call: Call) -> Document:
    """JSON merge patch: null clears, objects merge, arrays are replaced."""
    before = require(call)
    return store(call, before, merge_patch(before, raw_body(call)))


def update(call: Call) -> Document:
    """Replace everything that a caller may write."""
    before = require(call)
    kept = {k: v for k, v in before.items() if k in SERVER_OWNED or k in FIXED or k.startswith("_")}
    return store(call, before, {"storageClass": before["storageClass"], **call.body, **kept})


def raw_body(call: Call) -> Document:
    """The body with its nulls, which a merge patch gives a meaning."""
    body: Document = json.loads(call.media) if call.media.strip() else {}
    return body


def merge_patch(current: Any, change: Any) -> Any:
    """RFC 7396."""
    if not isinstance(change, dict):
        return change
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def store(call: Call, before: Document, after: Document) -> Document:
    """Check and keep a changed bucket."""
    refuse_fixed(before, after)
    after |= {field: before[field] for field in SERVER_OWNED if field in before}
    for field in ("acl", "defaultObjectAcl"):
        after.pop(field, None)
    after["metageneration"] = str(int(before["metageneration"]) + 1)
    after["updated"] = call.cloud.clock.timestamp_millis()
    after["etag"] = etag(after["metageneration"])
    follow_old_name(before, after)
    bucket_fields.complete(call.cloud, after, before)
    if after.get("encryption") != before.get("encryption"):
        check_default_key(call.cloud, after)
    if any(after.get(field) != before.get(field) for field in ("encryption", "iamConfiguration")):
        constraints.check(call.cloud, after)
    call.cloud.store.put(KIND, f"b/{after['name']}", after)
    return shown(call, after, default="full")


def refuse_fixed(before: Document, after: Document) -> None:
    """Refuse a change of what was settled at creation, or by a lock."""
    if isinstance(after.get("location"), str):
        after["location"] = after["location"].upper()
    for field in FIXED:
        if after.get(field) != before.get(field):
            raise refusals.invalid(f"Bucket's {field} cannot be changed after creation.")
    lock, wanted = before.get("retentionPolicy", {}), after.get("retentionPolicy") or {}
    if lock.get("isLocked") and int(wanted.get("retentionPeriod", 0)) < int(lock["retentionPeriod"]):
        raise refusals.denied_by_lock(before["name"])


def follow_old_name(before: Document, after: Document) -> None:
    """Uniform access may be switched under its old name only."""
    access_settings = after.get("iamConfiguration") or {}
    if access_settings.get("uniformBucketLevelAccess") == before["iamConfiguration"]["uniformBucketLevelAccess"]:
        old_name = access_settings.get("bucketPolicyOnly") or {}
        access_settings["uniformBucketLevelAccess"] = {"enabled": bool(old_name.get("enabled"))}


def delete(call: Call) -> Reply:
    """Delete an empty bucket."""
    document = require(call)
    name = document["name"]
    if generations.occupied(call.cloud, name):
        raise Conflict("The bucket you tried to delete is not empty.")
    deleted_buckets.keep(call.cloud, document)
    call.cloud.store.delete(KIND, f"b/{name}")
    call.cloud.store.delete_below(f"b/{name}")
    access.forget(call.cloud, name)
    return Reply(204)


def lock_retention(call: Call) -> Document:
    """Make the retention policy permanent."""
    document = require(call)
    if "retentionPolicy" not in document:
        raise refusals.invalid(f"Bucket '{document['name']}' does not have a retention policy.")
    locked = {**document, "retentionPolicy": {**document["retentionPolicy"], "isLocked": True}}
    return store(call, document, locked)


def layout(call: Call) -> Document:
    """Where the bucket lies."""
    document = require(call)
    return {
        "kind": "storage#storageLayout",
        "bucket": document["name"],
        "location": document["location"],
        "locationType": document["locationType"],
        "hierarchicalNamespace": document.get("hierarchicalNamespace", {"enabled": False}),
    }


def service_account(call: Call) -> Document:
    """The project's storage agent, made when first asked for."""
    return {"kind": "storage#serviceAccount", "email_address": ensure(call.cloud, "storage", project_of_path(call))}


def shown(call: Call, document: Document, *, default: str) -> Document:
    """A bucket as its reader sees it; ``full`` adds the access control lists."""
    view = {key: value for key, value in document.items() if not key.startswith("_")}
    if call.query.get("projection", default) == "full":
        view["owner"] = {"entity": f"project-owners-{document['projectNumber']}"}
        view["acl"] = access.bucket_acl(call.cloud, document)
        view["defaultObjectAcl"] = access.default_object_acl(document)
    return view


def no_hmac_keys(call: Call) -> Document:
    """Keys for requests signed in the manner of other clouds.

    Raises:
        NotEmulated: always.
    """
    raise NotEmulated(f"The sandbox does not emulate {call.method.id}: sign with a service account instead (V4, RSA).")


HANDLERS: dict[str, Handler] = {
    **{f"storage.hmacKeys.{action}": no_hmac_keys for action in ("create", "delete", "get", "list", "update")},
    "storage.buckets.insert": insert,
    "storage.buckets.get": get,
    "storage.buckets.list": listing,
    "storage.buckets.patch": patch,
    "storage.buckets.update": update,
    "storage.buckets.delete": delete,
    "storage.buckets.lockRetentionPolicy": lock_retention,
    "storage.buckets.getStorageLayout": layout,
    "storage.serviceAccount.get": service_account,
}
