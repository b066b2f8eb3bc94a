"""Usage logs: what was asked of a bucket, written into another bucket once an hour.

Format and names: https://docs.cloud.google.com/storage/docs/access-logs (read 2026-08). Google's writer needs
``storage.objects.create`` on the bucket it writes to, and the bucket's key; without either, the hour is lost. Here the
files of past hours are written when the sandbox's clock is moved.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.call import Call, Principal
from sandbox.errors import ApiError
from sandbox.services.storage import contents
from sandbox.services.storage.generations import BUCKETS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.call import Origin
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "storage.usage"
WRITER = Principal("group:cloud-storage-analytics@google.com")
FIELDS = (
    "time_micros",
    "c_ip",
    "c_ip_type",
    "c_ip_region",
    "cs_method",
    "cs_uri",
    "sc_status",
    "cs_bytes",
    "sc_bytes",
    "time_taken_micros",
    "cs_host",
    "cs_referer",
    "cs_user_agent",
    "s_request_id",
    "cs_operation",
    "cs_bucket",
    "cs_object",
)
IPV4, IPV6 = 1, 2
MILLION = 1_000_000


def note(
    cloud: Cloud, request: Request, response: Response, origin: Origin, *, operation: str, place: tuple[str, str]
) -> None:
    """Keep one answered request, if its bucket's usage is logged.

    Args:
        cloud: the sandbox.
        request: what was asked.
        response: what was answered.
        origin: where the request came from.
        operation: the method's name.
        place: bucket and object; the object is empty for requests about the bucket.
    """
    bucket, name = place
    document = cloud.store.get(BUCKETS, f"b/{bucket}") if bucket else None
    if document is None or not document.get("logging", {}).get("logBucket"):
        return
    number = cloud.store.next(KIND)
    row = {
        "time_micros": int(cloud.clock.now().timestamp() * MILLION),
        "c_ip": origin.address,
        "c_ip_type": IPV6 if ":" in origin.address else IPV4,
        "c_ip_region": "",
        "cs_method": request.method,
        "cs_uri": request.url.path,
        "sc_status": response.status_code,
        "cs_bytes": int(request.headers.get("content-length") or 0),
        "sc_bytes": len(response.body),
        "time_taken_micros": 0,
        "cs_host": request.headers.get("host", ""),
        "cs_referer": request.headers.get("referer", ""),
        "cs_user_agent": request.headers.get("user-agent", ""),
        "s_request_id": f"{number:016x}",
        "cs_operation": operation,
        "cs_bucket": bucket,
        "cs_object": name,
    }
    cloud.store.put(KIND, f"b/{bucket}/usage/{number}", row)


def deliver(cloud: Cloud) -> None:
    """Write what past hours hold."""
    this_hour = hour(int(cloud.clock.now().timestamp() * MILLION))
    files: dict[tuple[str, datetime], list[tuple[str, Document]]] = defaultdict(list)
    for key, row in cloud.store.items(KIND):
        if hour(row["time_micros"]) < this_hour:
            files[row["cs_bucket"], hour(row["time_micros"])].append((key, row))
    for (bucket, when), rows in files.items():
        document = cloud.store.get(BUCKETS, f"b/{bucket}") or {}
        write(cloud, document.get("logging", {}), when, [row for _, row in rows])
        for key, _ in rows:
            cloud.store.delete(KIND, key)


def hour(micros: int) -> datetime:
    """The hour of a moment, in UTC."""
    return datetime.fromtimestamp(micros / MILLION, tz=UTC).replace(minute=0, second=0, microsecond=0)


def write(cloud: Cloud, logging: Document, when: datetime, rows: list[Document]) -> None:
    """One file, unless the writer may not."""
    bucket = logging.get("logBucket", "")
    route = cloud.description.match("storage", "POST", f"upload/storage/v1/b/{bucket}/o")
    if not bucket or route is None:
        return
    name = f"{logging['logObjectPrefix']}_usage_{when:%Y_%m_%d_%H_%M_%S}_{rows[0]['s_request_id']}_v0"
    text = io.StringIO()
    table = csv.DictWriter(text, FIELDS, quoting=csv.QUOTE_ALL, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    parameters, query = {**route.parameters, "bucket": bucket}, {"name": name}
    call = Call(cloud, route.method, f"b/{bucket}/o/{name}", parameters, query, {}, principal=WRITER)
    upload = contents.Upload(bucket, name, {"contentType": "text/csv"}, text.getvalue().encode())
    try:
        contents.require(call, "storage.objects.create", bucket, name)
        contents.create(call, upload)
    except ApiError:  # no such bucket, no grant, no key: nobody is told, as with Google
        return
