"""Rows of the checklist about one campaign, from its project to its budget."""

from __future__ import annotations

from infra.network import DOMAINS
from tests.infra.checklist_row import Row, Shown

FUNCTION = "cloudfunctionsv2/function:Function"
BUCKET = "storage/bucket:Bucket"
KEY = "kms/cryptoKey:CryptoKey"
IDENTITY = "projects/serviceIdentity:ServiceIdentity"
GRANT = "projects/iAMMember:IAMMember"
QUERY = "conditions.conditionPrometheusQueryLanguage.query"
ALERT = "monitoring/alertPolicy:AlertPolicy"
AGENTS = ("aiplatform", "artifactregistry", "cloudbuild", "cloudfunctions", "cloudtasks", "run")
ENCRYPTING = ("eventarc", "pubsub")

ROWS: tuple[Row, ...] = (
    Row(
        "project",
        "an id with a random suffix, labels, billing, no default network",
        (
            Shown("organizations/project:Project", "labels.owner", every=True),
            Shown("organizations/project:Project", "autoCreateNetwork", value=False, every=True),
            Shown("organizations/project:Project", "billingAccount", every=True),
        ),
        tests=("test_its_id_is_left_to_the_provider",),
    ),
    Row("project", "a lien", (Shown("resourcemanager/lien:Lien", "restrictions"),)),
    Row(
        "project",
        "its APIs, never disabled again, and waited for",
        (Shown("projects/service:Service", "disableOnDestroy", value=False, every=True),),
        tests=("test_all_apis_are_enabled_before_anything_that_needs_one",),
        instead="`cloudtrace`, `billingbudgets`, `essentialcontacts`, `sts`: called with the seed project, if at all",
    ),
    Row(
        "project",
        "default service accounts without roles",
        (Shown("orgpolicy/policy:Policy", "spec.rules.enforce", "TRUE"),),
        instead="`projects.DefaultServiceAccounts`: would race with the Compute API, which makes one; the organisation "
        "policy keeps roles from it",
    ),
    Row(
        "project",
        "data access logs",
        (Shown("projects/iAMAuditConfig:IAMAuditConfig", "auditLogConfigs.logType", "DATA_READ", every=True),),
        setting="logs.dataAccess",
    ),
    *(
        Row(
            "service agents",
            f"that of `{agent}`, made and given its role",
            (
                Shown(IDENTITY, "service", f"{agent}.googleapis.com"),
                Shown(GRANT, "role", f"roles/{agent}.serviceAgent"),
            ),
        )
        for agent in AGENTS
    ),
    *(
        Row(
            "service agents",
            f"that of `{agent}`, made and granted its key",
            (Shown(IDENTITY, "service", f"{agent}.googleapis.com"),),
            instead=f"`roles/{agent}.serviceAgent`: it would let the agent act as every account of the project, for "
            "triggers and pushed messages that a campaign has not",
        )
        for agent in ENCRYPTING
    ),
    Row(
        "service agents",
        "those of Storage and Logging, which cannot be made",
        tests=("test_the_two_agents_that_cannot_be_made_are_asked_for",),
    ),
    Row(
        "service agents",
        "that of Secret Manager",
        instead="campaigns make no secret; they read those that `function.secrets` names",
    ),
    Row(
        "keys",
        "a ring and keys that rotate within 90 days, with a delay before destruction",
        (
            Shown("kms/keyRing:KeyRing"),
            Shown(KEY, "rotationPeriod", "7776000s", every=True),
            Shown(KEY, "destroyScheduledDuration", "2592000s", every=True),
        ),
    ),
    Row("keys", "hardware", (Shown(KEY, "versionTemplate.protectionLevel", "HSM"),), setting="keys.hardware"),
    Row(
        "keys",
        "exactly the role that Artifact Registry looks for, before any consumer",
        (
            Shown(
                "kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
                "role",
                "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            ),
        ),
        tests=("test_a_consumer_comes_after_all_grants_of_its_key",),
    ),
    Row("keys", "one key for function and repository", tests=("test_function_repository_and_source_share_one_key",)),
    Row(
        "keys",
        "keys of a central project, a ring that exists",
        tests=("test_a_ring_of_others_is_neither_made_nor_read",),
        setting="keys.project, keys.ring",
    ),
    Row("keys", "Autokey", instead="not supported for functions of the Cloud Functions v2 API"),
    Row(
        "network",
        "a network without default routes, a subnet of /26 or larger with private access and flow logs",
        (
            Shown("compute/network:Network", "deleteDefaultRoutesOnCreate", value=True),
            Shown("compute/subnetwork:Subnetwork", "privateIpGoogleAccess", value=True),
            Shown("compute/subnetwork:Subnetwork", "logConfig"),
        ),
    ),
    Row(
        "network",
        "one route, to the restricted addresses",
        (Shown("compute/route:Route", "destRange", "199.36.153.4/30", every=True),),
        instead="IPv6 and DirectPath ranges: neither is used by the function",
    ),
    Row(
        "network",
        "private zones that send Google's names there",
        tuple(Shown("dns/managedZone:ManagedZone", "dnsName", domain) for domain in DOMAINS),
        instead="response policies: zones do the same for these five domains",
    ),
    Row("network", "a log of every query", (Shown("dns/policy:Policy", "enableLogging", value=True),)),
    Row(
        "network",
        "a firewall that refuses the rest and says so",
        (
            Shown("compute/firewall:Firewall", "denies.protocol", "all"),
            Shown("compute/firewall:Firewall", "logConfig.metadata"),
        ),
    ),
    Row(
        "network",
        "Private Service Connect, Shared VPC",
        instead="a campaign's network is its own and reaches nothing but the restricted addresses, so it needs no "
        "endpoint of its own and no host project",
    ),
    Row(
        "buckets",
        "uniform access, never public, a key and nothing without it, versions, soft delete, lifecycle",
        (
            Shown(BUCKET, "uniformBucketLevelAccess", value=True, every=True),
            Shown(BUCKET, "publicAccessPrevention", "enforced", every=True),
            Shown(BUCKET, "encryption.defaultKmsKeyName", every=True),
            Shown(
                BUCKET,
                "encryption.googleManagedEncryptionEnforcementConfig.restrictionMode",
                "FullyRestricted",
                every=True,
            ),
            Shown(BUCKET, "softDeletePolicy.retentionDurationSeconds", every=True),
            Shown(BUCKET, "lifecycleRules.action.storageClass", "ARCHIVE"),
        ),
    ),
    Row(
        "buckets",
        "a retention that can be locked",
        (Shown(BUCKET, "retentionPolicy.isLocked", value=True),),
        setting="images.retentionDays, images.retentionLocked",
    ),
    Row("buckets", "usage logs", (Shown(BUCKET, "logging.logBucket"),), setting="images.accessLogs"),
    Row(
        "build",
        "a source object named after its content",
        (Shown("storage/bucketObject:BucketObject"),),
        tests=("test_the_same_files_give_the_same_bytes",),
    ),
    Row(
        "build",
        "a repository with a key that is cleaned up",
        (
            Shown("artifactregistry/repository:Repository", "kmsKeyName", every=True),
            Shown("artifactregistry/repository:Repository", "cleanupPolicies"),
        ),
    ),
    Row(
        "build",
        "scans of images",
        (Shown("artifactregistry/repository:Repository", "vulnerabilityScanningConfig.enablementConfig", "INHERITED"),),
        setting="build.scan",
    ),
    Row(
        "build",
        "an identity of its own with three roles",
        (Shown("serviceaccount/account:Account", "accountId", "image-build"),),
        tests=("test_every_grant_is_needed_by_a_step_or_has_its_reason",),
    ),
    Row(
        "build",
        "a private pool without external addresses",
        (Shown("cloudbuild/workerPool:WorkerPool", "workerConfig.noExternalIp", value=True),),
        instead="peering and Private Service Connect: a pool that has no way out needs no network",
        setting="build.privatePool",
    ),
    Row(
        "build",
        "no package index: wheels in the archive, or a remote repository",
        (
            Shown(FUNCTION, "buildConfig.environmentVariables"),
            Shown("artifactregistry/repository:Repository", "mode", "REMOTE_REPOSITORY"),
            Shown("artifactregistry/vpcscConfig:VpcscConfig", "vpcscPolicy", "ALLOW"),
        ),
        setting="build.dependencies",
    ),
    Row(
        "function",
        "its key, its build identity and pool, internal ingress, all traffic through the network",
        (
            Shown(FUNCTION, "kmsKeyName"),
            Shown(FUNCTION, "buildConfig.serviceAccount"),
            Shown(FUNCTION, "buildConfig.workerPool"),
            Shown(FUNCTION, "serviceConfig.ingressSettings", "ALLOW_INTERNAL_ONLY"),
            Shown(FUNCTION, "serviceConfig.directVpcEgress", "VPC_EGRESS_ALL_TRAFFIC"),
            Shown(FUNCTION, "serviceConfig.directVpcNetworkInterfaces.subnetwork"),
            Shown(FUNCTION, "serviceConfig.secretEnvironmentVariables"),
        ),
    ),
    Row(
        "function",
        "callers by the Cloud Run service below it, nobody else",
        (Shown("cloudrunv2/serviceIamMember:ServiceIamMember", "role", "roles/run.invoker", every=True),),
        tests=("test_nothing_is_granted_to_everybody",),
    ),
    Row(
        "function",
        "an identity that may use the model and its bucket",
        (
            Shown(GRANT, "role", "roles/aiplatform.user"),
            Shown("storage/bucketIAMMember:BucketIAMMember", "role", "roles/storage.objectCreator"),
        ),
        instead="`logging.logWriter`, `monitoring.metricWriter`: Cloud Run writes what is printed; no metric is",
    ),
    Row(
        "function",
        "the model at `global`",
        (Shown(FUNCTION, "serviceConfig.environmentVariables.GOOGLE_CLOUD_LOCATION", "global"),),
    ),
    Row(
        "logs",
        "a bucket with the campaign's key, a sink, an exclusion",
        (
            Shown("logging/projectBucketConfig:ProjectBucketConfig", "cmekSettings.kmsKeyName", every=True),
            Shown("logging/projectSink:ProjectSink"),
            Shown("logging/projectExclusion:ProjectExclusion"),
        ),
    ),
    Row(
        "logs",
        "metrics of denials, of keys that are destroyed, of changed permissions",
        tuple(
            Shown("logging/metric:Metric", "name", name)
            for name in ("perimeter_denials", "key_destructions", "configuration_changes")
        ),
    ),
    Row(
        "alerts",
        "85 % of instances, concurrency, throughput, images a minute, quotas; denials, keys, success, latency",
        (
            Shown("monitoring/notificationChannel:NotificationChannel", "type", "email"),
            Shown("monitoring/notificationChannel:NotificationChannel", "type", "pubsub"),
            Shown("monitoring/notificationChannel:NotificationChannel", "type", "slack"),
            Shown("monitoring/notificationChannel:NotificationChannel", "type", "pagerduty"),
            Shown(ALERT, QUERY),
        ),
        tests=(
            "test_each_ceiling_is_watched_at_85_percent",
            "test_instances_are_watched_at_85_percent_of_the_campaigns",
        ),
        instead="a quota of the model: on pay-as-you-go there is none; failed builds and a silent budget topic: "
        "[capacity.md](capacity.md#what-has-no-signal)",
    ),
    Row(
        "alerts",
        "a dashboard for each campaign and one over all",
        (
            Shown("monitoring/dashboard:Dashboard"),
            Shown("monitoring/monitoredProject:MonitoredProject"),
            Shown("monitoring/slo:Slo"),
        ),
        setting="monitoringProject",
    ),
    Row(
        "budget",
        "by the project's number, at 50, 85, 100 % and forecast",
        (
            Shown("billing/budget:Budget", "budgetFilter.projects"),
            Shown("billing/budget:Budget", "thresholdRules.thresholdPercent", 0.85),
            Shown("billing/budget:Budget", "thresholdRules.spendBasis", "FORECASTED_SPEND"),
        ),
        instead="a cap: budgets tell, they do not stop; the function refuses beyond its own count",
    ),
    Row(
        "quotas",
        "preferences, and the adjuster",
        (
            Shown("cloudquota/sQuotaPreference:SQuotaPreference", "quotaConfig.preferredValue"),
            Shown("cloudquota/sQuotaAdjusterSettings:SQuotaAdjusterSettings", "enablement", "ENABLED"),
        ),
        instead="`serviceusage.ConsumerQuotaOverride`: the older way of the same",
        setting="quotas, capacity.quotaAdjuster",
    ),
)
