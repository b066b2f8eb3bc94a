"""Key rings, keys with their versions, and who may use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plantain.audit.live import access
from plantain.audit.live.reader import Reader, last, live
from policies.catalogue import Resource


def read(reader: Reader, project: str, locations: Iterable[str]) -> Iterator[Resource]:
    """The keys of a project in some locations; Cloud KMS lists one location at a time."""
    for location in locations:
        for ring in reader.all("cloudkms", f"v1/projects/{project}/locations/{location}/keyRings", "keyRings"):
            where = {"project": project, "location": location}
            yield live("gcp:kms/keyRing:KeyRing", ring["name"], "cloudkms", {"name": last(ring["name"]), **where})
            policy = access.policy(reader, "GET", "cloudkms", f"v1/{ring['name']}:getIamPolicy")
            scope = {"keyRingId": ring["name"]}
            kind = "gcp:kms/keyRingIAMMember:KeyRingIAMMember"
            yield from access.members(kind, ring["name"], "cloudkms", scope, policy)
            for key in reader.all("cloudkms", f"v1/{ring['name']}/cryptoKeys", "cryptoKeys"):
                yield from _key(reader, project, ring["name"], key)


def _key(reader: Reader, project: str, ring: str, key: dict[str, object]) -> Iterator[Resource]:
    name = str(key["name"])
    versions = reader.all("cloudkms", f"v1/{name}/cryptoKeyVersions", "cryptoKeyVersions")
    yield live(
        "gcp:kms/cryptoKey:CryptoKey",
        name,
        "cloudkms",
        {
            **key,
            "name": last(name),
            "keyRing": ring,
            "project": project,
            "versions": [{"name": last(version["name"]), "state": version.get("state")} for version in versions],
        },
    )
    policy = access.policy(reader, "GET", "cloudkms", f"v1/{name}:getIamPolicy")
    where = {"cryptoKeyId": name, "project": project}
    yield from access.members("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", name, "cloudkms", where, policy)
