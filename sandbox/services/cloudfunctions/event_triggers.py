"""A function's event trigger: Eventarc's trigger that Cloud Functions makes and keeps for it.

Source: https://docs.cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions#EventTrigger and
https://docs.cloud.google.com/functions/docs/calling/eventarc (read 2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument
from sandbox.services.eventarc import transport
from sandbox.services.pubsub.cloud_events import MESSAGE_PUBLISHED

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

RETRY = "RETRY_POLICY_RETRY"


def complete(document: Document) -> None:
    """Validate a function's trigger and fill its defaults.

    Raises:
        InvalidArgument: it says not which events it waits for, or a topic of another type of events.
    """
    trigger = document.get("eventTrigger")
    if not trigger:
        return
    if not trigger.get("eventType"):
        raise InvalidArgument("eventTrigger.eventType is required.")
    if trigger.get("pubsubTopic") and trigger["eventType"] != MESSAGE_PUBLISHED:
        raise InvalidArgument(f"eventTrigger.pubsubTopic is for {MESSAGE_PUBLISHED} alone.")
    trigger.setdefault("triggerRegion", document["name"].split("/")[3])
    trigger.setdefault("serviceAccountEmail", document["serviceConfig"]["serviceAccountEmail"])
    trigger.setdefault("retryPolicy", "RETRY_POLICY_DO_NOT_RETRY")


def provide(cloud: Cloud, document: Document) -> None:
    """Make the trigger of a deployed function, or let it follow a change.

    Raises:
        ApiError: what it listens to does not exist, or an account lacks a role.
    """
    wanted = document.get("eventTrigger")
    known = cloud.store.get(transport.KIND, (wanted or {}).get("trigger", "") or document.get("_trigger", ""))
    if known:
        transport.remove(cloud, known)
        cloud.store.delete(transport.KIND, known["name"])
    document.pop("_trigger", None)
    if not wanted:
        return
    project, label = document["name"].split("/")[1], document["name"].rpartition("/")[2]
    suffix = cloud.identifiers.number("eventarc", 6)
    name = (
        known["name"] if known else f"projects/{project}/locations/{wanted['triggerRegion']}/triggers/{label}-{suffix}"
    )
    kind = {"attribute": "type", "value": wanted["eventType"]}
    trigger: Document = {
        "name": name,
        "uid": cloud.identifiers.uuid("uid"),
        "createTime": cloud.clock.timestamp(),
        "updateTime": cloud.clock.timestamp(),
        "eventFilters": [kind, *wanted.get("eventFilters", [])],
        "serviceAccount": wanted["serviceAccountEmail"],
        "destination": {"cloudFunction": document["name"]},
        "labels": {"goog-managed-by": "cloudfunctions"},
        "eventDataContentType": "application/json",
    }
    if topic := wanted.get("pubsubTopic"):
        trigger["transport"] = {"pubsub": {"topic": topic}}
    transport.provide(cloud, trigger, once=wanted["retryPolicy"] != RETRY)
    cloud.store.put(transport.KIND, name, trigger)
    if wanted["eventType"] == MESSAGE_PUBLISHED:
        wanted["pubsubTopic"] = trigger["transport"]["pubsub"]["topic"]
    wanted["trigger"] = document["_trigger"] = name


def remove(cloud: Cloud, document: Document) -> None:
    """Take down the trigger of a function that goes."""
    if trigger := cloud.store.get(transport.KIND, document.get("_trigger", "")):
        transport.remove(cloud, trigger)
        cloud.store.delete(transport.KIND, trigger["name"])
