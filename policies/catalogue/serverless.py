"""Controls of functions, services, what they are built from and what they work with."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.identity import EVERYBODY, grants_read
from policies.catalogue.keys import unencrypted
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

FUNCTION = "gcp:cloudfunctionsv2/function:Function"
SERVICE = "gcp:cloudrunv2/service:Service"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
IMAGE_POLICY = "gcp:binaryauthorization/policy:Policy"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
DEFAULT_ACCOUNT = re.compile(r"-compute@developer\.gserviceaccount\.com|@appspot\.|@cloudbuild\.")
SECRET_NAME = re.compile(r"(?i)secret|token|passw|api_?key|private_?key|credential")
SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|AIza[0-9A-Za-z_-]{30}|ya29\.|gh[pousr]_[0-9A-Za-z]{30}|eyJ[\w-]{10,}\.eyJ|xox[abp]-"
)
NOT_SECRET = re.compile(r"(?i)tokens?_(per|limit|count)|max_?tokens|secret_?(name|id|ref)")


def environment(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """Path, name and plain value of each environment variable; names and values may be `Unknown`."""
    for path in ("serviceConfig.environmentVariables", "buildConfig.environmentVariables"):
        found = resource.at(path)
        if isinstance(found, Unknown):
            yield path, "", found
        elif isinstance(found, Mapping):
            for name, value in found.items():
                yield f"{path}.{name}", name, value
    for path, variable in resource.each("template.containers[].envs[]"):
        if isinstance(variable, Unknown):
            yield path, "", variable
        elif isinstance(variable, Mapping) and variable.get("value") is not None:
            yield path, str(variable.get("name", "")), variable["value"]


def variable(look: Look, wanted: str) -> Any:
    """The value of one environment variable of a function or service, or `MISSING`.

    Raises:
        Open: it cannot be read.
    """
    pending: Open | None = None
    for path, name, value in environment(look.resource):
        if name == wanted:
            return look.at(path) if path.startswith(("serviceConfig", "buildConfig")) else look.at(f"{path}.value")
        if not name:
            pending = Open(path, value)
    if pending:
        raise pending
    return MISSING


@resource_control(
    id="service-own-account",
    title="Code runs and is built with accounts of its own",
    text="Functions and services name a service account to run as, functions another to be built with, and neither is "
    "a default account.",
    why="Default accounts are shared by everything in a project, and often may edit all of it.",
    severity=Severity.HIGH,
    types=(FUNCTION, SERVICE, POOL),
    paths=("serviceConfig.serviceAccountEmail", "buildConfig.serviceAccount", "template.serviceAccount"),
    fix="set service_config.service_account_email and build_config.service_account on the function",
    url="https://cloud.google.com/run/docs/securing/service-identity",
    crosswalk=ids(cis5="4.1", cis4="4.1", nist="AC-6(5) CM-7", iso="A.8.2", soc2="CC6.3", google="IAM-CO-4.1"),
)
def _service_own_account(look: Look, _: Context) -> Verdict:
    paths: tuple[str, ...] = ("template.serviceAccount",)
    if look.resource.type == FUNCTION:
        paths = ("serviceConfig.serviceAccountEmail", "buildConfig.serviceAccount")
    for path in paths:
        value = look.peek(path)
        if value is MISSING or DEFAULT_ACCOUNT.search(str(value)):
            return look.fails(f"{path} is a default account, whose rights everything in the project shares")
    for path in paths:
        look.at(path)
    return look.passes("it has accounts of its own")


@resource_control(
    id="service-no-secrets-in-environment",
    title="Secrets are not in environment variables",
    text="No environment variable has a secret's name or looks like a key, a token or a password; secrets are "
    "referred to in Secret Manager.",
    why="Everybody who may look at the function reads its environment, and so does every log of a deployment.",
    severity=Severity.HIGH,
    types=(FUNCTION, SERVICE, POOL),
    paths=("serviceConfig.environmentVariables", "buildConfig.environmentVariables", "template.containers"),
    fix="keep the value in Secret Manager and refer to it with secret_environment_variables",
    url="https://cloud.google.com/run/docs/configuring/services/secrets",
    crosswalk=ids(cis5="1.18", cis4="1.17", nist="IA-5(7)", iso="A.5.17 A.8.24", soc2="CC6.1"),
)
def _service_no_secrets_in_environment(look: Look, _: Context) -> Verdict:
    pending: Open | None = None
    for path, name, value in environment(look.resource):
        look.conceal(path)
        if SECRET_NAME.search(name) and not NOT_SECRET.search(name):
            return look.fails(f"{path} has the name of a secret, which everybody can read who may see the deployment")
        if isinstance(value, Unknown):
            pending = pending or Open(path, value)
        elif SECRET_VALUE.search(str(value)):
            return look.fails(f"{path} holds a key or a token, which everybody can read who may see the deployment")
    if pending:
        raise pending
    return look.passes("no variable holds a secret")


@resource_control(
    id="service-internal-ingress",
    title="Nothing answers the internet",
    text="Functions and services take requests from inside only.",
    why="What answers the internet is tried by everybody, and each try costs an instance.",
    severity=Severity.HIGH,
    types=(FUNCTION, SERVICE),
    paths=("serviceConfig.ingressSettings", "ingress"),
    fix='set ingress_settings="ALLOW_INTERNAL_ONLY" on the function',
    url="https://cloud.google.com/run/docs/securing/ingress",
    crosswalk=ids(nist="SC-7 AC-3", iso="A.8.20", soc2="CC6.6"),
)
def _service_internal_ingress(look: Look, _: Context) -> Verdict:
    path, inside = "ingress", {"INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}
    if look.resource.type == FUNCTION:
        path, inside = "serviceConfig.ingressSettings", {"ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"}
    if look.at(path) not in inside:
        return look.fails(f"{path} lets requests in from the internet, and everybody may try the door")
    return look.passes("only requests from inside are taken")


@resource_control(
    id="service-all-egress-through-network",
    title="Every packet leaves through the campaign's network",
    text="Functions and services send all traffic through a network, by direct egress or a connector.",
    why="The perimeter knows a call by the network it comes from; what leaves beside it goes anywhere.",
    severity=Severity.HIGH,
    types=(FUNCTION, SERVICE, POOL),
    paths=(
        "serviceConfig.directVpcEgress",
        "serviceConfig.directVpcNetworkInterfaces",
        "serviceConfig.vpcConnector",
        "serviceConfig.vpcConnectorEgressSettings",
        "template.vpcAccess.egress",
        "template.vpcAccess.networkInterfaces",
        "template.vpcAccess.connector",
    ),
    fix='set direct_vpc_egress="VPC_EGRESS_ALL_TRAFFIC" with direct_vpc_network_interfaces on the function',
    url="https://cloud.google.com/run/docs/securing/using-vpc-service-controls",
    crosswalk=ids(nist="SC-7 AC-4", iso="A.8.20 A.8.22", soc2="CC6.6", google="CF-CO-4.4"),
)
def _service_all_egress_through_network(look: Look, _: Context) -> Verdict:
    if look.resource.type == FUNCTION:
        direct = ("serviceConfig.directVpcEgress", "serviceConfig.directVpcNetworkInterfaces", "VPC_EGRESS_ALL_TRAFFIC")
        connected = ("serviceConfig.vpcConnectorEgressSettings", "serviceConfig.vpcConnector", "ALL_TRAFFIC")
    else:
        direct = ("template.vpcAccess.egress", "template.vpcAccess.networkInterfaces", "ALL_TRAFFIC")
        connected = ("template.vpcAccess.egress", "template.vpcAccess.connector", "ALL_TRAFFIC")
    pending: Open | None = None
    for egress, way, everything in (direct, connected):
        setting, network = look.peek(egress), look.peek(way)
        if setting == everything and network not in (MISSING, [], ""):
            if not isinstance(network, Unknown):
                return look.passes("every packet leaves through a network")
            # Which network is judged elsewhere; that there is one is certain.
            return look.passes("every packet leaves through a network that is being made")
        if isinstance(setting, Unknown) and network is not MISSING:
            pending = Open(egress, setting)
    if pending:
        raise pending
    return look.fails(f"{direct[0]} does not send all traffic through a network, so calls leave beside the perimeter")


@resource_control(
    id="service-customer-key",
    title="What code is made of is encrypted with a customer-managed key",
    text="Functions, services, repositories, topics and secrets name a key of the organisation.",
    why="Source, images and messages tell as much as the data does.",
    severity=Severity.HIGH,
    types=(
        FUNCTION,
        SERVICE,
        POOL,
        REPOSITORY,
        "gcp:pubsub/topic:Topic",
        "gcp:secretmanager/secret:Secret",
    ),
    paths=("kmsKeyName", "template.encryptionKey", "replication"),
    fix="set kms_key_name on the resource to a key in its location",
    url="https://cloud.google.com/kms/docs/compatible-services",
    crosswalk=ids(nist="SC-28 SC-28(1)", iso="A.8.24", soc2="C1.1", hipaa="164.312(a)(2)(iv)", google="COM-CO-2.3"),
)
def _service_customer_key(look: Look, _: Context) -> Verdict:
    return unencrypted(look, "what it keeps is")


INVOKERS = (
    "gcp:cloudfunctions*:*I[Aa][Mm]Member",
    "gcp:cloudfunctions*:*I[Aa][Mm]Binding",
    "gcp:cloudfunctions*:*I[Aa][Mm]Policy",
    "gcp:cloudrun*:*I[Aa][Mm]Member",
    "gcp:cloudrun*:*I[Aa][Mm]Binding",
    "gcp:cloudrun*:*I[Aa][Mm]Policy",
)


@resource_control(
    id="service-invokers-named",
    title="Only named callers may ask for images",
    text="Nobody who invokes a function or service is everybody, and services check who calls.",
    why="Whoever may call spends the campaign's money and speaks in its name.",
    severity=Severity.CRITICAL,
    types=(SERVICE, *INVOKERS),
    paths=("invokerIamDisabled", "member", "members", "policyData"),
    fix="set invokers in the campaign file to groups of the organisation",
    url="https://cloud.google.com/run/docs/authenticating/overview",
    crosswalk=ids(nist="AC-3", iso="A.5.15 A.8.3", soc2="CC6.1", hipaa="164.312(a)(1)"),
)
def _service_invokers_named(look: Look, _: Context) -> Verdict:
    if look.resource.type == SERVICE:
        if look.at("invokerIamDisabled", default=False) is True:
            return look.fails("invokerIamDisabled is true, so everybody who reaches the service may call it")
        return look.passes("the service asks who calls")
    found = grants_read(look)
    if any(member in EVERYBODY for _, _, member in found):
        return look.fails("the grant names everybody, so everybody may call at the campaign's cost")
    for path, _, member in found:
        if isinstance(member, Unknown):
            raise Open(path, member)
    return look.passes("only named callers may call")


@resource_control(
    id="service-binary-authorization",
    title="Only images that were approved run",
    text="Functions and services name a Binary Authorization policy.",
    why="Without it, whoever may push to the repository decides what runs with the campaign's rights.",
    severity=Severity.MEDIUM,
    types=(FUNCTION, SERVICE, POOL),
    paths=("serviceConfig.binaryAuthorizationPolicy", "binaryAuthorization.useDefault", "binaryAuthorization.policy"),
    fix='set service_config.binary_authorization_policy="default" on the function',
    url="https://cloud.google.com/binary-authorization/docs/run/enabling-binauthz-cloud-run",
    crosswalk=ids(nist="SI-7 CM-14", iso="A.8.28", soc2="CC8.1"),
)
def _service_binary_authorization(look: Look, _: Context) -> Verdict:
    if look.resource.type == FUNCTION:
        if not look.at("serviceConfig.binaryAuthorizationPolicy", ""):
            return look.fails("serviceConfig.binaryAuthorizationPolicy is missing, so any image in the repository runs")
    elif look.at("binaryAuthorization.useDefault") is not True and not look.at("binaryAuthorization.policy", ""):
        return look.fails("binaryAuthorization names no policy, so any image in the repository runs")
    return look.passes("only approved images run")


NAMED_PROJECT = re.compile(r"[^/*]+/[^/*]+/.")
"""A pattern of images that names registry and project before it leaves anything open."""
REFUSING, BLOCKING = ("ALWAYS_DENY", "REQUIRE_ATTESTATION"), ("ENFORCED_BLOCK_AND_AUDIT_LOG",)


@resource_control(
    id="image-policy-enforced",
    title="The policy of images refuses those of others",
    text="A project's Binary Authorization policy allows nothing by default, blocks what it does not allow, and admits "
    "no images without naming the project they lie in.",
    why="Who names the policy is held to what it says, and until somebody writes one it allows every image. Only "
    "projects that have the API are judged; medium, for whoever could make use of it may push or deploy already.",
    severity=Severity.MEDIUM,
    types=(IMAGE_POLICY,),
    paths=(
        "defaultAdmissionRule.evaluationMode",
        "defaultAdmissionRule.enforcementMode",
        "admissionWhitelistPatterns[].namePattern",
    ),
    fix="set function.binaryAuthorization in the campaign file; in an adopted project, have its owner deny by default",
    url="https://cloud.google.com/binary-authorization/docs/policy-yaml-reference",
    crosswalk=ids(nist="SI-7 CM-14", iso="A.8.19", soc2="CC8.1"),
)
def _image_policy_enforced(look: Look, _: Context) -> Verdict:
    rules = (
        ("defaultAdmissionRule.evaluationMode", REFUSING, "refuses no image"),
        ("defaultAdmissionRule.enforcementMode", BLOCKING, "blocks nothing"),
    )
    for path, right, lack in rules:
        value = look.peek(path)
        if not isinstance(value, Unknown) and value not in right:
            return look.fails(f"{path} {lack}, so any image runs with the campaign's rights")
    pending: Open | None = None
    for path, pattern in look.each("admissionWhitelistPatterns[].namePattern"):
        if isinstance(pattern, Unknown):
            pending = Open(path, pattern)
        elif not NAMED_PROJECT.match(str(pattern)):
            return look.fails(f"{path} names no project, so any image runs that somebody pushes anywhere")
    for path, _right, _lack in rules:
        look.at(path)
    if pending:
        raise pending
    return look.passes("images are refused unless they lie in a project that the policy names")


@resource_control(
    id="registry-scans-images",
    title="Container images are scanned",
    text="Repositories do not switch vulnerability scanning off.",
    why="Nobody hears of a hole in a library that is deployed unless somebody looks for it every day.",
    severity=Severity.MEDIUM,
    types=(REPOSITORY,),
    paths=("format", "vulnerabilityScanningConfig.enablementConfig"),
    fix='set vulnerability_scanning_config={"enablement_config": "INHERITED"} on the repository',
    url="https://cloud.google.com/artifact-analysis/docs/container-scanning-overview",
    crosswalk=ids(nist="RA-5 SI-2", iso="A.8.8 A.8.28", soc2="CC7.1"),
)
def _registry_scans_images(look: Look, _: Context) -> Verdict:
    if str(look.at("format", "")).upper() != "DOCKER":
        return look.does_not_apply("the repository holds no container images")
    if look.at("vulnerabilityScanningConfig.enablementConfig", "INHERITED") == "DISABLED":
        return look.fails("vulnerabilityScanningConfig.enablementConfig is DISABLED, so known holes stay unseen")
    return look.passes("images are scanned when the project scans")


CONTROLS = (
    _service_own_account,
    _service_no_secrets_in_environment,
    _service_internal_ingress,
    _service_all_egress_through_network,
    _service_customer_key,
    _service_invokers_named,
    _service_binary_authorization,
    _image_policy_enforced,
    _registry_scans_images,
)
