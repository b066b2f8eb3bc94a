"""Log buckets, their views and their links to BigQuery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.constraints import violated
from sandbox.enforcement.encryption import key_name, require_key
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.fields import without_defaults
from sandbox.resources import Resource
from sandbox.services.logging import operations
from sandbox.services.logging.accounts import key_account
from sandbox.services.logging.query import compile_filter
from sandbox.services.logging.settings import FIRST_BUCKETS

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "logging.buckets"
PACKAGE = "google.logging.v2"
LONGEST_RETENTION = 3650

#: In every project, folder and organisation:
#: https://docs.cloud.google.com/logging/docs/routing/overview (read 2026-08).
BUILT_IN: dict[str, Document] = {
    "_Default": {"description": "Default bucket", "retentionDays": 30, "lifecycleState": "ACTIVE"},
    "_Required": {"description": "Audit bucket", "retentionDays": 400, "lifecycleState": "ACTIVE", "locked": True},
}


def ensure_built_in(call: Call, parent: str) -> None:
    """Store the buckets that exist without anybody creating them; ``parent`` is ``projects/p`` or the like."""
    first = call.cloud.store.get(FIRST_BUCKETS, parent) or {}
    for identity, facts in BUILT_IN.items():
        name = f"{parent}/locations/{first.get('storageLocation', 'global')}/buckets/{identity}"
        if call.cloud.store.get(KIND, name) is None:
            call.cloud.store.put(KIND, name, {"name": name, **facts, **encrypted(parent, first)})


def encrypted(parent: str, first: Document) -> Document:
    """What a default key adds to a first bucket."""
    if not first.get("kmsKeyName"):
        return {}
    key, account = key_name(first["kmsKeyName"]), first["serviceAccountId"]
    return {"cmekSettings": {"name": f"{parent}/cmekSettings", "kmsKeyName": key, "serviceAccountId": account}}


class Bucket(Resource):
    """Where entries are kept, for a time, perhaps under the customer's key."""

    kind = KIND
    package = PACKAGE
    message = "LogBucket"

    def read(self, call: Call) -> Document:
        """The bucket, built-in ones included."""
        ensure_built_in(call, "/".join(call.name.split("/")[:2]))
        return super().read(call)

    def listing(self, call: Call) -> Document:
        """Buckets of one location, or of all with ``-``."""
        parent = "/".join(call.name.split("/")[:2])
        ensure_built_in(call, parent)
        answer = super().listing(call)
        return answer if isinstance(answer, dict) else {}

    def accept(self, call: Call) -> Document:
        """The body without defaults."""
        body: Document = without_defaults(super().accept(call))
        return body

    def prepare(self, call: Call, document: Document) -> None:
        """Retention, state, key."""
        document.setdefault("retentionDays", 30)
        document["lifecycleState"] = "ACTIVE"
        if call.project:
            key = document.get("cmekSettings", {}).get("kmsKeyName")
            place, keys = call.segment("locations"), [key] if key else []
            if constraint := violated(call.cloud, call.project, "logging.googleapis.com", place=place, keys=keys):
                raise FailedPrecondition(f"Constraint constraints/{constraint} violated for {document['name']}.")
        self.check(call, document)

    def check(self, call: Call, document: Document) -> None:
        """Retention within bounds; a key that Logging may use, in the bucket's own region."""
        if not 1 <= document["retentionDays"] <= LONGEST_RETENTION:
            raise InvalidArgument(f"The retention must be 1 to {LONGEST_RETENTION} days.")
        settings = document.get("cmekSettings", {})
        if reference := settings.get("kmsKeyName"):
            location = call.segment("locations")
            if f"/locations/{location}/" not in reference or location == "global":
                raise InvalidArgument(
                    f"The KMS key {reference} must be in the region of the log bucket, which is in {location}."
                )
            account = key_account(call.cloud, "/".join(call.name.split("/")[:2]))
            version = require_key(call.cloud, reference, account)
            document["cmekSettings"] = {
                "name": f"{'/'.join(call.name.split('/')[:2])}/cmekSettings",
                "kmsKeyName": key_name(reference),
                "kmsKeyVersionName": version,
                "serviceAccountId": account,
            }

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """What a locked bucket, a built-in one, a key and analytics forbid."""
        identity = call.name.rpartition("/")[2]
        if before["lifecycleState"] != "ACTIVE":
            raise FailedPrecondition(f"Bucket `{identity}` is pending deletion: undelete it first.")
        after.setdefault("retentionDays", 30)
        if before.get("locked") and after["retentionDays"] < before["retentionDays"]:
            raise FailedPrecondition("The retention of a locked bucket may not be reduced.")
        if before.get("locked") and not after.get("locked"):
            raise FailedPrecondition("A locked bucket cannot be unlocked.")
        if identity == "_Required":
            raise InvalidArgument("The _Required bucket cannot be changed.")
        if before.get("analyticsEnabled") and not after.get("analyticsEnabled"):
            raise InvalidArgument("Log Analytics cannot be disabled once it was enabled on a bucket.")
        if before.get("cmekSettings") and not after.get("cmekSettings", {}).get("kmsKeyName"):
            raise InvalidArgument("The CMEK settings of a log bucket cannot be disabled.")
        self.check(call, after)

    def delete(self, call: Call) -> Document:
        """Marked; entries and name are kept for seven days."""
        document = self.read(call)
        identity = call.name.rpartition("/")[2]
        if identity in BUILT_IN:
            raise InvalidArgument(f"Bucket `{identity}` cannot be deleted.")
        if document.get("locked"):
            raise FailedPrecondition(f"Bucket `{identity}` is locked and cannot be deleted while it holds entries.")
        for link in call.cloud.store.documents("logging.links", f"{call.name}/links"):
            raise FailedPrecondition(f"Bucket `{identity}` has the link {link['name']}: delete it first.")
        document["lifecycleState"] = "DELETE_REQUESTED"
        call.cloud.store.put(KIND, call.name, document)
        return {}

    def answer(self, call: Call, name: str, document: Document) -> Document:
        """The bucket, or the operation that the ``Async`` methods answer with."""
        shown = self.view(call, document)
        if not call.method.long_running:
            return shown
        verb = "create" if call.method.action == "createAsync" else "update"
        response = {"@type": f"{operations.TYPE}LogBucket", **shown}
        return operations.finished(call, "BucketMetadata", f"{verb}BucketRequest", response)

    def missing(self, call: Call) -> NotFound:
        """Names bucket and location."""
        identity = call.name.rpartition("/")[2]
        return NotFound(f"Bucket `{identity}` in location `{call.segment('locations')}` does not exist")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Says whether it waits for its deletion."""
        found = call.cloud.store.get(KIND, name) or {}
        waiting = " and is pending deletion" if found.get("lifecycleState") == "DELETE_REQUESTED" else ""
        return AlreadyExists(f"Bucket `{name.rpartition('/')[2]}` already exists{waiting}")


BUCKET = Bucket()


def undelete(call: Call) -> Document:
    """Take back a deletion."""
    document = BUCKET.read(call)
    if document["lifecycleState"] != "DELETE_REQUESTED":
        raise FailedPrecondition(f"Bucket `{call.name.rpartition('/')[2]}` is not pending deletion.")
    document["lifecycleState"] = "ACTIVE"
    call.cloud.store.put(KIND, call.name, document)
    return {}


class View(Resource):
    """A part of a bucket that a policy may be set on."""

    kind = "logging.views"
    package = PACKAGE
    message = "LogView"

    #: In every bucket.
    built_in = "_AllLogs"

    def read(self, call: Call) -> Document:
        """The view, the one of all entries included."""
        self.ensure(call, call.name.partition("/views/")[0])
        return super().read(call)

    def listing(self, call: Call) -> Document:
        """Views of a bucket."""
        self.ensure(call, call.name.removesuffix("/views"))
        answer = super().listing(call)
        return answer if isinstance(answer, dict) else {}

    def ensure(self, call: Call, bucket: str) -> None:
        """Store the view of all entries of an existing bucket."""
        ensure_built_in(call, "/".join(bucket.split("/")[:2]))
        name = f"{bucket}/views/{self.built_in}"
        if call.cloud.store.get(KIND, bucket) and call.cloud.store.get(self.kind, name) is None:
            call.cloud.store.put(self.kind, name, {"name": name, "description": "View for all logs in the bucket."})

    def prepare(self, call: Call, document: Document) -> None:
        """The bucket exists, the filter can be read."""
        bucket = call.name.removesuffix("/views")
        ensure_built_in(call, "/".join(bucket.split("/")[:2]))
        if call.cloud.store.get(KIND, bucket) is None:
            raise NotFound(
                f"Bucket `{bucket.rpartition('/')[2]}` in location `{call.segment('locations')}` does not exist"
            )
        compile_filter(document.get("filter", ""))

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """The new filter can be read."""
        del call, before
        compile_filter(after.get("filter", ""))

    def deleting(self, call: Call, document: Document) -> None:
        """The view of all entries stays."""
        del document
        if call.name.endswith(f"/{self.built_in}"):
            raise InvalidArgument(f"View {self.built_in} cannot be deleted.")

    def missing(self, call: Call) -> NotFound:
        """Names the view."""
        return NotFound(f"View {call.name.rpartition('/')[2]} does not exist")


class Link(Resource):
    """A BigQuery dataset that shows a bucket with analytics."""

    kind = "logging.links"
    package = PACKAGE
    message = "Link"

    def prepare(self, call: Call, document: Document) -> None:
        """The bucket allows it; the dataset is named after the link."""
        bucket = call.cloud.store.get(KIND, call.name.removesuffix("/links"))
        if bucket is None:
            raise NotFound(
                f"Bucket `{call.segment('buckets')}` in location `{call.segment('locations')}` does not exist"
            )
        if not bucket.get("analyticsEnabled"):
            raise FailedPrecondition("Links need a bucket with Log Analytics: enable it on the bucket first.")
        identity = document["name"].rpartition("/")[2]
        dataset = f"bigquery.googleapis.com/projects/{call.project}/datasets/{identity}"
        document |= {"bigqueryDataset": {"datasetId": dataset}, "lifecycleState": "ACTIVE"}

    def answer(self, call: Call, name: str, document: Document) -> Document:
        """The operation of a creation."""
        del name
        shown = {"@type": f"{operations.TYPE}Link", **self.view(call, document)}
        return operations.scheduled(operations.finished(call, "LinkMetadata", "createLinkRequest", shown))

    def operation(self, call: Call, name: str, response: Document) -> Document:
        """The operation of a deletion."""
        del name
        return operations.scheduled(operations.finished(call, "LinkMetadata", "deleteLinkRequest", response))

    def missing(self, call: Call) -> NotFound:
        """Names the link."""
        return NotFound(f"Link {call.name.rpartition('/')[2]} does not exist")


HANDLERS = {
    "logging.buckets.createAsync": BUCKET.create,
    "logging.buckets.updateAsync": BUCKET.patch,
    "logging.buckets.undelete": undelete,
}
