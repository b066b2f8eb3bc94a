"""The quota of image generation, which some new projects start with at two requests a minute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient

METRIC = "generate_content_image_gen_per_project_per_base_model"


def run(patient: Patient) -> Iterator[Finding]:
    """The quota as Cloud Quotas gives it for each deployed project."""
    if not patient.deployed:
        yield CHECK.ok("no project yet; run this again after the first update: new projects may get 2 images a minute")
        return
    for name, outputs in patient.deployed.items():
        project = outputs["projectId"]
        path = f"v1/projects/{project}/locations/global/services/aiplatform.googleapis.com/quotaInfos"
        asked = next((one.capacity.images_per_minute for one in patient.campaigns if one.name == name), 1)
        found = [
            info for info in patient.cloud.pages("cloudquotas", path, "quotaInfos") if METRIC in info.get("metric", "")
        ]
        values = [value for info in found for value in finite(info)]
        if not found:
            yield CHECK.warning(
                f"project {project} lists no quota of image generation",
                "it may be held to 2 images a minute all the same; the answer is 429",
                f"plantain generate --campaign {name} three times within a minute, or ask Google",
            )
        elif values and min(values) < asked:
            yield CHECK.warning(
                f"project {project} may make {min(values)} images a minute, the campaign file asks for {asked}",
                "further requests are answered with 429 QUOTA_EXCEEDED",
                f"ask for more: https://console.cloud.google.com/iam-admin/quotas?project={project} (metric {METRIC})",
            )
        else:
            yield CHECK.ok(f"image generation of {project}: {f'{min(values)} a minute' if values else 'no limit'}")


def finite(info: dict[str, Any]) -> Iterator[int]:
    """The limits of a quota over its dimensions; -1 stands for none."""
    for dimensions in info.get("dimensionsInfos", ()):
        value = int(dimensions.get("details", {}).get("value", -1))
        if value >= 0:
            yield value


CHECK = Check(
    name="quotas",
    title="How many images a minute may the project make?",
    reads="cloudquotas quotaInfos of aiplatform.googleapis.com in each deployed project",
    why="The quota page does not list it, and two images a minute look like a broken deployment.",
    run=run,
)
