"""A campaign's key ring, its keys, and who may encrypt with them.

They are the campaign's own, or lie in a central project of a security team, in a ring of the campaign's or in one that
exists already. Three keys: one for the function with everything it is built from, because Cloud Functions wants a
single key for the function and its repository; one for the images; one for the logs.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import pulumi
import pulumi_gcp as gcp

from infra import error_hooks, naming
from infra.component import Component
from infra.placement_model import Keys
from infra.retention import Retention

SECONDS_A_DAY = 86_400
DESTROY_DELAY = "2592000s"
"""30 days between asking for a version's destruction and losing what it encrypted."""
ALGORITHM = "GOOGLE_SYMMETRIC_ENCRYPTION"
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""Artifact Registry checks for exactly this role."""


def encrypters(
    name: str,
    keys: Mapping[str, gcp.kms.CryptoKey],
    users: Mapping[str, Mapping[str, pulumi.Input[str]]],
    *,
    opts: pulumi.ResourceOptions,
) -> dict[str, list[gcp.kms.CryptoKeyIAMMember]]:
    """For each key, the grants of those who encrypt with it."""
    return {
        key: [
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-{key}-{user}", crypto_key_id=keys[key].id, role=ENCRYPTER, member=member, opts=opts
            )
            for user, member in members.items()
        ]
        for key, members in users.items()
    }


class Encryption(Component):
    """Key ring, keys and grants.

    Attributes:
        keys: the keys by name, see `naming.KEYS`.
        grants: for each key, the grants everything that uses it waits for.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        location: str,
        placement: Keys,
        adopted: bool,
        labels: Mapping[str, str],
        users: Mapping[str, Mapping[str, pulumi.Input[str]]],
        retention: Retention,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the keys.

        Args:
            name: prefix of logical names.
            project: where the keys live.
            location: region of the keys, which must be that of everything they encrypt.
            placement: whose project and ring they lie in, and how they are kept.
            adopted: whether the campaign's project existed before it, and may have had a campaign before.
            labels: labels of the keys.
            users: for each key, the members that encrypt with it by a name of their own.
            retention: what happens to the keys on destroy.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("Encryption", name, after=after, opts=opts)
        ring = self._ring(name, project, location, placement, adopted=adopted)
        hardware = gcp.kms.CryptoKeyVersionTemplateArgs(algorithm=ALGORITHM, protection_level="HSM")
        self.keys = {
            key: gcp.kms.CryptoKey(
                f"{name}-{key}",
                name=self._key_name(project, placement, word, adopted=adopted),
                key_ring=ring,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=f"{placement.rotation_days * SECONDS_A_DAY}s",
                destroy_scheduled_duration=DESTROY_DELAY,
                version_template=hardware if placement.hardware else None,
                labels=dict(labels),
                deletion_policy=retention.key,
                opts=self._options(protect=retention.protect, hooks=error_hooks.named_once()),
            )
            for key, word in ((key, _word(key, placement)) for key in users)
        }
        self.grants = encrypters(name, self.keys, users, opts=self._options())
        self.register_outputs({key: resource.id for key, resource in self.keys.items()})

    @staticmethod
    def _key_name(
        project: gcp.organizations.Project, placement: Keys, word: str, *, adopted: bool
    ) -> pulumi.Input[str] | None:
        """A key's name; None has the provider draw one, which the state keeps."""
        if not placement.ring:
            return word  # the ring is the campaign's own
        if adopted:
            # Ring and project both stay, and so do the names of the keys of the campaign before.
            return None
        # A ring that others use as well tells keys apart by the project they are for, whose id is never used again.
        return project.project_id.apply(partial(naming.shared_key, key=word))

    def _ring(
        self, name: str, project: gcp.organizations.Project, location: str, placement: Keys, *, adopted: bool
    ) -> pulumi.Output[str]:
        """Full name of the ring, made unless it exists already: then it is not ours, and a ring lasts for ever."""
        owner: pulumi.Input[str] = placement.project or project.project_id
        if placement.ring:
            return pulumi.Output.concat("projects/", owner, "/locations/", location, "/keyRings/", placement.ring)
        return gcp.kms.KeyRing(
            f"{name}-keys",
            # A new project's ring is named after it. In one that stays, the ring of the campaign before lasts for ever,
            # so this one's name gets a random suffix, drawn once and kept in the state.
            name=None if adopted else project.project_id.apply(partial(naming.key_ring, suffix=placement.suffix)),
            project=owner,
            location=location,
            opts=self._options(hooks=error_hooks.named_once()),
        ).id


def _word(key: str, placement: Keys) -> str:
    """What a key is called. How it is kept cannot be changed, and a name is never free again: so each has another."""
    return "-".join(filter(None, (key, "hardware" if placement.hardware else None, placement.suffix)))
