"""Traces and metrics by OpenTelemetry, sent to Cloud Trace and Cloud Monitoring; not loaded unless asked for.

Google's exporters speak gRPC, which would treble the size of the function; these two send the same over REST:
docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/create and
docs.cloud.google.com/trace/docs/reference/v2/rest/v2/projects.traces/batchWrite (read 2026-08).
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from generation.settings import Settings

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

    from generation.instruments import Instruments

TRACEPARENT = "traceparent"


class Telemetry:
    """What is measured; nothing, unless settings ask for it.

    Args:
        instruments: of OpenTelemetry.
    """

    def __init__(self, instruments: "Instruments | None" = None) -> None:
        self._instruments = instruments

    @contextlib.contextmanager
    def span(self, name: str, **attributes: str) -> Iterator[None]:
        """Trace a stage of a request. Names and attributes are fixed words and model ids, never a caller's words."""
        if self._instruments is None or self._instruments.tracer is None:
            yield
            return
        with self._instruments.tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ):
            yield

    @contextlib.contextmanager
    def request(self, headers: Mapping[str, str], route: str) -> Iterator[None]:
        """Trace a request, as a part of the trace its headers name."""
        if self._instruments is None or self._instruments.tracer is None:
            yield
            return
        with self._instruments.request(headers, route):
            yield

    def outcome(self, document: Mapping[str, Any]) -> None:
        """Count what a log line says."""
        if self._instruments is not None:
            self._instruments.outcome(document)

    def observe(self, name: str, read: Callable[[], float]) -> None:
        """Have a value read whenever metrics are sent."""
        if self._instruments is not None:
            self._instruments.observe(name, read)

    def close(self) -> None:
        """Send what is left. Blocks."""
        if self._instruments is not None:
            self._instruments.close()


def telemetry_of(settings: Settings, credentials: "Credentials") -> Telemetry:
    """The telemetry that settings ask for. Blocks: it loads OpenTelemetry when they do."""
    if not settings.telemetry:
        return Telemetry()
    from generation.instruments import Instruments  # noqa: PLC0415 -- loaded only when it is asked for

    return Telemetry(Instruments(settings, credentials))
