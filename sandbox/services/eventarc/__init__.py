"""Eventarc: triggers, and the delivery of what they wait for."""

from __future__ import annotations

from sandbox.services import locations
from sandbox.services.eventarc import message_buses, transport, triggers
from sandbox.services.registry import Service

SERVICE = Service(
    name="eventarc",
    title="Eventarc API",
    prefix=triggers.Trigger.package,
    resources=(message_buses.Enrollment, message_buses.MessageBus, message_buses.Pipeline, triggers.Trigger),
    handlers={**locations.handlers("eventarc", locations.REGIONS), **message_buses.HANDLERS},
    audited=transport.audited,
)
