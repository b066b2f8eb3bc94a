"""What the optional parts of a campaign's file make, and what they refuse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
import yaml

from infra import campaign_file, naming, project, queue
from infra.campaign_model import Campaign
from tests.infra.recording_engine import number
from tests.infra.stacks import document, make_campaign, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording

BUCKET = "storage/bucket:Bucket"


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root)


@pytest.fixture(scope="module")
def bare(root: Path) -> Recording:
    """Everything off that can be off."""
    off: dict[str, Any] = {
        "queue": {"enabled": False},
        "references": {"enabled": False},
        "images": {"accessLogs": False},
    }
    return record(root, [make_campaign(**off, logs={"dataAccess": []})])


@pytest.fixture(scope="module")
def central(root: Path) -> Recording:
    return record(root, [make_campaign(keys={"project": "acme-keys", "ring": "campaigns", "rotationDays": 30})])


TOPIC = "projects/plantain-seed/topics/budgets"
QUOTA = {
    "service": "aiplatform.googleapis.com",
    "quotaId": "GenerateContentImageGenPerProjectPerBaseModelGlobal",
    "value": 60,
    "dimensions": {"base_model": "gemini-3-pro-image"},
}


@pytest.fixture(scope="module")
def full(root: Path) -> Recording:
    """Everything said that can be said."""
    return record(
        root,
        [
            make_campaign(
                contacts=[f"oncall-{index}@example.com" for index in range(7)],
                images={"retentionDays": 365, "retentionLocked": True},
                references={"editors": ["group:studio@example.com"]},
                capacity={"imagesPerMinute": 90},
                function={"maxInstances": 4},
                budget={"amount": 50, "currency": "EUR", "topic": TOPIC},
                keys={"hardware": True},
                quotas=[QUOTA],
            )
        ],
    )


def bucket(stack: Recording, kind: str) -> dict[str, Any]:
    return stack.named(BUCKET, f"spring-launch-{kind}-bucket").inputs


class TestBuckets:
    def test_usage_logs_of_every_other_bucket_go_to_one_of_their_own(self, stack: Recording) -> None:
        logs = bucket(stack, "access-logs")
        assert "logging" not in logs
        for kind in ("images", "references", "source"):
            assert bucket(stack, kind)["logging"]["logBucket"] == logs["name"]
            assert bucket(stack, kind)["logging"]["logObjectPrefix"] == bucket(stack, kind)["name"]

    def test_only_google_may_write_usage_logs_and_before_any_is_asked_for(self, stack: Recording) -> None:
        grant = stack.named("storage/bucketIAMMember:BucketIAMMember", "spring-launch-access-logs-writer")
        assert grant.inputs["member"] == "group:cloud-storage-analytics@google.com"
        assert grant.inputs["role"] == "roles/storage.objectCreator"
        assert grant.urn in stack.ancestors(stack.named(BUCKET, "spring-launch-images-bucket"))

    def test_none_is_public_and_all_are_recoverable(self, stack: Recording) -> None:
        assert len(stack.of_type(BUCKET)) == 4
        for found in stack.of_type(BUCKET):
            assert found.inputs["publicAccessPrevention"] == "enforced"
            assert found.inputs["uniformBucketLevelAccess"] is True
            assert found.inputs["softDeletePolicy"]["retentionDurationSeconds"] >= 7 * 86_400

    def test_what_is_kept_by_a_rule_has_no_older_versions(self, full: Recording) -> None:
        inputs = bucket(full, "images")
        assert inputs["retentionPolicy"] == {"retentionPeriod": str(365 * 86_400), "isLocked": True}
        assert inputs["versioning"] == {"enabled": False}

    def test_who_may_put_references_there_is_named(self, full: Recording) -> None:
        (grant,) = [
            one.inputs
            for one in full.of_type("storage/bucketIAMMember:BucketIAMMember")
            if one.inputs["member"] == "group:studio@example.com"
        ]
        assert grant["bucket"].endswith("-references")
        assert grant["role"] == "roles/storage.objectUser"

    def test_all_of_it_can_be_left_out(self, bare: Recording) -> None:
        assert {found.name for found in bare.of_type(BUCKET)} == {
            "spring-launch-images-bucket",
            "spring-launch-source-bucket",
        }
        environment = bare.only("cloudfunctionsv2/function:Function").inputs["serviceConfig"]["environmentVariables"]
        assert not {"PLANTAIN_QUEUE", "PLANTAIN_REFERENCE_BUCKETS"} & set(environment)


class TestQueue:
    def test_it_sends_no_faster_than_the_campaign_may_ask(self, full: Recording) -> None:
        limits = full.only("cloudtasks/queue:Queue").inputs["rateLimits"]
        assert limits == {"maxDispatchesPerSecond": 1.5, "maxConcurrentDispatches": 32}

    @pytest.mark.parametrize(("images", "rate"), [(1, 0.017), (60, 1.0), (10_000, 166.667)])
    def test_a_rate_is_never_none_at_all(self, images: int, rate: float) -> None:
        assert queue.dispatches_per_second(images) == pytest.approx(rate)

    def test_the_function_may_put_tasks_in_before_it_starts(self, stack: Recording) -> None:
        before = {one.name for one in stack.comes_after(stack.only("cloudfunctionsv2/function:Function"))}
        assert {"spring-launch-runtime-enqueuer", "spring-launch-runtime-act-as-itself"} <= before

    def test_without_a_queue_nobody_may_act_as_the_function(self, bare: Recording) -> None:
        assert bare.of_type("cloudtasks/queue:Queue") == []
        roles = {grant.inputs["role"] for grant in bare.of_type("serviceaccount/iAMMember:IAMMember")}
        assert roles == {"roles/iam.serviceAccountTokenCreator"}
        assert "roles/cloudtasks.serviceAgent" not in {
            grant.inputs["role"] for grant in bare.of_type("projects/iAMMember:IAMMember")
        }


class TestAuditLogs:
    def test_every_read_and_write_of_data_is_logged_for_each_api(self, stack: Recording, bare: Recording) -> None:
        configurations = [one.inputs for one in stack.of_type("projects/iAMAuditConfig:IAMAuditConfig")]
        assert {one["service"] for one in configurations} == {
            "aiplatform.googleapis.com",
            "cloudkms.googleapis.com",
            "secretmanager.googleapis.com",
            "storage.googleapis.com",
        }
        for one in configurations:
            kinds = {config["logType"] for config in one["auditLogConfigs"]}
            assert kinds == {"ADMIN_READ", "DATA_READ", "DATA_WRITE"}
        assert bare.of_type("projects/iAMAuditConfig:IAMAuditConfig") == []


class TestBudget:
    def test_it_watches_85_percent_of_money_spent_and_forecast(self, stack: Recording) -> None:
        rules = stack.only("billing/budget:Budget").inputs["thresholdRules"]
        found = {(rule["thresholdPercent"], rule["spendBasis"]) for rule in rules}
        assert {(0.85, "CURRENT_SPEND"), (0.85, "FORECASTED_SPEND"), (1.0, "CURRENT_SPEND")} <= found

    def test_it_is_of_the_project_by_number(self, stack: Recording) -> None:
        inputs = stack.only("billing/budget:Budget").inputs
        assert inputs["budgetFilter"]["projects"] == [f"projects/{number('spring-launch')}"]
        assert "labels" not in inputs["budgetFilter"], "a budget filters by one label only"

    def test_the_currency_is_the_accounts_unless_the_file_says_so(self, full: Recording, stack: Recording) -> None:
        amount = stack.only("billing/budget:Budget").inputs["amount"]["specifiedAmount"]
        assert amount == {"units": "1000"}
        amount = full.only("billing/budget:Budget").inputs["amount"]["specifiedAmount"]
        assert amount == {"units": "50", "currencyCode": "EUR"}

    def test_it_tells_at_most_five_by_email(self, full: Recording) -> None:
        rule = full.only("billing/budget:Budget").inputs["allUpdatesRule"]
        assert len(rule["monitoringNotificationChannels"]) == 5

    def test_a_topic_of_another_project_may_be_told_too(self, full: Recording) -> None:
        assert full.only("billing/budget:Budget").inputs["allUpdatesRule"]["pubsubTopic"] == TOPIC


class TestKeys:
    def test_a_ring_of_others_is_neither_made_nor_read(self, central: Recording) -> None:
        assert central.of_type("kms/keyRing:KeyRing") == []
        rings = {key.inputs["keyRing"] for key in central.of_type("kms/cryptoKey:CryptoKey")}
        assert rings == {"projects/acme-keys/locations/europe-west4/keyRings/campaigns"}

    def test_keys_in_a_shared_ring_say_whose_they_are(self, central: Recording) -> None:
        names = {key.inputs["name"] for key in central.of_type("kms/cryptoKey:CryptoKey")}
        assert names == {f"spring-launch-0a1b2c3-{key}" for key in naming.KEYS}

    def test_in_a_project_that_stays_they_get_names_that_nobody_had_before(self, root: Path) -> None:
        adopted = {"existing": "acme-spring"}
        stack = record(root, [make_campaign(project=adopted, keys={"project": "acme-keys", "ring": "campaigns"})])
        assert [key.inputs.get("name") for key in stack.of_type("kms/cryptoKey:CryptoKey")] == [None] * 3

    def test_they_rotate_as_often_as_the_file_says(self, central: Recording) -> None:
        assert {key.inputs["rotationPeriod"] for key in central.of_type("kms/cryptoKey:CryptoKey")} == {"2592000s"}

    def test_the_campaigns_services_are_granted_them_as_ever(self, stack: Recording, central: Recording) -> None:
        token = "kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
        own = {(one.name, one.inputs["member"]) for one in stack.of_type(token)}
        assert own == {(one.name, one.inputs["member"]) for one in central.of_type(token)}

    def test_hardware_keys_are_asked_for_by_one_setting(self, full: Recording) -> None:
        levels = {key.inputs["versionTemplate"]["protectionLevel"] for key in full.of_type("kms/cryptoKey:CryptoKey")}
        assert levels == {"HSM"}

    def test_hardware_keys_have_names_of_their_own_because_a_name_is_never_free_again(self, full: Recording) -> None:
        names = {key.inputs["name"] for key in full.of_type("kms/cryptoKey:CryptoKey")}
        assert names == {"function-hardware", "images-hardware", "logs-hardware"}


class TestBinaryAuthorization:
    POLICY = "binaryauthorization/policy:Policy"
    FUNCTION = "cloudfunctionsv2/function:Function"

    def test_only_images_of_the_campaigns_repository_are_served_and_the_function_waits(self, root: Path) -> None:
        stack = record(root, [make_campaign(function={"binaryAuthorization": True})])
        policy = stack.only(self.POLICY)
        assert policy.inputs["defaultAdmissionRule"] == {
            "evaluationMode": "ALWAYS_DENY",
            "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
        }
        repository = "europe-west4-docker.pkg.dev/spring-launch-0a1b2c3/functions/**"
        assert policy.inputs["admissionWhitelistPatterns"] == [{"namePattern": repository}]
        function = stack.only(self.FUNCTION)
        assert function.inputs["serviceConfig"]["binaryAuthorizationPolicy"] == "default"
        assert policy.urn in stack.ancestors(function)
        apis = {service.inputs["service"] for service in stack.comes_after(policy) if "service" in service.inputs}
        assert "binaryauthorization.googleapis.com" in apis

    def test_nothing_is_asked_unless_the_file_says_so(self, stack: Recording) -> None:
        assert stack.of_type(self.POLICY) == []
        assert "binaryAuthorizationPolicy" not in stack.only(self.FUNCTION).inputs["serviceConfig"]
        apis = {service.inputs["service"] for service in stack.of_type("projects/service:Service")}
        assert "binaryauthorization.googleapis.com" not in apis

    def test_the_policy_of_a_project_of_others_is_asked_and_never_written(self, root: Path) -> None:
        existing = make_campaign(project={"existing": "acme-spring"}, function={"binaryAuthorization": True})
        stack = record(root, [existing])
        assert stack.of_type(self.POLICY) == []
        assert stack.only(self.FUNCTION).inputs["serviceConfig"]["binaryAuthorizationPolicy"] == "default"


class TestProjectOfOthers:
    LABELS = make_campaign().labels.as_labels()

    def test_a_project_with_the_labels_is_worked_in(self) -> None:
        found = {**self.LABELS, "team": "theirs"}
        assert project._with_labels("acme-spring", found, self.LABELS) == "acme-spring"

    def test_one_without_them_is_refused_with_the_command_that_sets_them(self) -> None:
        found = {**self.LABELS, "owner": "somebody"}
        with pytest.raises(pulumi.RunError) as caught:
            project._with_labels("acme-spring", found, self.LABELS)
        text = str(caught.value)
        assert "campaigns/spring-launch.yaml" in text
        assert "gcloud projects update acme-spring --update-labels=owner=brand-studio" in text
        assert "somebody" not in text


class TestQuotas:
    def test_a_quota_is_asked_for_by_project_service_and_id(self, full: Recording) -> None:
        inputs = full.only("cloudquota/sQuotaPreference:SQuotaPreference").inputs
        assert inputs["parent"] == "projects/spring-launch-0a1b2c3"
        assert inputs["quotaConfig"] == {"preferredValue": "60"}
        assert inputs["dimensions"] == {"base_model": "gemini-3-pro-image"}
        assert re.fullmatch(r"[a-z][a-z0-9-]{2,62}", inputs["name"])


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"function": {"minInstances": 11}}, "function"),
        ({"function": {"secrets": {"PLANTAIN_X": "projects/a-b-c-d/secrets/s/versions/1"}}}, "function.secrets"),
        ({"function": {"secrets": {"KEY": "the-secret-itself"}}}, "function.secrets.KEY"),
        ({"images": {"retentionLocked": True}}, "images"),
        ({"images": {"retentionDays": 800}}, "images"),
        ({"references": {"editors": ["allUsers"]}}, "references.editors[0]"),
        ({"logs": {"dataAccess": ["storage"]}}, "logs.dataAccess[0]"),
        ({"capacity": {"imagesPerMinute": 0}}, "capacity.imagesPerMinute"),
        ({"budget": {"amount": 0}}, "budget.amount"),
        ({"budget": {"currency": "euro"}}, "budget.currency"),
        ({"objectives": {"successRate": 1.0}}, "objectives.successRate"),
        ({"channels": {"slack": [{"channel": "campaigns", "token": "t"}]}}, "channels.slack[0].channel"),
        ({"channels": {"webhook": [{"url": "http://hooks.example.com"}]}}, "channels.webhook[0].url"),
        ({"channels": {"webhook": [{"url": "https://u:p@hooks.example.com"}]}}, "channels.webhook[0].url"),
        ({"quotas": [{"service": "aiplatform", "quotaId": "Q", "value": 1}]}, "quotas[0].service"),
        ({"build": {"dependencies": "internet"}}, "build.dependencies"),
        ({"keys": {"rotationDays": 91}}, "keys.rotationDays"),
        ({"project": {"existing": "Acme"}}, "project.existing"),
    ],
)
def test_a_wrong_option_is_refused_with_its_key_and_a_cure(changes: dict[str, Any], key: str) -> None:
    found = campaign_file.parse(yaml.safe_dump(document(**changes)), file="campaigns/spring-launch.yaml")
    assert not isinstance(found, Campaign)
    assert [problem.key for problem in found] == [key]
    assert all(problem.rule and problem.cure for problem in found)
