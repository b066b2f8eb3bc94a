"""Monitored resource types that entries of a landing zone carry.

Source: https://docs.cloud.google.com/monitoring/api/resources (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.paging import page

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

#: Display name and labels by type.
TYPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "aiplatform.googleapis.com/Endpoint": (
        "Vertex AI Endpoint",
        ("resource_container", "location", "endpoint_id"),
    ),
    "aiplatform.googleapis.com/PublisherModel": (
        "Vertex AI Publisher Model",
        ("resource_container", "location", "publisher", "model_user_id", "model_version_id"),
    ),
    "audited_resource": ("Audited Resource", ("project_id", "service", "method")),
    "cloud_function": ("Cloud Function", ("project_id", "function_name", "region")),
    "cloud_run_revision": (
        "Cloud Run Revision",
        ("project_id", "service_name", "revision_name", "location", "configuration_name"),
    ),
    "cloud_tasks_queue": ("Cloud Tasks Queue", ("project_id", "queue_id", "location", "target_type")),
    "consumed_api": ("Consumed API", ("project_id", "service", "credential_id", "version", "location", "method")),
    "gce_instance": ("VM Instance", ("project_id", "instance_id", "zone")),
    "gce_subnetwork": ("Subnetwork", ("project_id", "subnetwork_id", "subnetwork_name", "location")),
    "gcs_bucket": ("GCS Bucket", ("project_id", "bucket_name", "location")),
    "generic_node": ("Generic Node", ("project_id", "location", "namespace", "node_id")),
    "generic_task": ("Generic Task", ("project_id", "location", "namespace", "job", "task_id")),
    "global": ("Global", ("project_id",)),
    "logging_bucket": ("Logging bucket", ("resource_container", "location", "bucket_id", "source_resource_container")),
    "project": ("Project", ("project_id",)),
    "pubsub_subscription": ("Cloud Pub/Sub Subscription", ("project_id", "subscription_id")),
    "pubsub_topic": ("Cloud Pub/Sub Topic", ("project_id", "topic_id")),
    "service_account": ("Service Account", ("project_id", "email_id", "unique_id")),
    "uptime_url": ("Uptime Check URL", ("project_id", "host")),
}


def describe(kind: str) -> Document:
    """One monitored resource descriptor without a name."""
    title, labels = TYPES[kind]
    return {"type": kind, "displayName": title, "labels": [{"key": label} for label in labels]}


def listing(call: Call) -> Document:
    """All of them."""
    shown, following = page([describe(kind) for kind in TYPES], call.query)
    return {"resourceDescriptors": shown, **({"nextPageToken": following} if following else {})}


HANDLERS = {"logging.monitoredResourceDescriptors.list": listing}
