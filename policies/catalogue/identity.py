"""Controls of who may do what."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Malformed, Open, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

GRANTS = ("gcp:*:*I[Aa][Mm]Member", "gcp:*:*I[Aa][Mm]Binding", "gcp:*:*I[Aa][Mm]Policy")
"""Every kind of grant on every kind of resource; the provider spells them in two ways."""
HIERARCHY = tuple(
    f"gcp:{level}/iAM{kind}:IAM{kind}"
    for level in ("projects", "folder", "organizations")
    for kind in ("Member", "Binding", "Policy")
)
KEY_GRANTS = ("gcp:kms/*I[Aa][Mm]Member", "gcp:kms/*I[Aa][Mm]Binding", "gcp:kms/*I[Aa][Mm]Policy")

EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer", "roles/reader", "roles/writer", "roles/admin"})
IMPERSONATION = frozenset({"roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator"})
ADMIN = re.compile(r"^roles/(owner|editor|.*\.admin|.*Admin)$")
SERVICE_AGENT = re.compile(
    r"@(gcp-sa-[a-z0-9-]+|serverless-robot-prod|gcf-admin-robot|gs-project-accounts|cloudservices|compute-system)"
    r"\.(iam\.)?gserviceaccount\.com$"
)

Grant = tuple[str, Any, Any]
"""Path of the member, role, member; role and member may be `Unknown` or `MISSING`."""


def grants(resource: Resource) -> Iterator[Grant]:
    """Every grant of an IAM resource, whichever its kind; an `Unknown` list of members is one grant.

    Raises:
        ValueError: `policyData` is no policy.
    """
    data = resource.at("policyData")
    if isinstance(data, Unknown):
        yield "policyData", data, data
        return
    if data is not MISSING:
        for binding in _bindings(data):
            for member in binding.get("members", ()):
                yield "policyData", binding.get("role", MISSING), member
        return
    role = resource.at("role")
    if resource.at("member") is not MISSING:
        yield "member", role, resource.at("member")
        return
    for path, member in resource.each("members[]"):
        yield path, role, member


def _bindings(data: Any) -> list[Mapping[str, Any]]:
    policy = json.loads(data) if isinstance(data, str) else data
    if not isinstance(policy, Mapping):
        raise ValueError("policyData is no policy")  # noqa: TRY004 - what json.loads raises too
    return [binding for binding in policy.get("bindings", ()) if isinstance(binding, Mapping)]


def grants_read(look: Look) -> list[Grant]:
    """Every grant of the resource that is looked at.

    Raises:
        Malformed: `policyData` is no policy.
    """
    for path in ("role", "member", "policyData"):
        if look.resource.at(path) is not MISSING:
            look.peek(path)
    for _ in look.resource.each("members[]"):
        look.peek("members")
        break
    try:
        return list(grants(look.resource))
    except ValueError:
        raise Malformed("policyData is no policy, so nobody can tell who gets what") from None


@resource_control(
    id="iam-not-public",
    title="Nothing is granted to everybody",
    text="No grant names allUsers or allAuthenticatedUsers, on any resource.",
    why="allAuthenticatedUsers is everybody with any Google account, which is everybody.",
    severity=Severity.CRITICAL,
    types=GRANTS,
    paths=("member", "members", "policyData"),
    fix="name a group of the organisation, such as group:brand-studio@example.com",
    url="https://cloud.google.com/iam/docs/overview#all-users",
    crosswalk=ids(
        cis5="5.1",
        cis4="5.1",
        nist="AC-3 AC-6",
        iso="A.5.15 A.8.3",
        soc2="CC6.1",
        hipaa="164.312(a)(1)",
        gdpr="32",
        google="BQ-CO-6.1",
    ),
)
def _iam_not_public(look: Look, _: Context) -> Verdict:
    return _public(look)


def _public(look: Look) -> Verdict:
    found = grants_read(look)
    public = [path for path, _, member in found if member in EVERYBODY]
    if public:
        return look.fails(f"{public[0]} names everybody, so everybody gets the role")
    for path, _, member in found:
        if isinstance(member, Unknown):
            raise Open(path, member)
    return look.passes("only named identities get the role")


@resource_control(
    id="key-not-public",
    title="Keys are not granted to everybody",
    text="No grant on a key or a key ring names allUsers or allAuthenticatedUsers.",
    why="Whoever may use the key reads everything it ever encrypted.",
    severity=Severity.CRITICAL,
    types=KEY_GRANTS,
    paths=("member", "members", "policyData"),
    fix="grant the key to the service agents that encrypt with it, and to nobody else",
    url="https://cloud.google.com/kms/docs/iam",
    crosswalk=ids(cis5="1.10", cis4="1.9", nist="AC-3 SC-12", iso="A.8.24", soc2="CC6.1", hipaa="164.312(a)(1)"),
)
def _key_not_public(look: Look, _: Context) -> Verdict:
    return _public(look)


def roles_given(look: Look) -> list[tuple[str, str, Any]]:
    """Path, role and member of each grant.

    Raises:
        Open: a role cannot be read.
        Malformed: `policyData` is no policy.
    """
    found = []
    for path, role, member in grants_read(look):
        if isinstance(role, Unknown):
            raise Open("policyData" if path == "policyData" else "role", role)
        found.append((path, str(role), member))
    return found


@resource_control(
    id="iam-no-basic-roles",
    title="No basic roles",
    text="No grant on a project, folder or organisation gives owner, editor or viewer.",
    why="Basic roles hold thousands of permissions and grow with every new service.",
    severity=Severity.HIGH,
    types=HIERARCHY,
    paths=("role", "policyData"),
    fix="give the predefined role the work needs, such as roles/aiplatform.user",
    url="https://cloud.google.com/iam/docs/roles-overview#basic",
    crosswalk=ids(nist="AC-6", iso="A.8.2", soc2="CC6.3", hipaa="164.308(a)(4)(i)", google="IAM-CO-4.1"),
)
def _iam_no_basic_roles(look: Look, _: Context) -> Verdict:
    if any(role in BASIC for _, role, _ in roles_given(look)):
        return look.fails("role is a basic one, so whoever has it may do nearly everything")
    return look.passes("the role is no basic one")


def _accounts(look: Look, wrong: str, judge: Any) -> Verdict:
    """Judge the grants whose role matters, once their members are known."""
    concerned = [(path, member) for path, role, member in roles_given(look) if judge(role)]
    if not concerned:
        return look.does_not_apply("the role is not one of those")
    for path, member in concerned:
        if isinstance(member, Unknown):
            raise Open(path, member)
    if any(_is_account(member) for _, member in concerned):
        return look.fails(wrong)
    return look.passes("no service account of the organisation has the role")


def _is_account(member: Any) -> bool:
    return str(member).startswith("serviceAccount:") and not SERVICE_AGENT.search(str(member))


@resource_control(
    id="iam-accounts-not-admin",
    title="Service accounts hold no administrator's role",
    text="No service account has owner, editor or a role whose name ends in admin on a project, folder or "
    "organisation. Identities in plantain:perimeter.deployers are what deploys, and are left out.",
    why="Code that is broken into has all rights of its identity.",
    severity=Severity.HIGH,
    types=HIERARCHY,
    paths=("role", "member", "members", "policyData"),
    fix="give the account the role its work needs; if it deploys, list it in plantain:perimeter.deployers",
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts",
    crosswalk=ids(cis5="1.6", cis4="1.5", nist="AC-6 AC-6(5)", iso="A.8.2", soc2="CC6.3"),
)
def _iam_accounts_not_admin(look: Look, context: Context) -> Verdict:
    perimeter = context.settings.get("perimeter")
    deployers = set(perimeter.get("deployers", ())) if isinstance(perimeter, Mapping) else set()
    members = {member for _, _, member in roles_given(look) if isinstance(member, str)}
    if members and members <= deployers:
        return look.does_not_apply("the identity deploys")
    wrong = "a service account gets an administrator's role, so whoever breaks into its code gets it too"
    return _accounts(look, wrong, ADMIN.match)


@resource_control(
    id="iam-no-project-wide-impersonation",
    title="Nobody may act as every account of a project",
    text="Service Account User and Token Creator are granted on single accounts, never on a project or above.",
    why="On a project the role covers every account in it, those of tomorrow included.",
    severity=Severity.HIGH,
    types=HIERARCHY,
    paths=("role", "member", "members", "policyData"),
    fix="grant the role on the one account: gcp.serviceaccount.IAMMember(service_account_id=...)",
    url="https://cloud.google.com/iam/docs/service-account-permissions",
    crosswalk=ids(cis5="1.7", cis4="1.6", nist="AC-6", iso="A.8.2", soc2="CC6.3"),
)
def _iam_no_project_wide_impersonation(look: Look, _: Context) -> Verdict:
    concerned = [(path, member) for path, role, member in roles_given(look) if role in IMPERSONATION]
    if not concerned:
        return look.does_not_apply("the role does not let anybody act as an account")
    for path, member in concerned:
        if isinstance(member, Unknown):
            raise Open(path, member)
        if not SERVICE_AGENT.search(str(member)):
            return look.fails("role lets its holder act as every account of the project, those of tomorrow included")
    return look.passes("only Google's own agents have the role")


CONFLICTS = (
    ("roles/iam.serviceAccountAdmin", ("roles/iam.serviceAccountUser",)),
    (
        "roles/cloudkms.admin",
        (
            "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "roles/cloudkms.cryptoKeyEncrypter",
            "roles/cloudkms.cryptoKeyDecrypter",
        ),
    ),
)


def _granted(survey: Survey) -> Iterator[tuple[Resource, Any, Any]]:
    for resource in survey.context.resources:
        if not _iam_not_public.applies_to(resource.type):
            continue
        for path in ("role", "member", "members", "policyData"):
            if resource.at(path) is not MISSING:
                survey.at(resource, path)
        try:
            yield from ((resource, role, member) for _, role, member in grants(resource))
        except ValueError:
            survey.undecided(resource, "policyData is no policy")


@stack_control(
    id="iam-separation-of-duties",
    title="Who administers keys or accounts does not use them",
    text="No member has both Service Account Admin and Service Account User, nor Cloud KMS Admin and a role that "
    "encrypts or decrypts.",
    why="One identity with both can give itself access and take the traces away.",
    severity=Severity.HIGH,
    paths=("role", "member", "members", "policyData"),
    fix="give one of the two roles to another group",
    url="https://cloud.google.com/kms/docs/separation-of-duties",
    crosswalk=ids(cis5="1.9 1.12", cis4="1.8 1.11", nist="AC-5", iso="A.5.3", soc2="CC6.3", hipaa="164.308(a)(3)(i)"),
)
def _iam_separation_of_duties(survey: Survey) -> Verdict:
    roles: dict[str, dict[str, Resource]] = {}
    every = {role for admin, users in CONFLICTS for role in (admin, *users)}
    pending: list[Resource] = []
    for resource, role, member in _granted(survey):
        if isinstance(member, str) and isinstance(role, str):
            roles.setdefault(member, {})[role] = resource
        elif isinstance(role, Unknown) or role in every:
            pending.append(resource)
    if not roles and not pending:
        return survey.does_not_apply("the stack grants nothing")
    for held in roles.values():
        for admin, users in CONFLICTS:
            if admin in held and any(user in held for user in users):
                survey.offends(held[admin], "the member also has the role that uses what it administers")
    administered = {admin for admin, _ in CONFLICTS}
    if any(role in administered for held in roles.values() for role in held) or any(
        resource.at("role") in administered for resource in pending
    ):
        for resource in pending:
            survey.undecided(resource, "the member is known only after deployment")
    return survey.result("nobody both administers and uses")


@stack_control(
    id="iam-no-account-keys",
    title="Service accounts have no keys",
    text="The stack makes no key of a service account.",
    why="A key is a password that never expires and works from everywhere.",
    severity=Severity.HIGH,
    paths=(),
    fix="remove the serviceaccount.Key; use workload identity federation or impersonation",
    url="https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
    crosswalk=ids(cis5="1.5", cis4="1.4", nist="IA-5", iso="A.8.5", hipaa="164.312(d)", google="IAM-CO-4.2 IAM-CO-4.3"),
)
def _iam_no_account_keys(survey: Survey) -> Verdict:
    keys = survey.context.of("gcp:serviceaccount/key:Key")
    if not keys and not survey.context.of("gcp:serviceaccount/account:Account"):
        return survey.does_not_apply("the stack has no service account")
    for key in keys:
        survey.offends(key, "is a key of a service account, which works from everywhere until somebody deletes it")
    return survey.result("no account has a key of ours")


@resource_control(
    id="federation-has-condition",
    title="Workload identity federation admits named repositories only",
    text="Every provider of a workload identity pool has an attribute condition that looks at the assertion.",
    why="Without one, every repository of the same forge can get a token here.",
    severity=Severity.HIGH,
    types=("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",),
    paths=("attributeCondition",),
    fix='set attribute_condition, such as assertion.repository_owner == "example"',
    url="https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions",
    crosswalk=ids(nist="IA-9 AC-17", iso="A.8.5"),
)
def _federation_has_condition(look: Look, _: Context) -> Verdict:
    condition = look.at("attributeCondition", "")
    if not re.search(r"\b(assertion|attribute|google)\.\w+", str(condition)):
        return look.fails("attributeCondition looks at no claim, so every repository of the issuer gets in")
    return look.passes("only tokens that meet the condition get in")


@stack_control(
    id="iam-grants-visible",
    title="Grants on keys leave nothing unseen",
    text="A role on a key is granted either by bindings or by single members, never by both, and single members are "
    "compared with the live policy.",
    why="Bindings remove what members added at every update, so access comes and goes; and what somebody grants by "
    "hand beside single members is in no state.",
    severity=Severity.MEDIUM,
    paths=("cryptoKeyId", "role"),
    fix="use one kind of grant for each role of a key; plantain audit run compares single members with the live policy",
    url="https://www.pulumi.com/registry/packages/gcp/api-docs/kms/cryptokeyiammember/",
    crosswalk=ids(nist="AC-2 CM-3", iso="A.5.18", soc2="CC6.3"),
)
def _iam_grants_visible(survey: Survey) -> Verdict:
    context = survey.context
    members = context.of("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    bindings = context.of("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding")
    policies = context.of("gcp:kms/cryptoKeyIAMPolicy:CryptoKeyIAMPolicy")
    if not members and not bindings and not policies:
        return survey.does_not_apply("the stack grants no key")
    owned = {(_key(survey, grant), survey.at(grant, "role")) for grant in bindings}
    whole = {_key(survey, grant) for grant in policies}
    for grant in members:
        key = _key(survey, grant)
        if (key, survey.at(grant, "role")) in owned or key in whole:
            survey.offends(grant, "the same role is also bound authoritatively, so each update takes this grant away")
        elif grant.source != "live":
            survey.undecided(grant, "adds to a policy whose other grants are read only by plantain audit run")
    return survey.result("grants on keys are complete")


def _key(survey: Survey, grant: Resource) -> Any:
    """The key of a grant: its name, or the URN it comes from while the name is unknown."""
    name = survey.at(grant, "cryptoKeyId")
    return tuple(grant.dependencies.get("cryptoKeyId", (grant.urn,))) if isinstance(name, Unknown) else name


CONTROLS = (
    _iam_not_public,
    _iam_no_basic_roles,
    _iam_no_account_keys,
    _iam_accounts_not_admin,
    _iam_no_project_wide_impersonation,
    _iam_separation_of_duties,
    _federation_has_condition,
    _iam_grants_visible,
    _key_not_public,
)
