"""Policies of organisation, folders and projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import InvalidArgument, NotFound
from sandbox.etags import stamped
from sandbox.fields import mask_paths
from sandbox.resources import Resource
from sandbox.services.orgpolicy.constraints import CustomConstraint, table
from sandbox.services.orgpolicy.effective import POLICIES, merged

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

SPECS = ("spec", "dryRunSpec")
#: What a rule may say; exactly one of them.
RULES = ("values", "allowAll", "denyAll", "enforce")


class Policy(Resource):
    """A policy for one constraint on one resource."""

    kind = POLICIES
    unnamed = True
    package = "google.cloud.orgpolicy.v2"

    def identifier(self, call: Call) -> str:
        """The constraint, from the body's name.

        Raises:
            InvalidArgument: it names no constraint.
        """
        constraint = str(call.body.get("name", "")).rpartition("/policies/")[2]
        if "." not in constraint:
            raise InvalidArgument(f"Invalid policy name {call.body.get('name', '')!r}: PARENT/policies/CONSTRAINT.")
        return constraint

    def prepare(self, call: Call, document: Document) -> None:
        """The constraint exists, the rules make sense."""
        constraint = document["name"].rpartition("/")[2]
        if constraint.startswith("custom."):
            own = f"{call.cloud.hierarchy.organization}/customConstraints/{constraint}"
            if call.cloud.store.get(CustomConstraint.kind, own) is None:
                raise NotFound("Requested entity was not found.")
        self.check(call, document, constraint)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """New rules make sense, new specs get new etags."""
        del before
        self.check(call, after, after["name"].rpartition("/")[2])

    def check(self, call: Call, document: Document, constraint: str) -> None:
        """Refuse contradictory rules; stamp the specs."""
        if not any(field in document for field in SPECS):
            raise InvalidArgument("A policy needs a spec or a dryRunSpec.")
        kind = table().get(constraint, {}).get("type")
        for field in SPECS:
            spec = document.get(field)
            if spec is None:
                continue
            if spec.get("reset") and spec.get("rules"):
                raise InvalidArgument(f"{field}: reset excludes rules.")
            for rule in spec.get("rules", []):
                said = [name for name in RULES if name in rule]
                if len(said) != 1:
                    raise InvalidArgument(f"{field}: a rule says exactly one of {', '.join(RULES)}.")
                if kind and (said[0] == "enforce") != (kind == "boolean"):
                    raise InvalidArgument(f"{field}: {constraint} is a {kind} constraint: {said[0]} cannot be set.")
            if spec.get("inheritFromParent") is False:
                del spec["inheritFromParent"]
            spec["updateTime"] = call.cloud.clock.timestamp()
            spec["etag"] = self.etag(call.cloud.identifiers.hexadecimal("orgpolicy.etag"))

    def patch(self, call: Call) -> Document:
        """Masks may start with ``policy.``; a mask of ``policy`` or none replaces the specs that the body names."""
        before = self.read(call)
        self.check_etag(call, before)
        body = self.accept(call)
        paths = [path.removeprefix("policy.") for path in mask_paths(call.query.get("updateMask", ""))]
        wanted = [field for field in SPECS if field in paths or {"*", "policy"} & set(paths) or not paths]
        after = {key: value for key, value in before.items() if key not in wanted}
        after |= {field: body[field] for field in wanted if field in body}
        if not paths:
            after = {**before, **after}
        saved = self.save(call, before, after)
        return saved if isinstance(saved, dict) else {}

    def etag(self, digest: str) -> str:
        """Base64, as the service writes them."""
        return stamped(bytes.fromhex(digest[:16]))


def effective(call: Call) -> Document:
    """What holds on a resource after inheritance; the constraint's default when nothing was set."""
    resource, _, constraint = call.name.partition("/policies/")
    found = merged(call.cloud, resource, constraint)
    if not found:
        listed = table().get(constraint, {}).get("type") == "list"
        found = [{"allowAll": True}] if listed else [{"enforce": False}]
    return {"name": call.name, "spec": {"rules": found}}


HANDLERS = {"orgpolicy.policies.getEffectivePolicy": effective}
