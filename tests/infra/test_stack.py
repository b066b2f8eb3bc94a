"""What holds for a whole stack, whatever it consists of."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.campaign import Campaign
from infra.errors import MembershipError, SourceError
from tests.infra.stacks import joined, make_campaign, owned, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording

LABELLED = {
    "artifactregistry/repository:Repository": "labels",
    "monitoring/customService:CustomService": "userLabels",
    "monitoring/slo:Slo": "userLabels",
    "cloudfunctionsv2/function:Function": "labels",
    "dns/managedZone:ManagedZone": "labels",
    "kms/cryptoKey:CryptoKey": "labels",
    "monitoring/alertPolicy:AlertPolicy": "userLabels",
    "monitoring/notificationChannel:NotificationChannel": "userLabels",
    "organizations/project:Project": "labels",
    "storage/bucket:Bucket": "labels",
}
FORBIDDEN_ROLES = {"roles/owner", "roles/editor", "roles/viewer"}


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root)


class TestLabels:
    """Whatever can carry labels carries all six of its campaign."""

    def test_everything_that_takes_labels_has_the_campaigns(self, stack: Recording) -> None:
        labels = make_campaign().labels.as_labels()
        for token, property_name in LABELLED.items():
            found = stack.of_type(token)
            assert found, f"no {token} in the stack"
            for resource in found:
                assert resource.inputs[property_name] == labels, f"{resource.name} lacks labels"

    def test_two_campaigns_do_not_share_labels(self, root: Path) -> None:
        stack = record(root, [make_campaign("autumn"), make_campaign("summer")])
        for bucket in stack.of_type("storage/bucket:Bucket"):
            assert bucket.name.startswith(bucket.inputs["labels"]["campaign"])


class TestIdentities:
    """Grants are added one by one, to known identities, never by a basic role and never to everybody."""

    def test_no_grant_replaces_others(self, stack: Recording) -> None:
        kinds = [resource.type for resource in stack.cloud()]
        assert [kind for kind in kinds if re.search(r"(?i)iam(binding|policy)", kind)] == []

    def test_nothing_is_granted_to_everybody(self, stack: Recording) -> None:
        text = json.dumps([resource.inputs for resource in stack.cloud()])
        assert "allUsers" not in text
        assert "allAuthenticatedUsers" not in text

    def test_no_basic_role_is_granted(self, stack: Recording) -> None:
        roles = {resource.inputs["role"] for resource in stack.cloud() if "role" in resource.inputs}
        assert roles
        assert not roles & FORBIDDEN_ROLES

    def test_no_service_account_has_a_key(self, stack: Recording) -> None:
        assert stack.of_type("serviceaccount/key:Key") == []


class TestNumbers:
    """Access Context Manager and liens take project numbers, never ids."""

    @pytest.mark.parametrize(
        "perimeter", [owned(), owned(enforcement="dry-run"), joined(), joined(enforcement="dry-run")]
    )
    def test_members_are_numbers(self, root: Path, perimeter: dict[str, Any]) -> None:
        stack = record(root, perimeter=perimeter)
        members: list[str] = []
        for resource in stack.cloud():
            if resource.type.startswith("gcp:accesscontextmanager"):
                members.extend(resource.inputs.get("resource", "").split())
                for configuration in ("status", "spec"):
                    members.extend((resource.inputs.get(configuration) or {}).get("resources", []))
        assert members
        assert all(re.fullmatch(r"projects/\d+", member) for member in members)

    def test_the_lien_is_on_a_number(self, stack: Recording) -> None:
        assert re.fullmatch(r"projects/\d+", stack.only("resourcemanager/lien:Lien").inputs["parent"])


class TestProvider:
    """Nothing ambient decides where a resource goes."""

    def test_every_resource_names_the_stacks_provider(self, stack: Recording) -> None:
        (google,) = [resource for resource in stack.resources.values() if resource.type == "pulumi:providers:gcp"]
        for resource in stack.cloud():
            assert resource.provider.startswith(google.urn), f"{resource.name} uses another provider"


class TestEnding:
    """What a destroy does is decided by one setting, and before it does anything."""

    IRREPLACEABLE = (
        "accesscontextmanager/servicePerimeter:ServicePerimeter",
        "kms/cryptoKey:CryptoKey",
        "logging/projectBucketConfig:ProjectBucketConfig",
        "organizations/project:Project",
        "storage/bucket:Bucket",
    )

    def test_a_protected_stack_keeps_project_buckets_perimeter_and_keys(self, stack: Recording) -> None:
        policies = {
            token: {resource.inputs["deletionPolicy"] for resource in stack.of_type(token)}
            for token in self.IRREPLACEABLE
        }
        assert policies.pop("kms/cryptoKey:CryptoKey") == {"ABANDON"}
        assert all(found == {"PREVENT"} for found in policies.values())
        assert all(bucket.inputs["forceDestroy"] is False for bucket in stack.of_type("storage/bucket:Bucket"))

    def test_the_engine_refuses_before_it_has_deleted_anything_else(self, stack: Recording) -> None:
        protected = {resource.type.removeprefix("gcp:") for resource in stack.resources.values() if resource.protect}
        assert protected == {*self.IRREPLACEABLE, "plantain:infra:Guard"}

    def test_a_guard_is_deleted_before_anything_it_guards(self, stack: Recording) -> None:
        guards = stack.of_type("plantain:infra:Guard")
        assert sorted(guard.name for guard in guards) == ["perimeter", "spring-launch"]
        guarded = {urn for guard in guards for urn in guard.dependencies}
        assert {resource.urn for resource in stack.cloud()} <= guarded
        assert all(not resource.dependencies & {guard.urn for guard in guards} for resource in stack.cloud())

    def test_an_unprotected_stack_leaves_nothing(self, root: Path) -> None:
        stack = record(root, deletionProtection="false")
        policies = {
            resource.inputs["deletionPolicy"] for resource in stack.cloud() if "deletionPolicy" in resource.inputs
        }
        assert policies == {"DELETE"}
        assert not any(resource.protect for resource in stack.resources.values())
        assert all(bucket.inputs["forceDestroy"] is True for bucket in stack.of_type("storage/bucket:Bucket"))

    def test_only_what_cloud_run_may_still_hold_ends_with_the_project(self, stack: Recording) -> None:
        project = stack.only("organizations/project:Project")
        ending = {resource.type.removeprefix("gcp:") for resource in stack.cloud() if resource.deleted_with}
        assert ending == {"compute/network:Network", "compute/subnetwork:Subnetwork"}
        assert {resource.deleted_with for resource in stack.cloud()} == {"", project.urn}


class TestCampaigns:
    def test_each_campaign_has_a_project_of_its_own(self, root: Path) -> None:
        stack = record(root, [make_campaign("autumn"), make_campaign("summer")])
        assert len(stack.of_type("organizations/project:Project")) == 2
        assert len(stack.of_type("cloudfunctionsv2/function:Function")) == 2
        assert set(stack.outputs["campaigns"]) == {"autumn", "summer"}

    def test_a_stack_without_campaigns_needs_no_source(self, tmp_path: Path) -> None:
        stack = record(tmp_path, [], perimeter=owned(membership="delegated"))
        assert stack.outputs["campaigns"] == {}
        assert stack.of_type("organizations/project:Project") == []

    def test_a_stack_with_campaigns_does(self, tmp_path: Path) -> None:
        (tmp_path / "functions").mkdir()
        with pytest.raises(SourceError, match=r"main\.py"):
            record(tmp_path)

    def test_without_its_source_nothing_at_all_is_declared(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a program has declared goes to the engine even when the program then ends in an error."""
        declared: list[str] = []
        of_resource = pulumi.Resource.__init__

        def noted(self: pulumi.Resource, kind: str, *given: Any, **named: Any) -> None:
            declared.append(kind)
            of_resource(self, kind, *given, **named)

        monkeypatch.setattr(pulumi.Resource, "__init__", noted)
        with pytest.raises(SourceError):
            record(tmp_path)
        assert [kind for kind in declared if kind != "pulumi:pulumi:Stack"] == []

    def test_the_engine_has_a_campaigns_foundation_while_the_program_still_declares_the_campaign(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known: dict[str, list[str]] = {}
        of_campaign = Campaign.__init__

        def noted(self: Campaign, campaign: Any, *given: Any, **named: Any) -> None:
            monitor: Any = pulumi.runtime.settings.get_monitor()
            known[campaign.name] = list(monitor.resources)
            of_campaign(self, campaign, *given, **named)

        monkeypatch.setattr(Campaign, "__init__", noted)
        record(root, [make_campaign("autumn"), make_campaign("summer")])
        for urns in known.values():
            assert {urn.rsplit("::", 1)[1] for urn in urns if urn.split("::")[2].endswith(":CampaignFoundation")} == {
                "autumn",
                "summer",
            }
        assert not [urn for urn in known["autumn"] if urn.split("::")[2].endswith(":Campaign")]
        assert [urn for urn in known["summer"] if urn.endswith("infra:Campaign::autumn")]

    def test_an_owner_that_lists_nobody_must_not_have_campaigns(self, root: Path) -> None:
        with pytest.raises(MembershipError) as caught:
            record(root, perimeter=owned(membership="delegated"))
        assert "Pulumi.test.yaml" in str(caught.value)
        assert "spring-launch" in str(caught.value)
        assert "pulumi config set plantain:campaigns ''" in str(caught.value)


class TestRepetition:
    def test_the_same_input_gives_the_same_resources(self, root: Path, stack: Recording) -> None:
        again = record(root)
        assert {urn: resource.inputs for urn, resource in again.resources.items()} == {
            urn: resource.inputs for urn, resource in stack.resources.items()
        }


class TestOutputs:
    def test_a_campaigns_outputs_are_what_others_rely_on(self, stack: Recording) -> None:
        assert stack.outputs["perimeter"] == "accessPolicies/987654321/servicePerimeters/plantain"
        campaign = stack.outputs["campaigns"]["spring-launch"]
        assert campaign["projectId"] == "spring-launch-0a1b2c3"
        assert re.fullmatch(r"\d+", campaign["projectNumber"])
        assert campaign["functionUri"] == "https://images.a.run.app"
        assert campaign["functionName"].endswith("spring-launch-images")
        assert campaign["bucket"] == "spring-launch-0a1b2c3-images"
        assert campaign["runtimeServiceAccount"] == "image-runtime@spring-launch-0a1b2c3.iam.gserviceaccount.com"
        assert set(campaign["keys"]) == {"function", "images", "logs"}
        assert {"function-instances", "images-per-minute", "success-fast"} <= set(campaign["alertPolicies"])
        assert set(campaign["objectives"]) == {"availability", "latency"}
        assert campaign["network"]
