"""Controls of VPC Service Controls: perimeters, their rules, their members, access levels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policies.catalogue.addresses import everywhere
from policies.catalogue.belonging import names_project
from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.project import SERVICE
from policies.catalogue.resource import Resource
from policies.catalogue.services import CORE, PROTECTED
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
MEMBER = "gcp:accesscontextmanager/servicePerimeterResource:ServicePerimeterResource"
DRY_MEMBER = "gcp:accesscontextmanager/servicePerimeterDryRunResource:ServicePerimeterDryRunResource"
LEVEL = "gcp:accesscontextmanager/accessLevel:AccessLevel"
RULES = tuple(
    f"gcp:accesscontextmanager/servicePerimeter{dry}{way}Policy:ServicePerimeter{dry}{way}Policy"
    for dry in ("", "DryRun")
    for way in ("Ingress", "Egress")
)
BRIDGE = "PERIMETER_TYPE_BRIDGE"
EVERYTHING = "*"
ANYONE = frozenset({"ANY_IDENTITY", "ANY_USER_ACCOUNT", "ANY_SERVICE_ACCOUNT"})
URL = "https://cloud.google.com/vpc-service-controls/docs/service-perimeters"


def _configuration(look: Look) -> str:
    """Which configuration to judge: the enforced one, or the dry-run one while nothing is enforced."""
    return "spec" if look.at("status") is MISSING else "status"


@resource_control(
    id="perimeter-enforced",
    title="The perimeter is enforced",
    text="Every perimeter has an enforced configuration with restricted services, not only a dry-run one.",
    why="A dry run writes a log line and lets the data go.",
    severity=Severity.CRITICAL,
    types=(PERIMETER,),
    paths=("status.restrictedServices",),
    fix="read what the dry run would have refused, then: "
    "pulumi config set --path plantain:perimeter.enforcement enforced",
    url="https://cloud.google.com/vpc-service-controls/docs/dry-run-mode",
    crosswalk=ids(
        cis5="3.8",
        nist="SC-7 SC-7(10) AC-4",
        iso="A.8.12 A.8.22",
        soc2="CC6.6 CC6.7",
        hipaa="164.312(e)(1)",
        gdpr="25 32",
    ),
)
def _perimeter_enforced(look: Look, _: Context) -> Verdict:
    if look.at("perimeterType", "") == BRIDGE:
        return look.does_not_apply("a bridge restricts nothing by itself")
    if not look.at("status.restrictedServices", ()):
        return look.fails("status restricts no service: the perimeter only logs what leaves it")
    return look.passes("the perimeter refuses what its rules do not allow")


@stack_control(
    id="perimeter-has-campaigns",
    title="Every campaign is inside the perimeter",
    text="The project of each campaign is a member of an enforced configuration.",
    why="A project outside can send everything it holds to any other project.",
    severity=Severity.CRITICAL,
    paths=("status.resources", "resource"),
    fix="deploy the campaign from a stack that owns or joins a perimeter; see plantain:perimeter.membership",
    url=URL,
    crosswalk=ids(
        cis5="3.8",
        nist="SC-7 SC-7(10) AC-4",
        iso="A.8.12 A.8.22",
        soc2="CC6.6 CC6.7",
        hipaa="164.312(e)(1)",
        gdpr="25 32",
    ),
)
def _perimeter_has_campaigns(survey: Survey) -> Verdict:
    context = survey.context
    if not context.campaigns:
        return survey.does_not_apply("the stack has no campaign")
    enforced = [(resource, "resource") for resource in context.of(MEMBER)]
    enforced += [(resource, "status.resources[]") for resource in context.of(PERIMETER)]
    for resource, path in enforced:
        survey.at(resource, path.removesuffix("[]"))
    for project in context.campaigns:
        survey.at(project, "number")
        answers = [names_project(resource, path, project) for resource, path in enforced]
        if True in answers:
            continue
        if None in answers:
            survey.undecided(project, "joins a perimeter, but its number is known only after deployment")
        else:
            survey.offends(project, "is a member of no enforced perimeter, so its data can go to any project")
    return survey.result("every campaign is inside an enforced perimeter")


@resource_control(
    id="perimeter-restricts-core",
    title="The perimeter restricts what carries data",
    text="The configuration restricts at least Vertex AI, Storage, KMS, Run, Functions, Artifact Registry, Secret "
    "Manager, Logging and Pub/Sub.",
    why="A service that is not restricted is a door beside the wall.",
    severity=Severity.CRITICAL,
    types=(PERIMETER,),
    paths=("status.restrictedServices", "spec.restrictedServices"),
    fix="add the services to restricted_services of the perimeter",
    url="https://cloud.google.com/vpc-service-controls/docs/supported-products",
    crosswalk=ids(cis5="3.8", nist="SC-7 SC-7(10) AC-4", iso="A.8.12 A.8.22", soc2="CC6.6 CC6.7"),
)
def _perimeter_restricts_core(look: Look, _: Context) -> Verdict:
    if look.at("perimeterType", "") == BRIDGE:
        return look.does_not_apply("a bridge restricts nothing by itself")
    path = f"{_configuration(look)}.restrictedServices"
    services = look.at(path, ())
    lacking = sorted(CORE - set(_known(path, services)))
    if lacking:
        return look.fails(f"{path} lacks {', '.join(lacking)}, so data can leave through them")
    return look.passes("what carries data is restricted")


def _known(path: str, values: Sequence[Any]) -> Iterator[Any]:
    """Values of a list.

    Raises:
        Open: one of them cannot be read.
    """
    for index, value in enumerate(values):
        if isinstance(value, Unknown):
            raise Open(f"{path}[{index}]", value)
        yield value


@stack_control(
    id="perimeter-restricts-enabled",
    title="The perimeter restricts every API that is enabled",
    text="Each API that the stack enables and that VPC Service Controls supports is restricted by its perimeter.",
    why="An API that somebody enabled later is a door beside the wall until the perimeter names it.",
    severity=Severity.CRITICAL,
    paths=("status.restrictedServices", "spec.restrictedServices", "service"),
    fix="pulumi config set --path 'plantain:perimeter.additionalServices[0]' API",
    url="https://cloud.google.com/vpc-service-controls/docs/supported-products",
    crosswalk=ids(cis5="3.8", nist="SC-7 CM-7", iso="A.8.12 A.8.22", soc2="CC6.6"),
)
def _perimeter_restricts_enabled(survey: Survey) -> Verdict:
    context = survey.context
    enabled = context.of(SERVICE)
    perimeters = [p for p in context.of(PERIMETER) if p.at("perimeterType") != BRIDGE]
    if not enabled:
        return survey.does_not_apply("the stack enables no API")
    if not perimeters:
        return survey.does_not_apply("the perimeter belongs to another stack")
    for perimeter in perimeters:
        block = "status" if survey.at(perimeter, "status") is not MISSING else "spec"
        restricted = survey.at(perimeter, f"{block}.restrictedServices", ())
        if isinstance(restricted, Unknown):
            survey.undecided(perimeter, "its restricted services are known only after deployment")
            continue
        for service in enabled:
            api = survey.at(service, "service")
            if isinstance(api, Unknown):
                survey.undecided(service, "the API is known only after deployment")
            elif api in PROTECTED and api not in restricted:
                survey.offends(service, "is enabled and not restricted by the perimeter, so data can leave through it")
    return survey.result("every enabled API that can be restricted is")


@resource_control(
    id="perimeter-limits-networks",
    title="Networks inside reach restricted services only",
    text="VPC-accessible services are restricted to RESTRICTED-SERVICES.",
    why="Otherwise a network inside may call any API that is outside the wall.",
    severity=Severity.HIGH,
    types=(PERIMETER,),
    paths=(
        "status.vpcAccessibleServices.enableRestriction",
        "status.vpcAccessibleServices.allowedServices",
        "spec.vpcAccessibleServices.enableRestriction",
        "spec.vpcAccessibleServices.allowedServices",
    ),
    fix='set vpc_accessible_services={"enable_restriction": True, "allowed_services": ["RESTRICTED-SERVICES"]}',
    url="https://cloud.google.com/vpc-service-controls/docs/vpc-accessible-services",
    crosswalk=ids(cis5="3.8", nist="SC-7(5)", iso="A.8.20 A.8.22", soc2="CC6.6"),
)
def _perimeter_limits_networks(look: Look, _: Context) -> Verdict:
    if look.at("perimeterType", "") == BRIDGE:
        return look.does_not_apply("a bridge restricts nothing by itself")
    block = f"{_configuration(look)}.vpcAccessibleServices"
    if look.at(f"{block}.enableRestriction") is not True:
        return look.fails(f"{block}.enableRestriction is not true, so networks inside reach every API")
    if list(_known(f"{block}.allowedServices", look.at(f"{block}.allowedServices", ()))) != ["RESTRICTED-SERVICES"]:
        return look.fails(f"{block}.allowedServices allows more than RESTRICTED-SERVICES, so data can leave there")
    return look.passes("networks inside reach restricted services only")


def _rules(look: Look) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Path, rule and direction of every rule of a perimeter, or of a rule that is a resource."""
    if look.resource.type != PERIMETER:
        way = "ingress" if "Ingress" in look.resource.type else "egress"
        for name in (f"{way}From", f"{way}To"):
            look.at(name)
        yield "", look.resource.properties, way
        return
    for block in ("status", "spec"):
        for way in ("ingress", "egress"):
            path = f"{block}.{way}Policies"
            for exact, rule in look.each(f"{path}[]"):
                if isinstance(rule, Unknown):
                    raise Open(exact, rule)
                yield f"{exact}.", rule, way


def _anyone(rule: Resource, way: str) -> bool:
    kind = rule.at(f"{way}From.identityType")
    members = list(rule.each(f"{way}From.identities[]"))
    return kind in ANYONE or (kind is MISSING and not members)


def _contains(rule: Resource, path: str, wanted: object) -> bool:
    return any(value == wanted for _, value in rule.each(path))


def _unknown(rule: Resource, *paths: str) -> tuple[str, Unknown] | None:
    for path in paths:
        for exact, value in rule.each(path) if "[]" in path else [(path, rule.at(path))]:
            if isinstance(value, Unknown):
                return exact, value
    return None


@resource_control(
    id="perimeter-no-open-rules",
    title="No rule opens the perimeter to everybody",
    text="No ingress rule lets any identity in from any source or to every service; no egress rule lets data out to "
    "every project or through every service; and resources outside Google are listed in policies:externalResources.",
    why="One such rule makes the perimeter a formality.",
    severity=Severity.HIGH,
    types=(PERIMETER, *RULES),
    paths=(
        "status.ingressPolicies",
        "status.egressPolicies",
        "spec.ingressPolicies",
        "spec.egressPolicies",
        "ingressFrom",
        "ingressTo",
        "egressFrom",
        "egressTo",
    ),
    fix="name the identities, the sources, the services and the projects of the rule",
    url="https://cloud.google.com/vpc-service-controls/docs/ingress-egress-rules",
    crosswalk=ids(cis5="3.8", nist="AC-4 AC-3", iso="A.8.12 A.8.22", soc2="CC6.6"),
)
def _perimeter_no_open_rules(look: Look, context: Context) -> Verdict:
    pending: tuple[str, Unknown] | None = None
    count = 0
    for prefix, properties, way in _rules(look):
        count += 1
        rule = Resource(look.resource.urn, look.resource.type, look.resource.name, properties)
        wrong = _ingress(rule) if way == "ingress" else _egress(rule, context)
        if wrong:
            return look.fails(f"{prefix}{wrong}")
        found = _unknown(
            rule,
            f"{way}From.identityType",
            f"{way}From.identities[]",
            f"{way}From.sources[]",
            f"{way}From.sources[].accessLevel",
            f"{way}To.resources[]",
            f"{way}To.operations[]",
            f"{way}To.operations[].serviceName",
            "egressTo.externalResources[]",
        )
        if found and _matters(rule, way):
            pending = pending or (f"{prefix}{found[0]}", found[1])
    if pending:
        raise Open(*pending)
    if not count:
        return look.does_not_apply("the perimeter has no rules, so nothing passes it")
    return look.passes("every rule names who, from where and to what")


def _matters(rule: Resource, way: str) -> bool:
    """Whether an unknown value could open the rule: named identities close an ingress rule whatever else it says."""
    named = list(rule.each(f"{way}From.identities[]"))
    return way == "egress" or not named or any(isinstance(value, Unknown) for _, value in named)


def _ingress(rule: Resource) -> str:
    if not _anyone(rule, "ingress"):
        return ""
    sources = list(rule.each("ingressFrom.sources[]"))
    if not sources or _contains(rule, "ingressFrom.sources[].accessLevel", EVERYTHING):
        return "ingressFrom lets any identity in from anywhere, so the perimeter keeps nobody out"
    if _contains(rule, "ingressTo.operations[].serviceName", EVERYTHING):
        return "ingressTo gives any identity every service, so one source is enough to take everything"
    return ""


def _egress(rule: Resource, context: Context) -> str:
    if _contains(rule, "egressTo.resources[]", EVERYTHING) and (
        _anyone(rule, "egress") or _contains(rule, "egressTo.operations[].serviceName", EVERYTHING)
    ):
        return "egressTo.resources is every project, so data may be sent anywhere"
    if _anyone(rule, "egress") and _contains(rule, "egressTo.operations[].serviceName", EVERYTHING):
        return "egressTo.operations gives any identity every service, so data may be sent by any way"
    allowed = set(context.parameters.external_resources)
    outside = [value for _, value in rule.each("egressTo.externalResources[]") if not isinstance(value, Unknown)]
    if any(value not in allowed for value in outside):
        return "egressTo.externalResources is not in policies:externalResources, so data leaves Google unapproved"
    return ""


@resource_control(
    id="access-level-not-open",
    title="Access levels ask for more than an address",
    text="No condition admits every address, none asks for addresses alone, none that is negated is enough, and no "
    "custom expression is always true.",
    why="Addresses are shared and forged; a level that admits everybody opens every rule that uses it.",
    severity=Severity.MEDIUM,
    types=(LEVEL,),
    paths=("basic.conditions", "basic.combiningFunction", "custom.expr.expression"),
    fix="add members or a device policy to the condition, and name the address ranges",
    url="https://cloud.google.com/access-context-manager/docs/create-basic-access-level",
    crosswalk=ids(nist="AC-3 AC-17", iso="A.5.15 A.8.20", soc2="CC6.6"),
)
def _access_level_not_open(look: Look, _: Context) -> Verdict:
    expression = look.at("custom.expr.expression", None)
    if expression is not None:
        if str(expression).strip().lower() in {"", "true"}:
            return look.fails("custom.expr.expression is always true, so everybody has the level")
        return look.passes("the level has an expression")
    return _basic(look)


def _basic(look: Look) -> Verdict:
    """Judge the conditions of a level; one that is negated is met by whoever fails any part of it."""
    conditions = list(look.each("basic.conditions[]"))
    if not conditions:
        return look.fails("the level has no condition, so everybody has it")
    asking = 0
    for path, condition in conditions:
        if isinstance(condition, Unknown):
            raise Open(path, condition)
        part = Resource(look.resource.urn, LEVEL, look.resource.name, condition)
        if isinstance(negated := part.at("negate"), Unknown):
            raise Open(f"{path}.negate", negated)
        if negated is True:
            continue
        if everywhere(value for _, value in part.each("ipSubnetworks[]")):
            return look.fails(f"{path}.ipSubnetworks holds every address, so everybody has the level")
        asked = [part.at(name) for name in ("members", "devicePolicy", "requiredAccessLevels")]
        if not any(value not in (MISSING, [], {}) for value in asked):
            return look.fails(f"{path} asks for nothing but an address or a region, which can be shared")
        asking += 1
    if asking == 0 or (asking < len(conditions) and look.at("basic.combiningFunction", "AND") == "OR"):
        return look.fails("a negated condition is enough, so everybody whom it does not name has the level")
    return look.passes("every condition asks who it is")


@resource_control(
    id="perimeter-no-bridge",
    title="No bridges between perimeters",
    text="Every perimeter is a regular one.",
    why="A bridge lets everything pass between its projects, in both directions and for everybody.",
    severity=Severity.MEDIUM,
    types=(PERIMETER,),
    paths=("perimeterType",),
    fix="replace the bridge by ingress and egress rules that name services and identities",
    url="https://cloud.google.com/vpc-service-controls/docs/share-across-perimeters",
    crosswalk=ids(nist="SC-7 AC-4", iso="A.8.22", soc2="CC6.6"),
)
def _perimeter_no_bridge(look: Look, _: Context) -> Verdict:
    if look.at("perimeterType", "PERIMETER_TYPE_REGULAR") != "PERIMETER_TYPE_REGULAR":
        return look.fails("perimeterType is a bridge, so everything passes between its projects")
    return look.passes("the perimeter is a regular one")


@resource_control(
    id="perimeter-explicit-dry-run",
    title="A dry run is written down as one",
    text="A perimeter with a dry-run configuration says so: use_explicit_dry_run_spec is true.",
    why="Without it the dry-run configuration is ignored, and a change goes live untested.",
    severity=Severity.LOW,
    types=(PERIMETER,),
    paths=("spec", "useExplicitDryRunSpec"),
    fix="set use_explicit_dry_run_spec=True on the perimeter",
    url="https://cloud.google.com/vpc-service-controls/docs/dry-run-mode",
    crosswalk=ids(nist="CM-3 SC-7", iso="A.8.32"),
)
def _perimeter_explicit_dry_run(look: Look, _: Context) -> Verdict:
    if look.at("spec") is MISSING:
        return look.does_not_apply("the perimeter has no dry-run configuration")
    if look.at("useExplicitDryRunSpec") is not True:
        return look.fails("useExplicitDryRunSpec is not true, so the dry-run configuration is ignored")
    return look.passes("the dry-run configuration counts")


CONTROLS = (
    _perimeter_enforced,
    _perimeter_has_campaigns,
    _perimeter_restricts_core,
    _perimeter_restricts_enabled,
    _perimeter_limits_networks,
    _perimeter_no_open_rules,
    _access_level_not_open,
    _perimeter_no_bridge,
    _perimeter_explicit_dry_run,
)
