"""Binary Authorization: a project's policy, and what it says of an image that Cloud Run is to serve.

Sources: https://docs.cloud.google.com/binary-authorization/docs/policy-yaml-reference and
https://docs.cloud.google.com/run/docs/securing/binary-authorization (read 2026-11). The sandbox holds no attestations,
so a rule that requires one admits nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, InvalidArgument
from sandbox.resources import Resource
from sandbox.services.registry import Service

if TYPE_CHECKING:
    from sandbox.call import Call
    from sandbox.cloud import Cloud

Document = dict[str, Any]

KIND = "binaryauthorization.projectPolicies"
ATTESTOR = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}")
ENFORCED = "ENFORCED_BLOCK_AND_AUDIT_LOG"
#: What a project has until somebody writes a policy.
FIRST: Document = {
    "globalPolicyEvaluationMode": "ENABLE",
    "defaultAdmissionRule": {"evaluationMode": "ALWAYS_ALLOW", "enforcementMode": ENFORCED},
}


def get_policy(call: Call) -> Document:
    """The project's policy; every project has one."""
    return {"name": call.name, **policy(call.cloud, call.name.split("/")[1])}


def update_policy(call: Call) -> Document:
    """Replace the policy.

    Raises:
        InvalidArgument: a rule names attestors without asking for attestations, or the reverse.
    """
    for rule in (call.body.get("defaultAdmissionRule", {}), *call.body.get("clusterAdmissionRules", {}).values()):
        asks, named = rule.get("evaluationMode") == "REQUIRE_ATTESTATION", bool(rule.get("requireAttestationsBy"))
        if asks != named:
            raise InvalidArgument(
                "requireAttestationsBy must be set for the evaluation mode REQUIRE_ATTESTATION, and for no other."
            )
    kept = {key: value for key, value in call.body.items() if key not in {"name", "updateTime", "etag"}}
    kept["updateTime"] = call.cloud.clock.timestamp()
    call.cloud.store.put(KIND, call.cloud.hierarchy.canonical(call.name), kept)
    return get_policy(call)


def policy(cloud: Cloud, project: str) -> Document:
    """A project's policy by its id."""
    return cloud.store.get(KIND, cloud.hierarchy.canonical(f"projects/{project}/policy")) or FIRST


def require_admitted(cloud: Cloud, service: Document) -> None:
    """Let a new revision of a Cloud Run service that is held to a policy pass, or not.

    Raises:
        FailedPrecondition: the project's policy refuses an image of the service.
    """
    held = service.get("binaryAuthorization", {})
    if not (held.get("useDefault") or held.get("policy")) or held.get("breakglassJustification"):
        return
    project = service["name"].split("/")[1]
    found = policy(cloud, project)
    rule = found["defaultAdmissionRule"]
    if rule["evaluationMode"] == "ALWAYS_ALLOW" or rule["enforcementMode"] != ENFORCED:
        return
    patterns = [pattern["namePattern"] for pattern in found.get("admissionWhitelistPatterns", [])]
    for container in service["template"]["containers"]:
        image = container.get("image", "")
        if not any(matches(pattern, image) for pattern in patterns):
            why = (
                "Denied by an admission rule that denies all images"
                if rule["evaluationMode"] == "ALWAYS_DENY"
                else "No attestations found that were valid and signed by a key trusted by the attestor"
            )
            raise FailedPrecondition(
                f"Container image '{image}' is not authorized by policy. Image '{image}' denied by Binary "
                f"Authorization default admission rule of projects/{project}/policy. {why}."
            )


def matches(pattern: str, image: str) -> bool:
    """Whether an allowlist's pattern names an image: `*` stands for anything but a slash, `**` for anything."""
    escaped = re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.fullmatch(escaped, image) is not None


class Attestor(Resource):
    """Whoever signs images, by a note of theirs; the note itself is not looked for."""

    kind = "binaryauthorization.attestors"
    unnamed = True

    def prepare(self, call: Call, document: Document) -> None:
        """An id, and a note."""
        if not ATTESTOR.fullmatch(document["name"].rpartition("/")[2]):
            raise InvalidArgument(f"Invalid attestor id {document['name'].rpartition('/')[2]!r}.")
        self.complete(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        del before
        self.complete(call, after)

    def complete(self, call: Call, document: Document) -> None:
        """The account that must be able to read the note."""
        note = document.get("userOwnedGrafeasNote", {})
        if not note.get("noteReference"):
            raise InvalidArgument("user_owned_grafeas_note.note_reference must be set: projects/P/notes/N.")
        number = call.cloud.hierarchy.project_number(call.project or "")
        note["delegationServiceAccountEmail"] = f"service-{number}@gcp-sa-binaryauthorization.iam.gserviceaccount.com"


SERVICE = Service(
    name="binaryauthorization",
    title="Binary Authorization API",
    resources=(Attestor,),
    refused=frozenset(f"binaryauthorization.policy.{action}IamPolicy" for action in ("get", "set")),
    handlers={
        "binaryauthorization.projects.getPolicy": get_policy,
        "binaryauthorization.projects.updatePolicy": update_policy,
    },
)
