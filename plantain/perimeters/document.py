"""From the settings to what Access Context Manager would hold: the perimeter and its access levels, as REST documents.

The rules come from infra/perimeter_rules, which ``pulumi up`` uses too, so there is no second grammar of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from infra import naming, perimeter_rules
from infra.restricted_services import RESTRICTED_SERVICES

if TYPE_CHECKING:
    from infra.access_settings import AccessLevel, Device
    from infra.perimeter_settings import OwnedPerimeter, Proposal

Document = dict[str, Any]
POLICY = "accessPolicies/0"


def perimeter_document(settings: OwnedPerimeter, members: Iterable[str]) -> Document:
    """The perimeter of some settings with the campaigns' projects as members, given as ``projects/<number>``."""
    inside = sorted({*members, *settings.other_members})
    enforced = _configuration(settings, inside, None)
    proposed = _configuration(settings, inside, settings.proposed)
    short = naming.access_context_name(settings.title)
    document: Document = {
        "name": f"{POLICY}/servicePerimeters/{short}",
        "title": settings.title,
        "perimeterType": "PERIMETER_TYPE_REGULAR",
        "useExplicitDryRunSpec": True,
        "spec": proposed,
    }
    return document | ({"status": enforced} if settings.enforcement == "enforced" else {})


def level_documents(settings: OwnedPerimeter) -> dict[str, Document]:
    """The access levels of some settings, that of the deployers included, by full name."""
    deployers: Document = {"members": sorted(settings.deployers)}
    if settings.ip_subnetworks:
        deployers["ipSubnetworks"] = sorted(settings.ip_subnetworks)
    found = {_deployers(settings): {"combiningFunction": "AND", "conditions": [deployers]}}
    documents: dict[str, Document] = {name: {"name": name, "basic": basic} for name, basic in found.items()}
    for level in settings.access_levels:
        name = _named(settings, level.name)
        documents[name] = {"name": name, **_level(settings, level)}
    return documents


def _deployers(settings: OwnedPerimeter) -> str:
    return f"{POLICY}/accessLevels/{naming.access_context_name(settings.title)}_deployers"


def _named(settings: OwnedPerimeter, level: str) -> str:
    known = {one.name for one in settings.access_levels}
    short = naming.access_context_name(settings.title)
    return f"{POLICY}/accessLevels/{short}_{level}" if level in known else level


def _configuration(settings: OwnedPerimeter, members: list[str], proposal: Proposal | None) -> Document:
    without = set(proposal.without) if proposal else set()
    ingress = [*settings.ingress, *(proposal.ingress if proposal else ())]
    egress = [*settings.egress, *(proposal.egress if proposal else ())]
    services = {
        *RESTRICTED_SERVICES,
        *settings.additional_services,
        *(proposal.additional_services if proposal else ()),
    }

    def named(level: str) -> str:
        return _named(settings, level)

    rules = [perimeter_rules.deployers(settings.deployers, _deployers(settings))]
    if settings.auditors:
        rules.append(perimeter_rules.auditors(settings.auditors, [named(level) for level in settings.auditor_levels]))
    rules += [perimeter_rules.ingress(rule, named) for rule in ingress if rule.title not in without]
    return {
        "resources": members,
        "restrictedServices": sorted(services),
        "vpcAccessibleServices": {"enableRestriction": True, "allowedServices": ["RESTRICTED-SERVICES"]},
        "ingressPolicies": [camel(rule) for rule in rules],
        "egressPolicies": [camel(perimeter_rules.egress(one, named)) for one in egress if one.title not in without],
    }


def _level(settings: OwnedPerimeter, level: AccessLevel) -> Document:
    if level.expression is not None:
        return {"custom": {"expr": {"expression": level.expression}}}
    fields: Document = {
        "ipSubnetworks": sorted(level.ip_subnetworks),
        "regions": sorted(level.countries),
        "members": sorted(level.members),
        "devicePolicy": _device(level.device) if level.device else None,
        "requiredAccessLevels": [_named(settings, name) for name in level.requires],
    }
    given = {name: value for name, value in fields.items() if value}
    if level.any_of:
        conditions = [{name: value} for name, value in given.items()]
        return {"basic": {"combiningFunction": "OR", "conditions": conditions}}
    return {"basic": {"combiningFunction": "AND", "conditions": [given]}}


def _device(device: Device) -> Document:
    policy: Document = {
        "requireScreenlock": device.screen_lock,
        "requireCorpOwned": device.corporate,
        "requireAdminApproval": device.approved,
        "allowedEncryptionStatuses": ["ENCRYPTED"] if device.encrypted else [],
        "osConstraints": [
            {"osType": system, **({"minimumVersion": version} if version else {})}
            for system, version in sorted(device.systems.items())
        ],
    }
    return {name: value for name, value in policy.items() if value}


def camel(value: Any) -> Any:
    """Keys of the provider's arguments as the API spells them."""
    if isinstance(value, dict):
        return {to_camel(key): camel(inner) for key, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value
