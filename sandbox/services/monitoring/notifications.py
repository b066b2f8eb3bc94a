"""Announcements of incidents: one for each channel of the policy, when an incident opens and when it closes.

Messages to Pub/Sub are published by the service's agent, which needs ``pubsub.topics.publish`` on the topic; all others
would leave the machine, so they are only kept, for people and tests to read.
Format: https://docs.cloud.google.com/monitoring/support/notification-options#webhooks (read 2026-08), version 1.2.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.errors import ApiError
from sandbox.services.monitoring.notification_channels import KIND as CHANNELS
from sandbox.services.pubsub import messages
from sandbox.services.pubsub.names import TOPICS
from sandbox.services.serviceusage.agents import ensure

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "monitoring.notifications"
AGENT = "monitoring-notification"
VERSION = "1.2"

#: The label that says where a channel of a type leads; secrets are never among them.
ADDRESSES = {
    "email": "email_address",
    "google_chat": "space",
    "pubsub": "topic",
    "slack": "channel_name",
    "sms": "number",
    "webhook_basicauth": "url",
    "webhook_tokenauth": "url",
}


def announce(cloud: Cloud, project: str, policy: Document, incident: Document) -> None:
    """Tell every live channel of the policy of an incident's new state."""
    for name in policy.get("notificationChannels", []):
        channel = cloud.store.get(CHANNELS, cloud.hierarchy.canonical(name))
        if channel is None or not channel.get("enabled", True):
            continue
        if channel.get("verificationStatus") == "UNVERIFIED":
            continue
        tell(cloud, project, channel, message(policy, incident))


def tell(cloud: Cloud, project: str, channel: Document, told: Document) -> None:
    """Send a message to a channel, and keep it."""
    failure = publish(cloud, project, channel, told) if channel["type"] == "pubsub" else ""
    address = channel.get("labels", {}).get(ADDRESSES.get(channel["type"], ""), "")
    kept = {
        "time": cloud.clock.timestamp(),
        "channel": channel["name"],
        "type": channel["type"],
        "address": address,
        "message": told,
        **({"failure": failure} if failure else {}),
    }
    cloud.store.put(KIND, f"projects/{project}/notifications/{cloud.store.next(KIND)}", kept)


def message(policy: Document, incident: Document) -> Document:
    """The announcement as a webhook gets it."""
    documentation = policy.get("documentation", {})
    facts = {
        "incident_id": incident["name"].rpartition("/")[2],
        "state": incident["state"].lower(),
        "policy_name": policy["displayName"],
        "started_at": incident["openTime"],
        "ended_at": incident.get("closeTime"),
        "severity": policy.get("severity", "No severity"),
        "policy_user_labels": policy.get("userLabels", {}),
        "resource": incident.get("resource", {}),
        "metric": incident.get("metric", {}),
        "documentation": {
            key: documentation[key] for key in ("content", "subject", "mimeType") if key in documentation
        },
    }
    return {"version": VERSION, "incident": facts}


def publish(cloud: Cloud, project: str, channel: Document, told: Document) -> str:
    """Publish to a channel's topic; returns why it was not possible, empty when it was."""
    topic = cloud.store.get(TOPICS, cloud.hierarchy.canonical(channel["labels"]["topic"]))
    if topic is None:
        return f"The topic {channel['labels']['topic']} does not exist."
    agent = Principal(f"serviceAccount:{ensure(cloud, AGENT, project)}")
    if cloud.permissions.grant(agent, "pubsub.topics.publish", "pubsub", topic["name"]) is None:
        return f"{agent.email} lacks pubsub.topics.publish on {topic['name']}."
    try:
        messages.deliver(cloud, topic, {"data": base64.b64encode(json.dumps(told).encode()).decode()})
    except ApiError as error:  # the topic's key, for one
        return error.message
    return ""
