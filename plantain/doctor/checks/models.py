"""Whether each campaign's model answers where the campaign calls it, and how long it will."""

from __future__ import annotations

from collections.abc import Iterator

from generation.models import table
from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient
from plantain.live_models import read_one
from plantain.model_lifecycle import lifecycle


def run(patient: Patient) -> Iterator[Finding]:
    """Dates from the table, reachability by a count of tokens, which is free."""
    for campaign in patient.campaigns:
        facts = table().get(campaign.function.model)
        if facts is None:
            yield CHECK.error(
                table().why_not(campaign.function.model),
                f"campaign {campaign.name} makes no image",
                f"set function.model in campaigns/{campaign.name}.yaml  (plantain models)",
            )
            continue
        life = lifecycle(table(), facts, patient.today)
        ends = campaign.labels.ends_on
        if facts.retirement and facts.retirement <= max(ends, patient.today):
            successor = life.successor.id if life.successor else "another model"
            gone = facts.retired(patient.today)
            yield (CHECK.error if gone else CHECK.warning)(
                f"{facts.id} is retired {facts.retirement_rule} {facts.retirement}; "
                f"campaign {campaign.name} runs until {ends}",
                "requests fail with 404" if gone else "from that day on, requests may fail with 404",
                f"set function.model: {successor}  (plantain models show {facts.id})",
            )
        location = campaign.function.location or facts.locations[0]
        outputs = patient.deployed.get(campaign.name)
        project = outputs["projectId"] if outputs else patient.project
        if project is None:
            yield CHECK.unknown(
                f"whether {facts.id} answers in {location}: counting tokens needs a project",
                "a model that is not served there fails every request with 404",
                "pulumi config set plantain:quotaProject SEED_PROJECT",
            )
            continue
        reading = read_one(patient.cloud, project, facts.id, location)
        if reading.served:
            yield CHECK.ok(f"{facts.id} answers in {location} for {project}")
        elif reading.served is False:
            yield CHECK.error(
                f"{facts.id} is not served in {location} for {project}",
                f"every request of campaign {campaign.name} fails with 404",
                f"set function.location to one of {', '.join(facts.locations)}",
            )
        else:
            yield CHECK.unknown(
                f"{facts.id} in {location}: {reading.note}", "not known", "plantain models check --project " + project
            )


CHECK = Check(
    name="models",
    title="Does each campaign's model answer, and for how long?",
    reads="the table of models, aiplatform countTokens in the model's location",
    why="The model is called in its own location, mostly global, whatever the region of everything else.",
    run=run,
)
