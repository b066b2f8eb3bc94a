from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plantain.commands import doctor as command
from plantain.doctor.catalogue import CHECKS, chosen, page
from plantain.doctor.checks import (
    apis,
    billing,
    credentials,
    key_rings,
    models,
    organization_policies,
    permissions,
    projects,
    quotas,
    regions,
    state_backend,
    subnets,
    throughput,
    tools,
)
from plantain.doctor.checks.organization_policies import refused_by
from plantain.doctor.examination import examine, worst
from plantain.doctor.finding import Check, Finding, Severity
from plantain.doctor.patient import Patient
from plantain.engine import installed
from plantain.engine.cache import Cache
from plantain.errors import ErrorFound, GoogleCloudError, InputError, StackError, WarningFound
from plantain.project import campaigns, raw_settings, stack_settings
from plantain.stack import Stack
from tests.plantain.conftest import ROOT, FakeCloud

PROJECT = "spring-launch-1"
DEPLOYED = {"spring-launch": {"projectId": PROJECT, "projectNumber": "1"}}
ORGANIZATION = "organizations/123456789012"
POLICY = f"GET orgpolicy/v2/{ORGANIZATION}/policies/"


@pytest.fixture
def patient(project: Path, cloud: FakeCloud) -> Patient:
    cloud.sandbox = "http://127.0.0.1:1"
    settings = stack_settings(project, "sandbox")
    return Patient(
        root=project,
        stack="sandbox",
        settings=settings,
        raw=raw_settings(project, "sandbox"),
        campaigns=campaigns(project),
        deployed=DEPLOYED,
        cloud=cloud,  # type: ignore[arg-type]  # a fake
        environment={"PULUMI_BACKEND_URL": "file:///state", "PULUMI_CONFIG_PASSPHRASE": "x"},
        today=dt.date(2026, 11, 21),
    )


def found(check: Check, patient: Patient, severity: Severity) -> list[Finding]:
    return [finding for finding in check.run(patient) if finding.severity is severity]


def refusal(status: int, reason: str = "PERMISSION_DENIED") -> GoogleCloudError:
    return GoogleCloudError(status, reason, "no", "s", "p")


def test_every_check_has_a_name_of_its_own_and_says_why() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) >= 14
    for check in CHECKS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.name)
        assert check.title.endswith("?")
        assert check.reads
        assert check.why.endswith(".")


def test_the_catalogue_page_is_not_stale() -> None:
    assert (ROOT / "docs" / "doctor.md").read_text() == page(), "make docs"


def test_an_unknown_check_names_those_there_are() -> None:
    with pytest.raises(InputError, match="There is no check 'weather'") as caught:
        chosen(["weather"])
    assert caught.value.exit_code == 2


def test_what_a_check_cannot_read_becomes_an_unknown_and_the_others_go_on(patient: Patient) -> None:
    def fails(_: Patient) -> list[Finding]:
        raise refusal(403)

    broken = Check("broken", "?", "", "", fails)
    fine = Check("fine", "?", "", "", lambda _: [Finding("fine", Severity.OK, "well")])
    ended: list[int] = []
    findings = examine(patient, [broken, fine], lambda: ended.append(1))
    assert [(one.check, one.severity.value) for one in findings] == [("broken", "unknown"), ("fine", "ok")]
    assert len(ended) == 2
    assert worst(findings) is Severity.UNKNOWN


class TestPermissions:
    def test_a_missing_permission_is_an_error_with_the_command_that_grants_its_role(
        self, patient: Patient, cloud: FakeCloud
    ) -> None:
        cloud.answers["POST cloud"] = lambda body: {
            "permissions": [p for p in (body or {})["permissions"] if p != "billing.resourceAssociations.create"]
        }
        [finding] = found(permissions.CHECK, patient, Severity.ERROR)
        assert "billing.resourceAssociations.create is missing on billingAccounts/010101-010101-010101" in finding.what
        assert finding.cure == (
            "gcloud billing accounts add-iam-policy-binding 010101-010101-010101 "
            "--member=user:user@example.com --role=roles/billing.user"
        )

    def test_a_stack_that_joins_needs_no_right_to_make_a_perimeter(self, patient: Patient, cloud: FakeCloud) -> None:
        joined = {"membership": "join", "enforcement": "dry-run", "perimeter": "accessPolicies/1/servicePerimeters/p"}
        settings = type(patient.settings).model_validate(
            {**patient.settings.model_dump(by_alias=True), "perimeter": joined}
        )
        cloud.answers["POST cloud"] = {"permissions": []}
        missing = [finding.what for finding in permissions.CHECK.run(dataclasses.replace(patient, settings=settings))]
        assert not any("servicePerimeters.create" in what for what in missing)
        assert any("servicePerimeters.update" in what for what in missing)

    def test_every_role_holds_its_permission_as_the_sandbox_knows_roles(self) -> None:
        roles = json.loads((ROOT / "sandbox" / "enforcement" / "roles.json").read_text())
        text = json.dumps(roles)
        table = permissions.needs()
        wanted = [need for place in ("parent", "organization", "billingAccount", "project") for need in table[place]]
        assert len(wanted) >= 20
        for need in wanted:
            assert re.fullmatch(r"roles/[a-zA-Z.]+", need["role"]), need
            assert need["role"].split("/")[1].split(".")[0] in text


class TestOrganizationPolicies:
    @pytest.mark.parametrize(
        ("rules", "verdict"),
        [
            ([], None),
            ([{"allowAll": True}], None),
            ([{"denyAll": True}], "denies everything"),
            ([{"values": {"allowedValues": ["b"]}}], "allows only b"),
            ([{"values": {"allowedValues": ["b", "group"]}}], None),
            ([{"values": {"deniedValues": ["a"]}}, {"allowAll": True}], "denies a"),
            ([{"values": {"deniedValues": ["z"]}}], None),
        ],
    )
    def test_deny_beats_allow_and_no_list_allows(self, rules: list[dict[str, Any]], verdict: str | None) -> None:
        assert refused_by(rules, ("a", "group")) == verdict

    def test_a_region_outside_the_allowed_locations_is_an_error_with_constraint_and_value(
        self, patient: Patient, cloud: FakeCloud
    ) -> None:
        cloud.answers[f"{POLICY}gcp.resourceLocations"] = {
            "spec": {"rules": [{"values": {"allowedValues": ["in:us-locations"]}}]}
        }
        [finding] = found(organization_policies.CHECK, patient, Severity.ERROR)
        assert "constraints/gcp.resourceLocations" in finding.what
        assert "allows only in:us-locations; needed: europe-west4" in finding.what
        assert "europe-west4" in finding.consequence

    def test_the_continents_group_of_locations_is_enough(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers[f"{POLICY}gcp.resourceLocations"] = {
            "spec": {"rules": [{"values": {"allowedValues": ["in:eu-locations"]}}]}
        }
        assert not found(organization_policies.CHECK, patient, Severity.ERROR)

    def test_a_model_that_is_not_allowed_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers[f"{POLICY}vertexai.allowedModels"] = {
            "spec": {"rules": [{"values": {"allowedValues": ["publishers/google/models/other:predict"]}}]}
        }
        [finding] = found(organization_policies.CHECK, patient, Severity.ERROR)
        assert "publishers/google/models/gemini-3-pro-image:predict" in finding.what

    def test_a_contacts_domain_that_is_not_allowed_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers[f"{POLICY}essentialcontacts.allowedContactDomains"] = {
            "spec": {"rules": [{"values": {"allowedValues": ["@elsewhere.org"]}}]}
        }
        [finding] = found(organization_policies.CHECK, patient, Severity.ERROR)
        assert "needed: @example.com" in finding.what

    def test_an_enforced_ban_on_service_accounts_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers[f"{POLICY}iam.disableServiceAccountCreation"] = {"spec": {"rules": [{"enforce": True}]}}
        [finding] = found(organization_policies.CHECK, patient, Severity.ERROR)
        assert "identities cannot be created" in finding.consequence

    def test_sharing_restricted_to_another_customer_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers[f"{POLICY}iam.allowedPolicyMemberDomains"] = {
            "spec": {"rules": [{"values": {"allowedValues": ["is:C0other"]}}]}
        }
        cloud.answers[f"GET cloudresourcemanager/v3/{ORGANIZATION}"] = {"directoryCustomerId": "C0mine"}
        [finding] = found(organization_policies.CHECK, patient, Severity.ERROR)
        assert "needed: is:C0mine" in finding.what

    def test_policies_that_may_not_be_read_are_not_called_harmless(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers[POLICY] = refusal(403)
        [finding] = examine(patient, [organization_policies.CHECK])
        assert finding.severity is Severity.UNKNOWN


class TestOthers:
    def test_a_caller_the_perimeter_does_not_list_is_warned(self, patient: Patient) -> None:
        assert patient.settings.perimeter
        perimeter = patient.settings.perimeter.model_copy(update={"deployers": ("user:jo@example.com",)})
        patient.settings = patient.settings.model_copy(update={"perimeter": perimeter})
        [finding] = found(credentials.CHECK, patient, Severity.WARNING)
        assert "once the perimeter is enforced it refuses this caller" in finding.consequence
        assert finding.cure.endswith("deployers[1]' user:user@example.com")

    def test_a_caller_without_a_name_is_unknown(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.sandbox = None
        cloud.answers["GET openidconnect"] = refusal(401)
        assert found(credentials.CHECK, patient, Severity.UNKNOWN)

    def test_a_person_without_a_quota_project_is_warned(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.sandbox = None
        cloud.answers["GET openidconnect"] = {"email": "user@example.com"}
        [finding] = found(credentials.CHECK, patient, Severity.WARNING)
        assert "quotaProject" in finding.what

    def test_a_disabled_api_is_an_error_that_can_be_fixed(self, patient: Patient, cloud: FakeCloud) -> None:
        listed = [{"config": {"name": name}} for name in apis.CAMPAIGN_APIS if not name.startswith("run")]
        cloud.answers["GET serviceusage"] = {"services": listed}
        cloud.answers["POST serviceusage"] = {}
        [finding] = found(apis.CHECK, patient, Severity.ERROR)
        assert finding.what == f"run.googleapis.com is not enabled in {PROJECT}"
        assert finding.fix
        assert finding.fix() == f"enabled run.googleapis.com in {PROJECT}"
        assert cloud.asked[-1][0] == f"POST serviceusage/v1/projects/{PROJECT}/services/run.googleapis.com:enable"

    def test_a_closed_billing_account_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["GET cloudbilling"] = {"open": False}
        [finding] = found(billing.CHECK, patient, Severity.ERROR)
        assert "is closed" in finding.what

    def test_a_full_billing_account_is_a_warning(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["GET cloudbilling/v1/billingAccounts"] = {"open": True, "projectBillingInfo": [{}] * 5}
        [finding] = found(billing.CHECK, dataclasses.replace(patient, deployed={}), Severity.WARNING)
        assert "linked to 5 projects, and 1 more" in finding.what

    @pytest.mark.parametrize(
        ("answer", "words"),
        [({"state": "DELETE_REQUESTED"}, "is DELETE_REQUESTED"), (refusal(403), "does not exist, or may not be seen")],
    )
    def test_a_project_that_is_going_or_gone_is_an_error(
        self, patient: Patient, cloud: FakeCloud, answer: Any, words: str
    ) -> None:
        cloud.answers["GET cloudresourcemanager/v3/projects"] = answer
        [finding] = found(projects.CHECK, patient, Severity.ERROR)
        assert words in finding.what

    def test_a_disabled_key_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        ring = f"projects/{PROJECT}/locations/europe-west4/keyRings/{PROJECT}"
        cloud.answers[f"GET cloudkms/v1/projects/{PROJECT}/locations/europe-west4/keyRings"] = {
            "keyRings": [{"name": ring}]
        }
        cloud.answers[f"GET cloudkms/v1/{ring}/cryptoKeys"] = {
            "cryptoKeys": [{"name": f"{ring}/cryptoKeys/images", "primary": {"state": "DISABLED"}}]
        }
        [finding] = found(key_rings.CHECK, patient, Severity.ERROR)
        assert "primary version of images" in finding.what

    def test_a_missing_key_ring_is_a_warning(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["GET cloudkms"] = {}
        assert found(key_rings.CHECK, patient, Severity.WARNING)

    def test_a_subnet_without_room_for_two_revisions_is_a_warning(self, patient: Patient) -> None:
        [campaign] = patient.campaigns
        larger = campaign.function.model_copy(update={"max_instances": 20})
        patient.campaigns = (campaign.model_copy(update={"function": larger}),)
        [finding] = found(subnets.CHECK, patient, Severity.WARNING)
        assert "/25" in finding.cure

    def test_a_subnet_without_room_for_all_instances_is_an_error(self, patient: Patient) -> None:
        [campaign] = patient.campaigns
        larger = campaign.function.model_copy(update={"max_instances": 40})
        patient.campaigns = (campaign.model_copy(update={"function": larger}),)
        assert found(subnets.CHECK, patient, Severity.ERROR)

    def test_a_region_without_a_service_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["GET "] = {"locations": [{"locationId": "europe-west1"}]}
        findings = found(regions.CHECK, patient, Severity.ERROR)
        assert len(findings) == len(regions.SERVICES)

    def test_without_a_project_regions_are_unknown(self, patient: Patient) -> None:
        assert found(regions.CHECK, dataclasses.replace(patient, deployed={}), Severity.UNKNOWN)

    def test_a_model_that_goes_before_the_campaign_ends_is_a_warning(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["POST aiplatform"] = {"totalTokens": 1}
        [finding] = found(models.CHECK, patient, Severity.WARNING)
        assert "2027-05-28; campaign spring-launch runs until 2027-06-30" in finding.what

    def test_a_model_that_is_not_served_there_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["POST aiplatform"] = refusal(404, "NOT_FOUND")
        [finding] = found(models.CHECK, patient, Severity.ERROR)
        assert "every request of campaign spring-launch fails with 404" in finding.consequence

    def test_a_model_that_cannot_be_asked_is_unknown(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.answers["POST aiplatform"] = refusal(403, "VPC_SERVICE_CONTROLS")
        assert found(models.CHECK, patient, Severity.UNKNOWN)

    @pytest.mark.parametrize(
        ("infos", "words"),
        [
            ([], "lists no quota"),
            (
                [
                    {
                        "metric": f"aiplatform.googleapis.com/{quotas.METRIC}_global",
                        "dimensionsInfos": [{"details": {"value": "2"}}],
                    }
                ],
                "may make 2 images",
            ),
        ],
    )
    def test_a_small_or_hidden_image_quota_is_a_warning(
        self, patient: Patient, cloud: FakeCloud, infos: list[dict[str, Any]], words: str
    ) -> None:
        cloud.answers["GET cloudquotas"] = {"quotaInfos": infos}
        [finding] = found(quotas.CHECK, patient, Severity.WARNING)
        assert words in finding.what

    def test_units_that_are_counted_on_and_not_owned_are_a_warning(self, patient: Patient, cloud: FakeCloud) -> None:
        [campaign] = patient.campaigns
        capacity = campaign.capacity.model_copy(update={"provisioned_units": 5})
        patient.campaigns = (campaign.model_copy(update={"capacity": capacity}),)
        cloud.answers["GET monitoring"] = {"timeSeries": [{"points": [{"value": {"int64Value": "3"}}]}]}
        [finding] = found(throughput.CHECK, patient, Severity.WARNING)
        assert "owns 3 throughput units, the campaign file counts on 5" in finding.what


class TestState:
    def test_a_state_bucket_that_the_perimeter_bars_is_an_error(self, patient: Patient, cloud: FakeCloud) -> None:
        patient.environment = {"PULUMI_BACKEND_URL": "gs://state", "PULUMI_CONFIG_PASSPHRASE": "x"}
        cloud.answers["GET storage"] = refusal(403, "VPC_SERVICE_CONTROLS")
        [finding] = found(state_backend.CHECK, patient, Severity.ERROR)
        assert "ingress rule" in finding.cure

    def test_a_state_bucket_in_a_campaigns_project_without_versions_and_key_is_warned_of_three_times(
        self, patient: Patient, cloud: FakeCloud
    ) -> None:
        patient.environment = {"PULUMI_BACKEND_URL": "gs://state/p", "PULUMI_CONFIG_PASSPHRASE": "x"}
        cloud.answers["GET storage/storage/v1/b/state"] = {"projectNumber": "1"}
        assert len(found(state_backend.CHECK, patient, Severity.WARNING)) == 3

    def test_a_production_state_in_a_file_is_a_warning(self, patient: Patient, cloud: FakeCloud) -> None:
        cloud.sandbox = None
        [finding] = found(state_backend.CHECK, patient, Severity.WARNING)
        assert "on one machine" in finding.consequence

    def test_a_passphrase_that_is_not_set_is_an_error(self, patient: Patient) -> None:
        patient.environment = {"PULUMI_BACKEND_URL": "file:///state"}
        [finding] = found(state_backend.CHECK, patient, Severity.ERROR)
        assert "PULUMI_CONFIG_PASSPHRASE" in finding.what

    def test_no_backend_at_all_is_a_warning(self, patient: Patient) -> None:
        patient.environment = {"PULUMI_CONFIG_PASSPHRASE": "x"}
        assert found(state_backend.CHECK, patient, Severity.WARNING)


def test_an_engine_that_is_not_there_is_a_warning(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installed, "find", lambda *_, **__: installed.Absent("no pulumi is on PATH"))
    monkeypatch.setattr(Cache, "of_user", lambda: Cache(tmp_path / "none"))
    [finding] = found(tools.CHECK, patient, Severity.WARNING)
    assert finding.cure == "plantain engine"


Run = Callable[..., None]


@pytest.fixture
def run(project: Path, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Run:
    cloud.sandbox = "http://127.0.0.1:1"
    monkeypatch.setattr(Stack, "outputs", lambda _: {"campaigns": DEPLOYED})
    assert project == Path.cwd()
    return command.doctor


def test_an_error_ends_with_exit_code_11_and_prints_json_first(
    run: Run, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.answers["GET cloudbilling"] = {"open": False}
    with pytest.raises(ErrorFound) as caught:
        run("sandbox", only=["billing"], json=True)
    assert caught.value.exit_code == 11
    [finding] = json.loads(capsys.readouterr().out)
    assert (finding["check"], finding["severity"], finding["fixable"]) == ("billing", "error", False)


def test_a_warning_ends_with_exit_code_10(run: Run, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.answers["POST aiplatform"] = {"totalTokens": 1}
    with pytest.raises(WarningFound) as caught:
        run("sandbox", only=["models"])
    assert caught.value.exit_code == 10
    shown = capsys.readouterr().out
    assert "warning models:" in shown
    assert "cure    set function.model" in shown


def test_fix_enables_the_missing_api_and_looks_again(
    run: Run, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    enabled = [{"config": {"name": name}} for name in apis.CAMPAIGN_APIS]
    missing = [enabled.pop()]
    cloud.answers["GET serviceusage"] = lambda _: {"services": enabled}
    cloud.answers["POST serviceusage"] = lambda _: enabled.append(missing.pop()) or {}  # type: ignore[func-returns-value]
    run("sandbox", only=["apis"], fix=True)
    assert "fixed: enabled storage.googleapis.com" in capsys.readouterr().err


def test_before_the_first_update_there_is_nothing_deployed_to_look_at(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(_: Stack) -> dict[str, Any]:
        raise StackError("no stack named 'sandbox' found")

    monkeypatch.setattr(Stack, "outputs", none)
    run("sandbox", only=["projects"], all_findings=True)
    assert "no project yet" in capsys.readouterr().out


def test_a_stack_that_does_not_exist_names_those_that_do(run: Run) -> None:
    with pytest.raises(InputError, match="Known: prod, sandbox"):
        run("staging")
