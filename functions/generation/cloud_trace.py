"""Sends spans to Cloud Trace."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from generation.settings import Settings, origin_of

HOST = "cloudtrace.googleapis.com"
SECONDS = 10.0
NANOSECONDS = 1_000_000_000


class TraceExporter(SpanExporter):
    """Cloud Trace, by REST."""

    def __init__(self, settings: Settings, session: AuthorizedSession) -> None:
        self._project = settings.project
        self._url = f"{origin_of(HOST, settings.endpoint)}/v2/projects/{settings.project}/traces:batchWrite"
        self._session = session

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; what cannot be sent is lost, images never wait for it."""
        body = {"spans": [self._span(span) for span in spans]}
        try:
            response = self._session.post(self._url, json=body, timeout=SECONDS)
        except (GoogleAuthError, requests.exceptions.RequestException):
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if response.ok else SpanExportResult.FAILURE

    def _span(self, span: ReadableSpan) -> dict[str, Any]:
        context = span.get_span_context()
        identifier = f"{context.span_id:016x}" if context else ""
        trace = f"{context.trace_id:032x}" if context else ""
        document: dict[str, Any] = {
            "name": f"projects/{self._project}/traces/{trace}/spans/{identifier}",
            "spanId": identifier,
            "displayName": {"value": span.name},
            "startTime": _time(span.start_time or 0),
            "endTime": _time(span.end_time or 0),
            "spanKind": span.kind.name,
            "attributes": {
                "attributeMap": {k: {"stringValue": {"value": str(v)}} for k, v in (span.attributes or {}).items()}
            },
        }
        if span.parent is not None:
            document["parentSpanId"] = f"{span.parent.span_id:016x}"
            document["sameProcessAsParentSpan"] = not span.parent.is_remote
        return document


def _time(nanoseconds: int) -> str:
    at = dt.datetime.fromtimestamp(nanoseconds // NANOSECONDS, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{nanoseconds % NANOSECONDS:09}Z"
