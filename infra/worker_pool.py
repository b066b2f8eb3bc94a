"""The private machines that builds run on: a pool of the campaign's own, without a way to the internet.

A perimeter protects builds only when they run in a private pool of a member project
(cloud.google.com/build/docs/private-pools/using-vpc-service-controls, 2026-11).
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component

DISK_GIGABYTES = 100


class WorkerPool(Component):
    """One private pool.

    Attributes:
        pool: the pool.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        location: str,
        machine_type: str,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("WorkerPool", name, after=after, opts=opts)
        self.pool = gcp.cloudbuild.WorkerPool(
            f"{name}-{naming.WORKER_POOL}",
            name=naming.WORKER_POOL,
            project=project.project_id,
            location=location,
            display_name="Builds the campaign's function",
            worker_config=gcp.cloudbuild.WorkerPoolWorkerConfigArgs(
                machine_type=machine_type, disk_size_gb=DISK_GIGABYTES, no_external_ip=True
            ),
            deletion_policy="DELETE",
            opts=self._options(delete_before_replace=True),
        )
        self.register_outputs({"pool": self.pool.id})
