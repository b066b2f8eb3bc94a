"""One line of JSON per outcome, as Cloud Logging takes it from standard output.

Prompts, image bytes and tokens are never logged. That is why there is one function with named arguments and no logger
to hand a message to: neither an error's message, which may repeat a prompt, nor a request can get in.

Fields: https://docs.cloud.google.com/logging/docs/structured-logging (read 2026-08).
"""

import datetime as dt
import json
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from generation.errors import ErrorClass, GenerationError
from generation.models import table
from generation.record import ImageAnswer
from generation.request import Request
from generation.usage import Cost, Usage

TRACE = re.compile(r"^([0-9a-f]{32})/?([0-9]{0,20})")
TRACE_PARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
WARNINGS = {ErrorClass.INVALID, ErrorClass.SAFETY}
FRAMES = 6
FIELDS = {field.alias for field in Request.model_fields.values()}


@dataclass
class Line:
    """What is known of a request while it is answered.

    Attributes:
        method: HTTP method.
        route: path without ids.
        model: asked for, then that which answered.
        request_id: the caller's name for the request.
        image: id of the image.
        event: outcome of a request for images; queued, one that was handed to the queue; request, any other.
        caller_domain: of the caller's e-mail, never the e-mail.
        capacity: asked for.
    """

    method: str
    route: str
    trace: str = ""
    span: str = ""
    model: str = ""
    request_id: str = ""
    image: str = ""
    event: str = "request"
    caller_domain: str = ""
    capacity: str = ""
    usage: Usage | None = None
    cost: Cost | None = None
    cached: bool | None = None
    attempts: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def answered(self, answer: ImageAnswer) -> None:
        """Take over what an answer says."""
        self.model, self.image = answer.model, answer.id
        self.usage, self.cost = answer.usage, answer.cost
        self.cached, self.attempts = answer.cached, answer.attempts
        self.extra = {"finishReason": answer.finish_reason, "images": len(answer.images)} | {
            "timing": answer.timing.model_dump(by_alias=True),
            "skipped": [f"{each.model} {each.reason}" for each in answer.skipped],
        }

    def failed(self, error: GenerationError) -> None:
        """Take over what a failure says, apart from its message."""
        self.attempts = error.attempts
        self.extra = {
            "class": error.error_class.value,
            "reason": error.reason.value,
            "hint": error.hint,
            "fields": [_known(violation.field) for violation in error.violations],
            "uniqueId": error.unique_id,
        }
        model = table().get(self.model)
        if error.usage is not None and model is not None:
            self.usage, self.cost = error.usage, Cost.of(error.usage, model)

    def crashed(self, error: BaseException) -> None:
        """Take over the kind and the place of a defect: its message and its values may hold a prompt."""
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
        self.extra |= {
            "exception": type(error).__name__,
            "stack": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        }


def _known(path: str) -> str:
    # The name of an unknown field is the caller's own words.
    name = path.partition(".")[0].partition("[")[0]
    return name if name in FIELDS else "(unknown)"


def trace_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """Trace and span of a request; empty where it has none."""
    parent = TRACE_PARENT.match(headers.get("traceparent", ""))
    if parent:
        return parent[1], parent[2]
    cloud = TRACE.match(headers.get("x-cloud-trace-context", ""))
    return (cloud[1], cloud[2]) if cloud else ("", "")


def write(
    line: Line,
    *,
    status: int,
    latency_ms: int,
    campaign: str = "",
    project: str = "",
    output: TextIO | None = None,
) -> dict[str, Any]:
    """Write a request's one line, and return it."""
    failure_class = line.extra.get("class", "")
    document: dict[str, Any] = {
        "severity": severity(status, failure_class),
        "message": f"{line.method} {line.route} {status}" + (f" {line.extra['reason']}" if failure_class else ""),
        "event": line.event,
        "campaign": campaign,
        "model": line.model,
        "status": status,
        "latencyMs": latency_ms,
        "imageId": line.image,
        "requestId": line.request_id,
        "callerDomain": line.caller_domain,
        "capacity": line.capacity,
        "tokens": line.usage.total_token_count if line.usage else None,
        "modelRetiresInDays": retires_in_days(line.model),
        "attempts": line.attempts,
        "cached": line.cached,
        "usage": line.usage.model_dump(by_alias=True) if line.usage else None,
        "cost": line.cost.model_dump(by_alias=True) if line.cost else None,
        **line.extra,
    }
    if line.trace and project:
        document["logging.googleapis.com/trace"] = f"projects/{project}/traces/{line.trace}"
        document["logging.googleapis.com/spanId"] = line.span
    kept = {key: value for key, value in document.items() if value not in ("", None, [])}
    stream = output or sys.stdout
    stream.write(json.dumps(kept) + "\n")  # in ASCII, which every locale can write
    stream.flush()
    return kept


def retires_in_days(model: str) -> int | None:
    """Days until a model's retirement date, negative afterwards; None where the table has no date."""
    known = table().get(model)
    if known is None or known.retirement is None:
        return None
    return (known.retirement - dt.datetime.now(dt.UTC).date()).days


def severity(status: int, failure_class: str) -> str:
    """Callers' mistakes are warnings, what an operator must mend is an error."""
    if not failure_class:
        return "INFO" if status < 500 else "ERROR"  # noqa: PLR2004 -- HTTP statuses read best as numbers
    return "WARNING" if failure_class in WARNINGS else "ERROR"
