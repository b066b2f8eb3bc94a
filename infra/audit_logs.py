"""Data access logs: who read or wrote what, which Google does not log unless told to.

The entries land in the campaign's own log bucket with everything else. Cloud Storage's are many; the campaign file
says for which APIs they are kept.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra.component import Component

KINDS = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")


class AuditLogs(Component):
    """One audit configuration for each API."""

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        services: Sequence[str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("AuditLogs", name, after=after, opts=opts)
        self.configurations = [
            gcp.projects.IAMAuditConfig(
                f"{name}-audit-{service.removesuffix('.googleapis.com')}",
                project=project.project_id,
                service=service,
                audit_log_configs=[
                    gcp.projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind, exempted_members=[]) for kind in KINDS
                ],
                opts=self._options(),
            )
            for service in sorted(services)
        ]
        self.register_outputs({})
