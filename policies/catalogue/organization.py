"""Controls of what stands above all projects: organisation policies and contacts."""

from collections.abc import Mapping

from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.model import ORGANISATION_POLICY
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

CONTACT = "gcp:essentialcontacts/contact:Contact"

BASELINE = (
    "gcp.resourceLocations",
    "gcp.restrictNonCmekServices",
    "gcp.restrictCmekCryptoKeyProjects",
    "iam.disableServiceAccountKeyCreation",
    "iam.allowedPolicyMemberDomains",
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
    "run.allowedIngress",
)
"""Constraints an organisation with campaigns sets (cloud.google.com/resource-manager/docs/organization-policy/
org-policy-constraints, 2026-11)."""


def _constraint(policy: Resource) -> str:
    name = policy.at("name")
    return name.rpartition("/policies/")[2] if isinstance(name, str) else ""


def _limits(rule: Mapping[str, object]) -> bool:
    """Whether a rule limits anything: true values come as booleans from one API and as text from another."""
    if str(rule.get("allowAll", "")).upper() == "TRUE":
        return False
    values = rule.get("values")
    named = isinstance(values, Mapping) and any(values.get(key) for key in ("allowedValues", "deniedValues"))
    return named or any(str(rule.get(key, "")).upper() == "TRUE" for key in ("enforce", "denyAll"))


@resource_control(
    id="org-policy-in-force",
    title="Organisation policies are in force",
    text="Every organisation policy has rules that limit something, not only a dry run.",
    why="A policy in dry run, or one that allows everything, looks like a limit and is none.",
    severity=Severity.HIGH,
    types=(ORGANISATION_POLICY,),
    paths=("spec.rules", "spec.reset", "dryRunSpec"),
    fix="move the rules from dry_run_spec to spec",
    url="https://cloud.google.com/resource-manager/docs/organization-policy/dry-run-policy",
    crosswalk=ids(cis5="1.1.4", nist="CM-2 CM-6", iso="A.8.9", soc2="CC5.2"),
)
def _org_policy_in_force(look: Look, _: Context) -> Verdict:
    look.at("dryRunSpec")
    if look.at("spec.reset", default=False) is True:
        return look.fails("spec.reset is true, so Google's default holds, which limits little")
    rules = list(look.each("spec.rules[]"))
    if not rules:
        return look.fails("spec.rules is missing: what stands in the dry run only writes log lines")
    for path, rule in rules:
        if isinstance(rule, Unknown):
            raise Open(path, rule)
        for key, value in rule.items():
            if isinstance(value, Unknown):
                raise Open(f"{path}.{key}", value)
    if not any(_limits(rule) for _, rule in rules):
        return look.fails("spec.rules limit nothing, so the policy has no effect")
    return look.passes("the policy limits something")


@stack_control(
    id="org-policy-baseline",
    title="The constraints every organisation needs are set",
    text="A stack that sets organisation policies sets the eight of the baseline, in force.",
    why="Policies in a stack hold for what the stack makes; constraints hold for whatever anybody makes by hand.",
    severity=Severity.HIGH,
    paths=("name", "spec.rules"),
    fix="gcp.orgpolicy.Policy for each constraint that the message names",
    url="https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints",
    crosswalk=ids(cis5="1.1.4", nist="CM-2 CM-6", iso="A.8.9", soc2="CC5.2", google="COM-CO-2.2 COM-CO-2.3 COM-CO-4.1"),
)
def _org_policy_baseline(survey: Survey) -> Verdict:
    policies = survey.context.of(ORGANISATION_POLICY)
    if not policies:
        return survey.does_not_apply("the stack sets no organisation policy; those above it are another stack's")
    found: dict[str, Resource] = {}
    pending = False
    for policy in policies:
        pending = pending or isinstance(survey.at(policy, "name"), Unknown)
        if survey.at(policy, "spec.rules") is not MISSING:
            found[_constraint(policy).removeprefix("managed.")] = policy
    lacking = [name for name in BASELINE if name not in found]
    if lacking and pending:
        for policy in policies:
            if isinstance(policy.at("name"), Unknown):
                survey.undecided(policy, "which constraint it sets is known only after deployment")
    elif lacking:
        survey.offends(
            policies[0], f"{', '.join(lacking)} not set beside it, so anybody may do by hand what they forbid"
        )
    return survey.result("the baseline is set")


@stack_control(
    id="security-contact",
    title="Google knows whom to tell of a breach",
    text="A stack that sets organisation policies or contacts has a contact for security, or for everything.",
    why="Without one Google writes to whoever owns the billing account.",
    severity=Severity.LOW,
    paths=("notificationCategorySubscriptions",),
    fix='gcp.essentialcontacts.Contact(notification_category_subscriptions=["SECURITY"], ...)',
    url="https://cloud.google.com/resource-manager/docs/managing-notification-contacts",
    crosswalk=ids(cis5="1.17", cis4="1.16", nist="IR-6", iso="A.5.5", hipaa="164.308(a)(6)(ii)", gdpr="33"),
)
def _security_contact(survey: Survey) -> Verdict:
    contacts = survey.context.of(CONTACT)
    policies = survey.context.of(ORGANISATION_POLICY)
    if not contacts and not policies:
        return survey.does_not_apply("the stack sets nothing above projects")
    pending = []
    for contact in contacts:
        topics = survey.at(contact, "notificationCategorySubscriptions", ())
        if isinstance(topics, Unknown):
            pending.append(contact)
        elif {"SECURITY", "ALL"} & set(topics):
            return survey.result("Google knows whom to tell")
    for contact in pending:
        survey.undecided(contact, "what it is told of is known only after deployment")
    if not pending:
        for resource in contacts or policies[:1]:
            survey.offends(resource, "no contact is told of security, so news of a breach goes to the billing owner")
    return survey.result("Google knows whom to tell")


CONTROLS = (_org_policy_in_force, _org_policy_baseline, _security_contact)
