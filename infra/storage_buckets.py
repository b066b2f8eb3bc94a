"""The buckets of a campaign: images, reference pictures, the function's source, and usage logs of the others."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra import campaign_model, naming
from infra.bucket import EncryptedBucket
from infra.component import Component
from infra.retention import Retention

RECOVERABLE_DAYS = 7
ACCESS_LOG_NEARLINE_DAYS = 30
CLAIM_PREFIX = "claims/"
CLAIM_DAYS = 1
"""The function marks work in progress with objects below this prefix, and may not delete them itself."""
LOG_WRITER = "group:cloud-storage-analytics@google.com"
"""Who writes usage logs (cloud.google.com/storage/docs/access-logs, 2026-11)."""


class Buckets(Component):
    """A campaign's buckets.

    Attributes:
        images: what the function makes.
        source: what it is built from.
        references: pictures that requests refer to; None without such.
        access_logs: usage logs; None without such.
    """

    def __init__(
        self,
        campaign: campaign_model.Campaign,
        *,
        project: gcp.organizations.Project,
        location: str,
        keys: Mapping[str, gcp.kms.CryptoKey],
        grants: Mapping[str, Sequence[pulumi.Resource]],
        retention: Retention,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Buckets", campaign.name, after=after, opts=opts)
        name, labels, wanted = campaign.name, campaign.labels.as_labels(), campaign.images
        project_id = project.project_id

        self.access_logs: EncryptedBucket | None = None
        if wanted.access_logs:
            self.access_logs = EncryptedBucket(
                f"{name}-access-logs-bucket",
                project=project,
                bucket_name=project_id.apply(naming.access_logs_bucket),
                location=location,
                key=keys["logs"].id,
                labels=labels,
                recoverable_days=RECOVERABLE_DAYS,
                ages={"NEARLINE": ACCESS_LOG_NEARLINE_DAYS},
                delete_after_days=campaign.logs.retention_days,
                short_lived={},
                retention=retention,
                after=(*after, *grants["logs"], *grants["images"]),
                opts=self._options(),
            )
            writer = gcp.storage.BucketIAMMember(
                f"{name}-access-logs-writer",
                bucket=self.access_logs.name,
                role="roles/storage.objectCreator",
                member=LOG_WRITER,
                opts=self._options(),
            )
            logged: tuple[pulumi.Resource, ...] = (writer,)
        else:
            logged = ()
        log_bucket = self.access_logs.name if self.access_logs else None

        self.images = EncryptedBucket(
            f"{name}-images-bucket",
            project=project,
            bucket_name=project_id.apply(naming.images_bucket),
            location=location,
            key=keys["images"].id,
            labels=labels,
            recoverable_days=wanted.recoverable_days,
            ages={"NEARLINE": wanted.nearline_after_days, "ARCHIVE": wanted.archive_after_days},
            delete_after_days=wanted.delete_after_days,
            short_lived={CLAIM_PREFIX: CLAIM_DAYS},
            retention=retention,
            access_logs=log_bucket,
            kept_days=wanted.retention_days,
            kept_locked=wanted.retention_locked,
            after=(*after, *grants["images"], *logged),
            opts=self._options(),
        )
        self.source = EncryptedBucket(
            f"{name}-source-bucket",
            project=project,
            bucket_name=project_id.apply(naming.source_bucket),
            location=location,
            key=keys["function"].id,
            labels=labels,
            recoverable_days=RECOVERABLE_DAYS,
            ages={},
            delete_after_days=None,
            short_lived={},
            retention=retention,
            access_logs=log_bucket,
            after=(*after, *grants["function"], *logged),
            opts=self._options(),
        )
        self.references: EncryptedBucket | None = None
        if campaign.references.enabled:
            self.references = EncryptedBucket(
                f"{name}-references-bucket",
                project=project,
                bucket_name=project_id.apply(naming.references_bucket),
                location=location,
                key=keys["images"].id,
                labels=labels,
                recoverable_days=wanted.recoverable_days,
                ages={},
                delete_after_days=campaign.references.delete_after_days,
                short_lived={},
                retention=retention,
                access_logs=log_bucket,
                after=(*after, *grants["images"], *logged),
                opts=self._options(),
            )
            for editor in campaign.references.editors:
                gcp.storage.BucketIAMMember(
                    f"{name}-references-editor-{editor}",
                    bucket=self.references.name,
                    role="roles/storage.objectUser",
                    member=editor,
                    opts=self._options(),
                )
        self.register_outputs({"images": self.images.name})
