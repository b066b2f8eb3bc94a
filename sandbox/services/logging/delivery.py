"""Delivery: what sinks send to topics, buckets and datasets, with the permissions of their writers.

Formats: https://docs.cloud.google.com/logging/docs/export/storage and
https://docs.cloud.google.com/logging/docs/export/pubsub (read 2026-08). The real service writes a bucket's files once
an hour; here each round makes one, numbered within its hour.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from sandbox.audit import ENTRIES
from sandbox.call import Principal
from sandbox.errors import ApiError
from sandbox.runtime.background import woken
from sandbox.services.logging.entries import admission, below
from sandbox.services.logging.sinks import KIND as SINKS
from sandbox.services.logging.tables import Writer
from sandbox.services.pubsub import messages
from sandbox.services.pubsub.names import TOPICS

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

CURSORS = "logging.cursors"
INTERVAL_SECONDS = 5.0
TOPIC, BUCKET, DATASET = "pubsub.googleapis.com/", "storage.googleapis.com/", "bigquery.googleapis.com/"


def watch(cloud: Cloud) -> None:
    """Deliver in the background."""

    async def every_round(event: asyncio.Event) -> None:
        while True:
            await woken(event, INTERVAL_SECONDS)
            await deliver(cloud)

    cloud.background.wake(CURSORS, every_round)


async def deliver(cloud: Cloud) -> None:
    """Send every sink what has come since its last round."""
    for name, sink in cloud.store.items(SINKS):
        destination = sink["destination"]
        if sink.get("disabled") or not destination.startswith((TOPIC, BUCKET, DATASET)):
            continue
        fresh = arrived(cloud, name, sink)
        if fresh and await sent(cloud, sink, fresh):
            last = max((entry["receiveTimestamp"], entry["insertId"]) for entry in fresh)
            cloud.store.put(CURSORS, name, {"last": list(last)})


def arrived(cloud: Cloud, name: str, sink: Document) -> list[Document]:
    """Entries for a sink since its last round; nothing from before the sink was made."""
    cursor = cloud.store.get(CURSORS, name)
    last = tuple(cursor["last"]) if cursor else (sink.get("createTime", ""), "")
    source, admitted = name.partition("/sinks/")[0], admission(cloud, name.partition("/sinks/")[0], sink)
    return [
        entry
        for key, entry in cloud.store.items(ENTRIES)
        if (entry["receiveTimestamp"], entry["insertId"]) > last
        and below(cloud.hierarchy, source, sink, key)
        and admitted(entry)
    ]


async def sent(cloud: Cloud, sink: Document, entries: list[Document]) -> bool:
    """Send entries to the sink's destination; whether its writer was let in."""
    if sink["destination"].startswith(TOPIC):
        return publish(cloud, sink, entries)
    if sink["destination"].startswith(DATASET):
        return await Writer(cloud, sink).write(entries)
    return await upload(cloud, sink, entries)


def publish(cloud: Cloud, sink: Document, entries: list[Document]) -> bool:
    """One message an entry."""
    topic = cloud.store.get(TOPICS, cloud.hierarchy.canonical(sink["destination"].removeprefix(TOPIC)))
    writer = Principal(sink.get("writerIdentity", ""))
    if topic is None or not cloud.permissions.grant(writer, "pubsub.topics.publish", "pubsub", topic["name"]):
        return False
    try:
        for entry in entries:
            attributes = {"logging.googleapis.com/timestamp": entry["timestamp"]}
            data = base64.b64encode(json.dumps(entry).encode()).decode()
            messages.deliver(cloud, topic, {"data": data, "attributes": attributes})
    except ApiError:  # the topic's key cannot be used; the entries come again
        return False
    return True


async def upload(cloud: Cloud, sink: Document, entries: list[Document]) -> bool:
    """One file a log and round, its lines the entries."""
    bucket = sink["destination"].removeprefix(BUCKET)
    token = cloud.agents.token(sink.get("writerIdentity", "").partition(":")[2])
    by_log: dict[str, list[Document]] = defaultdict(list)
    for entry in entries:
        by_log[unquote(entry["logName"].partition("/logs/")[2])].append(entry)
    project = entries[0]["logName"].split("/")[1]
    for log, members in by_log.items():
        content = "".join(json.dumps(entry) + "\n" for entry in members).encode()
        name = quote(file_name(cloud, log, members[0]), safe="")
        url = f"https://storage.googleapis.com/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
        headers = {"Content-Type": "application/json"}
        reply = await cloud.agents.request("POST", url, project=project, token=token, content=content, headers=headers)
        if not reply.is_success:
            return False
    return True


def file_name(cloud: Cloud, log: str, entry: Document) -> str:
    """``LOG/2026/11/21/15:00:00_15:59:59_S0.json``, the last number counting the files of the hour."""
    hour = datetime.fromisoformat(entry["timestamp"])
    place = f"{log}/{hour:%Y/%m/%d}/{hour:%H}:00:00_{hour:%H}:59:59"
    return f"{place}_S{cloud.store.next(f'logging.files/{place}') - 1}.json"
