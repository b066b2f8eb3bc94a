"""One class for each component: what it promises about its own resources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from generation import claim
from infra import network
from infra.restricted_services import RESTRICTED_SERVICES
from tests.infra.recording_engine import number
from tests.infra.stacks import DEPLOYER, JOINED, joined, make_campaign, owned, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.recording_engine import Recording


@pytest.fixture(scope="module")
def stack(root: Path) -> Recording:
    return record(root)


class TestProject:
    """The provider draws the suffix of the id, the state keeps it, no program has to."""

    def test_its_id_is_left_to_the_provider(self, stack: Recording) -> None:
        project = stack.only("organizations/project:Project")
        assert "projectId" not in project.inputs
        assert project.name == "spring-launch", "the logical name is the stem of the id"

    def test_it_has_no_default_network(self, stack: Recording) -> None:
        assert stack.only("organizations/project:Project").inputs["autoCreateNetwork"] is False

    def test_it_is_billed_and_lies_below_the_organisation(self, stack: Recording) -> None:
        inputs = stack.only("organizations/project:Project").inputs
        assert inputs["billingAccount"] == "010101-ABCDEF-010101"
        assert inputs["orgId"] == "123456789012"

    def test_a_lien_stops_its_deletion_by_hand(self, stack: Recording) -> None:
        assert stack.only("resourcemanager/lien:Lien").inputs["restrictions"] == ["resourcemanager.projects.delete"]


class TestServiceAgents:
    def test_each_agent_that_works_for_the_campaign_gets_its_own_role_and_no_other(self, stack: Recording) -> None:
        roles = {
            grant.inputs["role"]: grant.inputs["member"]
            for grant in stack.of_type("projects/iAMMember:IAMMember")
            if grant.inputs["role"].endswith(".serviceAgent")
        }
        assert set(roles) == {
            f"roles/{service}.serviceAgent"
            for service in (
                "aiplatform",
                "artifactregistry",
                "cloudbuild",
                "cloudfunctions",
                "cloudtasks",
                "run",
            )
        }
        for role, member in roles.items():
            assert role.removeprefix("roles/").removesuffix(".serviceAgent") in member


class TestEncryption:
    """Keys rotate within 90 days and cannot be lost in a moment."""

    def test_keys_rotate_every_90_days(self, stack: Recording) -> None:
        periods = {key.inputs["rotationPeriod"] for key in stack.of_type("kms/cryptoKey:CryptoKey")}
        assert {int(period.removesuffix("s")) for period in periods} == {90 * 86_400}

    def test_a_destroyed_version_can_be_restored_for_30_days(self, stack: Recording) -> None:
        delays = {key.inputs["destroyScheduledDuration"] for key in stack.of_type("kms/cryptoKey:CryptoKey")}
        assert {int(delay.removesuffix("s")) for delay in delays} == {30 * 86_400}

    def test_keys_are_in_the_region_of_what_they_encrypt(self, stack: Recording) -> None:
        assert stack.only("kms/keyRing:KeyRing").inputs["location"] == "europe-west4"
        assert {bucket.inputs["location"] for bucket in stack.of_type("storage/bucket:Bucket")} == {"EUROPE-WEST4"}
        assert stack.only("artifactregistry/repository:Repository").inputs["location"] == "europe-west4"
        assert stack.only("cloudfunctionsv2/function:Function").inputs["location"] == "europe-west4"

    def test_the_ring_is_named_after_the_project_because_rings_last_for_ever(self, stack: Recording) -> None:
        assert stack.only("kms/keyRing:KeyRing").inputs["name"] == "spring-launch-0a1b2c3"

    def test_grants_are_exactly_encrypt_and_decrypt(self, stack: Recording) -> None:
        roles = {grant.inputs["role"] for grant in stack.of_type("kms/cryptoKeyIAMMember:CryptoKeyIAMMember")}
        assert roles == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}


class TestNetwork:
    """From a campaign's network nothing can be reached but Google's restricted addresses."""

    def test_the_only_route_leads_to_the_restricted_range(self, stack: Recording) -> None:
        assert stack.only("compute/network:Network").inputs["deleteDefaultRoutesOnCreate"] is True
        assert [route.inputs["destRange"] for route in stack.of_type("compute/route:Route")] == ["199.36.153.4/30"]

    def test_every_name_resolves_to_the_restricted_addresses(self, stack: Recording) -> None:
        every = [resource.inputs for resource in stack.of_type("dns/recordSet:RecordSet")]
        addresses = [entry for entry in every if entry["type"] == "A"]
        assert {tuple(entry["rrdatas"]) for entry in addresses} == {network.RESTRICTED_ADDRESSES}
        hosts = {entry["name"] for entry in addresses}
        aliases = [entry for entry in every if entry["type"] == "CNAME"]
        assert len(addresses) + len(aliases) == len(every)
        for entry in aliases:
            assert entry["name"].startswith("*.")
            assert set(entry["rrdatas"]) <= hosts

    def test_the_five_domains_have_private_zones(self, stack: Recording) -> None:
        zones = stack.of_type("dns/managedZone:ManagedZone")
        assert {zone.inputs["dnsName"] for zone in zones} == set(network.DOMAINS)
        assert {zone.inputs["visibility"] for zone in zones} == {"private"}
        for zone in zones:
            (network_of_zone,) = zone.inputs["privateVisibilityConfig"]["networks"]
            assert network_of_zone["networkUrl"].endswith("/spring-launch-0a1b2c3/global/networks/campaign")

    def test_everything_else_is_refused_and_logged(self, stack: Recording) -> None:
        rules = {rule.inputs["name"]: rule.inputs for rule in stack.of_type("compute/firewall:Firewall")}
        for direction in ("egress", "ingress"):
            rule = rules[f"deny-{direction}"]
            assert rule["denies"] == [{"protocol": "all"}]
            assert rule["priority"] == 65534
            assert rule["logConfig"]
        assert rules["deny-egress"]["destinationRanges"] == ["0.0.0.0/0"]

    def test_only_https_to_the_restricted_range_is_allowed(self, stack: Recording) -> None:
        allowed = [rule.inputs for rule in stack.of_type("compute/firewall:Firewall") if rule.inputs.get("allows")]
        assert len(allowed) == 1
        assert allowed[0]["allows"] == [{"protocol": "tcp", "ports": ["443"]}]
        assert allowed[0]["destinationRanges"] == ["199.36.153.4/30"]
        assert allowed[0]["direction"] == "EGRESS"

    def test_the_subnet_reaches_google_privately_and_is_logged(self, root: Path) -> None:
        stack = record(root, [make_campaign(network={"ipRange": "10.9.0.0/24"})])
        subnet = stack.only("compute/subnetwork:Subnetwork").inputs
        assert subnet["privateIpGoogleAccess"] is True
        assert subnet["ipCidrRange"] == "10.9.0.0/24"
        assert subnet["logConfig"]["flowSampling"] == 1.0

    def test_another_range_is_a_subnet_beside_the_old_one(self, stack: Recording) -> None:
        subnet = stack.only("compute/subnetwork:Subnetwork")
        assert "name" not in subnet.inputs, "the provider draws a suffix"
        assert not subnet.delete_before_replace

    def test_a_repository_with_another_key_takes_the_place_of_the_old_one(self, stack: Recording) -> None:
        assert stack.only("artifactregistry/repository:Repository").delete_before_replace


class TestBuckets:
    """Never public, hard to lose, and colder with age."""

    def test_no_bucket_is_public_or_has_object_rules(self, stack: Recording) -> None:
        for bucket in stack.of_type("storage/bucket:Bucket"):
            assert bucket.inputs["publicAccessPrevention"] == "enforced"
            assert bucket.inputs["uniformBucketLevelAccess"] is True
            assert bucket.inputs["versioning"] == {"enabled": True}

    def test_nothing_is_stored_that_another_key_encrypts(self, root: Path) -> None:
        labels = {"owner": "cloud-platform", "cost-center": "cc-1000"}
        stacks = (record(root), record(root, [], perimeter=None, labels=labels, bootstrap={}))
        for bucket in (bucket for stack in stacks for bucket in stack.of_type("storage/bucket:Bucket")):
            encryption = bucket.inputs["encryption"]
            assert encryption.pop("defaultKmsKeyName")
            assert encryption == {
                f"{kind}EncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"}
                for kind in ("googleManaged", "customerSupplied")
            }

    def test_images_move_and_go_as_the_campaign_says(self, root: Path) -> None:
        images = {"nearlineAfterDays": 7, "archiveAfterDays": 60, "deleteAfterDays": 400, "recoverableDays": 14}
        stack = record(root, [make_campaign(images=images)])
        bucket = stack.named("storage/bucket:Bucket", "spring-launch-images-bucket").inputs
        ages = {
            rule["action"].get("storageClass", rule["action"]["type"]): rule["condition"].get("age")
            for rule in bucket["lifecycleRules"]
            if rule["condition"].get("withState") != "ARCHIVED" and "matchesPrefixes" not in rule["condition"]
        }
        assert ages == {"NEARLINE": 7, "ARCHIVE": 60, "Delete": 400, "AbortIncompleteMultipartUpload": 7}
        assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 14 * 86_400}

    def test_the_functions_claims_are_gone_after_a_day(self, stack: Recording) -> None:
        bucket = stack.named("storage/bucket:Bucket", "spring-launch-images-bucket").inputs
        (condition,) = [
            rule["condition"] for rule in bucket["lifecycleRules"] if "matchesPrefixes" in rule["condition"]
        ]
        assert condition["matchesPrefixes"] == [f"{claim.PREFIX}/"]
        assert condition["age"] == 1

    def test_sources_are_not_deleted_by_age(self, stack: Recording) -> None:
        bucket = stack.named("storage/bucket:Bucket", "spring-launch-source-bucket").inputs
        deletes = [rule for rule in bucket["lifecycleRules"] if rule["action"]["type"] == "Delete"]
        assert [rule["condition"] for rule in deletes] == [{"daysSinceNoncurrentTime": 1, "withState": "ARCHIVED"}]


class TestLogs:
    """Entries are kept in a bucket with the campaign's key, and nowhere else."""

    def test_they_are_kept_as_long_as_the_campaign_says(self, root: Path) -> None:
        stack = record(root, [make_campaign(logs={"retentionDays": 90})])
        bucket = stack.only("logging/projectBucketConfig:ProjectBucketConfig").inputs
        assert bucket["retentionDays"] == 90
        assert bucket["location"] == "europe-west4", "a log bucket with a key cannot be global"
        assert "locked" not in bucket

    def test_on_request_that_can_never_be_taken_back(self, root: Path) -> None:
        stack = record(root, [make_campaign(logs={"locked": True})])
        assert stack.only("logging/projectBucketConfig:ProjectBucketConfig").inputs["locked"] is True

    def test_the_sink_fills_the_bucket_with_every_entry(self, stack: Recording) -> None:
        sink = stack.only("logging/projectSink:ProjectSink").inputs
        assert sink["destination"].startswith("logging.googleapis.com/")
        assert "filter" not in sink

    def test_the_first_bucket_stops_keeping_entries_only_when_the_other_one_does(self, stack: Recording) -> None:
        exclusion = stack.only("logging/projectExclusion:ProjectExclusion")
        assert stack.only("logging/projectSink:ProjectSink").urn in stack.ancestors(exclusion)


class TestQuotas:
    """What a campaign asks for, and what Google raises by itself."""

    def test_the_adjuster_is_switched_on_for_the_project_by_number(self, root: Path) -> None:
        stack = record(root, [make_campaign(capacity={"quotaAdjuster": True})])
        adjuster = stack.only("cloudquota/sQuotaAdjusterSettings:SQuotaAdjusterSettings")
        assert adjuster.inputs == {"parent": f"projects/{number('spring-launch')}", "enablement": "ENABLED"}
        apis = {service.inputs["service"] for service in stack.of_type("projects/service:Service")}
        assert "cloudquotas.googleapis.com" in apis


class TestAccounts:
    """The identity that runs and the one that builds can do what they must, and nothing for each other."""

    def roles(self, stack: Recording, account: str) -> set[tuple[str, str]]:
        return {
            (resource.type.split(":")[-1], resource.inputs["role"])
            for resource in stack.cloud()
            if resource.inputs.get("member", "").startswith(f"serviceAccount:{account}@")
        }

    def test_the_runtime_may_call_the_model_keep_images_and_put_requests_off(self, stack: Recording) -> None:
        assert self.roles(stack, "image-runtime") == {
            ("IAMMember", "roles/aiplatform.user"),
            ("IAMMember", "roles/iam.serviceAccountTokenCreator"),
            ("IAMMember", "roles/iam.serviceAccountUser"),
            ("BucketIAMMember", "roles/storage.objectCreator"),
            ("BucketIAMMember", "roles/storage.objectViewer"),
            ("QueueIamMember", "roles/cloudtasks.enqueuer"),
            ("ServiceIamMember", "roles/run.invoker"),
        }

    def test_the_runtime_may_write_images_only(self, stack: Recording) -> None:
        grants = stack.of_type("storage/bucketIAMMember:BucketIAMMember")
        written = {
            grant.inputs["bucket"]
            for grant in grants
            if "image-runtime" in grant.inputs["member"] and not grant.inputs["role"].endswith("objectViewer")
        }
        assert written == {"spring-launch-0a1b2c3-images"}

    def test_the_runtime_may_sign_and_act_as_itself_only(self, stack: Recording) -> None:
        for grant in stack.of_type("serviceaccount/iAMMember:IAMMember"):
            assert grant.inputs["serviceAccountId"].endswith(grant.inputs["member"].removeprefix("serviceAccount:"))

    def test_the_runtime_reads_a_secret_only_when_the_campaign_names_it(self, root: Path, stack: Recording) -> None:
        token = "secretmanager/secretIamMember:SecretIamMember"
        assert stack.of_type(token) == []
        secrets = {"BRAND_KEY": "projects/acme-spring/secrets/brand-key/versions/3"}
        with_secret = record(root, [make_campaign(function={"secrets": secrets})])
        grant = with_secret.only(token).inputs
        assert (grant["project"], grant["secretId"]) == ("acme-spring", "brand-key")
        assert grant["member"].startswith("serviceAccount:image-runtime@")

    def test_the_runtime_reads_no_bucket_but_those_of_images_and_references(self, stack: Recording) -> None:
        buckets = {
            grant.inputs["bucket"]
            for grant in stack.of_type("storage/bucketIAMMember:BucketIAMMember")
            if "image-runtime" in grant.inputs["member"]
        }
        assert buckets == {"spring-launch-0a1b2c3-images", "spring-launch-0a1b2c3-references"}

    def test_the_build_may_log_push_and_read_the_copied_source(self, stack: Recording) -> None:
        assert self.roles(stack, "image-build") == {
            ("IAMMember", "roles/logging.logWriter"),
            ("IAMMember", "roles/storage.objectViewer"),
            ("RepositoryIamMember", "roles/artifactregistry.writer"),
        }

    def test_the_build_reads_in_the_project_only_what_cloud_functions_copied(self, stack: Recording) -> None:
        grant = stack.named("projects/iAMMember:IAMMember", "spring-launch-build-copied-source-viewer").inputs
        assert "gcf-v2-sources-" in grant["condition"]["expression"]


class TestFunction:
    """It runs inside: all traffic through the campaign's network, no way in from outside Google's."""

    def config(self, stack: Recording) -> dict[str, Any]:
        config = stack.only("cloudfunctionsv2/function:Function").inputs["serviceConfig"]
        assert isinstance(config, dict)
        return config

    def test_all_its_traffic_leaves_through_the_campaigns_network(self, stack: Recording) -> None:
        config = self.config(stack)
        assert config["directVpcEgress"] == "VPC_EGRESS_ALL_TRAFFIC"
        (interface,) = config["directVpcNetworkInterfaces"]
        assert "spring-launch-subnet" in interface["subnetwork"]
        assert "vpcConnector" not in config

    def test_it_cannot_be_called_from_the_internet(self, stack: Recording) -> None:
        assert self.config(stack)["ingressSettings"] == "ALLOW_INTERNAL_ONLY"

    def test_it_is_built_by_one_identity_and_runs_as_another(self, stack: Recording) -> None:
        build = stack.only("cloudfunctionsv2/function:Function").inputs["buildConfig"]
        assert "image-build@" in build["serviceAccount"]
        assert self.config(stack)["serviceAccountEmail"].startswith("image-runtime@")

    def test_its_source_is_named_after_its_content(self, stack: Recording, tmp_path: Path) -> None:
        (tmp_path / "functions").mkdir()
        (tmp_path / "functions" / "main.py").write_text("def images(request): return 'other'\n")
        (tmp_path / "functions" / "requirements.txt").write_text("functions-framework\n")
        (tmp_path / "wheels").mkdir()
        (tmp_path / "wheels" / "other.whl").write_bytes(b"another wheel")
        other = record(tmp_path)
        token = "storage/bucketObject:BucketObject"
        assert stack.only(token).inputs["name"] != other.only(token).inputs["name"]
        build = stack.only("cloudfunctionsv2/function:Function").inputs["buildConfig"]
        assert build["source"]["storageSource"]["object"] == stack.only(token).inputs["name"]

    def test_it_asks_for_the_generation_of_that_very_object(self, stack: Recording) -> None:
        build = stack.only("cloudfunctionsv2/function:Function").inputs["buildConfig"]
        assert build["source"]["storageSource"]["generation"] == 1_700_000_000_000_000

    def test_its_size_is_the_campaigns(self, root: Path) -> None:
        function = {"maxInstances": 4, "concurrency": 3, "memory": "4Gi", "timeoutSeconds": 300}
        config = self.config(record(root, [make_campaign(function=function)]))
        assert config["maxInstanceCount"] == 4
        assert config["maxInstanceRequestConcurrency"] == 3
        assert config["availableMemory"] == "4Gi"
        assert config["timeoutSeconds"] == 300

    @pytest.mark.parametrize(
        ("function", "cpu"),
        [
            ({}, "1"),
            ({"memory": "4Gi"}, "1"),
            ({"memory": "5Gi"}, "2"),
            ({"memory": "16Gi"}, "4"),
            ({"cpu": 2}, "2"),
            ({"cpu": 4, "memory": "2Gi"}, "4"),
        ],
    )
    def test_it_has_as_many_processors_as_its_memory_takes_and_a_server_process_on_each(
        self, root: Path, function: dict[str, Any], cpu: str
    ) -> None:
        config = self.config(record(root, [make_campaign(function=function)]))
        assert (config["availableCpu"], config["environmentVariables"]["WORKERS"]) == (cpu, cpu)

    def test_its_environment_says_who_it_works_for(self, stack: Recording) -> None:
        environment = self.config(stack)["environmentVariables"]
        assert json.loads(environment.pop("PLANTAIN_LABELS")) == make_campaign().labels.as_labels()
        assert json.loads(environment.pop("PLANTAIN_BUDGET")) == {"amount": 1000, "currency": "USD", "window": "month"}
        assert environment.pop("PLANTAIN_QUEUE").endswith("spring-launch-queue")
        assert environment == {
            "PLANTAIN_CALLERS_PER_MINUTE": "60",
            "WORKERS": "1",
            "PLANTAIN_REFERENCE_BUCKETS": "spring-launch-0a1b2c3-references",
            "GOOGLE_CLOUD_PROJECT": "spring-launch-0a1b2c3",
            "GOOGLE_CLOUD_LOCATION": "global",
            "PLANTAIN_CAMPAIGN": "spring-launch",
            "PLANTAIN_BUCKET": "spring-launch-0a1b2c3-images",
            "PLANTAIN_MODEL": "gemini-3-pro-image",
            "PLANTAIN_SERVICE_ACCOUNT": "image-runtime@spring-launch-0a1b2c3.iam.gserviceaccount.com",
        }

    def test_invokers_are_let_in_by_cloud_run_which_answers_for_the_function(self, root: Path) -> None:
        invokers = ["group:brand-studio@example.com", "group:agency@example.com"]
        stack = record(root, [make_campaign(invokers=invokers)])
        grants = stack.of_type("cloudrunv2/serviceIamMember:ServiceIamMember")
        queue = "serviceAccount:image-runtime@spring-launch-0a1b2c3.iam.gserviceaccount.com"
        assert sorted(grant.inputs["member"] for grant in grants) == sorted([*invokers, queue])
        assert {grant.inputs["name"] for grant in grants} == {"images"}
        assert stack.of_type("cloudfunctionsv2/functionIamMember:FunctionIamMember") == []


PERIMETER = "accesscontextmanager/servicePerimeter:ServicePerimeter"


class TestOwnedPerimeter:
    def test_an_enforced_perimeter_has_the_same_rules_in_both_configurations(self, stack: Recording) -> None:
        inputs = stack.only(PERIMETER).inputs
        assert inputs["status"] == inputs["spec"]
        assert inputs["useExplicitDryRunSpec"] is True

    def test_a_dry_run_perimeter_refuses_nothing(self, root: Path) -> None:
        inputs = record(root, perimeter=owned(enforcement="dry-run")).only(PERIMETER).inputs
        assert "status" not in inputs
        assert inputs["spec"]["resources"]

    def test_inline_members_are_the_stacks_campaigns_and_those_it_was_told_of(self, root: Path) -> None:
        campaigns = [make_campaign("autumn"), make_campaign("summer")]
        perimeter = record(root, campaigns, perimeter=owned(otherMembers=["projects/5"])).only(PERIMETER)
        members = {f"projects/{number('autumn')}", f"projects/{number('summer')}", "projects/5"}
        assert set(perimeter.inputs["status"]["resources"]) == members
        assert perimeter.ignore_changes == ()

    def test_a_delegated_owner_lists_nobody_and_leaves_those_it_finds(self, root: Path) -> None:
        perimeter = record(root, [], perimeter=owned(membership="delegated")).only(PERIMETER)
        assert perimeter.inputs["status"]["resources"] == []
        assert perimeter.ignore_changes == ("status.resources", "spec.resources")

    def test_it_restricts_what_a_campaign_uses_and_what_the_settings_add(self, root: Path) -> None:
        stack = record(root, perimeter=owned(additionalServices=["redis.googleapis.com"]))
        services = stack.only(PERIMETER).inputs["status"]["restrictedServices"]
        assert set(services) == {*RESTRICTED_SERVICES, "redis.googleapis.com"}
        assert services == sorted(services)

    def test_from_inside_only_restricted_services_can_be_reached(self, stack: Recording) -> None:
        accessible = stack.only(PERIMETER).inputs["status"]["vpcAccessibleServices"]
        assert accessible == {"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]}

    def test_the_deployer_comes_in_with_its_access_level(self, stack: Recording) -> None:
        (rule,) = stack.only(PERIMETER).inputs["status"]["ingressPolicies"]
        assert rule["ingressFrom"]["identities"] == [DEPLOYER]
        level = stack.only("accesscontextmanager/accessLevel:AccessLevel")
        assert rule["ingressFrom"]["sources"] == [{"accessLevel": level.inputs["name"]}]
        assert level.inputs["basic"]["conditions"][0]["members"] == [DEPLOYER]

    def test_the_level_asks_for_an_address_range_when_the_settings_do(self, root: Path) -> None:
        stack = record(root, perimeter=owned(ipSubnetworks=["203.0.113.0/24"]))
        (condition,) = stack.only("accesscontextmanager/accessLevel:AccessLevel").inputs["basic"]["conditions"]
        assert condition["ipSubnetworks"] == ["203.0.113.0/24"]

    def test_a_policy_is_made_only_when_none_is_given(self, root: Path, stack: Recording) -> None:
        policy = "accesscontextmanager/accessPolicy:AccessPolicy"
        assert stack.only(policy).inputs["parent"] == "organizations/123456789012"
        given = record(root, perimeter=owned(accessPolicy="accessPolicies/42"))
        assert given.of_type(policy) == []
        assert given.only(PERIMETER).inputs["parent"] == "accessPolicies/42"

    def test_a_policy_is_scoped_to_the_folder_when_there_is_one(self, root: Path) -> None:
        stack = record(root, folder="folders/234567890123")
        policy = stack.only("accesscontextmanager/accessPolicy:AccessPolicy")
        assert policy.inputs["scopes"] == "folders/234567890123"

    def test_titles_are_unique_so_a_replacement_waits_for_the_deletion(self, stack: Recording) -> None:
        assert stack.only(PERIMETER).delete_before_replace
        assert stack.only("accesscontextmanager/accessLevel:AccessLevel").delete_before_replace


class TestJoinedPerimeter:
    """A campaign adds itself and nothing else."""

    def test_an_enforced_member_is_in_the_enforced_configuration(self, root: Path) -> None:
        stack = record(root, perimeter=joined())
        member = stack.only("accesscontextmanager/servicePerimeterResource:ServicePerimeterResource").inputs
        assert member["perimeterName"] == JOINED
        assert member["resource"] == f"projects/{number('spring-launch')}"

    def test_a_dry_run_member_is_in_the_dry_run_configuration_only(self, root: Path) -> None:
        stack = record(root, perimeter=joined(enforcement="dry-run"))
        kinds = {resource.type for resource in stack.cloud() if "accesscontextmanager" in resource.type}
        assert kinds == {"gcp:accesscontextmanager/servicePerimeterDryRunResource:ServicePerimeterDryRunResource"}

    def test_it_owns_no_perimeter(self, root: Path) -> None:
        stack = record(root, perimeter=joined())
        assert stack.of_type(PERIMETER) == []
        assert stack.outputs["perimeter"] == JOINED

    @pytest.mark.parametrize(
        ("enforcement", "token"),
        [
            ("enforced", "servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy"),
            ("dry-run", "servicePerimeterDryRunIngressPolicy:ServicePerimeterDryRunIngressPolicy"),
        ],
    )
    def test_an_ingress_rule_is_added_on_request_and_after_the_membership(
        self, root: Path, enforcement: str, token: str
    ) -> None:
        stack = record(root, perimeter=joined(enforcement=enforcement, deployers=[DEPLOYER]))
        rule = stack.only(f"accesscontextmanager/{token}")
        assert rule.inputs["ingressTo"]["resources"] == [f"projects/{number('spring-launch')}"]
        before = {resource.name for resource in stack.comes_after(rule)}
        assert "spring-launch-member" in before, "a rule may only name members"
