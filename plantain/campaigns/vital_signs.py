"""What runs of a campaign: function, alerts, images, spend; read from the cloud, each by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plantain.errors import GoogleCloudError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

Document = dict[str, Any]
MOST_OBJECTS = 20_000
"""Objects of the bucket that are looked at; a count beyond is given as 'more than'."""


@dataclass(frozen=True)
class VitalSigns:
    """One campaign, as it is.

    Attributes:
        function: state and revision of the function, such as ACTIVE.
        alerts: names of alert policies, enabled ones.
        open_incidents: alerts that are firing.
        images: objects in the bucket that are images, with their bytes.
        month: what the function recorded this month: images, requests, failed, cost.
        unread: what could not be read, with the reason.
    """

    name: str
    project: str
    function: str | None
    alerts: tuple[str, ...]
    open_incidents: tuple[str, ...]
    images: int | None
    image_bytes: int
    truncated: bool
    month: Document = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def read(cloud: GoogleCloud, name: str, outputs: Document, today: dt.date) -> VitalSigns:
    """All of it; what may not be read is named, the rest is shown."""
    unread: list[str] = []

    def attempt(what: str, ask: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return ask()
        except GoogleCloudError as error:
            unread.append(f"{what}: {error.explanation}")
            return otherwise

    project = outputs["projectId"]
    function = attempt("function", lambda: cloud.call("GET", "cloudfunctions", f"v2/{outputs['functionName']}"), {})
    policies = attempt(
        "alerts",
        lambda: list(cloud.pages("monitoring", f"v3/projects/{project}/alertPolicies", "alertPolicies")),
        [],
    )
    incidents = attempt(
        "incidents",
        lambda: list(cloud.pages("monitoring", f"v3/projects/{project}/alerts", "alerts", filter='state="OPEN"')),
        [],
    )
    count, size, truncated = attempt("images", lambda: images(cloud, outputs["bucket"]), (None, 0, False))
    month = attempt("records", lambda: of_month(cloud, name, project, today), {})
    return VitalSigns(
        name,
        project,
        function.get("state"),
        tuple(policy["displayName"] for policy in policies if policy.get("enabled", True)),
        tuple(incident.get("policy", {}).get("displayName", incident.get("name", "")) for incident in incidents),
        count,
        size,
        truncated,
        month,
        tuple(unread),
    )


def images(cloud: GoogleCloud, bucket: str) -> tuple[int, int, bool]:
    """Number and bytes of the image objects, and whether there are more than were counted."""
    count = size = 0
    fields = "items(name,size),nextPageToken"
    objects = cloud.pages("storage", f"storage/v1/b/{bucket}/o", "items", prefix="images/", fields=fields)
    for looked, item in enumerate(objects, 1):
        if looked > MOST_OBJECTS:
            return count, size, True
        if not item["name"].endswith(".json"):
            count += 1
            size += int(item["size"])
    return count, size, False


def of_month(cloud: GoogleCloud, name: str, project: str, today: dt.date) -> Document:
    """What the function logged since the first of the month."""
    from plantain.cost.report import recorded  # noqa: PLC0415

    rows = [one for one in recorded(cloud, [project], today.replace(day=1), today) if one.campaign == name]
    return {
        "images": sum(one.images for one in rows),
        "requests": sum(one.requests for one in rows),
        "failed": sum(one.failed for one in rows),
        "cost": sum((one.cost for one in rows), Decimal(0)),
    }


def quota(cloud: GoogleCloud, project: str) -> int | None:
    """The quota of images a minute: -1 without a limit, None when it is not known."""
    from plantain.doctor.checks.quotas import METRIC, finite  # noqa: PLC0415 -- only the checklist asks

    path = f"v1/projects/{project}/locations/global/services/aiplatform.googleapis.com/quotaInfos"
    try:
        infos = [one for one in cloud.pages("cloudquotas", path, "quotaInfos") if METRIC in one.get("metric", "")]
    except GoogleCloudError:
        return None
    values = [value for info in infos for value in finite(info)]
    return (min(values) if values else -1) if infos else None
