"""Metric descriptors: Google's, those of log-based metrics, and the callers' own; monitored resource descriptors."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sandbox.errors import InvalidArgument, NotFound
from sandbox.paging import page
from sandbox.services.logging.descriptors import TYPES, describe
from sandbox.services.logging.metrics import KIND as LOG_METRICS
from sandbox.services.logging.metrics import TYPE_PREFIX
from sandbox.services.monitoring.filters import compile_filter

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "monitoring.metricDescriptors"
OWN = ("custom.googleapis.com/", "external.googleapis.com/", "prometheus.googleapis.com/", "workload.googleapis.com/")
TYPE = re.compile(r"[A-Za-z0-9.]+(?:/[A-Za-z0-9_.-]+)+")


@cache
def built_in() -> dict[str, Document]:
    """Google's metrics, by type."""
    text = resources.files("sandbox.services.monitoring").joinpath("metrics.json").read_text()
    found: dict[str, Document] = {}
    for kind, facts in json.loads(text)["metrics"].items():
        found[kind] = {
            "type": kind,
            "metricKind": facts["kind"],
            "valueType": facts["value"],
            "unit": facts["unit"],
            "labels": [{"key": label} for label in facts["labels"]],
            "launchStage": "GA",
            "monitoredResourceTypes": [facts["resource"]],
        }
    return found


def find(cloud: Cloud, project: str, kind: str) -> Document | None:
    """The descriptor of a metric type in a project, or None."""
    name = f"projects/{project}/metricDescriptors/{kind}"
    if own := cloud.store.get(KIND, name):
        return own
    if kind.startswith(TYPE_PREFIX):
        encoded = quote(kind.removeprefix(TYPE_PREFIX), safe="")
        metric = cloud.store.get(LOG_METRICS, f"projects/{project}/metrics/{encoded}")
        return {**metric["metricDescriptor"], "monitoredResourceTypes": list(TYPES)} if metric else None
    google = built_in().get(kind)
    return {"name": name, **google} if google else None


def create(call: Call) -> Document:
    """Define a metric, or change its definition.

    Raises:
        InvalidArgument: the type is not the caller's to define, or kind and type do not fit.
    """
    body = call.body
    kind = body.get("type", "")
    if not TYPE.fullmatch(kind) or not kind.startswith(OWN):
        raise InvalidArgument(
            f'Field metricDescriptor.type had an invalid value of "{kind}": one of {", ".join(OWN)} must come first.'
        )
    if body.get("metricKind", "METRIC_KIND_UNSPECIFIED") == "METRIC_KIND_UNSPECIFIED":
        raise InvalidArgument("Field metricDescriptor.metricKind must be set.")
    if body.get("valueType", "VALUE_TYPE_UNSPECIFIED") == "VALUE_TYPE_UNSPECIFIED":
        raise InvalidArgument("Field metricDescriptor.valueType must be set.")
    name = f"projects/{call.project}/metricDescriptors/{kind}"
    before = call.cloud.store.get(KIND, name)
    for field in ("metricKind", "valueType"):
        if before and before[field] != body[field]:
            raise InvalidArgument(f"Field metricDescriptor.{field} of {kind} cannot be changed.")
    labels = [
        {key: value for key, value in label.items() if (key, value) != ("valueType", "STRING")}
        for label in body.get("labels", [])
    ]
    document = {key: value for key, value in body.items() if value not in ("", [])}
    document |= {"name": name, **({"labels": labels} if labels else {}), "monitoredResourceTypes": list(TYPES)}
    call.cloud.store.put(KIND, name, document)
    return document


def get(call: Call) -> Document:
    """One descriptor."""
    kind = call.name.partition("/metricDescriptors/")[2]
    found = find(call.cloud, call.project or "", kind)
    if found is None:
        raise NotFound(f"Could not find descriptor for metric '{kind}'.")
    return found


def listing(call: Call) -> Document:
    """Descriptors by filter."""
    project, admitted = call.project or "", compile_filter(call.query.get("filter", ""))
    own = [d for name, d in call.cloud.store.items(KIND) if name.startswith(f"projects/{project}/")]
    logs = [m["metricDescriptor"] for m in call.cloud.store.documents(LOG_METRICS, f"projects/{project}/metrics")]
    google = [{"name": f"projects/{project}/metricDescriptors/{kind}", **d} for kind, d in built_in().items()]
    found = [d for d in [*own, *logs, *google] if admitted({"metric": {"type": d["type"]}, "project": project})]
    shown, following = page(found, call.query)
    return {
        **({"metricDescriptors": shown, "totalSize": len(found)} if found else {}),
        **({"nextPageToken": following} if following else {}),
    }


def delete(call: Call) -> Document:
    """Forget one's own metric with its series."""
    kind = call.name.partition("/metricDescriptors/")[2]
    if not call.cloud.store.delete(KIND, call.name):
        raise NotFound(f"Could not find descriptor for metric '{kind}'.")
    for name, series in call.cloud.store.items("monitoring.timeSeries", f"projects/{call.project}/timeSeries"):
        if series["metric"]["type"] == kind:
            call.cloud.store.delete("monitoring.timeSeries", name)
    return {}


def get_resource(call: Call) -> Document:
    """One monitored resource descriptor."""
    kind = call.name.partition("/monitoredResourceDescriptors/")[2]
    if kind not in TYPES:
        raise NotFound(f"Could not find descriptor for resource '{kind}'.")
    return {"name": call.name, **describe(kind)}


def list_resources(call: Call) -> Document:
    """All monitored resource descriptors."""
    shown, following = page([{"name": f"{call.name}/{kind}", **describe(kind)} for kind in TYPES], call.query)
    return {"resourceDescriptors": shown, **({"nextPageToken": following} if following else {})}


HANDLERS = {
    "monitoring.metricDescriptors.create": create,
    "monitoring.metricDescriptors.get": get,
    "monitoring.metricDescriptors.list": listing,
    "monitoring.metricDescriptors.delete": delete,
    "monitoring.monitoredResourceDescriptors.get": get_resource,
    "monitoring.monitoredResourceDescriptors.list": list_resources,
}
