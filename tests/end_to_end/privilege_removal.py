"""The grants of a deployed stack, and how one of them is taken away for a while."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Document = dict[str, Any]
Caller = Callable[..., httpx.Response]

IS_GRANT = re.compile(r"(?i):[a-z]*IAMMember$")
VERSION = {"options": {"requestedPolicyVersion": 3}}

#: By the provider's name of a grant: the address of the policy it is written into, and the verb that reads it.
POLICIES: Mapping[str, tuple[Callable[[Document], str], str]] = {
    "artifactregistry/repositoryIamMember": (lambda own: f"artifactregistry/v1/{own['repository']}", "GET"),
    "billing/accountIamMember": (lambda own: f"cloudbilling/v1/billingAccounts/{own['billingAccountId']}", "GET"),
    "cloudrunv2/serviceIamMember": (
        lambda own: f"run/v2/projects/{own['project']}/locations/{own['location']}/services/{last(own['name'])}",
        "GET",
    ),
    "cloudtasks/queueIamMember": (
        lambda own: f"cloudtasks/v2/projects/{own['project']}/locations/{own['location']}/queues/{last(own['name'])}",
        "POST",
    ),
    "folder/iAMMember": (lambda own: f"cloudresourcemanager/v3/folders/{last(own['folder'])}", "POST"),
    "kms/cryptoKeyIAMMember": (lambda own: f"cloudkms/v1/{own['cryptoKeyId']}", "GET"),
    "organizations/iAMMember": (lambda own: f"cloudresourcemanager/v1/organizations/{own['orgId']}", "POST"),
    "projects/iAMMember": (lambda own: f"cloudresourcemanager/v1/projects/{own['project']}", "POST"),
    "pubsub/topicIAMMember": (
        lambda own: f"pubsub/v1/projects/{own['project']}/topics/{last(own['topic'])}",
        "GET",
    ),
    "secretmanager/secretIamMember": (
        lambda own: f"secretmanager/v1/projects/{own['project']}/secrets/{last(own['secretId'])}",
        "GET",
    ),
    "serviceaccount/iAMMember": (lambda own: f"iam/v1/{own['serviceAccountId']}", "POST"),
    "storage/bucketIAMMember": (lambda own: f"storage/v1/b/{own['bucket'].removeprefix('b/')}/iam", ""),
}


def last(name: str) -> str:
    """The last part of a name."""
    return name.rpartition("/")[2]


@dataclass(frozen=True)
class Granted:
    """One grant of a deployed stack.

    Attributes:
        name: its logical name.
        role: what is granted.
        member: to whom.
        kind: the provider's name of the resource, as ``projects/iAMMember``.
        policy: address of the policy below the sandbox.
        title: of its condition; empty without one.
    """

    name: str
    role: str
    member: str
    kind: str
    policy: str
    title: str


def granted(export: Mapping[str, Any]) -> dict[str, Granted]:
    """The grants of an exported state by logical name."""
    found = {}
    for resource in export["deployment"].get("resources", []):
        if not IS_GRANT.search(resource["type"]):
            continue
        kind, own = resource["type"].removeprefix("gcp:").partition(":")[0], resource["outputs"]
        name = resource["urn"].rpartition("::")[2]
        title = (own.get("condition") or {}).get("title", "")
        found[name] = Granted(name, own["role"], own["member"], kind, POLICIES[kind][0](own), title)
    return found


class Without:
    """Takes one grant away for as long as it is entered."""

    def __init__(self, call: Caller, grant: Granted) -> None:
        """``call`` sends a request as the administrator: verb, path, body."""
        self._call, self._grant = call, grant
        self._verb = POLICIES[grant.kind][1]

    def _read(self) -> Document:
        path = self._grant.policy
        if not self._verb:
            reply = self._call("GET", f"{path}?optionsRequestedPolicyVersion=3")
        else:
            version = "" if self._verb == "POST" else "?options.requestedPolicyVersion=3"
            reply = self._call(self._verb, f"{path}:getIamPolicy{version}", VERSION if self._verb == "POST" else None)
        assert reply.is_success, reply.text
        found: Document = reply.json()
        return found

    def _write(self, policy: Document) -> None:
        kept = {key: value for key, value in policy.items() if key != "etag"}
        path = self._grant.policy
        if self._verb:
            reply = self._call("POST", f"{path}:setIamPolicy", {"policy": {**kept, "version": 3}})
        else:
            reply = self._call("PUT", path, {**kept, "version": 3})
        assert reply.is_success, reply.text

    def __enter__(self) -> None:
        self._before = self._read()
        bindings = []
        for binding in self._before.get("bindings", []):
            same = binding["role"] == self._grant.role
            same = same and binding.get("condition", {}).get("title", "") == self._grant.title
            members = [one for one in binding["members"] if not (same and one == self._grant.member)]
            if members:
                bindings.append({**binding, "members": members})
        assert bindings != self._before.get("bindings", []), f"there was no grant {self._grant.name}"
        self._write({**self._before, "bindings": bindings})

    def __exit__(self, *_: object) -> None:
        self._write(self._before)
