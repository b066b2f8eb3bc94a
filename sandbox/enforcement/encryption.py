"""Customer-managed keys on the data path: usable only while the agent is allowed to and the key lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.call import Principal
from sandbox.errors import ERROR_INFO, FailedPrecondition, NotFound, PermissionDenied

if TYPE_CHECKING:
    from sandbox.cloud import Cloud


def key_name(reference: str) -> str:
    """A key's name without the version that some answers append."""
    return reference.partition("/cryptoKeyVersions/")[0]


def require_key(cloud: Cloud, reference: str, agent: str, *, decrypt: bool = False) -> str:
    """Let a service agent use a key; returns the name of the version that encrypts.

    Args:
        cloud: the sandbox.
        reference: full name of a key or of one of its versions.
        agent: e-mail of the service agent that must hold the grant.
        decrypt: reading back rather than writing.

    Raises:
        NotFound: the key does not exist.
        PermissionDenied: the agent lacks ``roles/cloudkms.cryptoKeyEncrypterDecrypter``.
        FailedPrecondition: the version is disabled or destroyed.
    """
    name = cloud.hierarchy.canonical(key_name(reference))
    key = cloud.store.get("cloudkms.cryptoKeys", name)
    if key is None:
        raise NotFound(f"CryptoKey {name} not found.")
    needed = f"cloudkms.cryptoKeyVersions.{'useToDecrypt' if decrypt else 'useToEncrypt'}"
    if cloud.permissions.grant(Principal(f"serviceAccount:{agent}"), needed, "cloudkms", name) is None:
        raise PermissionDenied(
            f"Permission denied on Cloud KMS key. Please ensure that your service agent {agent} has been authorized "
            f"to use this key: permission '{needed}' denied on resource '{name}' (or it may not exist).",
            details=[
                {
                    "@type": ERROR_INFO,
                    "reason": "IAM_PERMISSION_DENIED",
                    "domain": "cloudkms.googleapis.com",
                    "metadata": {"permission": needed, "resource": name, "member": f"serviceAccount:{agent}"},
                }
            ],
        )
    version_name = cloud.hierarchy.canonical(reference) if "/cryptoKeyVersions/" in reference else primary(key)
    version = cloud.store.get("cloudkms.cryptoKeyVersions", version_name)
    state = version["state"] if version else "absent"
    if state != "ENABLED":
        raise FailedPrecondition(
            f"{version_name or name} is not enabled, current state is: {state}.",
            details=[
                {
                    "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
                    "violations": [
                        {
                            "type": f"KEY_{state}",
                            "subject": version_name or name,
                            "description": "The key is not usable.",
                        }
                    ],
                }
            ],
        )
    return version_name


def primary(key: dict[str, object]) -> str:
    """Name of a key's primary version; empty when it has none."""
    version = key.get("_primary", "")
    return version if isinstance(version, str) else ""
