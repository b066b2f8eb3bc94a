"""Channels whose owner must prove that he reads them: a code is sent, and taken back."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.services.monitoring.notification_channels import NotificationChannel
from sandbox.services.monitoring.notifications import tell

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

VERIFIED = "VERIFIED"
POSSIBLE = 1_000_000


def code(call: Call, document: Document) -> str:
    """The code of a channel, the same for a seed."""
    digest = hashlib.sha256(f"{call.cloud.settings.seed}:{document['name']}".encode()).hexdigest()
    return f"G-{int(digest[:8], 16) % POSSIBLE:06}"


def send(call: Call) -> Document:
    """Send the code to the channel: people and tests find it among the notifications."""
    document = NotificationChannel().read(call)
    tell(call.cloud, call.project or "", document, {"verificationCode": code(call, document)})
    return {}


def show(call: Call) -> Document:
    """The code of a verified channel, for an equal channel of another project.

    Raises:
        FailedPrecondition: it is not verified itself.
    """
    document = NotificationChannel().read(call)
    if document.get("verificationStatus") != VERIFIED:
        raise FailedPrecondition("The notification channel is not verified.")
    tomorrow = (call.cloud.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"code": code(call, document), "expireTime": call.body.get("expireTime", tomorrow)}


def verify(call: Call) -> Document:
    """Take the code that was sent.

    Raises:
        InvalidArgument: it is another one.
    """
    channel = NotificationChannel()
    document = channel.read(call)
    if call.body.get("code") != code(call, document):
        raise InvalidArgument("The verification code is invalid.")
    document["verificationStatus"] = VERIFIED
    call.cloud.store.put(channel.kind, call.name, document)
    return channel.view(call, document)


HANDLERS = {
    "monitoring.notificationChannels.sendVerificationCode": send,
    "monitoring.notificationChannels.getVerificationCode": show,
    "monitoring.notificationChannels.verify": verify,
}
