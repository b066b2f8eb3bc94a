"""What Cloud Run tells about its services: log entries from their output, a request log, and metrics.

Log names and fields: https://docs.cloud.google.com/run/docs/logging and
https://docs.cloud.google.com/logging/docs/structured-logging; metrics:
https://docs.cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run (read 2026-08).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from sandbox.audit import ENTRIES
from sandbox.services.logging.query_values import SEVERITIES
from sandbox.services.monitoring.series import record

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.cloud import Cloud
    from sandbox.runtime.instances import Instance

Document = dict[str, Any]

DEFAULT_CONCURRENCY = 80
SERVER_ERROR, CLIENT_ERROR = 500, 400

#: Fields of a structured line that become fields of the entry itself.
SPECIAL = {
    "httpRequest": "httpRequest",
    "logging.googleapis.com/insertId": "insertId",
    "logging.googleapis.com/labels": "labels",
    "logging.googleapis.com/operation": "operation",
    "logging.googleapis.com/sourceLocation": "sourceLocation",
    "logging.googleapis.com/spanId": "spanId",
    "logging.googleapis.com/trace": "trace",
    "logging.googleapis.com/trace_sampled": "traceSampled",
}


def resource(instance: Instance) -> Document:
    """The monitored resource of an instance's revision."""
    parts = instance.service.split("/")
    return {
        "type": "cloud_run_revision",
        "labels": {
            "project_id": parts[1],
            "location": parts[3],
            "service_name": parts[5],
            "configuration_name": parts[5],
            "revision_name": instance.revision.rpartition("/")[2],
        },
    }


def keep(cloud: Cloud, instance: Instance, log: str, entry: Document) -> None:
    """Store one entry of a service's project."""
    project = instance.service.split("/")[1]
    now = cloud.clock.timestamp()
    insert_id = str(entry.get("insertId") or cloud.identifiers.hexadecimal("insertId", 24)).replace("/", "_")
    document = {
        "logName": f"projects/{project}/logs/run.googleapis.com%2F{log}",
        "resource": resource(instance),
        "timestamp": now,
        **entry,
        "receiveTimestamp": now,
        "insertId": insert_id,
    }
    cloud.store.put(ENTRIES, f"projects/{project}/entries/{insert_id}", document)


def collect(cloud: Cloud, instance: Instance) -> None:
    """Turn what an instance has written since the last time into log entries, whole lines only.

    Both of its streams end in one file: structured lines are taken as standard output, others as standard error.
    """
    if not instance.log.exists():
        return
    with instance.log.open("rb") as output:
        output.seek(instance.collected)
        written = output.read()
    whole = written[: written.rfind(b"\n") + 1]
    instance.collected += len(whole)
    for line in whole.decode("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        entry = structured(line)
        if entry is None:
            keep(cloud, instance, "stderr", {"textPayload": line})
        else:
            keep(cloud, instance, "stdout", entry)


def structured(line: str) -> Document | None:
    """The entry that a JSON line means; None for any other line."""
    try:
        payload = json.loads(line)
    except ValueError:
        return None
    if not isinstance(payload, dict):
        return None
    entry: Document = {}
    for field, name in SPECIAL.items():
        if field in payload:
            entry[name] = payload.pop(field)
    severity = str(payload.pop("severity", "DEFAULT")).upper()
    entry["severity"] = severity if severity in SEVERITIES else "DEFAULT"
    for field in ("timestamp", "time"):
        if isinstance(payload.get(field), str):
            entry["timestamp"] = payload.pop(field)
            break
    if set(payload) == {"message"}:
        entry["textPayload"] = str(payload["message"])
    else:
        entry["jsonPayload"] = payload
    return entry


def served(cloud: Cloud, instance: Instance, request: Request, status: int, size: int, seconds: float) -> None:
    """Log one request and count it."""
    project = instance.service.split("/")[1]
    trace = request.headers.get("x-cloud-trace-context", "").partition("/")[0]
    level = "ERROR" if status >= SERVER_ERROR else "WARNING" if status >= CLIENT_ERROR else "INFO"
    keep(
        cloud,
        instance,
        "requests",
        {
            "severity": level,
            "httpRequest": {
                "requestMethod": request.method,
                "requestUrl": f"https://{request.headers['host']}{request.url.path}",
                "status": status,
                "responseSize": str(size),
                "userAgent": request.headers.get("user-agent", ""),
                "latency": f"{seconds:.6f}s",
            },
            **({"trace": f"projects/{project}/traces/{trace}"} if trace else {}),
        },
    )
    own = resource(instance)
    where = (own["type"], own["labels"])
    labels = {"response_code": str(status), "response_code_class": f"{status // 100}xx"}
    record(cloud, project, "run.googleapis.com/request_count", 1, labels=labels, resource=where)
    record(cloud, project, "run.googleapis.com/request_latencies", [seconds * 1000], labels=labels, resource=where)


def count_instances(cloud: Cloud, instance: Instance) -> None:
    """How many instances Cloud Run would have running for the requests in flight.

    One process serves them all here, so the number follows from the service's own concurrency and its limit.
    """
    template = (cloud.store.get("run.services", instance.service) or {}).get("template", {})
    concurrency = int(template.get("maxInstanceRequestConcurrency") or DEFAULT_CONCURRENCY)
    most = int(template.get("scaling", {}).get("maxInstanceCount") or 100)
    active = min(most, math.ceil(instance.in_flight / concurrency))
    own = resource(instance)
    project = own["labels"]["project_id"]
    for state, number in (("active", active), ("idle", 0 if active else 1)):
        record(
            cloud,
            project,
            "run.googleapis.com/container/instance_count",
            number,
            labels={"state": state},
            resource=(own["type"], own["labels"]),
        )
