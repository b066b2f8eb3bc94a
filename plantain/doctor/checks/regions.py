"""Whether the region has the services that a campaign uses."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient
from plantain.errors import GoogleCloudError

SERVICES = {"cloudfunctions": "v2", "cloudkms": "v1", "artifactregistry": "v1", "cloudtasks": "v2"}


def run(patient: Patient) -> Iterator[Finding]:
    """The locations that each service lists."""
    region = patient.settings.region
    if patient.project is None:
        yield CHECK.unknown(
            f"whether {region} has every service: lists of locations need a project",
            "an unknown region fails at the first resource that has one",
            "pulumi config set plantain:quotaProject SEED_PROJECT",
        )
        return
    missing, asked = [], []
    for service, version in SERVICES.items():
        path = f"{version}/projects/{patient.project}/locations"
        try:
            known = {location["locationId"] for location in patient.cloud.pages(service, path, "locations")}
        except GoogleCloudError as error:
            if error.reason != "SERVICE_DISABLED":  # the check of APIs speaks of those
                yield CHECK.unknown(f"locations of {service}: {error.explanation}", "not known", error.cure or "")
            continue
        if known:
            asked.append(service)
        if known and region not in known:
            missing.append(service)
            near = sorted(name for name in known if name.startswith(region.rsplit("-", 1)[0]))
            yield CHECK.error(
                f"{service} is not offered in {region}",
                "its resources cannot be created",
                f"pulumi config set plantain:region {near[0] if near else 'REGION'}  (before the first update)",
            )
    if not missing:
        yield CHECK.ok(f"{region} has {', '.join(asked) or 'not been asked for: no service lists its locations'}")


CHECK = Check(
    name="regions",
    title="Does the region have every service?",
    reads="locations.list of Cloud Functions, Cloud KMS, Artifact Registry and Cloud Tasks",
    why="Keys, buckets and functions cannot be moved: the region is chosen once.",
    run=run,
)
