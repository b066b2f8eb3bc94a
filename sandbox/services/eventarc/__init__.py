"""Eventarc: triggers, and the delivery of what they wait for."""

from __future__ import annotations

from sandbox.services import locations
from sandbox.services.eventarc import transport, triggers
from sandbox.services.registry import Service

SERVICE = Service(
    name="eventarc",
    title="Eventarc API",
    prefix=triggers.Trigger.package,
    resources=(triggers.Trigger,),
    handlers=locations.handlers("eventarc", locations.REGIONS),
    audited=transport.audited,
)
