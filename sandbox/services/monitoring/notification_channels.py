"""Notification channels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.paging import page
from sandbox.services.monitoring.alert_policies import KIND as POLICIES
from sandbox.services.monitoring.records import record
from sandbox.services.monitoring.resource import MonitoringResource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "monitoring.notificationChannels"

#: Labels that each type needs: https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.notificationChannelDescriptors
#: (read 2026-08).
REQUIRED: dict[str, tuple[str, ...]] = {
    "email": ("email_address",),
    "google_chat": ("space",),
    "pagerduty": ("service_key",),
    "pubsub": ("topic",),
    "slack": ("channel_name",),
    "sms": ("number",),
    "webhook_basicauth": ("url", "username", "password"),
    "webhook_tokenauth": ("url",),
}
SECRET = {"auth_token", "password", "service_key"}
VERIFIED_BY_CODE = {"sms"}
TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")


class NotificationChannel(MonitoringResource):
    """Where incidents are announced."""

    kind = KIND
    package = "google.monitoring.v3"
    kept = ("name", "creationRecord", "mutationRecords", "verificationStatus")

    def accept(self, call: Call) -> Document:
        """The body without what only the server writes."""
        body = super().accept(call)
        return {key: value for key, value in body.items() if key not in self.kept}

    def prepare(self, call: Call, document: Document) -> None:
        """Type, labels, records."""
        document.setdefault("enabled", True)
        document["creationRecord"] = record(call)
        document["mutationRecords"] = [record(call)]
        if document.get("type") in VERIFIED_BY_CODE:
            document["verificationStatus"] = "UNVERIFIED"
        self.check(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """The type stays; a secret that comes back hidden is the one that was there."""
        if after.get("type", before["type"]) != before["type"]:
            raise InvalidArgument("Field notification_channel.type cannot be changed.")
        after["type"] = before["type"]
        after.setdefault("enabled", True)
        labels = after.get("labels", {})
        for name in SECRET & set(labels):
            if set(labels[name][:4]) == {"*"}:
                labels[name] = before.get("labels", {}).get(name, "")
        after["mutationRecords"] = [*before.get("mutationRecords", []), record(call)]
        self.check(after)

    @staticmethod
    def check(document: Document) -> None:
        """Refuse unknown types and missing labels."""
        kind = document.get("type", "")
        if kind not in REQUIRED:
            raise InvalidArgument(
                f'Field notification_channel.type had an invalid value of "{kind}": one of {", ".join(REQUIRED)}.'
            )
        labels = document.get("labels", {})
        for label in REQUIRED[kind]:
            if not labels.get(label):
                raise InvalidArgument(f'Field notification_channel.labels[{label}] must be set for type "{kind}".')
        if kind == "pubsub" and not TOPIC.fullmatch(labels["topic"]):
            raise InvalidArgument(
                f'Field notification_channel.labels[topic] had an invalid value of "{labels["topic"]}": '
                "projects/PROJECT/topics/TOPIC."
            )

    def view(self, call: Call, document: Document) -> Document:
        """Without its secrets."""
        shown = super().view(call, document)
        labels = shown.get("labels", {})
        if hidden := SECRET & set(labels):
            shown["labels"] = {**labels, **{name: "*" * 12 + labels[name][-4:] for name in hidden}}
        return shown

    def listing(self, call: Call) -> Document:
        """A page with the total."""
        found = self.found(call)
        shown, following = page(found, call.query)
        answer: Document = {}
        if found:
            answer = {"notificationChannels": [self.view(call, item) for item in shown], "totalSize": len(found)}
        return {**answer, "nextPageToken": following} if following else answer

    def deleting(self, call: Call, document: Document) -> None:
        """Policies let go of it first, unless forced to."""
        del document
        for name, policy in call.cloud.store.items(POLICIES):
            channels = [call.cloud.hierarchy.canonical(channel) for channel in policy.get("notificationChannels", [])]
            if call.name not in channels:
                continue
            if call.query.get("force") != "true":
                raise FailedPrecondition(
                    "Cannot delete channels. One or more alerting policies is using this channel. "
                    f"Remove it from {name}, or delete with force=true."
                )
            policy["notificationChannels"] = [channel for channel in channels if channel != call.name]
            call.cloud.store.put(POLICIES, name, policy)

    def missing(self, call: Call) -> NotFound:
        """Names the channel."""
        return NotFound(f"Cannot find notification channel {call.name}.")


def describe(call: Call) -> Document:
    """The types of channels."""
    parent = call.name.removesuffix("/notificationChannelDescriptors")
    found = [
        {
            "name": f"{parent}/notificationChannelDescriptors/{kind}",
            "type": kind,
            "displayName": kind.replace("_", " ").capitalize(),
            "labels": [{"key": label} for label in labels],
        }
        for kind, labels in REQUIRED.items()
    ]
    return {"channelDescriptors": found}


HANDLERS = {"monitoring.notificationChannelDescriptors.list": describe}
