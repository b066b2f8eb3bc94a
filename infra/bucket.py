"""A bucket as a campaign needs it: encrypted with its own key, never public, hard to lose."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra.component import Component
from infra.retention import Retention

SECONDS_A_DAY = 86_400
INCOMPLETE_UPLOAD_DAYS = 7


RESTRICTED = "FullyRestricted"


def only_with(key: pulumi.Input[str]) -> gcp.storage.BucketEncryptionArgs:
    """A bucket's encryption: its default key, and nothing that Google or a caller encrypts by other means.

    A default alone can be passed over by a request that brings a key of its own
    (cloud.google.com/storage/docs/encryption/enforcing-encryption-types, 2026-11).
    """
    storage = gcp.storage
    return storage.BucketEncryptionArgs(
        default_kms_key_name=key,
        google_managed_encryption_enforcement_config=storage.BucketEncryptionGoogleManagedEncryptionEnforcementConfigArgs(
            restriction_mode=RESTRICTED
        ),
        customer_supplied_encryption_enforcement_config=storage.BucketEncryptionCustomerSuppliedEncryptionEnforcementConfigArgs(
            restriction_mode=RESTRICTED
        ),
    )


class EncryptedBucket(Component):
    """One bucket.

    Attributes:
        bucket: the bucket.
        name: its name.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        bucket_name: pulumi.Input[str],
        location: str,
        key: pulumi.Input[str],
        labels: Mapping[str, str],
        recoverable_days: int,
        ages: Mapping[str, int],
        delete_after_days: int | None,
        short_lived: Mapping[str, int],
        retention: Retention,
        access_logs: pulumi.Input[str] | None = None,
        kept_days: int = 0,
        kept_locked: bool = False,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the bucket.

        Args:
            name: logical name.
            project: where it lives.
            bucket_name: its name, unique in the world.
            location: region, the same as the key's.
            key: full name of the key everything in it is encrypted with.
            labels: labels of the bucket.
            recoverable_days: days for which what was deleted or overwritten can be brought back.
            ages: storage class by age in days, coldest last, such as {"NEARLINE": 30}.
            delete_after_days: age at which objects are deleted; None keeps them.
            short_lived: age at which objects below a prefix are deleted.
            retention: what happens to the bucket on destroy.
            access_logs: name of the bucket that usage logs go to; None for none.
            kept_days: days for which nobody can delete or overwrite an object; 0 for no such rule.
            kept_locked: whether that rule can never be taken back.
            after: what must exist before, at least the grant of the key to Cloud Storage's agent.
            opts: options of the component.
        """
        super().__init__("Bucket", name, after=after, opts=opts)
        self.bucket = gcp.storage.Bucket(
            name,
            name=bucket_name,
            project=project.project_id,
            location=location.upper(),  # the API answers in upper case
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            encryption=only_with(key),
            # What cannot be overwritten has no older versions.
            versioning=gcp.storage.BucketVersioningArgs(enabled=not kept_days),
            retention_policy=gcp.storage.BucketRetentionPolicyArgs(
                retention_period=str(kept_days * SECONDS_A_DAY), is_locked=kept_locked
            )
            if kept_days
            else None,
            logging=gcp.storage.BucketLoggingArgs(log_bucket=access_logs, log_object_prefix=bucket_name)
            if access_logs is not None
            else None,
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
                retention_duration_seconds=recoverable_days * SECONDS_A_DAY
            ),
            lifecycle_rules=[
                *(_cool(storage_class, days) for storage_class, days in ages.items()),
                *([_delete(delete_after_days)] if delete_after_days is not None else []),
                *(_delete(days, prefix) for prefix, days in short_lived.items()),
                _delete_old_versions(),
                _abort_uploads(),
            ],
            labels=dict(labels),
            force_destroy=retention.force_destroy,
            deletion_policy=retention.bucket,
            opts=self._options(protect=retention.protect),
        )
        self.name = self.bucket.name
        self.register_outputs({"name": self.name})


def _cool(storage_class: str, days: int) -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="SetStorageClass", storage_class=storage_class),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=days, with_state="LIVE"),
    )


def _delete(days: int, prefix: str | None = None) -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(
            age=days, with_state="LIVE", matches_prefixes=[prefix] if prefix else None
        ),
    )


def _delete_old_versions() -> gcp.storage.BucketLifecycleRuleArgs:
    # Soft delete keeps what is removed for `recoverable_days`, so a version need not be kept longer than a day.
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=1, with_state="ARCHIVED"),
    )


def _abort_uploads() -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=INCOMPLETE_UPLOAD_DAYS),
    )
