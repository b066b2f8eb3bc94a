"""What belongs to no campaign: seed project, log project, organisation policies, contacts, tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra import deployer, org_policies
from infra.governance_settings import OrganizationPolicies
from infra.perimeter_settings import Enforcement
from infra.project import APIS
from tests.infra.recording_engine import Recording
from tests.infra.stacks import make_campaign, make_settings, owned, record

LABELS = {"owner": "cloud-platform", "cost-center": "cc-1000"}
GITHUB = {"repository": "acme/plantain", "repositoryId": "42"}
GITLAB = {"project": "acme/plantain", "projectId": "7"}


def seed(root: Path, **changes: Any) -> Recording:
    bootstrap = {"github": GITHUB, "gitlab": GITLAB} | changes
    return record(root, [], perimeter=None, labels=LABELS, bootstrap=bootstrap)


@pytest.fixture(scope="module")
def bootstrap(root: Path) -> Recording:
    return seed(root)


class TestSeed:
    def test_the_state_bucket_is_versioned_encrypted_and_kept(self, bootstrap: Recording) -> None:
        bucket = bootstrap.only("storage/bucket:Bucket")
        assert bucket.inputs["versioning"] == {"enabled": True}
        assert bucket.inputs["encryption"]["defaultKmsKeyName"]
        assert bucket.inputs["publicAccessPrevention"] == "enforced"
        assert bucket.inputs["softDeletePolicy"] == {"retentionDurationSeconds": 90 * 86_400}
        assert bucket.inputs["deletionPolicy"] == "PREVENT"
        assert bucket.protect is True

    def test_secrets_of_stacks_have_a_key_of_their_own_that_rotates(self, bootstrap: Recording) -> None:
        keys = {key.inputs["name"]: key.inputs for key in bootstrap.of_type("kms/cryptoKey:CryptoKey")}
        assert set(keys) == {"secrets", "state", "topics"}
        assert {key["rotationPeriod"] for key in keys.values()} == {"7776000s"}

    def test_bills_are_exported_to_a_dataset_with_a_key_of_its_own_on_request(self, root: Path) -> None:
        stack = seed(root, billingExport=True)
        dataset = stack.only("bigquery/dataset:Dataset")
        assert dataset.inputs["defaultEncryptionConfiguration"]["kmsKeyName"].endswith("seed-bills")
        assert dataset.protect is True
        export = stack.outputs["bootstrap"]["billingExport"]
        assert export["console"] == "https://console.cloud.google.com/billing/010101-ABCDEF-010101/export"
        assert export["table"].endswith(".billing_export.gcp_billing_export_v1_010101_ABCDEF_010101")

    def test_a_pipeline_is_trusted_by_the_number_of_its_repository(self, bootstrap: Recording) -> None:
        providers = bootstrap.of_type("iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
        conditions = {provider.name: provider.inputs["attributeCondition"] for provider in providers}
        assert "assertion.repository_id == '42'" in conditions["github"]
        assert "assertion.event_name != 'pull_request_target'" in conditions["github"]
        assert "assertion.project_id == '7'" in conditions["gitlab"]

    def test_only_one_branch_deploys_and_all_others_preview(self, bootstrap: Recording) -> None:
        members = {
            grant.name: grant.inputs["member"].partition("/attribute.")[2]
            for grant in bootstrap.of_type("serviceaccount/iAMMember:IAMMember")
        }
        assert members == {
            "github-deploys": "ref/42@refs/heads/main",
            "github-previews": "source/42",
            "gitlab-deploys": "ref/7@branch/main",
            "gitlab-previews": "source/7",
        }

    def test_one_environment_of_pulumi_esc_deploys_and_its_tokens_are_for_google_cloud(self, root: Path) -> None:
        stack = seed(root, esc={"organization": "acme", "environment": "plantain/prod"})
        subject = "pulumi:environments:org:acme:env:plantain/prod"
        provider = stack.named("iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider", "pulumi").inputs
        assert len(provider["workloadIdentityPoolProviderId"]) >= 4, "Google takes no shorter one"
        assert provider["attributeCondition"] == f"assertion.sub == '{subject}'"
        assert provider["oidc"] == {"issuerUri": "https://api.pulumi.com/oidc", "allowedAudiences": ["gcp:acme"]}
        token = "serviceaccount/iAMMember:IAMMember"
        granted = [grant for grant in stack.of_type(token) if grant.name.startswith("pulumi-")]
        assert [grant.inputs["member"].partition("/attribute.")[2] for grant in granted] == [f"ref/{subject}"]
        assert granted[0].inputs["serviceAccountId"].startswith("projects/")
        assert "deployer@" in granted[0].inputs["serviceAccountId"]

    def test_the_previewer_holds_no_role_that_writes(self, bootstrap: Recording) -> None:
        reading = ("viewer", "reader", "browser", "reviewer", "previewer", "serviceusageconsumer")
        roles = {
            grant.inputs["role"]
            for grant in bootstrap.cloud()
            if grant.name.startswith("previewer") and "role" in grant.inputs
        }
        assert len(roles) > 10
        assert [role for role in roles if not role.lower().endswith(reading)] == []

    def test_the_previewers_own_role_only_reads(self, bootstrap: Recording) -> None:
        role = bootstrap.only("organizations/iAMCustomRole:IAMCustomRole").inputs
        assert role["permissions"]
        assert all(permission.endswith(".get") for permission in role["permissions"])

    def test_the_previewer_reads_no_image(self, bootstrap: Recording) -> None:
        grants = [one.inputs for one in bootstrap.cloud() if one.name == "previewer-storage-objectViewer"]
        assert len(grants) == 1
        assert ".endsWith('-source')" in grants[0]["condition"]["expression"]

    def test_no_basic_role_is_granted_and_no_key_is_made(self, bootstrap: Recording) -> None:
        roles = {resource.inputs["role"] for resource in bootstrap.cloud() if "role" in resource.inputs}
        assert not roles & {"roles/owner", "roles/editor", "roles/viewer"}
        assert bootstrap.of_type("serviceaccount/key:Key") == []

    def test_every_right_says_what_fails_without_it(self) -> None:
        for right in (*deployer.DEPLOYER_RIGHTS, *deployer.PREVIEWER_RIGHTS):
            assert right.why.count(" ") > 2, right.role

    def test_without_rights_in_the_organisation_it_can_only_deploy_campaigns(self, root: Path) -> None:
        stack = seed(root, organizationRights=False)
        roles = {
            grant.inputs["role"]
            for grant in stack.of_type("organizations/iAMMember:IAMMember")
            if grant.name.startswith("deployer")
        }
        assert roles == {"roles/accesscontextmanager.policyEditor", "roles/resourcemanager.projectCreator"}

    def test_a_folder_narrows_what_the_deployer_may(self, root: Path) -> None:
        stack = record(root, [], perimeter=None, labels=LABELS, bootstrap={}, folder="folders/234567890123")
        creators = [
            grant
            for grant in stack.of_type("folder/iAMMember:IAMMember")
            if grant.inputs["role"] == "roles/resourcemanager.projectCreator"
        ]
        assert [grant.inputs["folder"] for grant in creators] == ["folders/234567890123"]

    def test_whoever_tells_of_budgets_may_publish_and_the_deployer_may_let_it(self, bootstrap: Recording) -> None:
        grants = bootstrap.of_type("pubsub/topicIAMMember:TopicIAMMember")
        assert {grant.inputs["member"].partition("@")[0]: grant.inputs["role"] for grant in grants} == {
            "serviceAccount:billing-budget-alert": "roles/pubsub.publisher",
            "serviceAccount:deployer": "roles/pubsub.admin",
        }
        assert bootstrap.only("pubsub/topic:Topic").inputs["kmsKeyName"]

    def test_all_six_labels_are_on_what_is_shared(self, bootstrap: Recording) -> None:
        labels = bootstrap.only("organizations/project:Project").inputs["labels"]
        assert set(labels) == {"campaign", "owner", "cost-center", "env", "data-class", "ends-on"}
        assert labels["campaign"] == "shared"

    def test_the_outputs_are_what_a_pipeline_is_told(self, bootstrap: Recording) -> None:
        found = bootstrap.outputs["bootstrap"]
        assert found["backend"] == "gs://plantain-seed-0a1b2c3-state"
        assert found["secretsProvider"].startswith("gcpkms://")
        assert found["deployer"] == "deployer@plantain-seed-0a1b2c3.iam.gserviceaccount.com"
        assert set(found["providers"]) == {"github", "gitlab"}


def logs(root: Path, membership: str = "delegated", **changes: Any) -> Recording:
    campaigns = [make_campaign()] if membership == "inline" else []
    central = {"auditors": ["group:auditors@example.com"]} | changes
    return record(
        root,
        campaigns,
        labels=LABELS,
        centralLogs=central,
        perimeter=owned(membership=membership),
    )


def log_project(stack: Recording) -> str:
    return str(stack.named("resourcemanager/lien:Lien", "logs-deletion").inputs["parent"])


class TestCentralLogs:
    def test_the_sink_covers_everything_below_and_takes_every_audit_log(self, root: Path) -> None:
        sink = logs(root).only("logging/organizationSink:OrganizationSink")
        assert sink.inputs["includeChildren"] is True
        for log in ("activity", "data_access", "policy", "system_event", "access_transparency"):
            assert f"cloudaudit.googleapis.com/{log}" in sink.inputs["filter"]

    def test_a_folders_sink_is_made_on_the_folder(self, root: Path) -> None:
        stack = record(root, [], perimeter=None, labels=LABELS, centralLogs={}, folder="folders/234567890123")
        assert stack.only("logging/folderSink:FolderSink").inputs["folder"] == "folders/234567890123"
        assert stack.of_type("logging/organizationSink:OrganizationSink") == []

    def test_the_writer_may_write_one_bucket(self, root: Path) -> None:
        stack = logs(root)
        grant = stack.named("projects/iAMMember:IAMMember", "logs-organization-writer")
        assert grant.inputs["role"] == "roles/logging.bucketWriter"
        assert "endsWith" in grant.inputs["condition"]["expression"]

    def test_retention_is_locked_only_when_it_is_asked_for(self, root: Path) -> None:
        buckets = [stack.only("logging/projectBucketConfig:ProjectBucketConfig") for stack in (logs(root),)]
        assert "locked" not in buckets[0].inputs
        locked = logs(root, locked=True).only("logging/projectBucketConfig:ProjectBucketConfig")
        assert locked.inputs["locked"] is True
        assert locked.inputs["cmekSettings"]["kmsKeyName"]

    @pytest.mark.parametrize(
        ("folder", "kind", "account"),
        [(None, "organization", "cmek-o1"), ("folders/234567890123", "folder", "cmek-f1")],
    )
    def test_new_projects_log_buckets_are_encrypted_on_request(
        self, root: Path, folder: str | None, kind: str, account: str
    ) -> None:
        stack = record(root, [], perimeter=None, labels=LABELS, centralLogs={"defaultKey": True}, folder=folder)
        found = stack.only(f"logging/{kind}Settings:{kind.capitalize()}Settings")
        assert found.inputs[kind] == (folder or "123456789012").removeprefix("folders/")
        assert found.inputs["storageLocation"] == "europe-west4"
        key = stack.named("kms/cryptoKey:CryptoKey", "logs-new-projects")
        assert found.inputs["kmsKeyName"] == f"id/{key.type}/{key.name}"
        grant = stack.named("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "logs-new-projects-logging")
        assert grant.inputs["member"] == f"serviceAccount:{account}@gcp-sa-logging.iam.gserviceaccount.com"
        assert grant.urn in stack.ancestors(found)

    def test_a_campaigns_project_comes_after_the_key_of_its_first_log_buckets(self, root: Path) -> None:
        stack = logs(root, "inline", defaultKey=True)
        campaign = stack.named("organizations/project:Project", "spring-launch")
        assert stack.only("logging/organizationSettings:OrganizationSettings").urn in stack.ancestors(campaign)

    def test_without_it_a_campaigns_project_waits_for_no_log_project(self, root: Path) -> None:
        stack = logs(root, "inline")
        campaign = stack.named("organizations/project:Project", "spring-launch")
        assert stack.of_type("logging/organizationSettings:OrganizationSettings") == []
        assert not any("plantain-logs" in urn for urn in stack.ancestors(campaign))

    def test_the_log_project_is_inside_and_its_writers_are_let_in(self, root: Path) -> None:
        stack = logs(root, "inline")
        perimeter = stack.only("accesscontextmanager/servicePerimeter:ServicePerimeter").inputs["status"]
        number = log_project(stack)
        assert number in perimeter["resources"]
        [rule] = [rule for rule in perimeter["ingressPolicies"] if rule["title"] == "audit log sinks"]
        assert rule["ingressTo"]["resources"] == [number]
        assert [operation["serviceName"] for operation in rule["ingressTo"]["operations"]] == ["logging.googleapis.com"]

    @pytest.mark.parametrize("enforcement", ["dry-run", "enforced"])
    def test_a_delegated_owners_log_project_joins_after_the_perimeter(self, root: Path, enforcement: str) -> None:
        perimeter = owned(membership="delegated", enforcement=enforcement)
        stack = record(root, [], labels=LABELS, centralLogs={}, perimeter=perimeter)
        found = stack.only("accesscontextmanager/servicePerimeter:ServicePerimeter")
        rules = [found.inputs[side] for side in ("status", "spec") if side in found.inputs]
        assert [one["resources"] for one in rules] == [[]] * len(rules)
        sinks = [rule for one in rules for rule in one["ingressPolicies"] if rule["title"] == "audit log sinks"]
        assert [rule["ingressTo"]["resources"] for rule in sinks] == [["*"]] * len(rules)
        dry = stack.only("accesscontextmanager/servicePerimeterDryRunResource:ServicePerimeterDryRunResource")
        joined = stack.of_type("accesscontextmanager/servicePerimeterResource:ServicePerimeterResource")
        assert len(joined) == (enforcement == "enforced")
        for member in (dry, *joined):
            assert member.inputs["resource"] == log_project(stack)
            assert found.urn in stack.ancestors(member)

    def test_a_stack_that_joins_adds_its_log_project_itself(self, root: Path) -> None:
        perimeter = {
            "membership": "join",
            "enforcement": "enforced",
            "perimeter": "accessPolicies/1/servicePerimeters/theirs",
        }
        stack = record(root, [], labels=LABELS, centralLogs={}, perimeter=perimeter)
        assert (
            stack.only("accesscontextmanager/servicePerimeterResource:ServicePerimeterResource").name == "logs-member"
        )


def policies(**changes: Any) -> OrganizationPolicies:
    return OrganizationPolicies.model_validate({"enforcement": "enforced", **changes})


class TestOrganizationPolicies:
    def test_the_model_and_its_location_stay_allowed(self) -> None:
        found = {
            constraint.name: constraint
            for constraint in org_policies.constraints(policies(locations=["in:eu-locations"]), "folders/1")
        }
        assert "publishers/google/models/gemini-3-pro-image:predict" in found["vertexai.allowedModels"].allowed
        assert "global" in found["gcp.resourceLocations"].allowed
        assert set(APIS) <= set(found["gcp.restrictServiceUsage"].allowed)
        assert found["gcp.restrictCmekCryptoKeyProjects"].allowed == ("under:folders/1",)

    def test_dry_run_sets_only_what_refuses_nothing(self, root: Path) -> None:
        stack = record(root, [], perimeter=None, organizationPolicies={"enforcement": Enforcement.DRY_RUN.value})
        found = stack.of_type("orgpolicy/policy:Policy")
        assert found
        assert all("dryRunSpec" in policy.inputs and "spec" not in policy.inputs for policy in found)

    def test_what_is_left_out_is_not_set(self, root: Path) -> None:
        chosen = {"enforcement": "enforced", "leaveOut": ["run.allowedVPCEgress", "custom.plantainBucketVersioning"]}
        stack = record(root, [], perimeter=None, organizationPolicies=chosen)
        names = {policy.name for policy in stack.of_type("orgpolicy/policy:Policy")}
        assert "run.allowedIngress" in names
        assert not names & {"run.allowedVPCEgress", "custom.plantainBucketVersioning"}
        assert stack.of_type("orgpolicy/customConstraint:CustomConstraint") == []

    def test_a_custom_constraint_exists_before_its_policy(self, root: Path) -> None:
        stack = record(root, [], perimeter=None, organizationPolicies={"enforcement": "enforced"})
        constraint = stack.only("orgpolicy/customConstraint:CustomConstraint")
        policy = stack.named("orgpolicy/policy:Policy", "custom.plantainBucketVersioning")
        assert constraint.urn in stack.ancestors(policy)

    def test_every_constraint_says_one_thing(self) -> None:
        everything = policies(
            locations=["europe-west4"], memberCustomers=["C012abcde"], contactDomains=["@example.com"]
        )
        for constraint in org_policies.constraints(everything, "organizations/1"):
            [said] = constraint.rule.values()
            assert said == "TRUE" or said["allowed_values" if constraint.allowed else "denied_values"]


class TestTagsAndContacts:
    def test_a_campaigns_project_has_the_tag_of_its_label(self, root: Path) -> None:
        stack = record(root, tags={"keys": ["env"], "bind": ["tagValues/5"]})
        bindings = {binding.name: binding.inputs for binding in stack.of_type("tags/tagBinding:TagBinding")}
        assert bindings["spring-launch-env"]["tagValue"] == "id/gcp:tags/tagValue:TagValue/tag-env-prod"
        assert bindings["spring-launch-tagValues/5"]["tagValue"] == "tagValues/5"
        for binding in bindings.values():
            assert binding["parent"].startswith("//cloudresourcemanager.googleapis.com/projects/")
            assert binding["parent"].rpartition("/")[2].isdigit()

    def test_contacts_are_set_where_projects_inherit_them(self, root: Path) -> None:
        contact = {"email": "security@example.com", "categories": ["SUSPENSION", "SECURITY"]}
        stack = record(root, [], perimeter=None, contacts=[contact], folder="folders/234567890123")
        made = stack.only("essentialcontacts/contact:Contact").inputs
        assert made["parent"] == "folders/234567890123"
        assert made["notificationCategorySubscriptions"] == ["SECURITY", "SUSPENSION"]


def test_a_stack_without_a_foundation_does_not_load_one(root: Path) -> None:
    assert make_settings().has_foundation is False
    assert "foundation" not in json.dumps([resource.urn for resource in record(root).resources.values()])


def test_the_page_of_the_infrastructure_names_every_right_of_the_deployer() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "infrastructure.md").read_text()
    for right in deployer.DEPLOYER_RIGHTS:
        assert f"| `{right.role}` | {right.level}" in page
        assert f"| {right.why} |" in page
