"""What carries a trigger's events: a topic, a push subscription to the destination, and what feeds the topic.

Source: https://docs.cloud.google.com/eventarc/docs/event-driven-architectures and
https://docs.cloud.google.com/eventarc/docs/roles-permissions (read 2026-11). Events are delivered at least once, kept
for 24 hours, and sent again after 10 s to 600 s.
"""

from __future__ import annotations

import base64
import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.call import Principal
from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.services.pubsub import messages
from sandbox.services.pubsub.cloud_events import AUDIT_WRITTEN, MESSAGE_PUBLISHED, OBJECT_EVENTS, PREFIX
from sandbox.services.pubsub.names import SUBSCRIPTIONS, TOPICS, not_found
from sandbox.services.serviceusage.agents import ensure
from sandbox.services.storage import notifications

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "eventarc.triggers"
BUCKETS = "storage.buckets"
RETRY = {"minimumBackoff": "10s", "maximumBackoff": "600s"}
RETENTION = "86400s"
#: Types that a topic carries; of other types a trigger is kept and gets nothing.
CARRIED = {MESSAGE_PUBLISHED, AUDIT_WRITTEN, *OBJECT_EVENTS.values()}


def filters(trigger: Document) -> dict[str, str]:
    """Values of a trigger's filters by attribute."""
    return {item["attribute"]: item["value"] for item in trigger.get("eventFilters", [])}


def provide(cloud: Cloud, trigger: Document, *, once: bool = False) -> None:
    """Set a new trigger's transport up and write it into the trigger.

    Args:
        cloud: the sandbox.
        trigger: the trigger; ``transport`` is completed.
        once: whether an event that was refused is not sent again.

    Raises:
        NotFound: the topic or the bucket does not exist.
        InvalidArgument: the bucket lies elsewhere, or a filter is missing.
        FailedPrecondition: the trigger's account or the storage agent lacks a role.
    """
    wanted = filters(trigger)
    kind = wanted.get("type", "")
    if kind not in CARRIED or not address(cloud, trigger):
        return
    _, project, _, region, _, label = trigger["name"].split("/")
    suffix = cloud.identifiers.number("eventarc", 3)
    transport = trigger.setdefault("transport", {}).setdefault("pubsub", {})
    given = transport.get("topic")
    if given and cloud.store.get(TOPICS, cloud.hierarchy.canonical(given)) is None:
        raise not_found(given)
    topic = (
        cloud.hierarchy.canonical(given) if given else f"projects/{project}/topics/eventarc-{region}-{label}-{suffix}"
    )
    if kind != MESSAGE_PUBLISHED:
        require_receiver(cloud, trigger, project)
    if kind in OBJECT_EVENTS.values():
        feed(cloud, trigger, wanted, topic)
    if kind == AUDIT_WRITTEN and not {"serviceName", "methodName"} <= wanted.keys():
        raise InvalidArgument("A trigger for audit logs needs filters for serviceName and methodName.")
    if not given:
        cloud.store.put(TOPICS, topic, {"name": topic, "_eventarc": trigger["name"]})
    name = f"projects/{project}/subscriptions/eventarc-{region}-{label}-sub-{suffix}"
    subscription = {
        "name": name,
        "topic": topic,
        "state": "ACTIVE",
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": RETENTION,
        "expirationPolicy": {},
        "retryPolicy": RETRY,
        "pushConfig": push_config(cloud, trigger),
        "_event": {"type": kind, "trigger": trigger["name"], "once": once},
    }
    cloud.store.put(SUBSCRIPTIONS, name, subscription)
    transport |= {"topic": topic, "subscription": name}


def redirect(cloud: Cloud, trigger: Document) -> None:
    """Let the subscription follow a changed destination or account."""
    name = trigger.get("transport", {}).get("pubsub", {}).get("subscription", "")
    if subscription := cloud.store.get(SUBSCRIPTIONS, name):
        subscription["pushConfig"] = push_config(cloud, trigger)
        cloud.store.put(SUBSCRIPTIONS, subscription["name"], subscription)


def remove(cloud: Cloud, trigger: Document) -> None:
    """Take down what ``provide`` made; a topic of the user's stays."""
    transport = trigger.get("transport", {}).get("pubsub", {})
    if name := transport.get("subscription"):
        cloud.store.delete(SUBSCRIPTIONS, name)
        cloud.store.delete_below(name)
    topic = cloud.store.get(TOPICS, transport.get("topic", ""))
    if topic and topic.get("_eventarc") == trigger["name"]:
        cloud.store.delete(TOPICS, topic["name"])
    for name, config in cloud.store.items(notifications.KIND):
        if config.get("_eventarc") == trigger["name"]:
            cloud.store.delete(notifications.KIND, name)


def push_config(cloud: Cloud, trigger: Document) -> Document:
    """The destination, and the identity token that it is shown, which is for the whole of the service."""
    url = address(cloud, trigger)
    parts = urlsplit(url)
    identity = {"serviceAccountEmail": account(trigger), "audience": f"{parts.scheme}://{parts.netloc}"}
    return {"pushEndpoint": url, "oidcToken": identity}


def account(trigger: Document) -> str:
    """E-mail of the account with whose token events are delivered."""
    return str(trigger["serviceAccount"]).rpartition("/")[2]


def address(cloud: Cloud, trigger: Document) -> str:
    """Where events go; empty for destinations that the sandbox does not run."""
    destination, project = trigger.get("destination", {}), trigger["name"].split("/")[1]
    number = cloud.hierarchy.project_number(project)
    if run := destination.get("cloudRun"):
        region = run.get("region") or trigger["name"].split("/")[3]
        return f"https://{run['service'].rpartition('/')[2]}-{number}.{region}.run.app{run.get('path', '')}"
    if function := destination.get("cloudFunction"):
        parts = function.split("/")
        return f"https://{parts[5]}-{number}.{parts[3]}.run.app"
    return str(destination.get("httpEndpoint", {}).get("uri", ""))


def require_receiver(cloud: Cloud, trigger: Document, project: str) -> None:
    """The trigger's account must be allowed to receive what Google's services tell.

    Raises:
        FailedPrecondition: it is not.
    """
    holder = Principal(f"serviceAccount:{account(trigger)}")
    needed = "eventarc.events.receiveEvent"
    if cloud.permissions.grant(holder, needed, "cloudresourcemanager", f"projects/{project}") is None:
        raise FailedPrecondition(
            f'Invalid resource state for "": Permission "{needed}" denied on "{holder.email}". Grant it '
            f"roles/eventarc.eventReceiver on projects/{project}."
        )


def feed(cloud: Cloud, trigger: Document, wanted: dict[str, str], topic: str) -> None:
    """Let a bucket tell the topic of its objects.

    Raises:
        InvalidArgument: no bucket is named, or it lies in another place than the trigger.
        NotFound: it does not exist.
        FailedPrecondition: the storage agent may not publish.
    """
    if not wanted.get("bucket"):
        raise InvalidArgument("A trigger for Cloud Storage events needs a filter for bucket.")
    bucket = cloud.store.get(BUCKETS, f"b/{wanted['bucket']}")
    if bucket is None:
        raise NotFound(f'Bucket "{wanted["bucket"]}" not found.')
    place, region = str(bucket["location"]).lower(), trigger["name"].split("/")[3]
    if place != region:
        raise InvalidArgument(
            f'Bucket "{wanted["bucket"]}" location "{place}" does not match trigger location "{region}".'
        )
    agent = Principal(f"serviceAccount:{ensure(cloud, 'storage', bucket['_project'])}")
    if not cloud.permissions.grant(agent, "pubsub.topics.publish", "pubsub", topic):
        raise FailedPrecondition(
            "The Cloud Storage service account for your bucket is unable to publish to Cloud Pub/Sub topics in the "
            f"specified project. To use GCS CloudEvent triggers, the GCS service account {agent.email} requires the "
            "Pub/Sub Publisher (roles/pubsub.publisher) IAM role in the specified project."
        )
    owner = notifications.collection(bucket["name"])
    number = str(max((int(n["id"]) for n in cloud.store.documents(notifications.KIND, owner)), default=0) + 1)
    config = {
        "kind": "storage#notification",
        "id": number,
        "selfLink": f"https://www.googleapis.com/storage/v1/{owner}/{number}",
        "etag": number,
        "topic": f"{notifications.HOST}{topic}",
        "payload_format": "JSON_API_V1",
        "event_types": [event for event, kind in OBJECT_EVENTS.items() if kind == wanted["type"]],
        "_eventarc": trigger["name"],
    }
    cloud.store.put(notifications.KIND, f"{owner}/{number}", config)


def audited(cloud: Cloud, entry: Document) -> None:
    """Tell the triggers that wait for an audit log entry."""
    payload, project = entry["protoPayload"], entry["logName"].split("/")[1]
    for trigger in cloud.store.documents(KIND):
        wanted = filters(trigger)
        if wanted.get("type") != AUDIT_WRITTEN or trigger["name"].split("/")[1] != project:
            continue
        if not all(
            matches(item, str(payload.get(item["attribute"], "")))
            for item in trigger["eventFilters"]
            if item["attribute"] in {"serviceName", "methodName", "resourceName"}
        ):
            continue
        topic = cloud.store.get(TOPICS, trigger.get("transport", {}).get("pubsub", {}).get("topic", ""))
        if topic:
            data = base64.b64encode(json.dumps(entry).encode()).decode()
            messages.deliver(cloud, topic, {"data": data, "attributes": attributes(entry)})


def matches(item: Document, value: str) -> bool:
    """Whether one filter is met; a path pattern's ``*`` stands for a segment, ``**`` for any."""
    if item.get("operator") == "match-path-pattern":
        return fnmatchcase(value, item["value"].replace("**", "*"))
    return bool(value == item["value"])


def attributes(entry: Document) -> dict[str, str]:
    """CloudEvents attributes of an audit log entry."""
    payload = entry["protoPayload"]
    log = entry["logName"].rpartition("%2F")[2]
    found = {
        "id": f"{entry['logName']}{entry['insertId']}",
        "source": f"//cloudaudit.googleapis.com/projects/{entry['logName'].split('/')[1]}/logs/{log}",
        "subject": f"{payload['serviceName']}/{payload['resourceName']}",
        "time": entry["timestamp"],
        "recordedtime": entry["receiveTimestamp"],
        "servicename": payload["serviceName"],
        "methodname": payload["methodName"],
        "resourcename": payload["resourceName"],
    }
    return {f"{PREFIX}{key}": value for key, value in found.items()}
