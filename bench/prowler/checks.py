"""Which of Prowler's checks ask what one of our controls asks, of what, and where the two mean different things.

Source: the checks of Prowler 5.46.0 (github.com/prowler-cloud/prowler), read 2026-11-21.
"""

from __future__ import annotations

from dataclasses import dataclass

PROJECT = ""
"""Both judge the project as a whole."""
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
FUNCTION = "gcp:cloudfunctionsv2/function:Function"
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 -- a type
GRANT = "gcp:projects/iAMMember:IAMMember"

TEXTS = (
    "Prowler looks for the benchmark's filter word for word. The control asks whether the filter of any alert, in a "
    "metric or in the alert itself, matches the methods; a campaign counts them all with one metric."
)
SINK = (
    "Prowler knows sinks without a filter only, of the project or above it. The control asks whether anything is left "
    "out, and whether a sink is on: Prowler takes a disabled one for a sink."
)


@dataclass(frozen=True)
class Shared:
    """One check of Prowler's and what we judge by.

    Attributes:
        check: Prowler's name.
        controls: ours; all of them have to pass.
        type: of the resources that both judge one by one, or PROJECT.
        differs: why the two may disagree, for a reader; empty: they must agree.
    """

    check: str
    controls: tuple[str, ...]
    type: str = PROJECT
    differs: str = ""


def _alert(name: str, control: str) -> Shared:
    return Shared(f"logging_log_metric_filter_and_alert_for_{name}_changes_enabled", (control,), differs=TEXTS)


SHARED = (
    Shared("cloudstorage_bucket_public_access", ("iam-not-public",), BUCKET_GRANT),
    Shared("cloudstorage_bucket_uniform_bucket_level_access", ("storage-uniform-access",), BUCKET),
    Shared(
        "cloudstorage_bucket_versioning_enabled",
        ("storage-recoverable",),
        BUCKET,
        "The control asks for old versions and for soft deletion, and for neither where a retention policy forbids "
        "deletion; Prowler asks for each with a check of its own.",
    ),
    Shared(
        "cloudstorage_bucket_soft_delete_enabled",
        ("storage-recoverable",),
        BUCKET,
        "As for versions: the control asks for both.",
    ),
    Shared(
        "cloudstorage_bucket_lifecycle_management_enabled",
        ("storage-images-expire",),
        BUCKET,
        "Prowler is content with any rule; the control asks that images are deleted, and of buckets for images only.",
    ),
    Shared(
        "cloudstorage_bucket_log_retention_policy_lock",
        ("storage-evidence-locked",),
        BUCKET,
        "Prowler knows evidence by a sink that writes there; the control by the label `purpose`.",
    ),
    Shared("cloudstorage_audit_logs_enabled", ("audit-logs-complete",)),
    Shared("cloudstorage_uses_vpc_service_controls", ("perimeter-has-campaigns",)),
    Shared("kms_key_not_publicly_accessible", ("key-not-public",), KEY_GRANT),
    Shared(
        "kms_key_rotation_enabled",
        ("key-rotation",),
        KEY,
        "Prowler is content with any period and has a second check for its length; the control asks for 90 days.",
    ),
    Shared(
        "kms_key_rotation_max_90_days",
        ("key-rotation",),
        KEY,
        "Prowler's check breaks at times with nanoseconds, which is how Pulumi's provider sets the next rotation, and "
        "says nothing of any key.",
    ),
    Shared("iam_audit_logs_enabled", ("audit-logs-complete",)),
    Shared("iam_sa_no_user_managed_keys", ("iam-no-account-keys",)),
    Shared("iam_sa_no_administrative_privileges", ("iam-accounts-not-admin",)),
    Shared("iam_no_service_roles_at_project_level", ("iam-no-project-wide-impersonation",)),
    Shared("iam_role_kms_enforce_separation_of_duties", ("iam-separation-of-duties",)),
    Shared(
        "iam_role_sa_enforce_separation_of_duties",
        ("iam-separation-of-duties",),
        differs="Prowler fails whoever has one of the two roles; the control, like the benchmark's text, who has both.",
    ),
    Shared(
        "iam_organization_essential_contacts_configured",
        ("security-contact",),
        differs="Prowler asks for any contact of the organisation; the control of stacks that set something above "
        "projects, and for a contact who is told of security.",
    ),
    Shared("iam_cloud_asset_inventory_enabled", ("api-asset-inventory",)),
    Shared(
        "iam_account_access_approval_enabled",
        ("access-approval",),
        differs="Prowler fails without the service; the control judges it where it is set up, for it needs a support "
        "contract.",
    ),
    Shared("gemini_api_disabled", ("api-no-keyed-gemini",)),
    Shared(
        "cloudfunction_function_inside_vpc",
        ("service-all-egress-through-network",),
        FUNCTION,
        "Prowler knows connectors only; direct egress into the network, which ours use, it takes for none.",
    ),
    Shared("cloudfunction_function_not_publicly_accessible", ("service-invokers-named",)),
    Shared("secretmanager_secret_not_publicly_accessible", ("iam-not-public",), SECRET_GRANT),
    Shared("compute_network_default_in_use", ("project-no-default-network",)),
    Shared("compute_subnet_flow_logs_enabled", ("subnet-flow-logs",), SUBNET),
    Shared("compute_network_dns_logging_enabled", ("network-dns-logging",)),
    Shared("logging_sink_created", ("log-sink-complete",), differs=SINK),
    _alert("project_ownership", "alert-ownership-changes"),
    _alert("audit_configuration", "alert-audit-config-changes"),
    _alert("custom_role", "alert-custom-role-changes"),
    _alert("vpc_firewall_rule", "alert-firewall-changes"),
    _alert("vpc_network_route", "alert-route-changes"),
    _alert("vpc_network", "alert-network-changes"),
    _alert("bucket_permission", "alert-bucket-permission-changes"),
)
