"""What nobody may do in a campaign's project, whatever their roles: a deny policy beside the grants.

A deletion policy binds Pulumi and a lien binds projects; this binds everybody who calls the API
(cloud.google.com/iam/docs/deny-overview, 2026-11). It is made last and taken away first, so `pulumi destroy` needs no
exception.
"""

from collections.abc import Sequence
from urllib.parse import quote

import pulumi
import pulumi_gcp as gcp

from infra.component import Component

NAME = "plantain-keep"
EVERYBODY = "principalSet://goog/public:all"
PERMISSIONS = (
    "cloudkms.googleapis.com/cryptoKeyVersions.destroy",
    "iam.googleapis.com/serviceAccountKeys.create",
    "logging.googleapis.com/buckets.delete",
    "storage.googleapis.com/buckets.delete",
)
"""Each ends something for ever or opens a door that leaves no trace; all can be denied
(cloud.google.com/iam/docs/deny-permissions-support, 2026-11)."""


def principal(member: str) -> str:
    """A member of a grant as deny policies spell it."""
    kind, _, name = member.partition(":")
    match kind:
        case "user":
            return f"principal://goog/subject/{name}"
        case "serviceAccount":
            return f"principal://iam.googleapis.com/projects/-/serviceAccounts/{name}"
        case "group":
            return f"principalSet://goog/group/{name}"
    return member


class Denials(Component):
    """The deny policy of one campaign's project."""

    def __init__(
        self,
        campaign: str,
        *,
        project: pulumi.Output[str],
        exceptions: Sequence[str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the policy.

        Args:
            campaign: its name.
            project: id of its project.
            exceptions: members that may nevertheless.
            after: everything it keeps, so that it is taken away before.
            opts: options of the component.
        """
        super().__init__("Denials", campaign, after=after, opts=opts)
        self.policy = gcp.iam.DenyPolicy(
            f"{campaign}-denials",
            name=NAME,
            parent=project.apply(lambda project: quote(f"cloudresourcemanager.googleapis.com/projects/{project}", "")),
            display_name="What nobody does to a campaign",
            rules=[
                gcp.iam.DenyPolicyRuleArgs(
                    description="Ends data, logs or keys for ever, or makes a key that leaks",
                    deny_rule=gcp.iam.DenyPolicyRuleDenyRuleArgs(
                        denied_principals=[EVERYBODY],
                        exception_principals=sorted(map(principal, exceptions)) or None,
                        denied_permissions=list(PERMISSIONS),
                    ),
                )
            ],
            opts=self._options(),
        )
        self.register_outputs({})
