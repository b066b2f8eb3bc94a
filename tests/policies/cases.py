"""For each control: what it judges in the good stack, and the changes that make it fail or leave it open.

Every property a control reads is broken by at least one change; `test_catalogue` proves that none is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policies.catalogue import UNKNOWN, Parameters
from policies.catalogue.alerts import EVENTS
from policies.catalogue.organization import BASELINE
from policies.catalogue.unknown import MISSING
from tests.policies.world import KEY, LABELS, MEMBER, NETWORK, PROJECT_ID, SUBNET

Changes = Mapping[str, Any]


@dataclass(frozen=True)
class Cases:
    """The cases of one control.

    Attributes:
        subjects: the resources it judges in the good stack; empty for a control of the whole stack.
        bad: changes after each of which it fails.
        unknown: changes after each of which it stays open.
        free: changes after each of which it does not apply.
        good: changes after each of which it still passes.
        parameters: choices of the organisation the cases need.
        existence: whether it reads nothing but whether a resource is there, so that nothing can be unknown.
    """

    subjects: Sequence[str] = ()
    bad: Sequence[Changes] = ()
    unknown: Sequence[Changes] = ()
    free: Sequence[Changes] = ()
    good: Sequence[Changes] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    existence: bool = False


def broken(name: str, path: str, *values: Any) -> list[Changes]:
    """One change for each value, and one for its absence."""
    return [{f"{name}:{path}": value} for value in (*values, MISSING)]


def _policy(*bindings: tuple[str, str]) -> str:
    return json.dumps({"bindings": [{"role": role, "members": [member]} for role, member in bindings]})


EVERYONE = "principalSet://goog/public:all"
_NAMED = {"members": ["user:a@example.com"]}
ADMISSION = "defaultAdmissionRule"
OWN_IMAGES = [{"namePattern": f"europe-west4-docker.pkg.dev/{PROJECT_ID}/images/**"}]
HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
SLICES = ["0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "64.0.0.0/2"]
"""Half of all addresses, less 10.0.0.0/8: less than everywhere."""


def _denial(**changes: Any) -> list[dict[str, Any]]:
    """The rules of a deny policy, some parts of the only one changed or taken away."""
    rule = {
        "deniedPrincipals": [EVERYONE],
        "deniedPermissions": ["storage.googleapis.com/buckets.delete"],
        **changes,
    }
    return [{"denyRule": {name: value for name, value in rule.items() if value is not MISSING}}]


IAM_POLICY = "gcp:projects/iAMPolicy:IAMPolicy"
IAM_MEMBER = "gcp:projects/iAMMember:IAMMember"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
EVERYBODY = "allAuthenticatedUsers"
ACCOUNT = "serviceAccount:other@x.iam.gserviceaccount.com"
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
KEY_ELSEWHERE = KEY.replace("europe-west4", "us-east1")
FOREIGN_KEY = KEY.replace(PROJECT_ID, "somebody-else")
BINDING = "gcp:projects/iAMBinding:IAMBinding"
NO_CAMPAIGN: list[Changes] = [{"project:labels": {}}]
ENVIRONMENT = "function:serviceConfig.environmentVariables"


def _variables(**values: Any) -> list[dict[str, Any]]:
    return [{"envs": [{"name": name, "value": value} for name, value in values.items()]}]


PROJECT_TYPE = "gcp:organizations/project:Project"
NETWORK_TYPE = "gcp:compute/network:Network"
FUNCTION_TYPE = "gcp:cloudfunctionsv2/function:Function"
SECOND: Changes = {
    "second": (PROJECT_TYPE, {"projectId": "autumn-1", "number": "555", "labels": {"campaign": "autumn"}}),
}
"""Another campaign, whose project is empty: what the first one has is not enough."""
ANOTHER_NETWORK: Changes = {"second": (NETWORK_TYPE, {"id": "projects/x/global/networks/y"})}

PROJECT: dict[str, Cases] = {
    "labels-mandatory": Cases(
        ("images", "channel", "project"),
        [
            {"images:labels": MISSING},
            {"channel:userLabels": MISSING},
            *[
                change
                for label, wrong in (
                    ("campaign", "Spring"),
                    ("owner", "Brand Studio"),
                    ("cost-center", "€"),
                    ("env", "staging"),
                    ("data-class", "secret"),
                    ("ends-on", "soon"),
                )
                for change in broken("images", f"labels.{label}", wrong)
            ],
        ],
        [
            {"images:labels": UNKNOWN},
            {"images:labels.env": UNKNOWN},
            {"channel:userLabels": UNKNOWN},
            {"project:labels": {}, "project:effectiveLabels": {**LABELS, "env": UNKNOWN}},
        ],
        good=[{"project:labels": {}, "project:effectiveLabels": LABELS}, {"images:labels.ends-on": "never"}],
    ),
    "labels-consistent": Cases(
        bad=[
            {"images:labels.campaign": "autumn"},
            {"images:labels": MISSING},
            {"channel:userLabels.campaign": "autumn"},
            {"project:labels.campaign": "autumn"},
        ],
        unknown=[{"images:labels": UNKNOWN}, {"project:labels.campaign": UNKNOWN}],
        free=[*NO_CAMPAIGN, {"project:labels.campaign": "shared"}],
        good=[
            {"images:project": "somebody-else", "images:labels": {}},
            {"project:labels": {}, "project:effectiveLabels": {"campaign": "spring-launch"}},
        ],
    ),
    "campaign-not-ended": Cases(
        ("project",),
        [{"project:labels.ends-on": "2026-11-20"}, {"project:labels.ends-on": "some day"}],
        [{"project:labels.ends-on": UNKNOWN}],
        [*NO_CAMPAIGN, {"project:labels.ends-on": "never"}],
        [{"project:labels.ends-on": "2026-11-21"}],
    ),
    "project-no-default-network": Cases(
        ("project",),
        broken("project", "autoCreateNetwork", True),
        [
            {"project:autoCreateNetwork": UNKNOWN},
            {"project:autoCreateNetwork": MISSING, "project!source": "state"},
        ],
    ),
    "api-allow-list": Cases(
        ("api-storage",),
        broken("api-storage", "service", "translate.googleapis.com"),
        [{"api-storage:service": UNKNOWN}],
    ),
    "api-no-keyed-gemini": Cases(
        ("api-storage",),
        [{"api-storage:service": "generativelanguage.googleapis.com"}],
        [{"api-storage:service": UNKNOWN}],
    ),
    "api-asset-inventory": Cases(
        bad=[SECOND, {"api-cloudasset": None}, {"api-cloudasset:service": "run.googleapis.com"}],
        unknown=[{"api-cloudasset:service": UNKNOWN}],
        free=NO_CAMPAIGN,
    ),
    "location-allowed": Cases(
        ("images", "subnet", "dataset"),
        [
            *broken("images", "location", "US", "europe-west1"),
            {"subnet:region": "us-east1"},
            {"dataset:region": "us-east1"},
        ],
        [{"images:location": UNKNOWN}, {"subnet:region": UNKNOWN}],
    ),
    "deletion-guarded": Cases(
        ("images", "key", "project", "log-bucket", "perimeter"),
        [*broken("images", "deletionPolicy", "DELETE"), {"images:deletionPolicy": "DELETE", "images!protect": False}],
        [{"images:deletionPolicy": UNKNOWN}],
        [{"images!source": "live"}],
        [{"images:deletionPolicy": MISSING, "images!protect": True}, {"images:deletionPolicy": "ABANDON"}],
    ),
}

ORGANISATION: dict[str, Cases] = {
    "org-policy-in-force": Cases(
        ("models", "constraint-run.allowedIngress"),
        [
            {"models:spec": MISSING, "models:dryRunSpec": {"rules": [{"enforce": "TRUE"}]}},
            {"models:spec.rules": []},
            {"models:spec.rules": [{"allowAll": "TRUE"}]},
            {"models:spec.rules": [{"allowAll": True, "values": {"allowedValues": ["x"]}}]},
            {"models:spec.rules": [{"enforce": "FALSE"}]},
            {"models:spec.rules": [{"values": {"allowedValues": []}}]},
            {"models:spec.reset": True},
        ],
        [
            {"models:spec.rules": UNKNOWN},
            {"models:spec": UNKNOWN},
            {"models:spec.rules": [UNKNOWN]},
            {"models:spec.rules": [{"enforce": UNKNOWN}]},
        ],
        good=[
            {"models:spec.rules": [{"denyAll": "TRUE"}]},
            {"models:spec.rules": [{"enforce": True}]},
            {"models:spec.rules": [{"values": {"deniedValues": ["x"]}}]},
        ],
    ),
    "org-policy-baseline": Cases(
        bad=[
            *[{f"constraint-{name}": None} for name in BASELINE],
            {"constraint-run.allowedIngress:spec": {}, "constraint-run.allowedIngress:dryRunSpec": {"rules": [{}]}},
        ],
        unknown=[{"constraint-run.allowedIngress:name": UNKNOWN}],
        free=[{"models": None, **{f"constraint-{name}": None for name in BASELINE}}],
    ),
    "security-contact": Cases(
        bad=[
            *broken("contact", "notificationCategorySubscriptions", ["BILLING"], []),
            {"contact": None},
        ],
        unknown=[{"contact:notificationCategorySubscriptions": UNKNOWN}],
        free=[{"contact": None, "models": None, **{f"constraint-{name}": None for name in BASELINE}}],
        good=[{"contact:notificationCategorySubscriptions": ["ALL"]}],
    ),
}

IDENTITY: dict[str, Cases] = {
    "iam-not-public": Cases(
        ("grant", "group-grant", "key-policy", "invoker"),
        [
            {"grant:member": "allUsers"},
            {"grant:member": EVERYBODY},
            {"group-grant:members": ["group:a@example.com", EVERYBODY]},
            {"key-policy:policyData": _policy(("roles/cloudkms.viewer", EVERYBODY))},
            {"key-policy:policyData": "{broken"},
            {"key-policy:policyData": "[]"},
        ],
        [
            {"grant:member": UNKNOWN},
            {"group-grant:members": UNKNOWN},
            {"group-grant:members": [UNKNOWN]},
            {"key-policy:policyData": UNKNOWN},
        ],
    ),
    "key-not-public": Cases(
        ("key-grant", "key-policy"),
        [
            {"key-grant:members": ["allUsers"]},
            {"key-policy:policyData": _policy(("roles/cloudkms.viewer", "allUsers"))},
        ],
        [{"key-grant:members": [UNKNOWN]}, {"key-policy:policyData": UNKNOWN}],
    ),
    "iam-no-basic-roles": Cases(
        ("grant", "group-grant"),
        [
            *[{"grant:role": f"roles/{name}"} for name in ("owner", "editor", "viewer")],
            {"grant": (IAM_POLICY, {"policyData": _policy(("roles/editor", MEMBER))})},
            {"grant": (IAM_POLICY, {"policyData": "{broken"})},
        ],
        [{"grant:role": UNKNOWN}, {"grant": (IAM_POLICY, {"policyData": UNKNOWN})}],
    ),
    "iam-accounts-not-admin": Cases(
        ("group-grant",),
        [
            {"group-grant:members": [ACCOUNT]},
            {"group-grant": (IAM_MEMBER, {"role": "roles/owner", "member": ACCOUNT})},
            {"group-grant": (IAM_MEMBER, {"role": "roles/compute.networkAdmin", "member": ACCOUNT})},
            {"group-grant": (IAM_POLICY, {"policyData": _policy(("roles/editor", ACCOUNT))})},
            {
                "group-grant": (
                    BINDING,
                    {"role": "roles/run.admin", "members": ["serviceAccount:d@seed.iam.example", ACCOUNT]},
                )
            },
        ],
        [
            {"group-grant:role": UNKNOWN},
            {"group-grant:members": UNKNOWN},
            {"group-grant:members": [UNKNOWN]},
        ],
        [
            {"group-grant:role": "roles/run.invoker"},
            {"group-grant:members": ["serviceAccount:d@seed.iam.example"]},
        ],
        [{"group-grant:members": ["serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"]}],
    ),
    "iam-no-project-wide-impersonation": Cases(
        ("agent-grant",),
        [
            {"agent-grant:member": ACCOUNT},
            {"agent-grant:member": "user:a@example.com"},
            {"agent-grant:role": "roles/iam.serviceAccountUser", "agent-grant:member": "group:a@example.com"},
            {"agent-grant": (IAM_POLICY, {"policyData": _policy(("roles/iam.serviceAccountUser", ACCOUNT))})},
        ],
        [{"agent-grant:role": UNKNOWN}, {"agent-grant:member": UNKNOWN}],
        [{"agent-grant:role": "roles/run.invoker"}],
    ),
    "iam-separation-of-duties": Cases(
        bad=[
            {"extra": (IAM_MEMBER, {"role": "roles/cloudkms.admin", "member": MEMBER})},
            {
                "extra": (IAM_MEMBER, {"role": "roles/iam.serviceAccountAdmin", "member": ACCOUNT}),
                "other": (IAM_MEMBER, {"role": "roles/iam.serviceAccountUser", "member": ACCOUNT}),
            },
            {"extra": (IAM_POLICY, {"policyData": _policy(("roles/cloudkms.admin", MEMBER))})},
        ],
        unknown=[
            {"extra": (IAM_MEMBER, {"role": "roles/cloudkms.admin", "member": UNKNOWN})},
            {
                "extra": (IAM_MEMBER, {"role": "roles/cloudkms.admin", "member": ACCOUNT}),
                "key-grant:members": [UNKNOWN],
            },
            {"key-policy:policyData": "{broken"},
        ],
        free=[
            dict.fromkeys(("grant", "group-grant", "agent-grant", "invoker", "key-grant", "key-policy")),
        ],
        good=[{"key-grant:members": [UNKNOWN]}],
    ),
    "iam-no-account-keys": Cases(
        bad=[
            {"extra": ("gcp:serviceaccount/key:Key", {"serviceAccountId": "a"})},
            {"account": None, "extra": ("gcp:serviceaccount/key:Key", {"serviceAccountId": "a"})},
        ],
        free=[{"account": None}],
        existence=True,
    ),
    "federation-has-condition": Cases(
        ("federation",),
        broken("federation", "attributeCondition", "true", ""),
        [{"federation:attributeCondition": UNKNOWN}],
    ),
    "iam-grants-visible": Cases(
        bad=[
            {"extra": (KEY_MEMBER, {"cryptoKeyId": KEY, "role": ENCRYPTER, "member": ACCOUNT})},
            {
                "key-grant": None,
                "whole": ("gcp:kms/cryptoKeyIAMPolicy:CryptoKeyIAMPolicy", {"cryptoKeyId": KEY, "policyData": "{}"}),
                "extra": (KEY_MEMBER, {"cryptoKeyId": KEY, "role": "roles/cloudkms.viewer", "member": ACCOUNT}),
            },
            {
                "key-grant:cryptoKeyId": UNKNOWN,
                "key-grant@cryptoKeyId": ["key"],
                "extra": (KEY_MEMBER, {"cryptoKeyId": UNKNOWN, "role": ENCRYPTER, "member": ACCOUNT}),
                "extra@cryptoKeyId": ["key"],
            },
        ],
        unknown=[
            {"extra": (KEY_MEMBER, {"cryptoKeyId": KEY, "role": "roles/cloudkms.viewer", "member": ACCOUNT})},
            {"extra": (KEY_MEMBER, {"cryptoKeyId": KEY_ELSEWHERE, "role": ENCRYPTER, "member": ACCOUNT})},
        ],
        free=[{"key-grant": None}],
        good=[
            {
                "extra": (KEY_MEMBER, {"cryptoKeyId": KEY, "role": "roles/cloudkms.viewer", "member": ACCOUNT}),
                "extra!source": "live",
            },
        ],
    ),
}

PERIMETER_TYPE = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
BRIDGE: list[Changes] = [{"perimeter:perimeterType": "PERIMETER_TYPE_BRIDGE"}]
MEMBERSHIP = "gcp:accesscontextmanager/servicePerimeterResource:ServicePerimeterResource"
DRY_MEMBERSHIP = "gcp:accesscontextmanager/servicePerimeterDryRunResource:ServicePerimeterDryRunResource"


def _ingress(*, who: dict[str, Any], to: list[Any]) -> list[dict[str, Any]]:
    return [{"ingressFrom": who, "ingressTo": {"resources": ["*"], "operations": to}}]


def _egress(who: dict[str, Any], **to: Any) -> list[dict[str, Any]]:
    return [{"egressFrom": who, "egressTo": to}]


ALL_SERVICES = [{"serviceName": "*"}]
STORAGE = [{"serviceName": "storage.googleapis.com"}]
ANYBODY = {"identityType": "ANY_IDENTITY"}
SOMEBODY = {"identities": ["user:a@example.com"]}
SOURCE = {"sources": [{"accessLevel": "accessPolicies/1/x"}]}

PERIMETER: dict[str, Cases] = {
    "perimeter-enforced": Cases(
        ("perimeter",),
        [{"perimeter:status": MISSING}, *broken("perimeter", "status.restrictedServices", [])],
        [{"perimeter:status": UNKNOWN}, {"perimeter:status.restrictedServices": UNKNOWN}],
        BRIDGE,
    ),
    "perimeter-has-campaigns": Cases(
        bad=[
            SECOND,
            {"perimeter:status.resources": []},
            {"perimeter:status": MISSING},
            {"perimeter:status.resources": ["projects/1"]},
            {"perimeter": None},
            {"perimeter": None, "extra": (MEMBERSHIP, {"resource": "projects/1"})},
            {"perimeter": None, "extra": (DRY_MEMBERSHIP, {"resource": "projects/111222333444"})},
        ],
        unknown=[
            {"perimeter:status.resources": UNKNOWN, "perimeter@status": ["project"]},
            {
                "perimeter": None,
                "extra": (MEMBERSHIP, {"resource": UNKNOWN}),
                "extra@resource": ["project"],
            },
        ],
        free=NO_CAMPAIGN,
        good=[
            {"perimeter": None, "extra": (MEMBERSHIP, {"resource": "projects/111222333444"})},
        ],
    ),
    "perimeter-restricts-core": Cases(
        ("perimeter",),
        [
            *broken("perimeter", "status.restrictedServices", ["storage.googleapis.com"]),
            {"perimeter:status": MISSING, "perimeter:spec.restrictedServices": []},
        ],
        [
            {"perimeter:status": UNKNOWN},
            {"perimeter:status.restrictedServices": UNKNOWN},
            {"perimeter:status.restrictedServices": [UNKNOWN]},
        ],
        BRIDGE,
        [{"perimeter:status": MISSING}],
    ),
    "perimeter-restricts-enabled": Cases(
        bad=[
            {"api-storage:service": "bigquery.googleapis.com"},
            {"perimeter:status.restrictedServices": ["storage.googleapis.com"]},
            {"perimeter:status.restrictedServices": MISSING},
            {"perimeter:status": MISSING, "perimeter:spec.restrictedServices": []},
            {
                "perimeter:status.restrictedServices": UNKNOWN,
                "second": (PERIMETER_TYPE, {"status": {"restrictedServices": []}}),
            },
        ],
        unknown=[{"perimeter:status.restrictedServices": UNKNOWN}, {"api-storage:service": UNKNOWN}],
        free=[
            {"perimeter": None},
            *BRIDGE,
            dict.fromkeys(("api-storage", "api-aiplatform", "api-cloudasset", "api-compute")),
        ],
        good=[{"perimeter:status": MISSING}, {"api-storage:service": "orgpolicy.googleapis.com"}],
    ),
    "perimeter-limits-networks": Cases(
        ("perimeter",),
        [
            *broken("perimeter", "status.vpcAccessibleServices.enableRestriction", False),
            *broken(
                "perimeter",
                "status.vpcAccessibleServices.allowedServices",
                ["ALL-SERVICES"],
                ["RESTRICTED-SERVICES", "maps.googleapis.com"],
            ),
            {"perimeter:status": MISSING, "perimeter:spec.vpcAccessibleServices": MISSING},
            {"perimeter:status": MISSING, "perimeter:spec.vpcAccessibleServices.allowedServices": ["x"]},
        ],
        [
            {"perimeter:status.vpcAccessibleServices": UNKNOWN},
            {"perimeter:status.vpcAccessibleServices.allowedServices": [UNKNOWN]},
        ],
        BRIDGE,
    ),
    "perimeter-no-open-rules": Cases(
        ("perimeter", "ingress-rule", "egress-rule"),
        [
            {"perimeter:status.ingressPolicies": _ingress(who=ANYBODY, to=STORAGE)},
            {"perimeter:status.ingressPolicies": _ingress(who={}, to=STORAGE)},
            {"perimeter:spec.ingressPolicies": _ingress(who=ANYBODY, to=STORAGE)},
            {"perimeter:status.ingressPolicies": _ingress(who={**ANYBODY, **SOURCE}, to=ALL_SERVICES)},
            {
                "perimeter:status.ingressPolicies": _ingress(
                    who={"identityType": "ANY_SERVICE_ACCOUNT", "sources": [{"accessLevel": "*"}]}, to=STORAGE
                )
            },
            {"perimeter:status.egressPolicies": _egress(ANYBODY, resources=["*"], operations=STORAGE)},
            {"perimeter:spec.egressPolicies": _egress(SOMEBODY, resources=["*"], operations=ALL_SERVICES)},
            {"perimeter:status.egressPolicies": _egress(ANYBODY, resources=["projects/5"], operations=ALL_SERVICES)},
            {"perimeter:status.egressPolicies": _egress(SOMEBODY, externalResources=["s3://x"], operations=STORAGE)},
            {"ingress-rule:ingressFrom.sources": MISSING},
            {"ingress-rule:ingressTo.operations": ALL_SERVICES},
            {"egress-rule:egressTo.resources": ["*"]},
            {"egress-rule:egressTo.operations": ALL_SERVICES},
            {"perimeter:status.egressPolicies": _egress(ANYBODY, operations=ALL_SERVICES)},
        ],
        [
            {"perimeter:status.ingressPolicies": UNKNOWN},
            {"perimeter:status.ingressPolicies": [UNKNOWN]},
            {"perimeter:status.egressPolicies": [UNKNOWN]},
            {"perimeter:status.ingressPolicies": _ingress(who={**ANYBODY, "sources": [UNKNOWN]}, to=STORAGE)},
            {"perimeter:status.ingressPolicies": _ingress(who={"identityType": UNKNOWN}, to=STORAGE)},
            {"ingress-rule:ingressFrom": UNKNOWN},
            {"ingress-rule:ingressFrom.identityType": UNKNOWN},
            {"ingress-rule:ingressTo": UNKNOWN},
            {"ingress-rule:ingressTo.operations": [UNKNOWN]},
            {"egress-rule:egressTo.resources": [UNKNOWN]},
            {"egress-rule:egressTo.externalResources": [UNKNOWN]},
            {"perimeter:status.egressPolicies": _egress(SOMEBODY, externalResources=[UNKNOWN], operations=STORAGE)},
            {"perimeter:status.egressPolicies": _egress({"identityType": UNKNOWN}, resources=["projects/5"])},
        ],
        [
            {
                f"perimeter:{block}.{way}Policies": MISSING
                for block in ("status", "spec")
                for way in ("ingress", "egress")
            },
        ],
        [
            {"perimeter:status.ingressPolicies": _ingress(who={**SOMEBODY, "sources": [UNKNOWN]}, to=ALL_SERVICES)},
            {"perimeter:status.egressPolicies": _egress(SOMEBODY, externalResources=["s3://ours"], operations=STORAGE)},
            {"perimeter:status.egressPolicies": _egress(SOMEBODY, resources=["*"], operations=STORAGE)},
            {"perimeter:status.ingressPolicies": _ingress(who={**ANYBODY, **SOURCE}, to=STORAGE)},
        ],
        {"external_resources": ("s3://ours",)},
    ),
    "access-level-not-open": Cases(
        ("level", "custom-level"),
        [
            {"level:basic.conditions": []},
            {"level:basic": MISSING},
            {"level:basic.conditions": [{"members": ["user:a@example.com"], "ipSubnetworks": ["0.0.0.0/0"]}]},
            {"level:basic.conditions": [{"members": ["user:a@example.com"], "ipSubnetworks": ["::/0"]}]},
            {"level:basic.conditions": [{"ipSubnetworks": ["203.0.113.0/24"]}]},
            {"level:basic.conditions": [{"members": [], "regions": ["DE"]}]},
            {"level:basic.conditions": [{**_NAMED, "ipSubnetworks": ["0.0.0.0/1", "128.0.0.0/1"]}]},
            {"level:basic.conditions": [{**_NAMED, "negate": True}]},
            {"level:basic.conditions": [_NAMED, {**_NAMED, "negate": True}], "level:basic.combiningFunction": "OR"},
            {"custom-level:custom.expr.expression": "true"},
            {"custom-level:custom.expr.expression": " TRUE "},
        ],
        [
            {"level:basic.conditions": UNKNOWN},
            {"level:basic.conditions": [UNKNOWN]},
            {"level:basic.conditions": [{**_NAMED, "negate": UNKNOWN}]},
            {"level:basic.conditions": [_NAMED, {**_NAMED, "negate": True}], "level:basic.combiningFunction": UNKNOWN},
            {"custom-level:custom.expr.expression": UNKNOWN},
        ],
        good=[
            {"level:basic.conditions": [{"devicePolicy": {"requireScreenLock": True}}]},
            {"level:basic.conditions": [{"requiredAccessLevels": ["accessPolicies/1/y"]}]},
            {"level:basic.conditions": [{"regions": ["XX"], "negate": True}, _NAMED]},
            {"level:basic.conditions": [_NAMED, _NAMED], "level:basic.combiningFunction": "OR"},
        ],
    ),
    "perimeter-no-bridge": Cases(
        ("perimeter",), BRIDGE, [{"perimeter:perimeterType": UNKNOWN}], good=[{"perimeter:perimeterType": MISSING}]
    ),
    "perimeter-explicit-dry-run": Cases(
        ("perimeter",),
        broken("perimeter", "useExplicitDryRunSpec", False),
        [{"perimeter:useExplicitDryRunSpec": UNKNOWN}, {"perimeter:spec": UNKNOWN}],
        [{"perimeter:spec": MISSING}],
    ),
}

LINK = f"https://www.googleapis.com/compute/v1/{NETWORK}"

NETWORKS: dict[str, Cases] = {
    "network-no-automatic-subnets": Cases(
        ("network",), broken("network", "autoCreateSubnetworks", True), [{"network:autoCreateSubnetworks": UNKNOWN}]
    ),
    "network-no-default-route": Cases(
        ("network",),
        broken("network", "deleteDefaultRoutesOnCreate", False),
        [{"network:deleteDefaultRoutesOnCreate": UNKNOWN}],
        [{"network!source": "live"}],
    ),
    "route-restricted-only": Cases(
        ("route",),
        broken("route", "destRange", "0.0.0.0/0", "199.36.153.0/24", "2600:2d00:2:1000::/64", "everywhere"),
        [{"route:destRange": UNKNOWN}, {"route:nextHopGateway": UNKNOWN}],
        [{"route:nextHopGateway": MISSING}, {"route:nextHopGateway": "projects/x/gateways/vpn"}],
    ),
    "firewall-no-open-ingress": Cases(
        ("firewall-allow",),
        [
            *broken("firewall-allow", "sourceRanges", ["10.0.0.0/8", "0.0.0.0/0"], ["::/0"], []),
            {"firewall-allow:sourceRanges": ["0.0.0.0/0"], "firewall-allow:direction": MISSING},
            *({"firewall-allow:sourceRanges": ranges} for ranges in (HALVES, [*SLICES, "128.0.0.0/8"], ["2000::/4"])),
            {"firewall-allow:sourceRanges": ["0.0.0.0/00"]},
        ],
        [
            {"firewall-allow:sourceRanges": UNKNOWN},
            {"firewall-allow:sourceRanges": [UNKNOWN]},
            {"firewall-allow:direction": UNKNOWN},
            {"firewall-allow:sourceRanges": [], "firewall-allow:sourceTags": UNKNOWN},
        ],
        [
            {"firewall-allow:direction": "EGRESS"},
            {"firewall-allow:allows": MISSING},
            {"firewall-allow:disabled": True},
        ],
        [
            {"firewall-allow:sourceRanges": [], "firewall-allow:sourceTags": ["web"]},
            {"firewall-allow:sourceRanges": SLICES},
            {"firewall-allow:sourceRanges": ["3000::/5", "3000::/6", "8000::/1", "all"]},
            {"firewall-allow:sourceRanges": MISSING, "firewall-allow:sourceServiceAccounts": ["a@x"]},
        ],
    ),
    "deny-policy-in-force": Cases(
        ("denials",),
        [
            {"denials:rules": []},
            {"denials:rules": MISSING},
            {"denials:rules": [{"description": "nothing"}]},
            {"denials:rules": _denial(deniedPrincipals=[])},
            {"denials:rules": _denial(deniedPermissions=MISSING)},
            {"denials:rules": _denial(exceptionPrincipals=["principal://goog/subject/a@b.example", EVERYONE])},
        ],
        [
            {"denials:rules": UNKNOWN},
            {"denials:rules": [UNKNOWN]},
            {"denials:rules": [{"denyRule": UNKNOWN}]},
            {"denials:rules": _denial(deniedPrincipals=UNKNOWN)},
            {"denials:rules": _denial(deniedPermissions=[UNKNOWN])},
            {"denials:rules": _denial(exceptionPrincipals=[UNKNOWN])},
        ],
        good=[{"denials:rules": _denial(exceptionPrincipals=MISSING)}],
    ),
    "group-members-known": Cases(
        ("member",),
        [
            *broken("member", "preferredMemberKey.id", "eve@example.org", "eve@sub.example.com"),
            {"member:groupAddress": "brand-studio@example.org"},
        ],
        [{"member:preferredMemberKey.id": UNKNOWN}, {"member:groupAddress": UNKNOWN}],
        [{"member:groupAddress": MISSING}],
        [
            {"member:preferredMemberKey.id": "ARTIST@Example.com"},
            {"member:preferredMemberKey.id": "a@p.iam.gserviceaccount.com", "member:groupAddress": MISSING},
        ],
    ),
    "custom-role-not-rising": Cases(
        ("own-role",),
        [
            {"own-role:permissions": ["storage.objects.get", "storage.buckets.setIamPolicy"]},
            {"own-role:permissions": ["iam.serviceAccounts.actAs"]},
            {"own-role:permissions": [UNKNOWN, "iam.roles.update"]},
        ],
        [{"own-role:permissions": UNKNOWN}, {"own-role:permissions": ["storage.objects.get", UNKNOWN]}],
        good=[{"own-role:permissions": []}, {"own-role:permissions": ["storage.buckets.getIamPolicy"]}],
    ),
    "firewall-policy-no-open-ingress": Cases(
        ("firewall-above",),
        [
            *broken("firewall-above", "match.srcIpRanges", ["10.0.0.0/8", "0.0.0.0/0"], ["::/0"], []),
            {"firewall-above:match": MISSING},
            {"firewall-above:match.srcIpRanges": HALVES},
            {"firewall-above:match": {"srcSecureTags": []}},
        ],
        [
            {"firewall-above:match": UNKNOWN},
            {"firewall-above:match.srcIpRanges": [UNKNOWN]},
            {"firewall-above:direction": UNKNOWN},
            {"firewall-above:action": UNKNOWN},
            {"firewall-above:match": {"srcFqdns": UNKNOWN}},
        ],
        [
            {"firewall-above:direction": "EGRESS"},
            {"firewall-above:action": "deny"},
            {"firewall-above:action": "goto_next"},
            {"firewall-above:disabled": True},
        ],
        [
            {"firewall-above:action": "ALLOW"},
            *(
                {"firewall-above:match": {f"src{kind}": ["x"]}}
                for kind in ("SecureTags", "Fqdns", "RegionCodes", "AddressGroups", "ThreatIntelligences")
            ),
        ],
    ),
    "firewall-denials-logged": Cases(
        ("firewall-deny",),
        [{"firewall-deny:logConfig": MISSING}],
        [{"firewall-deny:logConfig": UNKNOWN}, {"firewall-deny:denies": UNKNOWN}],
        [{"firewall-deny:denies": MISSING}],
    ),
    "subnet-flow-logs": Cases(
        ("subnet",),
        [{"subnet:logConfig": MISSING}],
        [{"subnet:logConfig": UNKNOWN}, {"subnet:purpose": UNKNOWN}],
        [{"subnet:purpose": "REGIONAL_MANAGED_PROXY"}],
        [{"subnet:purpose": "PRIVATE"}],
    ),
    "subnet-private-google-access": Cases(
        ("subnet",),
        broken("subnet", "privateIpGoogleAccess", False),
        [{"subnet:privateIpGoogleAccess": UNKNOWN}, {"subnet:purpose": UNKNOWN}],
        [{"subnet:purpose": "PRIVATE_SERVICE_CONNECT"}],
        [{"subnet:purpose": "PRIVATE"}],
    ),
    "private-connect-restricted": Cases(
        ("private-connect",),
        [{"private-connect:target": "all-apis"}],
        [{"private-connect:target": UNKNOWN}],
        [{"private-connect:target": "projects/x/global/targetHttpProxies/y"}],
    ),
    "network-private-names": Cases(
        bad=[
            ANOTHER_NETWORK,
            {"zone": None},
            *broken("zone", "dnsName", "run.app."),
            *broken("zone", "visibility", "public"),
            *broken("zone", "privateVisibilityConfig", {"networks": [{"networkUrl": "projects/x/global/networks/y"}]}),
        ],
        unknown=[
            {"zone:privateVisibilityConfig": UNKNOWN},
            {"zone:privateVisibilityConfig": {"networks": [{"networkUrl": UNKNOWN}]}},
        ],
        free=[{"network": None}],
        good=[
            {"zone:privateVisibilityConfig": UNKNOWN, "zone@privateVisibilityConfig": ["network"]},
            {"zone:privateVisibilityConfig": {"networks": [{"networkUrl": LINK}]}},
            {"network:id": MISSING, "network:selfLink": LINK},
        ],
    ),
    "network-dns-logging": Cases(
        bad=[
            ANOTHER_NETWORK,
            {"dns-policy": None},
            *broken("dns-policy", "enableLogging", False),
            *broken("dns-policy", "networks", []),
        ],
        unknown=[{"dns-policy:networks": UNKNOWN}, {"dns-policy:networks": [{"networkUrl": UNKNOWN}]}],
        free=[{"network": None}],
        good=[{"dns-policy:networks": UNKNOWN, "dns-policy@networks": ["network"]}],
    ),
    "subnet-room-for-instances": Cases(
        bad=[
            {"subnet:ipCidrRange": "10.8.0.0/28"},
            {
                "subnet:ipCidrRange": UNKNOWN,
                "second": ("gcp:compute/subnetwork:Subnetwork", {"id": "sub", "ipCidrRange": "10.8.0.0/28"}),
                "function:serviceConfig.directVpcNetworkInterfaces": [{"subnetwork": SUBNET}, {"subnetwork": "sub"}],
            },
            {"subnet:ipCidrRange": MISSING},
            {"function:serviceConfig.maxInstanceCount": 31},
            {"function:serviceConfig.maxInstanceCount": MISSING},
        ],
        unknown=[{"subnet:ipCidrRange": UNKNOWN}, {"function:serviceConfig.maxInstanceCount": UNKNOWN}],
        free=[
            {"function": None},
            {"function:serviceConfig.directVpcNetworkInterfaces": []},
            {"subnet": None},
        ],
        good=[
            {"function:serviceConfig.maxInstanceCount": 30},
            {
                "function:serviceConfig.directVpcNetworkInterfaces": [{"subnetwork": UNKNOWN}],
                "function@serviceConfig": ["subnet"],
            },
        ],
    ),
}

KEYS: dict[str, Cases] = {
    "key-rotation": Cases(
        ("key",),
        broken("key", "rotationPeriod", "7776001s", "0s", "never"),
        [{"key:rotationPeriod": UNKNOWN}, {"key:purpose": UNKNOWN}],
        [{"key:purpose": "ASYMMETRIC_SIGN"}],
        [{"key:purpose": MISSING}, {"key:rotationPeriod": "86400s"}, {"key:rotationPeriod": "1s"}],
    ),
    "key-protection-level": Cases(
        ("key",),
        [*broken("key", "versionTemplate.protectionLevel", "SOFTWARE"), {"key:versionTemplate": MISSING}],
        [{"key:versionTemplate": UNKNOWN}, {"key:labels.data-class": UNKNOWN}],
        [{"key:labels.data-class": "internal"}, {"key:labels": MISSING}],
        [{"key:versionTemplate.protectionLevel": "EXTERNAL"}, {"key:versionTemplate.protectionLevel": "EXTERNAL_VPC"}],
    ),
    "key-destroy-delay": Cases(
        ("key",),
        [{"key:destroyScheduledDuration": "86400s"}, {"key:destroyScheduledDuration": "2591999s"}],
        [{"key:destroyScheduledDuration": UNKNOWN}, {"key:importOnly": UNKNOWN}],
        [{"key:importOnly": True}],
        [{"key:destroyScheduledDuration": MISSING}, {"key:importOnly": False}],
    ),
    "key-origin": Cases(
        bad=[
            {"images:encryption.defaultKmsKeyName": FOREIGN_KEY},
            {"function:kmsKeyName": FOREIGN_KEY},
            {"log-bucket:cmekSettings.kmsKeyName": FOREIGN_KEY},
            {"endpoint:encryptionSpec.kmsKeyName": "a key"},
            {"function:kmsKeyName": UNKNOWN},
            {"function:kmsKeyName": UNKNOWN, "function@kmsKeyName": ["project"]},
            {"images:encryption": UNKNOWN, "images@encryption": ["key"], "evidence:encryption.defaultKmsKeyName": "k"},
            {
                "secret:replication.userManaged.replicas": [
                    {"location": "eu", "customerManagedEncryption": {"kmsKeyName": FOREIGN_KEY}},
                ]
            },
        ],
        unknown=[
            {"function:kmsKeyName": UNKNOWN, "function@kmsKeyName": ["project", "key"]},
            {"images:encryption": UNKNOWN, "images@encryption": ["key"]},
            {
                "images:encryption": UNKNOWN,
                "images@encryption": ["key"],
                "function:kmsKeyName": KEY.replace(PROJECT_ID, "keys-of-all"),
            },
        ],
        free=[
            dict.fromkeys(
                (
                    *("images", "evidence", "function", "service", "pool", "repository", "topic"),
                    *("secret", "log-bucket", "endpoint", "dataset"),
                )
            )
        ],
        good=[
            {"function:kmsKeyName": KEY.replace(PROJECT_ID, "keys-of-all")},
            {"function:kmsKeyName": FOREIGN_KEY, "central": ("gcp:kms/cryptoKey:CryptoKey", {"id": FOREIGN_KEY})},
        ],
        parameters={"key_projects": ("keys-of-all",)},
    ),
    "key-beside-data": Cases(
        bad=[
            {"images:encryption.defaultKmsKeyName": KEY_ELSEWHERE},
            {"function:kmsKeyName": KEY_ELSEWHERE},
            {"log-bucket:cmekSettings.kmsKeyName": KEY_ELSEWHERE},
            {"function:location": "us-east1"},
            {"function:kmsKeyName": "a key"},
            {
                "function:kmsKeyName": UNKNOWN,
                "function@kmsKeyName": ["key"],
                "key@keyRing": ["ring"],
                "ring:location": "us-east1",
            },
        ],
        unknown=[
            {"function:location": UNKNOWN},
            {"function:kmsKeyName": UNKNOWN},
            {
                "function:kmsKeyName": UNKNOWN,
                "function@kmsKeyName": ["key"],
                "key@keyRing": ["ring"],
                "ring:location": UNKNOWN,
            },
        ],
        free=[
            dict.fromkeys(
                (
                    *("images", "evidence", "function", "service", "pool", "repository"),
                    *("log-bucket", "endpoint"),
                )
            )
        ],
        good=[
            {"function:kmsKeyName": UNKNOWN, "function@kmsKeyName": ["project", "key"], "key@keyRing": ["ring"]},
        ],
    ),
    "key-no-project-wide-use": Cases(
        ("grant",),
        [
            {"grant:role": ENCRYPTER},
            {"grant:role": "roles/cloudkms.cryptoKeyDecrypter"},
            {"grant": (IAM_POLICY, {"policyData": _policy((ENCRYPTER, MEMBER))})},
        ],
        [{"grant:role": UNKNOWN}, {"grant": (IAM_POLICY, {"policyData": UNKNOWN})}],
    ),
    "key-users-only-use": Cases(
        ("key-grant", "key-policy"),
        [
            *broken("key-grant", "role", "roles/cloudkms.admin", "roles/owner"),
            {"key-policy:policyData": _policy(("roles/cloudkms.admin", MEMBER))},
        ],
        [{"key-grant:role": UNKNOWN}, {"key-policy:policyData": UNKNOWN}],
    ),
}

FULL = "EncryptionEnforcementConfig.restrictionMode"


def _rule(action: str = "Delete", **condition: Any) -> list[dict[str, Any]]:
    return [{"action": {"type": action}, "condition": condition}]


STORAGE_CASES: dict[str, Cases] = {
    "storage-uniform-access": Cases(
        ("images",), broken("images", "uniformBucketLevelAccess", False), [{"images:uniformBucketLevelAccess": UNKNOWN}]
    ),
    "storage-no-public-access": Cases(
        ("images",),
        broken("images", "publicAccessPrevention", "inherited"),
        [{"images:publicAccessPrevention": UNKNOWN}],
    ),
    "storage-customer-key": Cases(
        ("images",),
        [*broken("images", "encryption.defaultKmsKeyName", ""), {"images:encryption": MISSING}],
        [{"images:encryption": UNKNOWN}, {"images:encryption.defaultKmsKeyName": UNKNOWN}],
    ),
    "storage-foreign-keys-refused": Cases(
        ("images",),
        [
            *broken("images", f"encryption.googleManaged{FULL}", "NotRestricted"),
            *broken("images", f"encryption.customerSupplied{FULL}", "NotRestricted"),
        ],
        [{f"images:encryption.googleManaged{FULL}": UNKNOWN}, {f"images:encryption.customerSupplied{FULL}": UNKNOWN}],
    ),
    "storage-recoverable": Cases(
        ("images",),
        [
            *broken("images", "versioning.enabled", False),
            {"images:softDeletePolicy.retentionDurationSeconds": 0},
            {"images:softDeletePolicy.retentionDurationSeconds": 604_799},
        ],
        [
            {"images:versioning": UNKNOWN},
            {"images:softDeletePolicy": UNKNOWN},
            {"images:retentionPolicy": UNKNOWN},
        ],
        [{"images:retentionPolicy": {"retentionPeriod": 1}}],
        [{"images:softDeletePolicy": MISSING}, {"images:softDeletePolicy.retentionDurationSeconds": 604_800}],
    ),
    "storage-evidence-locked": Cases(
        ("evidence",),
        [
            *broken("evidence", "retentionPolicy.isLocked", False),
            *broken("evidence", "retentionPolicy.retentionPeriod", 2190 * 86_400 - 1),
            {"evidence:retentionPolicy": MISSING},
        ],
        [{"evidence:retentionPolicy": UNKNOWN}, {"evidence:retentionPolicy.retentionPeriod": UNKNOWN}],
        [{"evidence!name": "images", "evidence:name": "images", "evidence:labels.purpose": MISSING}],
        [{"evidence!name": "x", "evidence:name": "x"}],
    ),
    "storage-images-expire": Cases(
        ("images",),
        [
            {"images:lifecycleRules": MISSING},
            {"images:lifecycleRules": _rule("SetStorageClass", age=30)},
            {"images:lifecycleRules": _rule(age=30, matchesPrefixes=["claims/"])},
            {"images:lifecycleRules": _rule(age=30, matchesSuffixes=[".tmp"])},
            {"images:lifecycleRules": _rule(age=30, withState="ARCHIVED")},
            {"images:lifecycleRules": _rule(daysSinceNoncurrentTime=1)},
            {"images:lifecycleRules": _rule(age=0)},
        ],
        [{"images:lifecycleRules": UNKNOWN}, {"images:lifecycleRules": [UNKNOWN]}],
        [{"images!name": "source", "images:name": "source"}],
        [
            {"images:lifecycleRules": _rule(age=30)},
            {"images:lifecycleRules": _rule(createdBefore="2027-01-01", withState="ANY")},
            {"images:lifecycleRules": [UNKNOWN, *_rule(age=30)]},
            {"images:lifecycleRules": _rule(age=30, matchesPrefixes=[])},
        ],
    ),
    "storage-access-logged": Cases(
        bad=[
            {"audit-config": None, "images:logging": MISSING},
            {"audit-config:service": "run.googleapis.com"},
            {"audit-config:auditLogConfigs": [{"logType": "DATA_READ"}]},
            {"audit-config:project": "somebody-else"},
            {"images:logging.logBucket": f"{PROJECT_ID}-images"},
        ],
        free=[{"images": None, "evidence": None}],
        good=[
            {"audit-config:service": "storage.googleapis.com"},
            {"audit-config": None, "evidence:logging": {"logBucket": UNKNOWN}},
        ],
        existence=True,
    ),
    "storage-no-forced-deletion": Cases(
        ("images",),
        [{"images:forceDestroy": True}],
        [{"images:forceDestroy": UNKNOWN}],
        [{"images:labels.data-class": "public", "images:forceDestroy": True}, {"images!source": "live"}],
        [{"images:forceDestroy": MISSING}],
    ),
}

SERVERLESS: dict[str, Cases] = {
    "service-own-account": Cases(
        ("function", "service", "pool"),
        [
            *broken("function", "serviceConfig.serviceAccountEmail", "1-compute@developer.gserviceaccount.com"),
            *broken("function", "buildConfig.serviceAccount", "projects/x/serviceAccounts/1@cloudbuild.example"),
            *broken("service", "template.serviceAccount", "x@appspot.gserviceaccount.com"),
            {"function:serviceConfig.serviceAccountEmail": UNKNOWN, "function:buildConfig.serviceAccount": MISSING},
        ],
        [
            {"function:serviceConfig.serviceAccountEmail": UNKNOWN},
            {"function:buildConfig.serviceAccount": UNKNOWN},
            {"service:template": UNKNOWN},
        ],
    ),
    "service-no-secrets-in-environment": Cases(
        ("function", "service"),
        [
            {f"{ENVIRONMENT}.API_KEY": "x"},
            {f"{ENVIRONMENT}.DB_PASSWORD": UNKNOWN},
            {f"{ENVIRONMENT}.GREETING": "-----BEGIN RSA PRIVATE KEY-----"},
            {f"{ENVIRONMENT}.GREETING": "AIza" + "x" * 35},
            {"function:buildConfig.environmentVariables": {"NPM_TOKEN": "x"}},
            {"service:template.containers": _variables(CLIENT_SECRET="x")},
            {"service:template.containers": _variables(GREETING="ya29.x")},
        ],
        [
            {"function:serviceConfig.environmentVariables": UNKNOWN},
            {f"{ENVIRONMENT}.GREETING": UNKNOWN},
            {"service:template.containers": [{"envs": [UNKNOWN]}]},
            {"service:template.containers": _variables(GREETING=UNKNOWN)},
        ],
        good=[{f"{ENVIRONMENT}.MAX_TOKENS": "9"}],
    ),
    "service-internal-ingress": Cases(
        ("function", "service"),
        [
            *broken("function", "serviceConfig.ingressSettings", "ALLOW_ALL"),
            *broken("service", "ingress", "INGRESS_TRAFFIC_ALL"),
        ],
        [{"function:serviceConfig": UNKNOWN}, {"service:ingress": UNKNOWN}],
        good=[
            {"function:serviceConfig.ingressSettings": "ALLOW_INTERNAL_AND_GCLB"},
            {"service:ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"},
        ],
    ),
    "service-all-egress-through-network": Cases(
        ("function", "service", "pool"),
        [
            *broken("function", "serviceConfig.directVpcEgress", "VPC_EGRESS_PRIVATE_RANGES_ONLY"),
            *broken("function", "serviceConfig.directVpcNetworkInterfaces", []),
            {
                "function:serviceConfig.directVpcEgress": MISSING,
                "function:serviceConfig.vpcConnector": "c",
                "function:serviceConfig.vpcConnectorEgressSettings": "PRIVATE_RANGES_ONLY",
            },
            {
                "function:serviceConfig.directVpcEgress": MISSING,
                "function:serviceConfig.vpcConnectorEgressSettings": "ALL_TRAFFIC",
            },
            *broken("service", "template.vpcAccess.egress", "PRIVATE_RANGES_ONLY"),
            *broken("service", "template.vpcAccess.networkInterfaces", []),
            {"pool:template.vpcAccess.connector": MISSING},
        ],
        [
            {"function:serviceConfig.directVpcEgress": UNKNOWN},
            {"service:template.vpcAccess.egress": UNKNOWN},
        ],
        good=[
            {
                "function:serviceConfig.directVpcEgress": MISSING,
                "function:serviceConfig.vpcConnector": UNKNOWN,
                "function:serviceConfig.vpcConnectorEgressSettings": "ALL_TRAFFIC",
            },
            {"function:serviceConfig.directVpcNetworkInterfaces": UNKNOWN},
        ],
    ),
    "service-customer-key": Cases(
        ("function", "service", "pool", "repository", "topic", "secret"),
        [
            *broken("function", "kmsKeyName", ""),
            *broken("service", "template.encryptionKey"),
            *broken("repository", "kmsKeyName"),
            *broken("topic", "kmsKeyName"),
            {"secret:replication": {"auto": {}}},
            {"secret:replication": {"userManaged": {"replicas": [{"location": "eu"}]}}},
        ],
        [
            {"function:kmsKeyName": UNKNOWN},
            {"secret:replication.auto": {"customerManagedEncryption": {"kmsKeyName": UNKNOWN}}},
            {"secret:replication.userManaged.replicas": UNKNOWN},
            {
                "secret:replication.userManaged.replicas": [
                    {"location": "eu", "customerManagedEncryption": {"kmsKeyName": UNKNOWN}}
                ]
            },
        ],
        good=[{"secret:replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": KEY}}}}],
    ),
    "service-invokers-named": Cases(
        ("service", "invoker"),
        [
            {"service:invokerIamDisabled": True},
            {"invoker:member": "allUsers"},
            {
                "invoker": (
                    "gcp:cloudfunctionsv2/functionIamPolicy:FunctionIamPolicy",
                    {"policyData": _policy(("roles/run.invoker", EVERYBODY))},
                )
            },
            {"invoker": ("gcp:cloudrunv2/serviceIamPolicy:ServiceIamPolicy", {"policyData": "{broken"})},
            {"invoker": ("gcp:cloudrun/iamBinding:IamBinding", {"role": "x", "members": [EVERYBODY]})},
        ],
        [{"service:invokerIamDisabled": UNKNOWN}, {"invoker:member": UNKNOWN}],
        good=[{"service:invokerIamDisabled": MISSING}],
    ),
    "service-binary-authorization": Cases(
        ("function", "service", "pool"),
        [
            *broken("function", "serviceConfig.binaryAuthorizationPolicy", ""),
            *broken("service", "binaryAuthorization.useDefault", False),
            *broken("pool", "binaryAuthorization.policy", ""),
        ],
        [
            {"function:serviceConfig.binaryAuthorizationPolicy": UNKNOWN},
            {"service:binaryAuthorization": UNKNOWN},
            {"pool:binaryAuthorization.policy": UNKNOWN},
        ],
    ),
    "image-policy-enforced": Cases(
        ("image-policy",),
        [
            *broken("image-policy", f"{ADMISSION}.evaluationMode", "ALWAYS_ALLOW"),
            *broken("image-policy", f"{ADMISSION}.enforcementMode", "DRYRUN_AUDIT_LOG_ONLY"),
            *(
                {"image-policy:admissionWhitelistPatterns": [*OWN_IMAGES, {"namePattern": pattern}]}
                for pattern in (
                    "**",
                    "gcr.io/*",
                    "*/acme/images",
                    "europe-west4-docker.pkg.dev/*/images/**",
                    "gcr.io/x/",
                )
            ),
        ],
        [
            {f"image-policy:{ADMISSION}": UNKNOWN},
            {f"image-policy:{ADMISSION}.evaluationMode": UNKNOWN},
            {f"image-policy:{ADMISSION}.enforcementMode": UNKNOWN},
            {"image-policy:admissionWhitelistPatterns": UNKNOWN},
            {"image-policy:admissionWhitelistPatterns": [{"namePattern": UNKNOWN}, *OWN_IMAGES]},
        ],
        good=[
            {f"image-policy:{ADMISSION}.evaluationMode": "REQUIRE_ATTESTATION"},
            {"image-policy:admissionWhitelistPatterns": MISSING},
            {"image-policy:admissionWhitelistPatterns": [*OWN_IMAGES, {"namePattern": "gcr.io/acme/app:v1"}]},
        ],
    ),
    "registry-scans-images": Cases(
        ("repository",),
        [{"repository:vulnerabilityScanningConfig.enablementConfig": "DISABLED"}],
        [{"repository:vulnerabilityScanningConfig": UNKNOWN}, {"repository:format": UNKNOWN}],
        [{"repository:format": "PYTHON"}, {"repository:format": MISSING}],
        [{"repository:vulnerabilityScanningConfig": MISSING}, {"repository:format": "docker"}],
    ),
}

ORGANISATION_SINK = "gcp:logging/organizationSink:OrganizationSink"
ORGANISATION_CONFIG = "gcp:organizations/iamAuditConfig:IamAuditConfig"
READ = [{"logType": "ADMIN_READ"}, {"logType": "DATA_READ"}]
WRITE = [{"logType": kind} for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")]


def _audited(service: str) -> Cases:
    return Cases(
        bad=[
            SECOND,
            {"audit-config": None},
            *broken("audit-config", "service", "run.googleapis.com"),
            *broken("audit-config", "auditLogConfigs", READ, READ[:1], WRITE[1:]),
            {"audit-config:project": "somebody-else"},
        ],
        unknown=[
            {"audit-config:service": UNKNOWN},
            {"audit-config:auditLogConfigs": UNKNOWN},
            {"audit-config:auditLogConfigs": [{"logType": UNKNOWN}]},
        ],
        free=NO_CAMPAIGN,
        good=[
            {
                "audit-config": None,
                "above": (ORGANISATION_CONFIG, {"service": "allServices", "auditLogConfigs": WRITE}),
            },
            {
                "audit-config:auditLogConfigs": READ,
                "above": (ORGANISATION_CONFIG, {"service": service, "auditLogConfigs": WRITE[2:]}),
                "other": (
                    ORGANISATION_CONFIG,
                    {"service": "cloudkms.googleapis.com", "auditLogConfigs": WRITE[2:]},
                ),
            },
        ],
    )


LOGS: dict[str, Cases] = {
    "audit-logs-complete": _audited("storage.googleapis.com"),
    "audit-logs-model": _audited("aiplatform.googleapis.com"),
    "audit-logs-no-exemptions": Cases(
        ("audit-config",),
        [{"audit-config:auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": ["user:a@example.com"]}]}],
        [
            {"audit-config:auditLogConfigs": UNKNOWN},
            {"audit-config:auditLogConfigs": [{"exemptedMembers": UNKNOWN}]},
        ],
        good=[{"audit-config:auditLogConfigs": [{"logType": "DATA_READ", "exemptedMembers": []}]}],
    ),
    "log-sink-complete": Cases(
        bad=[
            SECOND,
            {"sink": None},
            {"sink:filter": "severity>=ERROR"},
            {"sink:disabled": True},
            {"sink:exclusions": [{"name": "x"}]},
            {"sink:project": "somebody-else"},
            {"sink": None, "above": (ORGANISATION_SINK, {"includeChildren": False})},
            {"sink": None, "above": (ORGANISATION_SINK, {})},
        ],
        unknown=[{"sink:filter": UNKNOWN}, {"sink:disabled": UNKNOWN}, {"sink:exclusions": UNKNOWN}],
        free=NO_CAMPAIGN,
        good=[
            {"sink:filter": "", "sink:disabled": False, "sink:exclusions": []},
            {"sink": None, "above": (ORGANISATION_SINK, {"includeChildren": True})},
        ],
    ),
    "log-copy-outside": Cases(
        bad=[
            SECOND,
            {"sink": None},
            {"sink:destination": f"logging.googleapis.com/projects/{PROJECT_ID}/locations/eu/buckets/b"},
            {"sink:destination": "logging.googleapis.com/projects/111222333444/locations/eu/buckets/b"},
            {"sink:filter": "severity>=ERROR"},
            {"sink:disabled": True},
            {"sink:destination": UNKNOWN, "sink@destination": ["log-bucket"]},
        ],
        unknown=[
            {"sink:destination": UNKNOWN},
            {"sink:destination": UNKNOWN, "sink@destination": ["contact"]},
        ],
        free=NO_CAMPAIGN,
        good=[{"sink": None, "above": (ORGANISATION_SINK, {"includeChildren": True})}],
    ),
    "log-bucket-retention": Cases(
        ("log-bucket",),
        broken("log-bucket", "retentionDays", 30, 364),
        [{"log-bucket:retentionDays": UNKNOWN}],
        good=[{"log-bucket:retentionDays": 365}],
    ),
    "log-bucket-customer-key": Cases(
        ("log-bucket",),
        [{"log-bucket:cmekSettings": MISSING}, *broken("log-bucket", "cmekSettings.kmsKeyName", "")],
        [{"log-bucket:cmekSettings": UNKNOWN}, {"log-bucket:cmekSettings.kmsKeyName": UNKNOWN}],
    ),
    "log-bucket-locked": Cases(
        ("log-bucket",), broken("log-bucket", "locked", False), [{"log-bucket:locked": UNKNOWN}]
    ),
    "access-approval": Cases(
        ("approval",),
        [*broken("approval", "enrolledServices", []), *broken("approval", "notificationEmails", [])],
        [{"approval:enrolledServices": UNKNOWN}, {"approval:notificationEmails": UNKNOWN}],
    ),
}


def _event(name: str) -> Cases:
    alert = "alert-routes" if name == "alert-route-changes" else f"alert-{name}"
    kind = "conditionThreshold" if name == "alert-route-changes" else "conditionMatchedLog"
    elsewhere: list[Changes] = [{f"{alert}:project": "somebody-else"}]
    alone: Changes = {}
    example = next(event.example for event in EVENTS if event.id == name)
    # Every change of a policy is a change of who owns, so the alert on one is also an alert on the other.
    if name == "alert-audit-config-changes":
        alone = {"alert-alert-ownership-changes": None}
    return Cases(
        bad=[
            {**alone, **change}
            for change in (
                {alert: None},
                {f"{alert}:enabled": False},
                {f"{alert}:conditions": [{kind: {"filter": "severity>=ERROR"}}]},
                {f"{alert}:conditions": [{kind: {"filter": f"severity>=ERROR\n-- {example}"}}]},
                *([*elsewhere, SECOND] if name != "alert-perimeter-changes" else ()),
                *([{"metric:filter": "severity>=ERROR"}] if name == "alert-route-changes" else ()),
            )
        ],
        unknown=[
            {**alone, f"{alert}:conditions": [{kind: {"filter": UNKNOWN}}]},
            {**alone, f"{alert}:conditions": UNKNOWN},
        ],
        free=[{"perimeter": None}] if name == "alert-perimeter-changes" else NO_CAMPAIGN,
        good=[
            {**alone, f"{alert}:enabled": MISSING},
            *(
                {
                    "metric:name": "denied",
                    "metric:filter": example,
                    f"{alert}:conditions": [{language: {"query": query}}],
                }
                for language, query in (
                    ("conditionPrometheusQueryLanguage", "increase(logging_googleapis_com:user_denied[5m]) > 0"),
                    ("conditionPrometheusQueryLanguage", "increase(logging_googleapis_com:user_denied_sum[5m]) > 0"),
                    ("conditionMonitoringQueryLanguage", "fetch x::logging.googleapis.com/user/denied"),
                )
                if name == "alert-key-destruction"
            ),
            *(
                [
                    {
                        f"{alert}:conditions": [{kind: {"filter": UNKNOWN}}],
                        f"{alert}@conditions": ["metric"],
                    },
                    {
                        "metric:name": "generated-123",
                        f"{alert}:conditions": [{"conditionAbsent": {"filter": "gce_route"}}],
                    },
                ]
                if name == "alert-route-changes"
                else ()
            ),
        ],
    )


ALERTS: dict[str, Cases] = {
    **{event.id: _event(event.id) for event in EVENTS},
    "alert-reaches-somebody": Cases(
        ("alert-capacity",),
        [*broken("alert-capacity", "notificationChannels", []), {"alert-capacity:enabled": False}],
        [{"alert-capacity:notificationChannels": UNKNOWN}, {"alert-capacity:enabled": UNKNOWN}],
        good=[{"alert-capacity:enabled": MISSING}],
    ),
    "channel-live": Cases(
        ("channel",),
        [{"channel:enabled": False}, {"channel:verificationStatus": "UNVERIFIED"}],
        [{"channel:enabled": UNKNOWN}],
        good=[{"channel:enabled": MISSING}, {"channel:verificationStatus": MISSING}],
    ),
}

THRESHOLD = 'metric.type = "run.googleapis.com/container/instance_count"'


def _threshold(**condition: Any) -> list[dict[str, Any]]:
    return [{"conditionThreshold": condition}]


CAPACITY: dict[str, Cases] = {
    "function-instances-bounded": Cases(
        ("function", "service"),
        [
            *broken("function", "serviceConfig.maxInstanceCount", 0, 1001),
            *broken("service", "template.scaling.maxInstanceCount", 0),
        ],
        [{"function:serviceConfig.maxInstanceCount": UNKNOWN}, {"service:template.scaling": UNKNOWN}],
        good=[
            {"function:serviceConfig.maxInstanceCount": 1000},
            {"function:serviceConfig.maxInstanceCount": 1},
            {"service:template.scaling": MISSING, "service:scaling": {"maxInstanceCount": 2}},
        ],
    ),
    "capacity-alert": Cases(
        bad=[
            {"second": (FUNCTION_TYPE, {"project": "elsewhere", "serviceConfig": {"maxInstanceCount": 10}})},
            {
                "function:serviceConfig.maxInstanceCount": UNKNOWN,
                "second": (FUNCTION_TYPE, {"project": "elsewhere", "serviceConfig": {"maxInstanceCount": 10}}),
            },
            {"alert-capacity": None},
            {"alert-capacity:enabled": False},
            {"alert-capacity:project": "somebody-else"},
            {"alert-capacity:conditions": _threshold(filter=THRESHOLD, thresholdValue=8.6)},
            {"alert-capacity:conditions": _threshold(filter=THRESHOLD, thresholdValue=0)},
            {"alert-capacity:conditions": _threshold(filter=THRESHOLD)},
            {"alert-capacity:conditions": _threshold(filter="metric.type = x", thresholdValue=8.5)},
            {"function:serviceConfig.maxInstanceCount": 9},
            {
                "function:serviceConfig.maxInstanceCount": MISSING,
                "alert-capacity:conditions": _threshold(filter=THRESHOLD, thresholdValue=85.5),
            },
        ],
        unknown=[
            {"function:serviceConfig.maxInstanceCount": UNKNOWN},
            {"alert-capacity:conditions": UNKNOWN},
            {"alert-capacity:conditions": [{"conditionThreshold": UNKNOWN}]},
            {"alert-capacity:conditions": _threshold(filter=UNKNOWN, thresholdValue=8.5)},
            {"alert-capacity:conditions": _threshold(filter=THRESHOLD, thresholdValue=UNKNOWN)},
        ],
        free=[{"function": None}],
        good=[
            {"alert-capacity:enabled": MISSING},
            {"function:serviceConfig.maxInstanceCount": MISSING},
            {"alert-capacity:conditions": _threshold(filter=THRESHOLD, thresholdValue=0.5)},
            {
                "alert-capacity:conditions": [
                    {"conditionThreshold": UNKNOWN},
                    *_threshold(filter=THRESHOLD, thresholdValue=8.5),
                ]
            },
        ],
    ),
    "queue-rate-limited": Cases(
        ("queue",),
        [
            *broken("queue", "rateLimits.maxDispatchesPerSecond", 0),
            *broken("queue", "rateLimits.maxConcurrentDispatches", 0),
            {"queue:rateLimits": MISSING},
        ],
        [{"queue:rateLimits": UNKNOWN}, {"queue:rateLimits.maxConcurrentDispatches": UNKNOWN}],
        good=[{"queue:rateLimits.maxDispatchesPerSecond": 0.5}],
    ),
    "budget-for-campaign": Cases(
        bad=[
            SECOND,
            {"budget": None},
            {"budget:budgetFilter": MISSING},
            {"budget:budgetFilter.projects": ["projects/1"]},
            {"budget:budgetFilter": {"labels": {"campaign": "autumn"}}},
        ],
        unknown=[
            {"budget:budgetFilter.projects": UNKNOWN, "budget@budgetFilter": ["project"]},
            {"budget:budgetFilter": {"labels": {"campaign": UNKNOWN}}},
        ],
        free=NO_CAMPAIGN,
        good=[{"budget:budgetFilter": {"labels": {"campaign": "spring-launch"}}}],
    ),
    "budget-tells-in-time": Cases(
        ("budget",),
        [
            {"budget:thresholdRules": [{"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}]},
            {"budget:thresholdRules": [{"thresholdPercent": 0.85}]},
            {
                "budget:thresholdRules": [
                    {"thresholdPercent": 1.0},
                    {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"},
                ]
            },
            {"budget:thresholdRules": [{}, {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}]},
            {"budget:thresholdRules": MISSING},
            {"budget:allUpdatesRule": MISSING},
            *broken("budget", "allUpdatesRule.monitoringNotificationChannels", []),
        ],
        [
            {"budget:thresholdRules": UNKNOWN},
            {"budget:thresholdRules": [UNKNOWN]},
            {"budget:thresholdRules": [{"thresholdPercent": UNKNOWN}]},
        ],
        good=[{"budget:allUpdatesRule": {"pubsubTopic": "projects/x/topics/y"}}],
    ),
}

RULE = "models:spec.rules"


def _models(*names: str, **rule: Any) -> list[dict[str, Any]]:
    return [{"values": {"allowedValues": list(names)}, **rule}]


MODEL: dict[str, Cases] = {
    "model-served": Cases(
        ("function", "service"),
        [
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "imagen-4.0-generate-001"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "gemini-3-pro-image-preview"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "a-preview"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "a-retired-one"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "retires-today"},
            {"service:template.containers": _variables(PLANTAIN_MODEL="imagen-4.0-generate-001")},
        ],
        [
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": UNKNOWN},
            {"function:serviceConfig.environmentVariables": UNKNOWN},
            {"service:template.containers": _variables(PLANTAIN_MODEL=UNKNOWN)},
            {"service:template.containers": [{"envs": [UNKNOWN]}]},
        ],
        [{f"{ENVIRONMENT}.PLANTAIN_MODEL": MISSING}, {"service:template.containers": []}],
        [{f"{ENVIRONMENT}.PLANTAIN_MODEL": "stays"}],
    ),
    "model-retirement-near": Cases(
        ("function",),
        [
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "a-retired-one"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "retires-in-89-days"},
        ],
        [{f"{ENVIRONMENT}.PLANTAIN_MODEL": UNKNOWN}],
        [
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": MISSING},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "stays"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "nobody-knows-it"},
        ],
        [{f"{ENVIRONMENT}.PLANTAIN_MODEL": "retires-in-90-days"}],
    ),
    "model-residency": Cases(
        ("function",),
        [
            *broken("function", "serviceConfig.environmentVariables.GOOGLE_CLOUD_LOCATION", "global", "mars-north1"),
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "gemini-3-pro-image"},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": "nobody-knows-it"},
        ],
        [
            {f"{ENVIRONMENT}.GOOGLE_CLOUD_LOCATION": UNKNOWN},
            {f"{ENVIRONMENT}.PLANTAIN_MODEL": UNKNOWN},
            {"function:serviceConfig.environmentVariables": UNKNOWN},
        ],
        [{f"{ENVIRONMENT}.PLANTAIN_RESIDENCY": MISSING}, {f"{ENVIRONMENT}.PLANTAIN_MODEL": MISSING}],
    ),
    "model-least-privilege": Cases(
        ("grant",),
        [
            {"grant:role": "roles/aiplatform.admin"},
            {"grant": (BINDING, {"role": "roles/aiplatform.viewer", "members": ["user:a@example.com", MEMBER]})},
            {"grant": (IAM_POLICY, {"policyData": _policy(("roles/aiplatform.admin", MEMBER))})},
        ],
        [{"grant:role": UNKNOWN}, {"grant:role": "roles/aiplatform.admin", "grant:member": UNKNOWN}],
        [{"grant:role": "roles/run.invoker"}],
        [
            {"grant:member": UNKNOWN},
            {"grant:role": "roles/aiplatform.serviceAgent"},
            {"grant:role": "roles/aiplatform.admin", "grant:member": "group:a@example.com"},
            {
                "grant:role": "roles/aiplatform.colabServiceAgent",
                "grant:member": "serviceAccount:service-1@gcp-sa-aiplatform.iam.gserviceaccount.com",
            },
        ],
    ),
    "model-allow-list": Cases(
        ("models",),
        [
            {"models:spec": MISSING},
            {RULE: []},
            {RULE: [{"allowAll": "TRUE"}]},
            {RULE: [{"allowAll": True}]},
            {RULE: _models("publishers/google/models/imagen-4.0-generate-001:predict")},
            {RULE: _models("publishers/google/models/a-preview:predict")},
            {RULE: _models("publishers/google/models/gemini-3-pro-image:predict", "*")},
        ],
        [{RULE: UNKNOWN}, {RULE: [UNKNOWN]}, {"models:name": UNKNOWN}],
        [{"models:name": "organizations/1/policies/run.allowedIngress"}],
        [{RULE: [{"denyAll": "TRUE"}]}, {RULE: _models("publishers/google/models/gemini-3-pro-image")}],
    ),
    "model-stores-encrypted": Cases(
        ("endpoint", "dataset"),
        [{"endpoint:encryptionSpec": MISSING}, *broken("dataset", "encryptionSpec.kmsKeyName", "")],
        [{"endpoint:encryptionSpec": UNKNOWN}, {"dataset:encryptionSpec.kmsKeyName": UNKNOWN}],
    ),
    "model-prompts-not-logged": Cases(
        ("endpoint",),
        broken("endpoint", "predictRequestResponseLoggingConfig.bigqueryDestination.outputUri", ""),
        [
            {"endpoint:predictRequestResponseLoggingConfig": UNKNOWN},
            {"endpoint:predictRequestResponseLoggingConfig.bigqueryDestination": UNKNOWN},
        ],
        good=[
            {"endpoint:predictRequestResponseLoggingConfig": MISSING},
            {"endpoint:predictRequestResponseLoggingConfig": {"enabled": False}},
        ],
    ),
    "model-armor-enforced": Cases(
        ("floor",),
        [
            *broken("floor", "enableFloorSettingEnforcement", False),
            *broken("floor", "integratedServices", []),
        ],
        [{"floor:enableFloorSettingEnforcement": UNKNOWN}, {"floor:integratedServices": UNKNOWN}],
    ),
}

CASES: dict[str, Cases] = {
    **PROJECT,
    **ORGANISATION,
    **IDENTITY,
    **PERIMETER,
    **NETWORKS,
    **KEYS,
    **STORAGE_CASES,
    **SERVERLESS,
    **LOGS,
    **ALERTS,
    **CAPACITY,
    **MODEL,
}

_KEY_OF_ALL = KEY.replace(PROJECT_ID, "keys")
_SEPARATE = Parameters(separate_key_project=True, key_projects=("keys",))
_OWN_KEYS: Changes = {
    **{f"{name}:encryption.defaultKmsKeyName": _KEY_OF_ALL for name in ("images", "evidence")},
    **{f"{name}:kmsKeyName": _KEY_OF_ALL for name in ("function", "repository", "topic")},
    "service:template.encryptionKey": _KEY_OF_ALL,
    **{f"{name}:encryptionSpec.kmsKeyName": _KEY_OF_ALL for name in ("endpoint", "dataset")},
    "log-bucket:cmekSettings.kmsKeyName": _KEY_OF_ALL,
    **dict.fromkeys(("pool", "secret")),
}
"""Everything is encrypted with keys of a project that holds nothing else."""

DECIDING: list[tuple[str, Changes, Parameters]] = [
    ("labels-mandatory", {}, Parameters(required_labels=("team",))),
    ("location-allowed", {}, Parameters(allowed_locations=("us",))),
    ("key-rotation", {}, Parameters(key_rotation_days=30)),
    ("key-destroy-delay", {}, Parameters(key_destroy_days=60)),
    ("log-bucket-retention", {}, Parameters(log_retention_days=500)),
    ("storage-recoverable", {}, Parameters(soft_delete_days=60)),
    ("storage-evidence-locked", {}, Parameters(evidence_retention_days=4000)),
    ("capacity-alert", {}, Parameters(capacity_alert_ratio=0.5)),
    ("key-origin", {}, Parameters(separate_key_project=True)),
    ("key-origin", {**_OWN_KEYS, "images:encryption.defaultKmsKeyName": KEY}, _SEPARATE),
    ("key-origin", {**_OWN_KEYS, "images:encryption.defaultKmsKeyName": FOREIGN_KEY}, _SEPARATE),
    (
        "key-protection-level",
        {"key:labels.data-class": "internal", "key:versionTemplate.protectionLevel": "SOFTWARE"},
        Parameters(hsm_data_classes=("internal",)),
    ),
    (
        "model-residency",
        {
            "function:serviceConfig.environmentVariables.PLANTAIN_RESIDENCY": None,
            "function:serviceConfig.environmentVariables.GOOGLE_CLOUD_LOCATION": "global",
        },
        Parameters(residency=True),
    ),
]
"""Controls that fail because of what an organisation has chosen."""
ALLOWING: list[tuple[str, Changes, Parameters]] = [
    (
        "api-allow-list",
        {"api-storage:service": "x.googleapis.com"},
        Parameters(allowed_services=("x.googleapis.com",)),
    ),
    ("location-allowed", {"images:location": "EU"}, Parameters(allowed_locations=("eu", "europe-west4"))),
    (
        "key-origin",
        {
            "function:kmsKeyName": KEY.replace(PROJECT_ID, "keys"),
            **{
                f"{name}:encryption.defaultKmsKeyName": KEY.replace(PROJECT_ID, "keys")
                for name in ("images", "evidence")
            },
        },
        Parameters(key_projects=("keys",)),
    ),
    ("key-origin", _OWN_KEYS, _SEPARATE),
]
"""Controls that pass because of it."""
