"""Log buckets, sinks, exclusions, metrics; alert policies and whom they tell."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.audit.live.reader import Reader, live, only
from policies.catalogue import Resource


def read(reader: Reader, project: str) -> Iterator[Resource]:
    """The logs and alerts of a project."""
    root = f"v2/projects/{project}"
    for bucket in reader.all("logging", f"{root}/locations/-/buckets", "buckets"):
        parts = bucket["name"].split("/")
        kept = only(bucket, "retentionDays", "cmekSettings", "description")
        properties = {
            "bucketId": parts[-1],
            "location": parts[3],
            "project": project,
            "locked": bucket.get("locked", False),
            **kept,
        }
        id_ = f"projects/{project}/{'/'.join(parts[2:])}"
        yield live("gcp:logging/projectBucketConfig:ProjectBucketConfig", id_, "logging", properties)
    for sink in reader.all("logging", f"{root}/sinks", "sinks"):
        properties = {
            "name": sink["name"],
            "project": project,
            "destination": sink.get("destination", ""),
            "filter": sink.get("filter", ""),
            "disabled": sink.get("disabled", False),
            "exclusions": sink.get("exclusions") or [],
        }
        id_ = f"projects/{project}/sinks/{sink['name']}"
        yield live("gcp:logging/projectSink:ProjectSink", id_, "logging", properties)
    for exclusion in reader.all("logging", f"{root}/exclusions", "exclusions"):
        kept = only(exclusion, "filter", "description")
        properties = {
            "name": exclusion["name"],
            "project": project,
            "disabled": exclusion.get("disabled", False),
            **kept,
        }
        id_ = f"projects/{project}/exclusions/{exclusion['name']}"
        yield live("gcp:logging/projectExclusion:ProjectExclusion", id_, "logging", properties)
    for metric in reader.all("logging", f"{root}/metrics", "metrics"):
        properties = {"name": metric["name"], "project": project, "filter": metric.get("filter", "")}
        yield live("gcp:logging/metric:Metric", metric["name"], "logging", properties)
    for channel in reader.all("monitoring", f"v3/projects/{project}/notificationChannels", "notificationChannels"):
        kept = only(channel, "type", "displayName", "labels", "userLabels", "verificationStatus")
        properties = {"name": channel["name"], "project": project, "enabled": channel.get("enabled", True), **kept}
        yield live("gcp:monitoring/notificationChannel:NotificationChannel", channel["name"], "monitoring", properties)
    for policy in reader.all("monitoring", f"v3/projects/{project}/alertPolicies", "alertPolicies"):
        kept = only(policy, "displayName", "combiner", "notificationChannels", "userLabels", "severity")
        conditions = [{key: value for key, value in c.items() if key != "name"} for c in policy.get("conditions") or ()]
        properties = {
            "name": policy["name"],
            "project": project,
            "enabled": policy.get("enabled", True),
            "conditions": conditions,
            **kept,
        }
        yield live(
            "gcp:monitoring/alertPolicy:AlertPolicy",
            policy["name"],
            "monitoring",
            properties,
        )
