"""Settings that every project, folder and organisation has: accounts, default key and location."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.enforcement.encryption import key_name, require_key
from sandbox.errors import InvalidArgument
from sandbox.fields import apply_mask, mask_paths
from sandbox.services.logging.accounts import key_account, writer

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "logging.settings"
#: Where a project's first buckets lie and what encrypts them; only for projects that were made below a default.
FIRST_BUCKETS = "logging.firstBuckets"
#: The empty one stands for ``v2/{parent}/settings`` without a collection of its own.
COLLECTIONS = ("projects.", "folders.", "organizations.", "billingAccounts.", "")


def adopt(cloud: Cloud, project: str) -> None:
    """Give a new project what the settings above it say of its first buckets; later changes do not reach it.

    Source: https://docs.cloud.google.com/logging/docs/default-settings (read 2026-11).
    """
    for ancestor in cloud.hierarchy.ancestors(project):
        if found := cloud.store.get(KIND, ancestor):
            document = {key: value for key, value in found.items() if not key.startswith("_")}
            if document.get("kmsKeyName"):
                document["serviceAccountId"] = key_account(cloud, ancestor)
            cloud.store.put(FIRST_BUCKETS, project, document)
            return


def get_settings(call: Call) -> Document:
    """Accounts and defaults."""
    parent = call.name.removesuffix("/settings")
    return {
        **(call.cloud.store.get(KIND, parent) or {}),
        "name": call.name,
        "kmsServiceAccountId": key_account(call.cloud, parent),
        "loggingServiceAccountId": writer(call.cloud, parent),
    }


def update_settings(call: Call) -> Document:
    """Change the defaults; a key must be usable by Logging's account, and lie where the buckets will.

    Raises:
        InvalidArgument: the key lies elsewhere.
    """
    parent = call.name.removesuffix("/settings")
    current = call.cloud.store.get(KIND, parent) or {}
    paths = mask_paths(call.query.get("updateMask", "")) or [key for key in call.body if key != "name"]
    changed = apply_mask(current, call.body, paths)
    if changed.get("kmsKeyName"):
        require_key(call.cloud, changed["kmsKeyName"], key_account(call.cloud, parent))
        place = changed.get("storageLocation", "global")
        if f"/locations/{place}/" not in changed["kmsKeyName"]:
            raise InvalidArgument(f"The KMS key {changed['kmsKeyName']} must be in the storage location, {place}.")
    call.cloud.store.put(KIND, parent, changed)
    return get_settings(call)


def get_key_settings(call: Call) -> Document:
    """The account that must be granted a key, and the default key if there is one."""
    parent = call.name.removesuffix("/cmekSettings")
    stored = call.cloud.store.get(KIND, parent) or {}
    answer: Document = {"name": call.name, "serviceAccountId": key_account(call.cloud, parent)}
    if stored.get("kmsKeyName"):
        answer |= {"kmsKeyName": stored["kmsKeyName"], "kmsKeyVersionName": stored.get("_version", "")}
    return answer


def update_key_settings(call: Call) -> Document:
    """Set or clear the default key."""
    parent = call.name.removesuffix("/cmekSettings")
    stored = call.cloud.store.get(KIND, parent) or {}
    reference = call.body.get("kmsKeyName", "")
    if reference:
        stored["_version"] = require_key(call.cloud, reference, key_account(call.cloud, parent))
        stored["kmsKeyName"] = key_name(reference)
    else:
        stored.pop("kmsKeyName", None)
    call.cloud.store.put(KIND, parent, stored)
    return get_key_settings(call)


HANDLERS = {
    f"logging.{collection}{action}": handler
    for collection in COLLECTIONS
    for action, handler in {
        "getSettings": get_settings,
        "updateSettings": update_settings,
        "getCmekSettings": get_key_settings,
        "updateCmekSettings": update_key_settings,
    }.items()
}
