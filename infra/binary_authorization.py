"""Which container images a campaign's project serves: those of its own repository, and no others.

Cloud Functions builds and deploys in one step, so nobody could attest to an image in between; the way that Google names
for functions is to admit the repository they are built into
(cloud.google.com/run/docs/securing/binary-authorization, 2026-11). Who can write there is the build identity alone.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component


class ImagePolicy(Component):
    """The policy of the campaign's project.

    Attributes:
        policy: the policy; the function waits for it.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        location: str,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ImagePolicy", name, after=after, opts=opts)
        images = pulumi.Output.concat(location, "-docker.pkg.dev/", project.project_id, f"/{naming.REPOSITORY}/**")
        self.policy = gcp.binaryauthorization.Policy(
            f"{name}-images-served",
            project=project.project_id,
            description="Images of the campaign's own repository, and no others.",
            global_policy_evaluation_mode="DISABLE",
            default_admission_rule=gcp.binaryauthorization.PolicyDefaultAdmissionRuleArgs(
                evaluation_mode="ALWAYS_DENY", enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG"
            ),
            admission_whitelist_patterns=[
                gcp.binaryauthorization.PolicyAdmissionWhitelistPatternArgs(name_pattern=images)
            ],
            opts=self._options(),
        )
        self.register_outputs({})
