"""Who may do what on which resource: grants as Pulumi declares them and as a live policy has them, comparable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.catalogue import Resource

IAM_TYPE = re.compile(r"^gcp:(?P<scope>\w+/\w*?)[iI][aA][mM](?P<kind>Member|Binding|Policy):")
Scope = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, order=True)
class Grant:
    """One role of one member on one resource.

    Attributes:
        scope: the resource, as ``projects/p`` or ``buckets/b``.
        role: such as roles/storage.objectViewer.
        member: such as group:team@example.com.
        condition: title of the condition; empty for none.
    """

    scope: str
    role: str
    member: str
    condition: str = ""

    @property
    def key(self) -> str:
        """The grant as one string."""
        return f"iam|{self.scope}|{self.role}|{self.member}|{self.condition}"


def _text(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    return value if isinstance(value, str) else ""


def _project(properties: Mapping[str, Any]) -> str:
    return _text(properties, "project").removeprefix("projects/")


def _full(collection: str, name: str) -> Scope:
    def scope(properties: Mapping[str, Any]) -> str:
        value = _text(properties, name)
        if value.startswith("projects/"):
            return value
        place = f"/locations/{_text(properties, 'location')}" if _text(properties, "location") else ""
        return f"projects/{_project(properties)}{place}/{collection}/{value}"

    return scope


def _key(properties: Mapping[str, Any]) -> str:
    value = _text(properties, "cryptoKeyId")
    parts = value.split("/")
    if value.startswith("projects/") or len(parts) != 4:  # noqa: PLR2004 -- project/location/ring/key
        return value
    project, location, ring, key = parts
    return f"projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}"


#: The resource a grant is on, by what stands before "IAMMember" in Pulumi's type.
SCOPES: Mapping[str, Scope] = {
    "projects/": lambda p: f"projects/{_project(p)}",
    "organizations/": lambda p: f"organizations/{_text(p, 'orgId').removeprefix('organizations/')}",
    "folder/": lambda p: f"folders/{_text(p, 'folder').removeprefix('folders/')}",
    "billing/account": lambda p: f"billingAccounts/{_text(p, 'billingAccountId').removeprefix('billingAccounts/')}",
    "accesscontextmanager/accessPolicy": lambda p: f"accessPolicies/{_text(p, 'name').removeprefix('accessPolicies/')}",
    "bigquery/dataset": lambda p: f"projects/{_project(p)}/datasets/{_text(p, 'datasetId')}",
    "storage/bucket": lambda p: f"buckets/{_text(p, 'bucket').removeprefix('b/')}",
    "kms/cryptoKey": _key,
    "kms/keyRing": lambda p: _text(p, "keyRingId"),
    "serviceaccount/": lambda p: _text(p, "serviceAccountId"),
    "cloudfunctionsv2/function": _full("functions", "cloudFunction"),
    "cloudrunv2/service": _full("services", "name"),
    "artifactregistry/repository": _full("repositories", "repository"),
    "cloudtasks/queue": _full("queues", "name"),
    "secretmanager/secret": _full("secrets", "secretId"),
    "pubsub/topic": _full("topics", "topic"),
    "pubsub/subscription": _full("subscriptions", "subscription"),
}


def kind(type_: str) -> str | None:
    """Member, Binding or Policy; None for what grants nothing."""
    found = IAM_TYPE.match(type_)
    return found["kind"] if found and found["scope"] in SCOPES else None


def scope_of(resource: Resource) -> str | None:
    """The resource that a declared grant is on; None where it grants nothing, or names it no way we know."""
    found = IAM_TYPE.match(resource.type)
    scope = SCOPES.get(found["scope"]) if found else None
    return scope(resource.properties) or None if scope else None


def grants(resource: Resource) -> Iterator[Grant]:
    """The grants that a resource declares; what is not known yet is left out."""
    scope, sort = scope_of(resource), kind(resource.type)
    if scope is None or sort is None:
        return
    properties = resource.properties
    if sort == "Policy":
        yield from _of_policy(scope, properties.get("policyData"))
        return
    members = [properties.get("member")] if sort == "Member" else properties.get("members") or ()
    for member in members:
        if isinstance(member, str) and isinstance(properties.get("role"), str):
            yield Grant(scope, properties["role"], canonical_member(member), _condition(properties.get("condition")))


def _of_policy(scope: str, data: Any) -> Iterator[Grant]:
    if not isinstance(data, str):
        return
    try:
        policy = json.loads(data)
    except ValueError:
        return
    yield from of_policy(scope, policy)


def of_policy(scope: str, policy: Mapping[str, Any]) -> Iterator[Grant]:
    """The grants of a policy as Google's APIs answer it."""
    for binding in policy.get("bindings") or ():
        for member in binding.get("members") or ():
            yield Grant(scope, binding["role"], canonical_member(member), _condition(binding.get("condition")))


def _condition(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value.get("title", "")) if isinstance(value, Mapping) else ""


def canonical_member(member: str) -> str:
    """E-mail addresses without regard to case, as IAM compares them."""
    sort, _, name = member.partition(":")
    return f"{sort}:{name.lower()}" if sort in {"user", "group", "serviceAccount"} else member
