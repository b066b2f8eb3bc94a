"""Log entries: written, routed when they are read, listed through projects and through views of buckets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sandbox.audit import ENTRIES
from sandbox.call import Principal
from sandbox.enforcement.encryption import require_key
from sandbox.errors import InvalidArgument, NotFound
from sandbox.filter_grammar import Test
from sandbox.paging import page
from sandbox.services.logging import buckets, sinks
from sandbox.services.logging.query import compile_filter
from sandbox.services.logging.query_values import SEVERITIES

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud
    from sandbox.hierarchy import Hierarchy

Document = dict[str, Any]

LOG_NAME = re.compile(r"(?P<parent>(?:projects|folders|organizations|billingAccounts)/[^/]+)/logs/(?P<log>[^/]+)")
MOST_ENTRIES = 1000
PRIVATE = {"cloudaudit.googleapis.com/data_access", "externalaudit.googleapis.com/data_access"}


def parent_of(call: Call) -> str:
    """The first project (or folder, or organisation) that a call about entries names."""
    named = [call.body.get("logName", ""), *call.body.get("resourceNames", [])]
    named += [entry.get("logName", "") for entry in call.body.get("entries", []) if isinstance(entry, dict)]
    named += [f"projects/{project}" for project in call.body.get("projectIds", [])]
    if call.name.endswith("/logs") or "/logs/" in call.name:
        named.append(call.name)
    for name in named:
        if name:
            return call.cloud.hierarchy.canonical("/".join(name.split("/")[:2]))
    return ""


def target(call: Call) -> tuple[str, str]:
    """Whose policy governs a call about entries."""
    parent = parent_of(call)
    if not parent:
        raise InvalidArgument("resourceNames, or a logName in the form projects/PROJECT/logs/LOG, must be given.")
    return "cloudresourcemanager", parent


def consumer(call: Call) -> str | None:
    """The project whose perimeter and API enablement count."""
    if call.method.collection == "entries":
        parent = parent_of(call)
        return parent.partition("/")[2] if parent.startswith("projects/") else None
    return call.project


def write(call: Call) -> Document:
    """Keep entries.

    Raises:
        InvalidArgument: an entry lacks its log name or its resource.
    """
    prepared = [prepare(call, index, entry) for index, entry in enumerate(call.body.get("entries", []))]
    for parent in {parent for parent, _ in prepared}:
        call.cloud.permissions.require(call.principal, "logging.logEntries.create", "cloudresourcemanager", parent)
    if not call.body.get("dryRun"):
        for parent, entry in prepared:
            keep(call, parent, entry)
    return {}


def prepare(call: Call, index: int, entry: Document) -> tuple[str, Document]:
    """Parent and completed document of one entry of a write."""
    defaults: Document = {key: call.body[key] for key in ("logName", "resource") if key in call.body}
    document: Document = {**defaults, **entry}
    labels: Document = {**call.body.get("labels", {}), **entry.get("labels", {})}
    if labels:
        document["labels"] = labels
    found = LOG_NAME.fullmatch(document.get("logName", ""))
    if found is None:
        raise InvalidArgument(f"Log entry {index}: invalid log name {document.get('logName', '')!r}.")
    if not document.get("resource", {}).get("type"):
        raise InvalidArgument(f"Log entry {index}: a monitored resource with a type must be given.")
    severity = document.get("severity", "DEFAULT")
    if severity not in SEVERITIES:
        raise InvalidArgument(f"Log entry {index}: unknown severity {severity!r}.")
    parent = call.cloud.hierarchy.canonical(found["parent"])
    now = call.cloud.clock.timestamp()
    document["logName"] = f"{parent}/logs/{found['log']}"
    document.setdefault("insertId", call.cloud.identifiers.hexadecimal("insertId", 16))
    document.setdefault("timestamp", now)
    document["receiveTimestamp"] = now
    if parent.startswith("projects/"):
        document["resource"].setdefault("labels", {}).setdefault("project_id", parent.partition("/")[2])
    return parent, document


def keep(call: Call, parent: str, entry: Document) -> None:
    """Store an entry; the same insert id in the same log at the same time is the same entry."""
    name = f"{parent}/entries/{entry['insertId'].replace('/', '_')}"
    stored = call.cloud.store.get(ENTRIES, name)
    if stored and (stored["logName"], stored["timestamp"]) != (entry["logName"], entry["timestamp"]):
        name = f"{name}-{call.cloud.store.next('logging.entries')}"
    call.cloud.store.put(ENTRIES, name, entry)


def listing(call: Call) -> Document:
    """Entries of resources or views, by filter, oldest first unless asked otherwise.

    Raises:
        InvalidArgument: no resource is named.
        PermissionDenied: the caller may not read one of them, or through one of the views.
    """
    target(call)
    call.cloud.instances.collect()
    admitted = compile_filter(call.body.get("filter", ""))
    names = [*call.body.get("resourceNames", []), *(f"projects/{p}" for p in call.body.get("projectIds", []))]
    found: dict[str, Document] = {}
    for name in names:
        found |= dict(visible(call, call.cloud.hierarchy.canonical(name)))
    entries = [entry for entry in found.values() if admitted(entry)]
    order = call.body.get("orderBy", "timestamp asc").split()
    if order[:1] != ["timestamp"] or order[1:] not in ([], ["asc"], ["desc"]):
        raise InvalidArgument("orderBy must be 'timestamp asc' or 'timestamp desc'.")
    entries.sort(key=lambda entry: (entry["timestamp"], entry["insertId"]), reverse=order[1:] == ["desc"])
    query = {key: str(call.body[key]) for key in ("pageSize", "pageToken") if call.body.get(key)}
    shown, following = page(entries, query, default=50)
    return {**({"entries": shown} if shown else {}), **({"nextPageToken": following} if following else {})}


def visible(call: Call, name: str) -> list[tuple[str, Document]]:
    """Entries that the caller may read through a project (or the like) or through a view of a bucket."""
    permissions = call.cloud.permissions
    if "/buckets/" in name:
        permissions.require(call.principal, "logging.views.access", "logging", name)
        return through_view(call, name)
    permissions.require(call.principal, "logging.logEntries.list", "cloudresourcemanager", name)
    private = permissions.grant(call.principal, "logging.privateLogEntries.list", "cloudresourcemanager", name)
    return [
        (key, entry)
        for key, entry in call.cloud.store.items(ENTRIES, f"{name}/entries")
        if private or unquote(entry["logName"].rpartition("/")[2]) not in PRIVATE
    ]


def through_view(call: Call, view: str) -> list[tuple[str, Document]]:
    """Entries that sinks route to the bucket, as far as the view shows them.

    Raises:
        NotFound: bucket or view do not exist.
    """
    bucket_name, _, view_id = view.partition("/views/")
    parent = "/".join(bucket_name.split("/")[:2])
    buckets.ensure_built_in(call, parent)
    bucket = call.cloud.store.get(buckets.KIND, bucket_name)
    if bucket is None:
        raise NotFound(f"Bucket `{bucket_name.rpartition('/')[2]}` does not exist")
    if settings := bucket.get("cmekSettings"):
        require_key(call.cloud, settings["kmsKeyName"], settings["serviceAccountId"], decrypt=True)
    shown: Test = compile_filter("")
    if view_id and view_id != buckets.View.built_in:
        found = call.cloud.store.get(buckets.View.kind, view)
        if found is None:
            raise NotFound(f"View {view_id} does not exist")
        shown = compile_filter(found.get("filter", ""))
    return [(key, entry) for key, entry in routed(call, bucket_name) if shown(entry)]


def routed(call: Call, bucket: str) -> list[tuple[str, Document]]:
    """Entries that some sink sends to a bucket."""
    hierarchy, owner = call.cloud.hierarchy, "/".join(bucket.split("/")[:2])
    sinks.ensure_built_in(call, owner)
    found: dict[str, Document] = {}
    for name, sink in call.cloud.store.items(sinks.KIND):
        destination = sink["destination"].removeprefix("logging.googleapis.com/")
        source = name.partition("/sinks/")[0]
        if hierarchy.canonical(destination) != bucket or sink.get("disabled"):
            continue
        if source != owner and not may_write(call, sink, bucket):
            continue
        admitted = admission(call.cloud, source, sink)
        found |= {
            key: entry
            for key, entry in call.cloud.store.items(ENTRIES)
            if below(hierarchy, source, sink, key) and admitted(entry)
        }
    return list(found.items())


def below(hierarchy: Hierarchy, source: str, sink: Document, key: str) -> bool:
    """Whether an entry belongs to a sink's own resource, or to one below it where the sink includes its children."""
    if key.startswith(f"{source}/entries/"):
        return True
    return bool(sink.get("includeChildren")) and source in hierarchy.ancestors("/".join(key.split("/")[:2]))


def may_write(call: Call, sink: Document, bucket: str) -> bool:
    """Whether a sink's writer has been let into a bucket of another project; conditions name the bucket."""
    writer = Principal(sink.get("writerIdentity", ""))
    return call.cloud.permissions.grant(writer, "logging.buckets.write", "logging", bucket) is not None


def admission(cloud: Cloud, source: str, sink: Document) -> Test:
    """What a sink lets through: its filter without its exclusions."""
    wanted = compile_filter(sink.get("filter", ""))
    excluded = [compile_filter(e["filter"]) for e in sink.get("exclusions", []) if not e.get("disabled")]
    if sink["name"] == "_Default":
        excluded += [
            compile_filter(exclusion["filter"])
            for exclusion in cloud.store.documents(sinks.Exclusion.kind, f"{source}/exclusions")
            if not exclusion.get("disabled")
        ]
    return lambda entry: wanted(entry) and not any(test(entry) for test in excluded)


def list_logs(call: Call) -> Document:
    """Names of the logs that hold entries."""
    parent = call.name.removesuffix("/logs")
    entries = call.cloud.store.documents(ENTRIES, f"{'/'.join(parent.split('/')[:2])}/entries")
    names = sorted({entry["logName"] for entry in entries})
    shown, following = page(names, call.query, default=50)
    return {**({"logNames": shown} if shown else {}), **({"nextPageToken": following} if following else {})}


def delete_log(call: Call) -> Document:
    """Forget the entries of a log; audit logs stay."""
    log = unquote(call.name.rpartition("/logs/")[2])
    parent = call.name.partition("/logs/")[0]
    if log.startswith("cloudaudit.googleapis.com"):
        raise InvalidArgument("Audit logs cannot be deleted.")
    gone = [
        key
        for key, entry in call.cloud.store.items(ENTRIES, f"{parent}/entries")
        if unquote(entry["logName"].rpartition("/logs/")[2]) == log
    ]
    if not gone:
        raise NotFound(f"Log {log} does not exist")
    for key in gone:
        call.cloud.store.delete(ENTRIES, key)
    return {}


HANDLERS = {
    "logging.entries.write": write,
    "logging.entries.list": listing,
    "logging.logs.list": list_logs,
    "logging.logs.delete": delete_log,
}
TARGETS = {"logging.entries.write": target, "logging.entries.list": target}
