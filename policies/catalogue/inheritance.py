"""Controls of what projects inherit or are kept from: deny policies, groups, custom roles, firewall policies."""

from collections.abc import Mapping
from typing import Any

from policies.catalogue.addresses import everywhere
from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

DENY_POLICY = "gcp:iam/denyPolicy:DenyPolicy"
CUSTOM_ROLES = ("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole")
FIREWALL_RULES = (
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
MEMBERSHIP = "gcp:cloudidentity/groupMembership:GroupMembership"
ACCOUNTS = ".gserviceaccount.com"
EVERYBODY = "principalSet://goog/public:all"
RISING = frozenset(
    {
        "iam.roles.update",
        "iam.serviceAccountKeys.create",
        "iam.serviceAccounts.actAs",
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.getOpenIdToken",
        "iam.serviceAccounts.implicitDelegation",
        "iam.serviceAccounts.signBlob",
        "iam.serviceAccounts.signJwt",
    }
)
"""Permissions whose holder can take every right of an account or role
(cloud.google.com/iam/docs/best-practices-service-accounts, 2026-11)."""
SET_POLICY = ".setIamPolicy"


@resource_control(
    id="deny-policy-in-force",
    title="Deny policies deny something, to more than nobody",
    text="Every rule of a deny policy names whom it denies and what, and excepts neither everybody nor somebody "
    "without a name.",
    why="A deny policy that excepts everybody looks like a lock and is none.",
    severity=Severity.MEDIUM,
    types=(DENY_POLICY,),
    paths=("rules",),
    fix="name denied_principals and denied_permissions, and the groups that are excepted: set denyPolicy.exceptions",
    url="https://cloud.google.com/iam/docs/deny-overview",
    crosswalk=ids(nist="AC-3 AC-6 CM-5", iso="A.5.15 A.8.2", soc2="CC6.1 CC6.3"),
)
def _deny_policy_in_force(look: Look, _: Context) -> Verdict:
    rules = list(look.each("rules[].denyRule"))
    if not rules:
        return look.fails("rules is missing, so the policy denies nothing")
    for path, rule in rules:
        for name in ("deniedPrincipals", "deniedPermissions"):
            if not _named(path, rule, name):
                return look.fails(f"{path}.{name} is missing, so the rule denies nothing")
        if EVERYBODY in _named(path, rule, "exceptionPrincipals"):
            return look.fails(f"{path}.exceptionPrincipals holds everybody, so the rule denies nobody")
    return look.passes("every rule denies something to somebody")


def _named(path: str, rule: Any, name: str) -> list[Any]:
    """A list in a rule.

    Raises:
        Open: it, or something in it, cannot be read.
    """
    found = rule if isinstance(rule, Unknown) else rule.get(name) if isinstance(rule, Mapping) else None
    for value in (found, *(found if isinstance(found, list) else ())):
        if isinstance(value, Unknown):
            raise Open(f"{path}.{name}", value)
    return found if isinstance(found, list) else []


@resource_control(
    id="group-members-known",
    title="Groups that hold roles have no strangers in them",
    text="Every member of a group is a service account, or of a domain in policies:memberDomains; without one, of the "
    "group's own domain.",
    why="Who is in the group is in no policy: whoever may add a member gives away every role the group holds.",
    severity=Severity.HIGH,
    types=(MEMBERSHIP,),
    paths=("preferredMemberKey.id", "groupAddress"),
    fix="gcloud identity groups memberships delete --group-email=GROUP --member-email=MEMBER",
    url="https://cloud.google.com/iam/docs/groups-best-practices",
    crosswalk=ids(cis5="1.2", cis4="1.1", nist="AC-2 AC-6", iso="A.5.16 A.5.18", soc2="CC6.2 CC6.3"),
)
def _group_members_known(look: Look, context: Context) -> Verdict:
    member = str(look.at("preferredMemberKey.id", ""))
    group = look.at("groupAddress", "")
    domain = member.rpartition("@")[2].lower()
    if domain.endswith(ACCOUNTS):
        return look.passes("the member is a service account")
    domains = context.parameters.member_domains or ((str(group).rpartition("@")[2],) if group else ())
    if not domains:
        return look.does_not_apply("the group's address is not known, and policies:memberDomains names no domain")
    if domain not in {name.lower() for name in domains}:
        return look.fails("preferredMemberKey.id is of a strange domain, so somebody outside has the group's roles")
    return look.passes("the member is of a domain that may be")


@resource_control(
    id="custom-role-not-rising",
    title="Custom roles do not let anybody rise",
    text="No custom role has a permission to set a policy, to act as an account, or to change a role.",
    why="Whoever holds such a role holds every role he cares to give himself.",
    severity=Severity.MEDIUM,
    types=CUSTOM_ROLES,
    paths=("permissions",),
    fix="take the permission out of the role, and grant a predefined role on the one account or resource",
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts",
    crosswalk=ids(nist="AC-6 AC-6(1) AC-5", iso="A.8.2 A.5.3", soc2="CC6.3", hipaa="164.308(a)(4)(i)"),
)
def _custom_role_not_rising(look: Look, _: Context) -> Verdict:
    held = list(look.each("permissions[]"))
    for path, name in held:
        if name in RISING or str(name).endswith(SET_POLICY):
            return look.fails(f"{path} is a way to every other right, so whoever has the role has them all")
    for path, name in held:
        if isinstance(name, Unknown):
            raise Open(path, name)
    return look.passes("the role gives nothing but what it names")


@resource_control(
    id="firewall-policy-no-open-ingress",
    title="No firewall policy lets everybody in",
    text="No rule of a firewall policy, above networks or in one, allows ingress from 0.0.0.0/0 or ::/0, from ranges "
    "that together hold half of all addresses, or from every source by naming none.",
    why="Rules of the organisation come before those of the network: one of them opens what every campaign has closed.",
    severity=Severity.HIGH,
    types=FIREWALL_RULES,
    paths=(
        "direction",
        "action",
        "disabled",
        "match.srcIpRanges",
        "match.srcSecureTags",
        "match.srcFqdns",
        "match.srcRegionCodes",
        "match.srcAddressGroups",
        "match.srcThreatIntelligences",
    ),
    fix="name the ranges that may come in, or delete the rule",
    url="https://cloud.google.com/firewall/docs/firewall-policies",
    crosswalk=ids(cis5="3.6 3.7", cis4="3.6 3.7", nist="SC-7 SC-7(5)", iso="A.8.20", soc2="CC6.6"),
)
def _firewall_policy_no_open_ingress(look: Look, _: Context) -> Verdict:
    if look.at("direction", "") != "INGRESS":
        return look.does_not_apply("the rule is about what leaves")
    if str(look.at("action", "")).lower() != "allow":
        return look.does_not_apply("the rule allows nothing")
    if look.at("disabled", default=False) is True:
        return look.does_not_apply("the rule is switched off")
    ranges = list(look.each("match.srcIpRanges[]"))
    if everywhere(value for _, value in ranges):
        return look.fails("match.srcIpRanges holds every address, so everybody may come in")
    for path, value in ranges:
        if isinstance(value, Unknown):
            raise Open(path, value)
    kinds = ("SecureTags", "Fqdns", "RegionCodes", "AddressGroups", "ThreatIntelligences")
    named = [look.at(f"match.src{kind}", MISSING) for kind in kinds]
    if not ranges and not any(value is not MISSING and value for value in named):
        return look.fails("match names no source, so everybody may come in")
    return look.passes("only named sources may come in")


CONTROLS = (_deny_policy_in_force, _group_members_known, _custom_role_not_rising, _firewall_policy_no_open_ingress)
