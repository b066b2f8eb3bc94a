"""IAM conditions: the attributes of one request, and whether a condition holds for it.

Attributes: https://docs.cloud.google.com/iam/docs/conditions-attribute-reference (read 2026-08).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sandbox.asset_types import asset_type_of_kind
from sandbox.call import Principal
from sandbox.enforcement import expressions
from sandbox.enforcement.access_levels import Caller, meets
from sandbox.hierarchy import Hierarchy
from sandbox.store import Store

Document = dict[str, Any]

#: Services whose resource names a condition sees with the project's number.
NUMBERED = frozenset({"cloudresourcemanager", "secretmanager"})

MODIFIED_GRANTS = "iam.googleapis.com/modifiedGrantsByRole"
LIST_PREFIX = "storage.googleapis.com/objectListPrefix"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a condition may ask, besides time: one permission check of one request.

    Attributes:
        service: the API of the resource, as ``storage``.
        name: the name under which the sandbox keeps the resource.
        caller: who asks, from where, when.
        attributes: answers of ``api.getAttribute``.
        path: path of the request's URL.
    """

    service: str
    name: str
    caller: Caller
    attributes: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Evaluates conditions over the resources of one sandbox."""

    store: Store
    hierarchy: Hierarchy

    def hold(self, condition: Document, subject: Subject, principal: Principal) -> bool:
        """Whether a condition is true; one that cannot be evaluated is not."""
        expression = condition.get("expression", "")
        variables = self.variables(subject, principal)
        if "access_levels" in expression:
            variables["request"]["auth"] = {"access_levels": self.levels(subject.caller)}
        return expressions.holds(expression, variables, self.functions(subject))

    def levels(self, caller: Caller) -> list[str]:
        """Full names of the access levels that a caller meets."""
        known = {level["name"]: level for level in self.store.documents("accesscontextmanager.accessLevels")}
        return [name for name, level in known.items() if meets(level, known, caller)]

    def variables(self, subject: Subject, principal: Principal) -> dict[str, Any]:
        """What an expression may name, access levels excepted."""
        kind, _, address = principal.member.partition(":")
        return {
            "resource": {
                "name": self.resource_name(subject),
                "service": f"{subject.service}.googleapis.com",
                "type": resource_type(subject.service, subject.name),
            },
            "request": {
                "time": subject.caller.moment,
                "path": subject.path,
                "host": f"{subject.service}.googleapis.com",
            },
            "api": {},
            "origin": {"ip": subject.caller.address},
            "principal": {"subject": address, "type": f"iam.googleapis.com/{kind[:1].upper()}{kind[1:]}"},
        }

    def functions(self, subject: Subject) -> dict[str, expressions.Function]:
        """Functions whose answers hang on the request."""

        def tag(_: Any, key: str, value: str) -> bool:
            return (key, value) in self.tags(subject)

        def tag_key(_: Any, key: str) -> bool:
            return any(key == bound for bound, _ in self.tags(subject))

        return {
            "getAttribute": lambda _, name, default: subject.attributes.get(name, default),
            "hasTagKey": tag_key,
            "hasTagKeyId": tag_key,
            "matchTag": tag,
            "matchTagId": tag,
        }

    def resource_name(self, subject: Subject) -> str:
        """The resource's name as conditions see it."""
        if subject.service == "storage" and subject.name.startswith("b/"):
            _, bucket, *rest = subject.name.split("/", 3)
            return f"projects/_/buckets/{bucket}" + (f"/objects/{rest[1]}" if len(rest) > 1 else "")
        return self.hierarchy.numbered(subject.name) if subject.service in NUMBERED else subject.name

    def tags(self, subject: Subject) -> set[tuple[str, str]]:
        """Tags in effect on the resource, by name and by id; the nearest value of a key wins."""
        bound: dict[str, Document] = {}
        bindings = self.store.documents("cloudresourcemanager.tagBindings")
        for resource in self.hierarchy.lineage(subject.service, subject.name) if bindings else ():
            names = {resource, tagged_name(self.hierarchy, resource)}
            for binding in bindings:
                value = self.store.get("cloudresourcemanager.tagValues", binding["tagValue"])
                if binding["parent"] in names and value:
                    bound.setdefault(value["parent"], value)
        return {pair for value in bound.values() for pair in spellings(value)}


def spellings(value: Document) -> Iterator[tuple[str, str]]:
    """``(key, value)`` of a tag value: ``123/env`` and ``prod``, ``tagKeys/1`` and ``tagValues/2``."""
    key, _, short = value["namespacedName"].rpartition("/")
    yield key, short
    yield value["parent"], value["name"]


def tagged_name(hierarchy: Hierarchy, resource: str) -> str:
    """The full resource name by which a tag is bound: with the project's number, buckets by their own name."""
    host, _, name = resource.removeprefix("//").partition("/")
    if host == "storage.googleapis.com" and name.startswith("b/"):
        return f"//{host}/projects/_/buckets/{name.removeprefix('b/')}"
    return f"//{host}/{hierarchy.numbered(name)}"


@cache
def resource_type(service: str, name: str) -> str:
    """``cloudkms.googleapis.com/CryptoKey``; empty for a name of no known type."""
    parts = name.split("/")
    if service == "storage":
        return f"storage.googleapis.com/{'Object' if len(parts) > 3 else 'Bucket'}"  # noqa: PLR2004 -- b/x/o/y
    collections = parts[-2::-2] if len(parts) % 2 == 0 else parts[-1::-2]
    return asset_type_of_kind(f"{service}.{collections[0]}") if collections else ""
