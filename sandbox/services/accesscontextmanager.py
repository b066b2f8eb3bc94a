"""Access Context Manager: access policies, access levels, service perimeters."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource
from sandbox.services.registry import Service

Document = dict[str, Any]
PACKAGE = "google.identity.accesscontextmanager.v1"
FIRST_OPERATION = 10**15
BRIDGE = "PERIMETER_TYPE_BRIDGE"

#: The zero value of an enumeration is left out of answers.
ZERO_VALUES = {"combiningFunction": "AND", "perimeterType": "PERIMETER_TYPE_REGULAR"}


class AccessResource(Resource):
    """What all three share: operations named after what they change."""

    package = PACKAGE

    def operation_name(self, call: Call, name: str) -> str:
        """As ``operations/accessPolicies/1/servicePerimeters/p/create/123``."""
        verb = {"patch": "update"}.get(call.method.action, call.method.action)
        return operation_name(call, f"{name}/{verb}")

    def operation_metadata(self, call: Call, name: str) -> Document:
        """One type for all."""
        return {"@type": f"type.googleapis.com/{PACKAGE}.AccessContextManagerOperationMetadata"}

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound(f"{self.message or 'Resource'} '{call.name}' was not found.")

    def view(self, call: Call, document: Document) -> Document:
        """Without zero values of enumerations."""
        shown = without_zero_values(super().view(call, document))
        return shown if isinstance(shown, dict) else document


class AccessPolicy(AccessResource):
    """The container of levels and perimeters: one for the organisation, and one for each scope."""

    kind = "accesscontextmanager.accessPolicies"
    message = "AccessPolicy"

    def generate(self, call: Call) -> str:
        """Policies are numbered."""
        return call.cloud.identifiers.number("accessPolicies", 12)

    def prepare(self, call: Call, document: Document) -> None:
        """An organisation has one policy without scopes, and one for each scope."""
        if call.cloud.store.get("cloudresourcemanager.organizations", document.get("parent", "")) is None:
            raise InvalidArgument("The parent of an access policy is an existing organization, as organizations/123.")
        if not document.get("title"):
            raise InvalidArgument("An access policy needs a title.")
        scopes = document["scopes"] = [call.cloud.hierarchy.numbered(scope) for scope in document.get("scopes", [])]
        for other in call.cloud.store.documents(self.kind):
            if set(other.get("scopes", [])) & set(scopes) or not (other.get("scopes") or scopes):
                raise AlreadyExists(f"Policy already exists with parent {document['parent']}")
        if not scopes:
            del document["scopes"]

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Policies of the ``parent`` parameter."""
        return [policy for policy in documents if policy["parent"] == call.query.get("parent")]

    def deleting(self, call: Call, document: Document) -> None:
        """What the policy holds goes with it."""
        call.cloud.store.delete_below(document["name"])


class AccessLevel(AccessResource):
    """Conditions on a request's context."""

    kind = "accesscontextmanager.accessLevels"
    message = "AccessLevel"

    def prepare(self, call: Call, document: Document) -> None:
        """Either basic conditions or an expression."""
        if bool(document.get("basic")) == bool(document.get("custom")):
            raise InvalidArgument("An access level has either basic conditions or a custom expression.")

    def deleting(self, call: Call, document: Document) -> None:
        """Nothing may refer to it."""
        for perimeter in call.cloud.store.documents(ServicePerimeter.kind):
            if document["name"] in str([perimeter.get("status"), perimeter.get("spec")]):
                raise FailedPrecondition(
                    f"Access level {document['name']} is referenced by service perimeter {perimeter['name']}."
                )


class ServicePerimeter(AccessResource):
    """A perimeter with its enforced and dry-run configuration."""

    kind = "accesscontextmanager.servicePerimeters"
    message = "ServicePerimeter"

    def prepare(self, call: Call, document: Document) -> None:
        """Check both configurations."""
        if not document.get("title"):
            raise InvalidArgument("A service perimeter needs a title.")
        self.check(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Check both configurations."""
        self.check(call, after)

    def check(self, call: Call, document: Document) -> None:
        """Members exist and belong to one regular perimeter, levels exist, services are hosts."""
        if document.get("spec") and not document.get("useExplicitDryRunSpec"):
            raise InvalidArgument("spec may only be set when use_explicit_dry_run_spec is true.")
        for config in (document.get("status", {}), document.get("spec", {})):
            for member in config.get("resources", []):
                check_member(call, member)
            for level in config.get("accessLevels", []):
                if call.cloud.store.get(AccessLevel.kind, level) is None:
                    raise InvalidArgument(f"Access level {level} does not exist.")
            for service in config.get("restrictedServices", []):
                if "." not in service:
                    raise InvalidArgument(f"Invalid service {service!r} in restricted_services: give its host name.")
        if document.get("perimeterType") != BRIDGE:
            self.check_overlap(call, document)

    def check_overlap(self, call: Call, document: Document) -> None:
        """A project belongs to one regular perimeter at most."""
        members = set(document.get("status", {}).get("resources", []))
        for other in call.cloud.store.documents(self.kind):
            if other["name"] == document["name"] or other.get("perimeterType") == BRIDGE:
                continue
            shared = sorted(members & set(other.get("status", {}).get("resources", [])))
            if shared:
                raise InvalidArgument(
                    f"Invalid Directional Policies set in Perimeter {document['name']}: resource {shared[0]} already "
                    f"belongs to the service perimeter {other['name']}."
                )


def check_member(call: Call, member: str) -> None:
    """A member is a project by number, or a VPC network by its full name."""
    if member.startswith("//compute.googleapis.com/projects/"):
        return
    number = member.removeprefix("projects/")
    if not (member.startswith("projects/") and number.isdigit()):
        raise InvalidArgument(
            f"Invalid resource {member!r}: a perimeter's members are projects by number, projects/123."
        )
    if call.cloud.hierarchy.project(number) is None:
        raise InvalidArgument(f"The project {member} does not exist or is not in this organization.")


def without_zero_values(value: Any) -> Any:
    """Leave out enumeration fields that hold their zero value."""
    if isinstance(value, dict):
        kept = {k: without_zero_values(v) for k, v in value.items() if ZERO_VALUES.get(k) != v or not v}
        return {k: v for k, v in kept.items() if v is not None}
    return [without_zero_values(item) for item in value] if isinstance(value, list) else value


def commit(call: Call) -> Document:
    """Make every dry-run configuration the enforced one."""
    committed = []
    for name, perimeter in call.cloud.store.items(ServicePerimeter.kind, call.name):
        if perimeter.pop("useExplicitDryRunSpec", False):
            perimeter["status"] = perimeter.pop("spec", {})
            call.cloud.store.put(ServicePerimeter.kind, name, perimeter)
            committed.append(perimeter)
    response = {"@type": f"type.googleapis.com/{PACKAGE}.CommitServicePerimetersResponse"}
    operation = operation_name(call, f"{call.name}/commit")
    return call.cloud.operations.finished(
        "accesscontextmanager", operation, {**response, **({"servicePerimeters": committed} if committed else {})}
    )


def replace_all(resource: AccessResource, call: Call, field: str) -> Document:
    """Replace every level or perimeter of a policy at once; one that is wrong leaves all as they were.

    Raises:
        NotFound: the policy does not exist.
        InvalidArgument: one of the new resources is wrong, or lies below another policy.
        FailedPrecondition: a level that would go is still referred to.
    """
    policy = call.name.rpartition("/")[0]
    current = call.cloud.store.get(AccessPolicy.kind, policy)
    if current is None:
        raise NotFound(f"AccessPolicy '{policy}' was not found.")
    resource.check_etag(call, current)
    before = dict(call.cloud.store.items(resource.kind, call.name))
    wanted = {document.get("name", ""): document for document in call.body.get(field, [])}
    for name, document in before.items():
        call.cloud.store.delete(resource.kind, name)
        if name not in wanted:
            resource.deleting(call, document)
    for name, document in wanted.items():
        if name.rpartition("/")[0] != call.name:
            raise InvalidArgument(f"Invalid name {name!r}: it must lie below {call.name}.")
        resource.prepare(call, document)
        resource.touch(call, document)
        call.cloud.store.put(resource.kind, name, document)
    shown = [resource.view(call, document) for document in wanted.values()]
    message = f"Replace{field[0].upper()}{field[1:]}Response"
    response = {"@type": f"type.googleapis.com/{PACKAGE}.{message}", **({field: shown} if shown else {})}
    name = operation_name(call, f"{call.name}/replaceAll")
    return call.cloud.operations.finished(
        "accesscontextmanager", name, response, resource.operation_metadata(call, name)
    )


def operation_name(call: Call, change: str) -> str:
    """Operations are counted for each change of each resource."""
    count = call.cloud.store.next(f"operations/{change}")
    return f"operations/{change}/{FIRST_OPERATION + count}"


def to_policy(call: Call) -> tuple[str, str]:
    """A new policy is governed by its organisation."""
    return "cloudresourcemanager", call.body.get("parent") or call.query.get("parent", "")


SERVICE = Service(
    name="accesscontextmanager",
    title="Access Context Manager API",
    prefix=PACKAGE,
    resources=(AccessPolicy, AccessLevel, ServicePerimeter),
    handlers={
        "accesscontextmanager.accessLevels.replaceAll": lambda call: replace_all(AccessLevel(), call, "accessLevels"),
        "accesscontextmanager.servicePerimeters.commit": commit,
        "accesscontextmanager.servicePerimeters.replaceAll": lambda call: replace_all(
            ServicePerimeter(), call, "servicePerimeters"
        ),
    },
    targets={
        "accesscontextmanager.accessPolicies.create": to_policy,
        "accesscontextmanager.accessPolicies.list": to_policy,
    },
)
