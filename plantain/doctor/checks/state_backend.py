"""Where the state lies, and whether the perimeter lets the deployer reach it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import yaml

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient
from plantain.errors import GoogleCloudError

NOT_FOUND = 404


def run(patient: Patient) -> Iterator[Finding]:
    """The backend that the shell or Pulumi.yaml names."""
    backend = patient.environment.get("PULUMI_BACKEND_URL") or in_project_file(patient)
    kind = urlsplit(backend).scheme
    if kind == "gs":
        yield from of_bucket(patient, urlsplit(backend).netloc)
    elif kind == "file":
        production = any(campaign.labels.env == "prod" for campaign in patient.campaigns) and not patient.cloud.sandbox
        if production:
            yield CHECK.warning(
                f"the state is a file: {backend}",
                "it is on one machine, and gone with it; nobody else can deploy",
                "pulumi login gs://STATE_BUCKET  (plantain:bootstrap makes one)",
            )
        else:
            yield CHECK.ok("the state is a file on this machine")
    elif backend:
        yield CHECK.ok(f"the state is at {backend}, outside of Google Cloud")
    else:
        yield CHECK.warning(
            "neither PULUMI_BACKEND_URL nor Pulumi.yaml names a backend",
            "pulumi uses the one of its last login, which may be another on each machine",
            "export PULUMI_BACKEND_URL=gs://STATE_BUCKET",
        )
    given = patient.environment.keys() & {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"}
    if not given and "encryptionsalt" in (patient.root / f"Pulumi.{patient.stack}.yaml").read_text():
        yield CHECK.error(
            f"stack {patient.stack} is encrypted with a passphrase, and PULUMI_CONFIG_PASSPHRASE is not set",
            "pulumi stops before it reads a setting",
            'eval "$(plantain sandbox env)" for the sandbox; else export PULUMI_CONFIG_PASSPHRASE',
        )


def of_bucket(patient: Patient, bucket: str) -> Iterator[Finding]:
    """A bucket: there, versioned, encrypted, and no member's of an enforced perimeter."""
    try:
        found = patient.get("storage", f"storage/v1/b/{bucket}")
    except GoogleCloudError as error:
        barred = error.reason == "VPC_SERVICE_CONTROLS"
        yield CHECK.error(
            f"gs://{bucket}: {error.explanation}",
            "pulumi cannot read its own state",
            "take the bucket's project out of the perimeter, or add an ingress rule: plantain perimeter report"
            if barred
            else f"gcloud storage buckets describe gs://{bucket}",
        )
        return
    if not found.get("versioning", {}).get("enabled"):
        yield CHECK.warning(
            f"gs://{bucket} keeps no versions",
            "a state that was spoilt cannot be brought back",
            f"gcloud storage buckets update gs://{bucket} --versioning",
        )
    if not found.get("encryption", {}).get("defaultKmsKeyName"):
        yield CHECK.warning(
            f"gs://{bucket} has no key of its own",
            "the state, which holds everything that is known of the deployment, is under Google's key",
            f"gcloud storage buckets update gs://{bucket} --default-encryption-key=KEY",
        )
    members = {outputs["projectNumber"] for outputs in patient.deployed.values()}
    if found.get("projectNumber") in members:
        yield CHECK.warning(
            f"gs://{bucket} lies in a campaign's project, inside the perimeter",
            "whoever is not let in cannot even read the state that would let them in",
            "move the state to the seed project, outside of the perimeter",
        )
    else:
        yield CHECK.ok(f"the state in gs://{bucket} can be read, and lies outside of the perimeter")


def in_project_file(patient: Patient) -> str:
    """The backend in Pulumi.yaml; empty when there is none."""
    document = yaml.safe_load((patient.root / "Pulumi.yaml").read_text()) or {}
    return str((document.get("backend") or {}).get("url", ""))


CHECK = Check(
    name="state-backend",
    title="Can pulumi reach its state, also when the perimeter is enforced?",
    reads="PULUMI_BACKEND_URL, Pulumi.yaml, storage buckets.get",
    why="A state inside the perimeter that locks its reader out cannot be mended from outside.",
    run=run,
)
