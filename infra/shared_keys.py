"""Keys of what belongs to no campaign: state, secrets of stacks, topics, audit logs."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component
from infra.encryption import DESTROY_DELAY, encrypters
from infra.foundation_labels import FoundationLabels
from infra.retention import Retention

ROTATION = "7776000s"
"""90 days, the longest period that CIS Google Cloud Foundations 1.10 accepts."""


class SharedKeys(Component):
    """A key ring in a shared project with one key for each purpose.

    Attributes:
        keys: the keys by purpose.
        grants: for each key, what everything that uses it waits for.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        location: str,
        labels: FoundationLabels,
        users: Mapping[str, Mapping[str, pulumi.Input[str]]],
        retention: Retention,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make ring, keys and grants.

        Args:
            name: prefix of logical names.
            project: where they lie.
            location: region, the same as that of everything they encrypt.
            labels: labels of the keys.
            users: for each key, the members that encrypt with it, by a name of their own.
            retention: what happens to the keys on destroy.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("SharedKeys", name, after=after, opts=opts)
        self.ring = gcp.kms.KeyRing(
            f"{name}-keys",
            name=project.project_id.apply(naming.key_ring),
            project=project.project_id,
            location=location,
            opts=self._options(),
        )
        self.keys = {
            key: gcp.kms.CryptoKey(
                f"{name}-{key}",
                name=key,
                key_ring=self.ring.id,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=ROTATION,
                destroy_scheduled_duration=DESTROY_DELAY,
                labels=labels.as_labels(),
                deletion_policy=retention.key,
                opts=self._options(protect=retention.protect),
            )
            for key in users
        }
        self.grants = encrypters(name, self.keys, users, opts=self._options())
        self.register_outputs({key: resource.id for key, resource in self.keys.items()})
