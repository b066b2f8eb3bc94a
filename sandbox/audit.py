"""Cloud Audit Logs: what was changed, by whom, and what a perimeter refused.

Entry shapes: https://docs.cloud.google.com/logging/docs/audit/understanding-audit-logs and
https://docs.cloud.google.com/vpc-service-controls/docs/audit-logging (read 2026-08).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.enforcement.perimeter import Decision
    from sandbox.errors import ApiError

ENTRIES = "logging.entries"
READS = {"GET", "HEAD"}


def append(call: Call, project_id: str, log: str, payload: dict[str, Any], severity: str) -> str:
    """Write one audit entry; returns its insert id."""
    cloud = call.cloud
    insert_id = cloud.identifiers.hexadecimal("insertId", 16)
    now = cloud.clock.timestamp()
    entry = {
        "logName": f"projects/{project_id}/logs/cloudaudit.googleapis.com%2F{log}",
        "resource": {
            "type": "audited_resource",
            "labels": {"project_id": project_id, "service": payload["serviceName"], "method": payload["methodName"]},
        },
        "timestamp": now,
        "receiveTimestamp": now,
        "severity": severity,
        "insertId": insert_id,
        "protoPayload": {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", **payload},
    }
    cloud.store.put(ENTRIES, f"projects/{project_id}/entries/{insert_id}", entry)
    cloud.services.audited(cloud, entry)
    return insert_id


def payload_of(call: Call) -> dict[str, Any]:
    """The part that every audit entry has."""
    return {
        "serviceName": f"{call.method.service}.googleapis.com",
        "methodName": call.method.id,
        "resourceName": call.name,
        "authenticationInfo": {"principalEmail": call.principal.email},
        "requestMetadata": {
            "callerIp": call.origin.address,
            **({"callerNetwork": f"//compute.googleapis.com/{call.origin.network}"} if call.origin.network else {}),
            "callerSuppliedUserAgent": call.headers.get("user-agent", ""),
        },
    }


def source_of(call: Call) -> dict[str, str]:
    """The network's project, for a call that comes from one."""
    if not call.origin.project:
        return {}
    return {"source": f"projects/{call.cloud.hierarchy.project_number(call.origin.project)}"}


def record_change(call: Call) -> None:
    """Admin Activity: one entry for each change of configuration."""
    project_id = call.consumer or call.project
    if call.method.verb in READS or project_id is None or call.method.short in DATA_METHODS:
        return
    if call.cloud.hierarchy.project(project_id) is None or call.method.action in {
        "testIamPermissions",
        "getIamPolicy",
    }:
        return
    append(call, project_id, "activity", payload_of(call), "NOTICE")


def record_refusal(call: Call, error: ApiError) -> str:
    """Admin Activity of a refused change: who was refused which permission; returns the insert id, empty for none."""
    project_id = call.consumer or call.project
    if call.method.verb in READS or project_id is None or call.method.short in DATA_METHODS:
        return ""
    facts = error.denied_permission()
    if facts is None or call.cloud.hierarchy.project(project_id) is None:
        return ""
    asked = {"resource": facts["resource"], "permission": facts["permission"], "granted": False}
    payload = {
        **payload_of(call),
        "status": {"code": 7, "message": error.message},
        "authorizationInfo": [asked],
    }
    return append(call, project_id, "activity", payload, "ERROR")


def record_access(call: Call) -> None:
    """Data Access: one entry for each access whose kind the audit configuration asks for; off unless configured."""
    project_id = call.consumer or call.project
    if not project_id or not call.cloud.policies.audits or call.cloud.hierarchy.project(project_id) is None:
        return
    kind = access_kind(call)
    if kind is None:
        return
    service = f"{call.method.service}.googleapis.com"
    for _, policy in call.cloud.policies.inherited("cloudresourcemanager", f"projects/{project_id}"):
        for config in policy.get("auditConfigs", []):
            if config.get("service") in {"allServices", service} and asks(config, kind, call.principal.member):
                append(call, project_id, "data_access", payload_of(call), "INFO")
                return


def access_kind(call: Call) -> str | None:
    """``ADMIN_READ``, ``DATA_READ`` or ``DATA_WRITE``; None for a change of configuration, which is always logged."""
    short = call.method.short
    if short in DATA_METHODS:
        return "DATA_READ" if short in DATA_READS else "DATA_WRITE"
    if short in DATA_READS:
        return "DATA_READ"
    reads = call.method.verb in READS or call.method.action in {"getIamPolicy", "testIamPermissions"}
    return "ADMIN_READ" if reads else None


def asks(config: dict[str, Any], kind: str, member: str) -> bool:
    """Whether an audit configuration wants a kind of access logged for a caller."""
    return any(
        wanted.get("logType") == kind and member not in wanted.get("exemptedMembers", [])
        for wanted in config.get("auditLogConfigs", [])
    )


def record_perimeter_violation(call: Call, violation: Decision, project_id: str) -> tuple[str, str]:
    """Policy Denied: the unique identifier that the caller is given, and the entry's insert id."""
    identifier = call.cloud.identifiers.hexadecimal("violation", 32)
    payload = {
        **payload_of(call),
        "status": {
            "code": 7,
            "message": "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: "
            + identifier,
        },
        "metadata": {
            "@type": "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata",
            "vpcServiceControlsUniqueId": identifier,
            "violationReason": violation.reason,
            "securityPolicyInfo": {
                "servicePerimeterName": violation.perimeter,
                "organizationId": call.cloud.settings.organization,
            },
            "dryRun": violation.dry_run,
            f"{violation.direction}Violations": [
                {
                    "servicePerimeter": violation.perimeter,
                    "targetResource": f"projects/{call.cloud.hierarchy.project_number(project_id)}",
                    **source_of(call),
                }
            ],
        },
    }
    return identifier, append(call, project_id, "policy", payload, "ERROR")


#: What reads data, as against configuration: https://docs.cloud.google.com/logging/docs/audit/services (read 2026-08).
DATA_READS = frozenset(
    {
        "aiplatform.models.countTokens",
        "aiplatform.models.generateContent",
        "aiplatform.models.streamGenerateContent",
        "cloudkms.cryptoKeyVersions.asymmetricDecrypt",
        "cloudkms.cryptoKeyVersions.asymmetricSign",
        "cloudkms.cryptoKeyVersions.macSign",
        "cloudkms.cryptoKeyVersions.macVerify",
        "cloudkms.cryptoKeys.decrypt",
        "cloudkms.cryptoKeys.encrypt",
        "iamcredentials.serviceAccounts.generateAccessToken",
        "iamcredentials.serviceAccounts.generateIdToken",
        "iamcredentials.serviceAccounts.signBlob",
        "iamcredentials.serviceAccounts.signJwt",
        "logging.entries.list",
        "monitoring.timeSeries.list",
        "pubsub.subscriptions.pull",
        "secretmanager.versions.access",
        "storage.objects.get",
        "storage.objects.list",
    }
)

#: Data plane: audited as data access, which is off unless configured.
DATA_METHODS = frozenset(
    {
        "aiplatform.models.generateContent",
        "aiplatform.models.streamGenerateContent",
        "aiplatform.models.countTokens",
        "cloudkms.cryptoKeys.encrypt",
        "cloudkms.cryptoKeys.decrypt",
        "cloudkms.cryptoKeyVersions.asymmetricDecrypt",
        "cloudkms.cryptoKeyVersions.asymmetricSign",
        "cloudkms.cryptoKeyVersions.macSign",
        "cloudkms.cryptoKeyVersions.macVerify",
        "cloudtasks.tasks.create",
        "cloudtasks.tasks.delete",
        "iamcredentials.serviceAccounts.signBlob",
        "iamcredentials.serviceAccounts.signJwt",
        "iamcredentials.serviceAccounts.generateAccessToken",
        "iamcredentials.serviceAccounts.generateIdToken",
        "logging.entries.write",
        "logging.entries.list",
        "monitoring.timeSeries.create",
        "pubsub.topics.publish",
        "pubsub.subscriptions.acknowledge",
        "pubsub.subscriptions.modifyAckDeadline",
        "pubsub.subscriptions.pull",
        "storage.objects.insert",
        "storage.objects.delete",
        "storage.objects.patch",
        "storage.objects.update",
        "storage.objects.compose",
        "storage.objects.copy",
        "storage.objects.move",
        "storage.objects.rewrite",
    }
)
