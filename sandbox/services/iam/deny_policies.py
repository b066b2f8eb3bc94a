"""Deny policies, IAM v2: attached to an organisation, a folder or a project."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, unquote

from sandbox.call import Call
from sandbox.enforcement.deny import POLICIES
from sandbox.enforcement.expressions import ExpressionError, compiled
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.hierarchy import RESOURCE_MANAGER
from sandbox.paging import page
from sandbox.resources import Resource

Document = dict[str, Any]
PACKAGE = "type.googleapis.com/google.iam.v2"

#: Attachments of one resource: https://docs.cloud.google.com/iam/quotas (read 2026-08).
LARGEST_COUNT = 500
CONTAINERS = ("organizations/", "folders/", "projects/")
PRINCIPAL_PREFIXES = ("principal://", "principalSet://", "deleted:principal://")


class DenyPolicy(Resource):
    """A deny policy; its name holds the attachment point with encoded slashes and the project's number."""

    kind = POLICIES

    def etag(self, digest: str) -> str:
        """A number of twenty digits in base64, as Google spells it."""
        return base64.b64encode(f"18{int(digest[:14], 16):018d}".encode()).decode()


def container(call: Call) -> str:
    """``projects/123`` of the attachment point.

    Raises:
        InvalidArgument: it is no organisation, folder or project.
    """
    point = unquote(unquote(call.name.removeprefix("policies/"))).partition("/denypolicies")[0]
    host, _, name = point.partition("/")
    if host != "cloudresourcemanager.googleapis.com" or not name.startswith(
        ("organizations/", "folders/", "projects/")
    ):
        raise InvalidArgument(f"Invalid attachment point {point!r}: an organization, folder or project.")
    return call.cloud.hierarchy.numbered(name)


def parent(call: Call) -> str:
    """Name of the collection of an attachment point."""
    return f"policies/{quote(f'cloudresourcemanager.googleapis.com/{container(call)}', safe='')}/denypolicies"


def name_of(call: Call) -> str:
    """Name of the policy that a call is about."""
    return f"{parent(call)}/{call.name.rpartition('/')[2]}"


def read(call: Call) -> Document:
    """The stored policy.

    Raises:
        NotFound: there is none.
    """
    document = call.cloud.store.get(POLICIES, name_of(call))
    if document is None:
        raise NotFound(f'Policy "{name_of(call)}" not found.')
    return document


def check(rules: list[Document]) -> None:
    """Refuse rules that Google refuses.

    Raises:
        InvalidArgument: a malformed principal, permission or condition.
    """
    if not rules:
        raise InvalidArgument("A deny policy needs at least one rule.")
    for rule in rules:
        deny = rule.get("denyRule", {})
        for principal in [*deny.get("deniedPrincipals", []), *deny.get("exceptionPrincipals", [])]:
            if not principal.startswith(PRINCIPAL_PREFIXES):
                raise InvalidArgument(
                    f"Invalid principal identifier {principal!r}: principal://... or principalSet://..."
                )
        for permission in [*deny.get("deniedPermissions", []), *deny.get("exceptionPermissions", [])]:
            if "/" not in permission or ".googleapis.com" not in permission:
                raise InvalidArgument(
                    f"Invalid permission {permission!r}: deny policies spell SERVICE.googleapis.com/RESOURCE.ACTION."
                )
        if expression := deny.get("denialCondition", {}).get("expression"):
            try:
                compiled(expression)
            except ExpressionError as error:
                raise InvalidArgument(f"Condition expression compilation failed: {error}") from None


def finished(call: Call, document: Document) -> Document:
    """The operation of a change."""
    policy = document["name"]
    number = call.cloud.identifiers.number
    claimed = call.cloud.operations.slots.claim(f"iam/{policy}", policy, lambda: number("operations", 19))
    name = f"{policy}/operations/{claimed}"
    metadata = {"@type": f"{PACKAGE}.PolicyOperationMetadata", "createTime": call.cloud.clock.timestamp()}
    return call.cloud.operations.finished("iam", name, {"@type": f"{PACKAGE}.Policy", **document}, metadata)


def create(call: Call) -> Document:
    """Attach a policy."""
    policy_id, now = call.query.get("policyId", ""), call.cloud.clock.timestamp()
    if not policy_id:
        raise InvalidArgument("The policy id is required.")
    name = f"{parent(call)}/{policy_id}"
    if call.cloud.store.get(POLICIES, name):
        raise AlreadyExists(f'Policy "{name}" already exists.')
    if len(call.cloud.store.documents(POLICIES, parent(call))) >= LARGEST_COUNT:
        raise InvalidArgument(f"A resource has at most {LARGEST_COUNT} deny policies.")
    check(call.body.get("rules", []))
    document: Document = {
        "name": name,
        "uid": call.cloud.identifiers.number("uniqueId", 21),
        "kind": "DenyPolicy",
        **{key: call.body[key] for key in ("displayName", "annotations", "rules") if key in call.body},
        "createTime": now,
        "updateTime": now,
    }
    return finished(call, keep(call, document))


def keep(call: Call, document: Document) -> Document:
    """Store with a new etag."""
    resource = DenyPolicy()
    resource.touch(call, document)
    call.cloud.store.put(POLICIES, document["name"], document)
    return document


def get(call: Call) -> Document:
    """One policy."""
    return read(call)


def listing(call: Call) -> Document:
    """Policies of an attachment point, without their rules."""
    shown, following = page(call.cloud.store.documents(POLICIES, parent(call)), call.query)
    short = [{key: value for key, value in policy.items() if key != "rules"} for policy in shown]
    answer: Document = {"policies": short} if short else {}
    return {**answer, "nextPageToken": following} if following else answer


def update(call: Call) -> Document:
    """Replace what a caller may write."""
    document = read(call)
    DenyPolicy().check_etag(call, document)
    check(call.body.get("rules", []))
    for key in ("displayName", "annotations", "rules"):
        document.pop(key, None)
        if key in call.body:
            document[key] = call.body[key]
    document["updateTime"] = call.cloud.clock.timestamp()
    return finished(call, keep(call, document))


def delete(call: Call) -> Document:
    """Detach; the operation shows the policy with its time of deletion."""
    document = read(call)
    DenyPolicy().check_etag(call, document)
    call.cloud.store.delete(POLICIES, document["name"])
    return finished(call, {**document, "deleteTime": call.cloud.clock.timestamp()})


def target(call: Call) -> tuple[str, str]:
    """The container's allow policy governs its deny policies."""
    return RESOURCE_MANAGER.strip("/").partition(".")[0], call.cloud.hierarchy.canonical(container(call))


ACTIONS = {"createPolicy": create, "get": get, "listPolicies": listing, "update": update, "delete": delete}
HANDLERS = {f"iam.policies.{action}": handler for action, handler in ACTIONS.items()}
TARGETS = {f"iam.policies.{action}": target for action in ACTIONS}
