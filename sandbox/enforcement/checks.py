"""The checks of one request in the order in which they run."""

from __future__ import annotations

from sandbox.audit import record_perimeter_violation
from sandbox.call import Call
from sandbox.enforcement.constraints import admits_service, switched_off
from sandbox.enforcement.perimeter import Crossing
from sandbox.enforcement.permissions import permission
from sandbox.errors import (
    BY_CODE,
    PRECONDITION_FAILURE,
    FailedPrecondition,
    PerimeterViolation,
    PermissionDenied,
    ServiceDisabled,
    Unauthenticated,
)

#: Answerable without a credential: they say nothing about anybody's resources.
OPEN = {"oauth2.token.exchange", "sts.token"}

#: Their consumer is the caller's quota project, never the project they are about.
ACCOUNT_WIDE = {
    "accesscontextmanager",
    "billingbudgets",
    "cloudasset",
    "cloudbilling",
    "cloudresourcemanager",
    "cloudquotas",
    "essentialcontacts",
    "oauth2",
    "openidconnect",
    "orgpolicy",
    "serviceusage",
}


def require_identity(call: Call) -> None:
    """401 for a missing or meaningless credential."""
    if call.principal.member == "allUsers" and (bearer := call.cloud.services.bearer(call)):
        call.principal = bearer
    if call.principal.member == "allUsers" and call.method.short not in OPEN and not call.cloud.services.public(call):
        raise Unauthenticated(
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or "
            "other valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )


def inject_faults(call: Call) -> None:
    """Answer a failure that a test asked for."""
    fault = call.cloud.faults.take(call.method)
    if fault:
        raise BY_CODE[fault.code](fault.message or f"Injected fault {fault.code} for {call.method.id}.")


def require_project(call: Call) -> None:
    """403 for a project that does not exist or is being deleted, as Google hides which."""
    if call.project is None or call.method.service in {"cloudresourcemanager", "cloudbilling"}:
        return
    if call.project == "-":
        return
    project = call.cloud.hierarchy.project(call.project)
    if project is None:
        raise PermissionDenied(f"Project '{call.project}' not found or permission denied.")
    if project["state"] != "ACTIVE" and call.method.verb != "GET":
        raise PermissionDenied(f"Project '{call.project}' has been deleted.")


def require_enabled_api(call: Call) -> None:
    """403 SERVICE_DISABLED unless the project has the API enabled."""
    service = call.method.service
    project_id = call.consumer = call.cloud.services.consumer(call)
    if project_id in {None, "-"} or service in ACCOUNT_WIDE:
        return
    host = f"{service}.googleapis.com"
    if project_id and not call.cloud.service_enabled(project_id, host):
        raise ServiceDisabled(call.cloud.services.title(service), host, call.cloud.hierarchy.project_number(project_id))


def require_perimeter(call: Call) -> None:
    """403 for a request that crosses an enforced perimeter; a dry-run refusal is only logged."""
    project_id = call.consumer
    if not project_id or project_id == "-":
        return
    needed = permission(call.method)
    crossing = Crossing(
        service=f"{call.method.service}.googleapis.com",
        methods=frozenset({call.method.id, call.method.short, f"google.{call.method.id}", needed or ""}),
        target=f"projects/{call.cloud.hierarchy.project_number(project_id)}",
        member=call.principal.member,
        source=f"projects/{call.cloud.hierarchy.project_number(call.origin.project)}" if call.origin.project else None,
        network=f"//compute.googleapis.com/{call.origin.network}" if call.origin.network else None,
        address=call.origin.address,
        region=call.origin.region,
        device=call.origin.device,
        identities=frozenset(call.cloud.permissions.members(call.principal)),
        moment=call.cloud.clock.now(),
    )
    for violation in call.cloud.perimeters().violations(crossing):
        identifier = record_perimeter_violation(call, violation, project_id)
        if not violation.dry_run:
            raise PerimeterViolation(identifier, crossing.service)


def require_permission(call: Call) -> None:
    """403 IAM_PERMISSION_DENIED unless a binding grants the method's permission."""
    call.cloud.permissions.check(call)


def require_organization_policy(call: Call) -> None:
    """Refuse a service or a method that an organisation policy takes away from the project."""
    project_id = call.cloud.services.consumer(call)
    if not project_id or project_id == "-":
        return
    host = f"{call.method.service}.googleapis.com"
    if call.method.service not in ACCOUNT_WIDE and not admits_service(call.cloud, project_id, host):
        number = call.cloud.hierarchy.project_number(project_id)
        raise PermissionDenied(
            "Request is disallowed by organization's constraints/gcp.restrictServiceUsage constraint for "
            f"projects/{number} attempting to use service {host}.",
        )
    if constraint := switched_off(call.cloud, project_id, call.method.short):
        text = f"{call.method.collection}.{call.method.action} is not allowed: constraints/{constraint} is enforced."
        violation = {"type": f"constraints/{constraint}", "subject": call.name, "description": text}
        raise FailedPrecondition(text, details=[{"@type": PRECONDITION_FAILURE, "violations": [violation]}])


#: The whole way of a request before its service sees it.
CHECKS = (
    require_identity,
    inject_faults,
    require_project,
    require_enabled_api,
    require_perimeter,
    require_permission,
    require_organization_policy,
)
