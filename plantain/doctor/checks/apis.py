"""The APIs that the deployer itself calls, in the project its calls are charged to, and those of deployed projects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from plantain.doctor.finding import Check, Finding
from plantain.doctor.patient import Patient

DEPLOYER_APIS = (
    "accesscontextmanager.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudquotas.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "essentialcontacts.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "orgpolicy.googleapis.com",
    "serviceusage.googleapis.com",
)
"""What a deployment calls before its own project exists, so that the quota project answers for it."""
CAMPAIGN_APIS = (
    "aiplatform.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudkms.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "storage.googleapis.com",
)
"""What a campaign that runs cannot do without."""


def run(patient: Patient) -> Iterator[Finding]:
    """The quota project, then each campaign's."""
    quota = patient.settings.quota_project
    if quota:
        yield from of_project(patient, quota, DEPLOYER_APIS, "pulumi up fails at the first resource that needs it")
    else:
        yield CHECK.ok("no plantain:quotaProject: calls are charged to the credentials' own project")
    for name, outputs in patient.deployed.items():
        yield from of_project(patient, outputs["projectId"], CAMPAIGN_APIS, f"campaign {name} cannot work")


def of_project(patient: Patient, project: str, wanted: tuple[str, ...], consequence: str) -> Iterator[Finding]:
    """Which of some APIs are not enabled in a project."""
    path = f"v1/projects/{project}/services"
    pages = patient.cloud.pages("serviceusage", path, "services", filter="state:ENABLED", pageSize=200)
    enabled = {
        service["config"]["name"] if "config" in service else service["name"].rpartition("/")[2] for service in pages
    }
    missing = [api for api in wanted if api not in enabled]
    for api in missing:
        cure = f"gcloud services enable {api} --project={project}"
        yield CHECK.error(f"{api} is not enabled in {project}", consequence, cure, fix=_enabler(patient, project, api))
    if not missing:
        yield CHECK.ok(f"all {len(wanted)} APIs are enabled in {project}")


def _enabler(patient: Patient, project: str, api: str) -> Callable[[], str]:
    def enable() -> str:
        patient.cloud.call("POST", "serviceusage", f"v1/projects/{project}/services/{api}:enable", body={})
        return f"enabled {api} in {project}"

    return enable


CHECK = Check(
    name="apis",
    title="Are the APIs enabled that the deployer and the campaigns call?",
    reads="serviceusage services.list of plantain:quotaProject and of deployed projects",
    why="A disabled API refuses with 403, which reads like a missing permission.",
    run=run,
)
