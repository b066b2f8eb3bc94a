"""Provisioned throughput that is owned, against what the campaigns ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient

METRIC = "aiplatform.googleapis.com/publisher/online_serving/dedicated_gsu_limit"
WINDOW = dt.timedelta(hours=6)


def run(patient: Patient) -> Iterator[Finding]:
    """The limit that Cloud Monitoring shows, by project."""
    if not patient.deployed:
        yield CHECK.ok("no project yet; provisioned throughput belongs to a project and a location")
    for name, outputs in patient.deployed.items():
        project = outputs["projectId"]
        end = dt.datetime.now(dt.UTC)
        series = patient.cloud.pages(
            "monitoring",
            f"v3/projects/{project}/timeSeries",
            "timeSeries",
            filter=f'metric.type="{METRIC}"',
            **{"interval.startTime": (end - WINDOW).isoformat(), "interval.endTime": end.isoformat()},
        )
        units = sum(int(one["points"][0]["value"].get("int64Value", 0)) for one in series if one.get("points"))
        expected = next((one.capacity.provisioned_units for one in patient.campaigns if one.name == name), 0)
        if units < expected:
            yield CHECK.warning(
                f"project {project} owns {units} throughput units, the campaign file counts on {expected}",
                "the alert at 85 % watches a ceiling that is not there",
                "order them in the console, or mend capacity.provisionedUnits in the campaign file",
            )
        else:
            owned = (
                f"{units} throughput units"
                if units
                else "no throughput units: pay as you go, without a promise of capacity"
            )
            yield CHECK.ok(f"project {project} owns {owned}")


CHECK = Check(
    name="throughput",
    title="Is the provisioned throughput there that the campaigns count on?",
    reads="monitoring timeSeries of dedicated_gsu_limit in each deployed project",
    why="Units are bought for a project and a location; elsewhere they do nothing.",
    run=run,
)
