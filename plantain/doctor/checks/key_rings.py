"""Key rings, which can never be deleted: one that exists outside the state stops the update with 409."""

from __future__ import annotations

from collections.abc import Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient


def run(patient: Patient) -> Iterator[Finding]:
    """The rings of deployed projects and the keys in them."""
    for name, outputs in patient.deployed.items():
        project, region = outputs["projectId"], patient.settings.region
        path = f"v1/projects/{project}/locations/{region}/keyRings"
        rings = [ring["name"] for ring in patient.cloud.pages("cloudkms", path, "keyRings")]
        expected = f"projects/{project}/locations/{region}/keyRings/{project}"
        if expected not in rings:
            yield CHECK.warning(
                f"campaign {name} has no key ring {expected}",
                "its keys are elsewhere (keys.keyRing), or the next update makes them",
                f"gcloud kms keyrings list --location={region} --project={project}",
            )
            continue
        dead = [
            key["name"].rpartition("/")[2]
            for key in patient.cloud.pages("cloudkms", f"v1/{expected}/cryptoKeys", "cryptoKeys")
            if key.get("primary", {}).get("state", "ENABLED") != "ENABLED"
        ]
        if dead:
            place = f"--keyring={project} --location={region} --project={project}"
            yield CHECK.error(
                f"primary version of {', '.join(dead)} in {expected} is not enabled",
                "what is encrypted with it can be neither read nor written",
                f"gcloud kms keys versions list --key={dead[0]} {place}",
            )
        else:
            yield CHECK.ok(f"key ring of campaign {name} is there, its keys are enabled")
    if not patient.deployed:
        yield CHECK.ok("no project yet; each gets a ring named after its own id, so none can exist already")


CHECK = Check(
    name="key-rings",
    title="Are key rings and keys where the state expects them?",
    reads="cloudkms keyRings.list and cryptoKeys.list of deployed projects",
    why="A ring cannot be deleted or made twice; a disabled key stops the data path at once.",
    run=run,
)
