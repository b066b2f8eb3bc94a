"""Why a request was refused: the rule, what is missing, and the commands that mend it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.call import Principal
from sandbox.enforcement import role_table
from sandbox.enforcement.perimeter import Decision
from sandbox.enforcement.permissions import subject_of
from sandbox.enforcement.role_table import holds
from sandbox.errors import (
    ERROR_INFO,
    PRECONDITION_FAILURE,
    ApiError,
    PerimeterViolation,
    ResourceExhausted,
    ServiceDisabled,
    Unauthenticated,
)

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.enforcement.crossing import Crossing

Document = dict[str, Any]

#: Roles offered at most, narrowest first.
OFFERED = 3

#: Ends of permissions that change nothing.
READING = (".get", ".list", ".getIamPolicy")

#: Never offered: they hold nearly everything.
BROAD = {"roles/owner", "roles/editor", "roles/viewer"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One refusal, explained.

    Attributes:
        refused_by: ``identity``, ``api``, ``perimeter``, ``permission``, ``deny policy``, ``organization policy``,
            ``encryption key``, ``quota`` or ``service``.
        because: sentences, the most important first.
        cure: commands, any one of which helps unless they are marked as steps.
        rule: a document that one of the commands needs; empty when none does.
    """

    refused_by: str
    because: tuple[str, ...]
    cure: tuple[str, ...] = ()
    rule: Document | None = None

    def document(self) -> Document:
        """As JSON."""
        found: Document = {"refusedBy": self.refused_by, "because": list(self.because), "cure": list(self.cure)}
        return {**found, "rule": self.rule} if self.rule else found


def explain(call: Call, error: ApiError) -> Explanation:
    """Why ``error`` answered ``call``."""
    if isinstance(error, Unauthenticated):
        return Explanation(
            "identity",
            ("The request carries no credential that this sandbox issued, or one that has expired.",),
            ('eval "$(plantain sandbox env --as user:user@example.com)"',),
        )
    info = detail(error, ERROR_INFO)
    if isinstance(error, ServiceDisabled):
        facts = info["metadata"]
        return Explanation(
            "api",
            (f"{facts['service']} is not enabled in {facts['consumer']}, the project that the call is about.",),
            (f"gcloud services enable {facts['service']} --project={call.consumer}",),
        )
    if facts := error.denied_permission():
        return of_permission(call, facts)
    if isinstance(error, ResourceExhausted) and info.get("metadata"):
        return of_quota(info["metadata"])
    violations = detail(error, PRECONDITION_FAILURE).get("violations", [])
    if violations and not isinstance(error, PerimeterViolation):
        return of_precondition(call, violations[0])
    if "constraints/" in error.message:
        return of_constraint(call, error.message.partition("constraints/")[2].split()[0].rstrip(".,:"))
    return Explanation("service", (error.message,))


def detail(error: ApiError, kind: str) -> Document:
    """The error's first detail of a type; empty when there is none."""
    return next((found for found in error.details if found.get("@type") == kind), {})


def of_permission(call: Call, facts: Document) -> Explanation:
    """A permission that nobody granted, that a rule takes away, or whose condition does not hold."""
    needed, name = facts["permission"], facts["resource"]
    member = facts.get("member", call.principal.member)
    service = "cloudkms" if "/cryptoKeys/" in name else call.cloud.services.policy_target(call)[0]
    principal = call.principal if member == call.principal.member else Principal(member)
    name = name.removeprefix(f"//{service}.googleapis.com/")
    found = call.cloud.permissions.explain(principal, needed, service, name, subject_of(call, service, name))
    if denial := found.denial:
        words = f" ({denial.description})" if denial.description else ""
        return Explanation(
            "deny policy",
            (
                f"Rule {denial.rule} of {denial.policy}{words} denies {needed} to {member}.",
                "A deny rule outweighs every role: add the caller to its exceptionPrincipals, or remove the rule.",
            ),
            (f"gcloud iam policies get {denial.policy.rpartition('/')[2]} {attachment_flags(denial.policy)}",),
        )
    because = [f"No binding that governs //{service}.googleapis.com/{name} gives {member} the permission {needed}."]
    because += [
        f"{unmet.grant.role} on {unmet.grant.resource} would, but its condition does not hold: {unmet.expression}"
        for unmet in found.unmet
    ]
    held = sorted(
        {b[0] for b in call.cloud.policies.bindings(service, name, call.cloud.permissions.members(principal))}
    )
    because.append(f"Roles that {member} holds there: {', '.join(held) or 'none'}.")
    if principal.delegates:
        because.append(f"The caller acts through impersonation: {' -> '.join([*principal.delegates, member])}.")
    refused_by = "encryption key" if service == "cloudkms" and member != call.principal.member else "permission"
    roles = narrowest(needed)
    cure = tuple(grant_command(call, service, name, member, role) for role in roles)
    return Explanation(refused_by, tuple(because), cure)


def narrowest(needed: str) -> list[str]:
    """Predefined roles that hold a permission: its own service's first, those that give the least besides first."""
    roles = role_table.roles()
    fitting = [role for role, patterns in roles.items() if role not in BROAD and holds(patterns, needed)]
    own = f"roles/{needed.partition('.')[0]}."
    reading = needed.endswith(READING)

    def breadth(role: str) -> tuple[bool, bool, int, bool, int]:
        patterns = roles[role]
        foreign = role != "roles/browser" and not role.startswith(own)
        besides = sum(not pattern.endswith(READING) for pattern in patterns) if reading else 0
        return role.endswith("serviceAgent"), foreign, besides, any("*" in p for p in patterns), len(patterns)

    return sorted(fitting, key=breadth)[:OFFERED]


def grant_command(call: Call, service: str, name: str, member: str, role: str) -> str:
    """The command that binds a role where it is needed."""
    binding = f"--member={shlex.quote(member)} --role={role}"
    parts = name.split("/")
    if service == "storage" and parts[0] == "b":
        return f"gcloud storage buckets add-iam-policy-binding gs://{parts[1]} {binding}"
    if service == "cloudkms" and "cryptoKeys" in parts[:-1]:
        key, ring = parts[parts.index("cryptoKeys") + 1], parts[parts.index("keyRings") + 1]
        where = f"--keyring={ring} --location={parts[parts.index('locations') + 1]} --project={parts[1]}"
        return f"gcloud kms keys add-iam-policy-binding {key} {where} {binding}"
    if service == "run" and "services" in parts:
        where = f"--region={parts[3]} --project={parts[1]}"
        return f"gcloud run services add-iam-policy-binding {parts[-1]} {where} {binding}"
    if service == "iam" and "serviceAccounts" in parts:
        return f"gcloud iam service-accounts add-iam-policy-binding {parts[-1]} {binding}"
    if parts[0] in {"organizations", "folders"} and len(parts) > 1:
        noun = "organizations" if parts[0] == "organizations" else "resource-manager folders"
        return f"gcloud {noun} add-iam-policy-binding {parts[1]} {binding}"
    project = parts[1] if parts[0] == "projects" and len(parts) > 1 else call.consumer
    if project:
        return f"gcloud projects add-iam-policy-binding {project} {binding}"
    return f"gcloud organizations add-iam-policy-binding {call.cloud.settings.organization} {binding}"


def attachment_flags(policy: str) -> str:
    """Flags that name a deny policy's attachment point."""
    return f"--attachment-point={policy.removeprefix('policies/').partition('/denypolicies')[0]} --kind=denypolicies"


def of_quota(facts: Document) -> Explanation:
    """A limit that is used up."""
    value, place = facts["quota_limit_value"], facts.get("quota_location", "global")
    used = f"{facts['consumer']} has used up {facts['quota_limit']} of {facts['service']}: {value} ({place})."
    project = facts["consumer"].removeprefix("projects/")
    cure = (
        f"gcloud beta quotas preferences create --service={facts['service']} --quota-id={facts['quota_limit']} "
        f"--preferred-value=VALUE --project={project}"
    )
    more = "The window opens again within a minute; a higher value is asked for with a quota preference."
    return Explanation("quota", (used, more), (cure,))


def of_precondition(call: Call, violation: Document) -> Explanation:
    """A precondition: an organisation policy or a key's state."""
    kind, subject = violation.get("type", ""), violation.get("subject", "")
    if kind.startswith("constraints/"):
        return of_constraint(call, kind.removeprefix("constraints/"))
    if kind.startswith("KEY_"):
        key, _, version = subject.partition("/cryptoKeyVersions/")
        parts = key.split("/")
        where = f"--key={parts[-1]} --keyring={parts[5]} --location={parts[3]} --project={parts[1]}"
        verb = {"KEY_DISABLED": "enable", "KEY_DESTROY_SCHEDULED": "restore"}.get(kind)
        cure = (f"gcloud kms keys versions {verb} {version} {where}",) if verb else ()
        state = kind.removeprefix("KEY_").lower().replace("_", " ")
        return Explanation("encryption key", (f"The key version {subject} is {state}, so its data is closed.",), cure)
    return Explanation("service", (violation.get("description", ""),))


def of_constraint(call: Call, constraint: str) -> Explanation:
    """An organisation policy, and where it is set."""
    project = call.consumer or call.project
    because = [f"The organisation policy constraints/{constraint} forbids it."]
    for ancestor in call.cloud.hierarchy.ancestors(f"projects/{project}") if project else ():
        policy = call.cloud.store.get("orgpolicy.policies", f"{ancestor}/policies/{constraint}")
        if policy:
            because.append(f"It is set on {ancestor}: {json.dumps(policy.get('spec', {}).get('rules', []))}")
            break
    cure = (f"gcloud org-policies describe {constraint} --effective --project={project}",) if project else ()
    return Explanation("organization policy", tuple(because), cure)


def of_perimeter(call: Call, crossing: Crossing, decision: Decision) -> Explanation:
    """A crossing that no rule of the perimeter admits, and the rule that would."""
    name = decision.perimeter.rpartition("/")[2]
    policy = decision.perimeter.split("/")[1] if decision.perimeter.count("/") > 1 else ""
    dry = " The configuration is a dry run: the request went on." if decision.dry_run else ""
    because = [f"{decision.reason}: {decision.because}.{dry}"]
    because += [
        f"{near.rule}{f' ({near.title})' if near.title else ''} does not admit it: {'; '.join(near.misses)}"
        for near in decision.near_misses
    ]
    if decision.reason == "SERVICE_NOT_ALLOWED_FROM_VPC":
        flag = "--add-vpc-allowed-services"
        cure = f"gcloud access-context-manager perimeters update {name} --policy={policy} {flag}={crossing.service}"
        return Explanation("perimeter", tuple(because), (cure,))
    if not decision.near_misses:
        because.append(f"The perimeter has no {decision.direction} rules.")
    verb = "dry-run update" if decision.dry_run else "update"
    cure = (
        f"gcloud access-context-manager perimeters {verb} {name} --policy={policy} "
        f"--set-{decision.direction}-policies=FILE  # the present rules and this one"
    )
    return Explanation("perimeter", tuple(because), (cure,), admitting(crossing, decision.direction, call))


def admitting(crossing: Crossing, direction: str, call: Call) -> Document:
    """The narrowest rule that admits a crossing."""
    # Selectors by method exist for some services only; Storage's carry Google's prefix.
    method = f"google.{call.method.id}" if crossing.service.startswith("storage.") else "*"
    to: Document = {
        "operations": [{"serviceName": crossing.service, "methodSelectors": [{"method": method}]}],
        "resources": [crossing.target],
    }
    if direction == "egress":
        return {"egressFrom": {"identities": [crossing.member]}, "egressTo": to}
    source = {"resource": crossing.source} if crossing.source else {"accessLevel": "*"}
    return {"ingressFrom": {"identities": [crossing.member], "sources": [source]}, "ingressTo": to}
