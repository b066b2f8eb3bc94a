"""Each check of the doctor against a local Google Cloud that is brought into the state it warns of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from plantain.doctor.catalogue import CHECKS
from plantain.doctor.examination import examine
from plantain.doctor.finding import Finding
from plantain.doctor.patient import Patient
from plantain.google_cloud import GoogleCloud
from plantain.project import campaigns, raw_settings, stack_settings
from sandbox.app import create_app
from sandbox.call import Principal
from sandbox.cloud import Cloud
from tests.plantain.in_process import InProcess
from tests.sandbox.conftest import ORGANIZATION, Caller, build_cloud

PROJECT = "spring-launch-1"
REGION = "europe-west4"
RING = f"projects/{PROJECT}/locations/{REGION}/keyRings/{PROJECT}"
ACCOUNT = "billingAccounts/010101-010101-010101"
APIS = (
    *("aiplatform", "cloudfunctions", "cloudkms", "logging", "monitoring", "run", "storage"),
    *("artifactregistry", "cloudquotas", "cloudtasks"),
)


@dataclass
class World:
    """A deployed campaign in a sandbox, and who looks at it.

    Attributes:
        admin: calls the sandbox as the organisation's administrator.
        cloud: the sandbox from inside.
        patient: what the doctor looks at.
    """

    admin: Caller
    cloud: Cloud
    patient: Patient

    def ask(self, verb: str, path: str, body: Any = None) -> Any:
        status, answer = self.admin(verb, path, body)
        assert status == 200, answer
        return answer

    def project(self, name: str) -> None:
        body = {"projectId": name, "parent": {"type": "organization", "id": ORGANIZATION.rpartition("/")[2]}}
        self.ask("POST", "/cloudresourcemanager/v1/projects", body)
        self.ask("PUT", f"/cloudbilling/v1/projects/{name}/billingInfo", {"billingAccountName": ACCOUNT})

    def policy(self, constraint: str, rule: dict[str, Any]) -> None:
        name = f"{ORGANIZATION}/policies/{constraint}"
        self.ask("POST", f"/orgpolicy/v2/{ORGANIZATION}/policies", {"name": name, "spec": {"rules": [rule]}})

    def call_as(self, member: str) -> None:
        token = self.cloud.tokens.access_token(Principal(member), 3600)
        self.patient.cloud = GoogleCloud(
            lambda _: token, sandbox="http://127.0.0.1", transport=InProcess(self.admin.client)
        )

    def look(self) -> list[Finding]:
        """What all checks find now."""
        return examine(replace(self.patient, _answers={}), CHECKS)


@pytest.fixture
def world(project: Path, tmp_path: Path) -> Iterator[World]:
    cloud = build_cloud(tmp_path / "sandbox")
    client = TestClient(create_app(cloud), base_url="http://127.0.0.1")
    settings = stack_settings(project, "sandbox")
    patient = Patient(
        root=project,
        stack="sandbox",
        settings=settings,
        raw=raw_settings(project, "sandbox"),
        campaigns=campaigns(project),
        deployed={},
        cloud=GoogleCloud(lambda _: "sandbox", sandbox="http://127.0.0.1", transport=InProcess(client)),
        environment={"PULUMI_BACKEND_URL": "file:///state", "PULUMI_CONFIG_PASSPHRASE": "x"},
        today=dt.date(2026, 11, 21),
    )
    made = World(Caller(client, "sandbox"), cloud, patient)
    made.project(PROJECT)
    for api in APIS:
        made.ask("POST", f"/serviceusage/v1/projects/{PROJECT}/services/{api}.googleapis.com:enable")
    made.ask("POST", f"/cloudkms/v1/projects/{PROJECT}/locations/{REGION}/keyRings?keyRingId={PROJECT}", {})
    made.ask("POST", f"/cloudkms/v1/{RING}/cryptoKeys?cryptoKeyId=images", {"purpose": "ENCRYPT_DECRYPT"})
    number = cloud.hierarchy.project_number(PROJECT)
    patient.deployed = {"spring-launch": {"projectId": PROJECT, "projectNumber": str(number)}}
    yield made
    cloud.close()


def test_a_campaign_that_is_well_has_no_finding_but_its_models_last_day(world: World) -> None:
    findings = world.look()
    assert [one.what for one in findings if one.severity != "ok" and one.check != "tools"] == [
        "gemini-3-pro-image is retired not before 2027-05-28; campaign spring-launch runs until 2027-06-30"
    ]
    assert {one.check for one in findings} == {check.name for check in CHECKS}


def nobody(world: World) -> None:
    world.call_as("user:jo@example.com")


def disabled_api(world: World) -> None:
    world.ask("POST", f"/serviceusage/v1/projects/{PROJECT}/services/cloudtasks.googleapis.com:disable")
    world.ask("POST", f"/serviceusage/v1/projects/{PROJECT}/services/monitoring.googleapis.com:disable")


def closed_account(world: World) -> None:
    account = world.cloud.store.get("cloudbilling.billingAccounts", ACCOUNT)
    assert account
    world.cloud.store.put("cloudbilling.billingAccounts", ACCOUNT, {**account, "open": False})


def full_account(world: World) -> None:
    for number in range(5):
        world.project(f"other-project-{number}")
    world.patient.deployed = {}


def locations(world: World) -> None:
    world.policy("gcp.resourceLocations", {"values": {"allowedValues": ["in:us-locations"]}})


def domains(world: World) -> None:
    world.policy("essentialcontacts.allowedContactDomains", {"values": {"allowedValues": ["@other.example"]}})


def allowed_models(world: World) -> None:
    world.policy("vertexai.allowedModels", {"values": {"allowedValues": ["publishers/google/models/gemini-9:predict"]}})


def no_accounts(world: World) -> None:
    world.policy("iam.disableServiceAccountCreation", {"enforce": True})


def going_project(world: World) -> None:
    world.ask("DELETE", f"/cloudresourcemanager/v1/projects/{PROJECT}")


def disabled_key(world: World) -> None:
    version = f"{RING}/cryptoKeys/images/cryptoKeyVersions/1"
    world.ask("PATCH", f"/cloudkms/v1/{version}?updateMask=state", {"state": "DISABLED"})


def other_ring(world: World) -> None:
    world.project("spring-launch-2")
    for api in APIS:
        world.ask("POST", f"/serviceusage/v1/projects/spring-launch-2/services/{api}.googleapis.com:enable")
    world.patient.deployed = {"spring-launch": {"projectId": "spring-launch-2", "projectNumber": "1"}}


def small_subnet(world: World) -> None:
    change(world, "network", ip_range="10.0.0.0/29")


def far_region(world: World) -> None:
    world.patient.settings = world.patient.settings.model_copy(update={"region": "antarctica-south1"})


def retired_model(world: World) -> None:
    world.cloud.clock.advance(400 * 86_400)
    world.patient.today = dt.date(2028, 1, 1)
    change(world, "function", model="gemini-2.5-flash-image")


def model_elsewhere(world: World) -> None:
    change(world, "function", location="europe-west4")


def two_a_minute(world: World) -> None:
    quota = next(
        info["quotaId"]
        for info in world.ask(
            "GET",
            f"/cloudquotas/v1/projects/{PROJECT}/locations/global/services/aiplatform.googleapis.com/quotaInfos",
        )["quotaInfos"]
        if "image_gen" in info["metric"]
    )
    world.ask(
        "POST",
        f"/cloudquotas/v1/projects/{PROJECT}/locations/global/quotaPreferences",
        {"service": "aiplatform.googleapis.com", "quotaId": quota, "quotaConfig": {"preferredValue": "2"}},
    )


def units(world: World) -> None:
    change(world, "capacity", provisioned_units=5)


def state_among_members(world: World) -> None:
    world.ask("POST", f"/storage/v1/b?project={PROJECT}", {"name": "the-state", "location": REGION})
    world.patient.environment = {**world.patient.environment, "PULUMI_BACKEND_URL": "gs://the-state"}


def state_that_the_perimeter_bars(world: World) -> None:
    state_among_members(world)
    world.ask("POST", "/accesscontextmanager/v1/accessPolicies", {"parent": ORGANIZATION, "title": "p"})
    listed = world.ask("GET", f"/accesscontextmanager/v1/accessPolicies?parent={ORGANIZATION}")
    policy = listed["accessPolicies"][0]["name"]
    number = world.cloud.hierarchy.project_number(PROJECT)
    configuration = {"resources": [f"projects/{number}"], "restrictedServices": ["storage.googleapis.com"]}
    perimeter = {"name": f"{policy}/servicePerimeters/p", "title": "p", "status": configuration}
    world.ask("POST", f"/accesscontextmanager/v1/{policy}/servicePerimeters", perimeter)


def unlisted_deployer(world: World) -> None:
    settings = world.patient.settings
    assert settings.perimeter
    perimeter = settings.perimeter.model_copy(update={"deployers": ("serviceAccount:ci@seed.iam.gserviceaccount.com",)})
    world.patient.settings = settings.model_copy(update={"perimeter": perimeter})


def change(world: World, part: str, **values: Any) -> None:
    """Another campaign file."""
    [campaign] = world.patient.campaigns
    changed = getattr(campaign, part).model_copy(update=values)
    world.patient.campaigns = (campaign.model_copy(update={part: changed}),)


STATES: tuple[tuple[Callable[[World], None], str, str, str, str], ...] = (
    (nobody, "permissions", "error", "resourcemanager.projects.create is missing on organizations/", "gcloud organ"),
    (disabled_api, "apis", "error", "monitoring.googleapis.com is not enabled in", "gcloud services enable monitoring"),
    (closed_account, "billing", "error", f"{ACCOUNT} is closed", "gcloud billing accounts list"),
    (full_account, "billing", "warning", "is linked to 6 projects, and 1 more are to come", "billing_quota_increase"),
    (locations, "organization-policies", "error", "gcp.resourceLocations", "gcp.resourceLocations"),
    (domains, "organization-policies", "error", "essentialcontacts.allowedContactDomains", "allowedContactDomains"),
    (allowed_models, "organization-policies", "error", "vertexai.allowedModels", "vertexai.allowedModels"),
    (no_accounts, "organization-policies", "error", "iam.disableServiceAccountCreation", "disableServiceAccount"),
    (going_project, "projects", "error", f"project {PROJECT} of campaign spring-launch is DELETE_REQ", "undelete"),
    (disabled_key, "key-rings", "error", "primary version of images in", "gcloud kms keys versions list --key=images"),
    (
        other_ring,
        "key-rings",
        "warning",
        "campaign spring-launch has no key ring projects/",
        "gcloud kms keyrings list",
    ),
    (small_subnet, "subnets", "error", "free addresses in 10.0.0.0/29", "set network.ipRange to a larger range"),
    (far_region, "regions", "error", "cloudkms is not offered in antarctica-south1", "pulumi config set plantain:reg"),
    (retired_model, "models", "error", "gemini-2.5-flash-image is retired on 2027-03-15", "set function.model: "),
    (model_elsewhere, "models", "error", "gemini-3-pro-image is not served in europe-west4", "set function.location"),
    (two_a_minute, "quotas", "warning", f"project {PROJECT} may make 2 images a minute", "iam-admin/quotas?project="),
    (units, "throughput", "warning", "owns 0 throughput units, the campaign file counts on 5", "order them"),
    (state_among_members, "state-backend", "warning", "gs://the-state lies in a campaign's project", "seed project"),
    (state_that_the_perimeter_bars, "state-backend", "error", "gs://the-state: Request is prohibited", "ingress rule"),
    (unlisted_deployer, "credentials", "warning", "plantain:perimeter.deployers lists serviceAccount:ci", "config set"),
)


@pytest.mark.parametrize(
    ("state", "check", "severity", "what", "cure"), STATES, ids=lambda one: getattr(one, "__name__", "")
)
def test_a_state_that_would_hurt_is_found_with_its_consequence_and_cure(
    world: World, state: Callable[[World], None], check: str, severity: str, what: str, cure: str
) -> None:
    state(world)
    findings = world.look()
    [finding] = [one for one in findings if one.check == check and one.severity == severity and what in one.what][:1]
    assert cure in finding.cure
    assert finding.consequence


def test_every_check_has_a_state_in_which_it_fires() -> None:
    assert {check for _, check, *_ in STATES} == {check.name for check in CHECKS} - {"tools"}


def test_fix_mends_only_what_can_be_undone(world: World) -> None:
    disabled_api(world)
    two_a_minute(world)
    disabled_key(world)
    small_subnet(world)
    before = world.look()
    assert {one.check for one in before if one.fix} == {"apis"}
    for finding in before:
        if finding.fix:
            finding.fix()
    after = world.look()
    assert not [one for one in after if one.check == "apis" and one.severity == "error"]
    hurts = ("error", "warning")
    others = [one.what for one in before if one.check != "apis" and one.severity in hurts]
    assert [one.what for one in after if one.check != "apis" and one.severity in hurts] == others
