"""Where a campaign's logs are kept: a log bucket of its own, encrypted with the campaign's key.

The bucket every project has from the start can be encrypted only by settings that were made above the project before
it was born. So entries go to a bucket made here, and the first one no longer keeps them.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component
from infra.retention import Retention

EVERYTHING = "severity>=DEFAULT"


class Logs(Component):
    """Log bucket, the sink that fills it, and the exclusion that keeps entries out of the project's first bucket.

    Attributes:
        bucket: the log bucket.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        location: str,
        key: pulumi.Input[str],
        retention_days: int,
        locked: bool,
        retention: Retention,
        bucket_id: pulumi.Input[str] = naming.LOG_BUCKET,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the log bucket.

        Args:
            name: prefix of logical names.
            project: whose logs they are.
            location: region, the same as the key's; log buckets with a key cannot be global.
            key: full name of the key; it can be set only when the bucket is made.
            retention_days: how long entries are kept.
            locked: whether that can never be taken back.
            retention: what happens to the bucket on destroy.
            bucket_id: its name; that of a deleted bucket is held for seven days.
            after: what must exist before, at least the grant of the key to Cloud Logging's agent.
            opts: options of the component.
        """
        super().__init__("Logs", name, after=after, opts=opts)
        self.bucket = gcp.logging.ProjectBucketConfig(
            f"{name}-logs",
            project=project.project_id,
            location=location,
            bucket_id=bucket_id,
            description="Logs of the campaign.",
            retention_days=retention_days,
            locked=locked or None,
            cmek_settings=gcp.logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=key),
            deletion_policy=retention.bucket,
            opts=self._options(protect=retention.protect),
        )
        self.sink = gcp.logging.ProjectSink(
            f"{name}-logs",
            project=project.project_id,
            name=naming.LOG_BUCKET,
            description="Every entry to the campaign's own bucket.",
            destination=self.bucket.id.apply(lambda bucket: f"logging.googleapis.com/{bucket}"),
            unique_writer_identity=True,
            opts=self._options(),
        )
        # Only after the sink is there, or entries in between were kept nowhere.
        self.exclusion = gcp.logging.ProjectExclusion(
            f"{name}-logs",
            project=project.project_id,
            name="kept-by-campaign",
            description="Kept in the campaign's own bucket.",
            filter=EVERYTHING,
            opts=self._options(after=[self.sink]),
        )
        self.register_outputs({"bucket": self.bucket.id})
