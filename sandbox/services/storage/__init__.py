"""Cloud Storage: the JSON API, uploads, and objects by plain path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.call import Call
from sandbox.services.registry import Service
from sandbox.services.storage import (
    access,
    buckets,
    caches,
    deleted_buckets,
    folders,
    lifecycle,
    notifications,
    objects,
    refusals,
    restoring,
    uploads,
    usage_logs,
)

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

#: Calls that an anonymous caller may get through to the permission check, as public objects can be read by anybody.
ANONYMOUS = {"storage.objects.get", "storage.objects.list", "storage.objects.insert", "storage.buckets.get"}


def consumer(call: Call) -> str | None:
    """The project of the bucket, or the one that is to get it."""
    if "projectId" in call.parameters:
        return buckets.project_of_path(call)
    gone = call.method.short == "storage.buckets.get" and call.query.get("softDeleted") == "true"
    if gone or call.method.short == "storage.buckets.restore":
        return str(deleted_buckets.find(call)["_project"])
    name = call.parameters.get("bucket") or call.parameters.get("destinationBucket")
    if name is None:
        return buckets.project_of_query(call)
    return str(buckets.read(call.cloud, name)["_project"])


def project_target(call: Call) -> tuple[str, str]:
    """Calls on a project's collection of buckets are governed by the project."""
    return "storage", f"projects/{consumer(call)}"


def destination(call: Call) -> tuple[str, str]:
    """Copies are governed by the place they go to."""
    return "storage", f"b/{call.parameters['destinationBucket']}/o/{call.parameters['destinationObject']}"


def new_object(call: Call) -> tuple[str, str]:
    """Uploads are governed by the object to be."""
    name = call.query.get("name", "")
    return "storage", f"b/{call.parameters['bucket']}/o/{name}" if name else f"b/{call.parameters['bucket']}/o"


def bucket(call: Call) -> tuple[str, str]:
    """Calls on parts of a bucket are governed by it."""
    return "storage", f"b/{call.parameters['bucket']}"


def managed_folder(call: Call) -> tuple[str, str]:
    """A managed folder has a policy of its own below the bucket's."""
    name = call.parameters.get("managedFolder", "").rstrip("/")
    return "storage", f"b/{call.parameters['bucket']}" + (f"/o/{name}" if name else "")


def tick(cloud: Cloud) -> None:
    """What an hour and a day bring."""
    usage_logs.deliver(cloud)
    lifecycle.run(cloud)


SERVICE = Service(
    name="storage",
    resources=(caches.AnywhereCache,),
    title="Google Cloud Storage JSON API",
    handlers={
        **access.HANDLERS,
        **buckets.HANDLERS,
        **caches.HANDLERS,
        **deleted_buckets.HANDLERS,
        **folders.HANDLERS,
        **notifications.HANDLERS,
        **objects.HANDLERS,
        **restoring.HANDLERS,
        **uploads.HANDLERS,
    },
    targets={
        "storage.bucketAccessControls": bucket,
        "storage.defaultObjectAccessControls": bucket,
        "storage.notifications": bucket,
        "storage.objectAccessControls": bucket,
        "storage.managedFolders": managed_folder,
        "storage.buckets.getIamPolicy": bucket,
        "storage.buckets.insert": project_target,
        "storage.buckets.list": project_target,
        "storage.buckets.restore": project_target,
        "storage.buckets.setIamPolicy": bucket,
        "storage.buckets.testIamPermissions": bucket,
        "storage.objects.compose": destination,
        "storage.objects.copy": destination,
        "storage.objects.insert": new_object,
        "storage.objects.list": bucket,
        "storage.objects.rewrite": destination,
        "storage.hmacKeys": project_target,
        "storage.serviceAccount": project_target,
    },
    consumer=consumer,
    public=lambda call: call.method.short in ANONYMOUS,
    bearer=uploads.owner,
    denied=refusals.denied,
    envelope=refusals.envelope,
    tick=tick,
)
