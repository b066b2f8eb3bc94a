"""The checks of one request in the order in which they run."""

from __future__ import annotations

from sandbox.audit import record_perimeter_violation
from sandbox.call import Call
from sandbox.enforcement.constraints import admits_service, switched_off
from sandbox.enforcement.crossing import Crossing
from sandbox.enforcement.explanations import of_perimeter
from sandbox.enforcement.permissions import caller_of, permission
from sandbox.errors import (
    PRECONDITION_FAILURE,
    FailedPrecondition,
    PerimeterViolation,
    PermissionDenied,
    ServiceDisabled,
    Unauthenticated,
    UserProjectDenied,
)

#: Answerable without a credential: they say nothing about anybody's resources.
OPEN = {"oauth2.token.exchange", "oauth2.tokeninfo", "sts.token"}

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


def require_quota_project(call: Call) -> None:
    """403 USER_PROJECT_DENIED unless the caller may charge the project that it names in ``X-Goog-User-Project``.

    https://docs.cloud.google.com/docs/quotas/set-quota-project (read 2026-08).
    """
    named = call.headers.get("x-goog-user-project", "")
    if not named or call.method.short in OPEN or call.method.service in {"oauth2", "openidconnect"}:
        return
    project = call.cloud.hierarchy.project(named)
    host, resource = f"{call.method.service}.googleapis.com", f"projects/{project['projectId'] if project else named}"
    needed = "serviceusage.services.use"
    if call.cloud.permissions.grant(call.principal, needed, "cloudresourcemanager", resource) is None:
        error = UserProjectDenied(named, host)
        error.facts = {"permission": needed, "resource": resource}
        raise error
    if call.method.service in ACCOUNT_WIDE and not call.cloud.service_enabled(resource.partition("/")[2], host):
        number = call.cloud.hierarchy.project_number(named)
        raise ServiceDisabled(call.cloud.services.title(call.method.service), host, number)


def require_enabled_api(call: Call) -> None:
    """403 SERVICE_DISABLED unless the project has the API enabled."""
    service = call.method.service
    project_id = call.consumer = call.cloud.services.consumer(call)
    if project_id in {None, "-"} or service in ACCOUNT_WIDE:
        return
    host = f"{service}.googleapis.com"
    if project_id and not call.cloud.service_enabled(project_id, host):
        raise ServiceDisabled(call.cloud.services.title(service), host, call.cloud.hierarchy.project_number(project_id))


def crossing_of(call: Call, project_id: str) -> Crossing:
    """A call as the perimeters see it."""
    needed, caller = permission(call.method), caller_of(call)
    return Crossing(
        service=f"{call.method.service}.googleapis.com",
        methods=frozenset({call.method.id, call.method.short, f"google.{call.method.id}", needed or ""}),
        target=f"projects/{call.cloud.hierarchy.project_number(project_id)}",
        member=caller.member,
        source=f"projects/{call.cloud.hierarchy.project_number(call.origin.project)}" if call.origin.project else None,
        network=caller.network,
        address=caller.address,
        region=caller.region,
        device=caller.device,
        identities=frozenset(call.cloud.permissions.members(call.principal)),
        moment=caller.moment,
    )


def require_perimeter(call: Call) -> None:
    """403 for a request that crosses an enforced perimeter; a dry-run refusal is only logged."""
    project_id = call.consumer
    if not project_id or project_id == "-":
        return
    perimeters = call.cloud.perimeters()
    if not perimeters.perimeters:
        return
    crossing = crossing_of(call, project_id)
    refused = set()
    for decision in perimeters.decisions(crossing):
        if decision.allowed or decision.perimeter in refused:
            continue
        refused.add(decision.perimeter)
        identifier, insert_id = record_perimeter_violation(call, decision, project_id)
        error = PerimeterViolation(identifier, crossing.service)
        call.denial = call.cloud.denials.record(
            call,
            200 if decision.dry_run else error.code,
            error.message,
            of_perimeter(call, crossing, decision),
            identifiers=(identifier, insert_id),
        )
        if not decision.dry_run:
            raise error


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


def require_quota(call: Call) -> None:
    """429 for a project that has used up a limit of this minute."""
    call.cloud.quotas.take(call)


#: The whole way of a request before its service sees it.
CHECKS = (
    require_identity,
    require_project,
    require_quota_project,
    require_enabled_api,
    require_perimeter,
    require_permission,
    require_organization_policy,
    require_quota,
)
