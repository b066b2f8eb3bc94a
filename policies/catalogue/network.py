"""Controls of networks: what they reach, who reaches them, and what is written down of it."""

import ipaddress

from policies.catalogue.addresses import everywhere
from policies.catalogue.context import Context
from policies.catalogue.control import Severity
from policies.catalogue.crosswalk import ids
from policies.catalogue.look import Look, Open, resource_control
from policies.catalogue.resource import Resource
from policies.catalogue.survey import Survey, stack_control
from policies.catalogue.unknown import MISSING, Unknown
from policies.catalogue.verdict import Verdict

NETWORK = "gcp:compute/network:Network"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
FIREWALL = "gcp:compute/firewall:Firewall"
ROUTE = "gcp:compute/route:Route"
ZONE = "gcp:dns/managedZone:ManagedZone"
DNS_POLICY = "gcp:dns/policy:Policy"
FORWARDING = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
FUNCTION = "gcp:cloudfunctionsv2/function:Function"
RESTRICTED = ipaddress.IPv4Network("199.36.153.4/30")
"""restricted.googleapis.com (cloud.google.com/vpc/docs/configure-private-google-access, 2026-11)."""
ADDRESSES_PER_INSTANCE = 2
"""Cloud Run holds up to twice as many addresses as it has instances
(cloud.google.com/run/docs/configuring/vpc-direct-vpc, 2026-11)."""
RESERVED_ADDRESSES = 4


@resource_control(
    id="network-no-automatic-subnets",
    title="Networks have only the subnets that are declared",
    text="auto_create_subnetworks is false. The provider's default is true, so a missing value fails.",
    why="An automatic network has a subnet in every region, without flow logs, and gets another with each new region.",
    severity=Severity.MEDIUM,
    types=(NETWORK,),
    paths=("autoCreateSubnetworks",),
    fix="set auto_create_subnetworks=False on the network",
    url="https://cloud.google.com/vpc/docs/vpc#subnet-ranges",
    crosswalk=ids(nist="CM-7 SC-7", iso="A.8.20", soc2="CC6.6"),
)
def _network_no_automatic_subnets(look: Look, _: Context) -> Verdict:
    if look.at("autoCreateSubnetworks") is not False:
        return look.fails("autoCreateSubnetworks is not false, so subnets appear that nobody declared")
    return look.passes("only declared subnets exist")


@resource_control(
    id="network-no-default-route",
    title="Networks have no way to the internet",
    text="The default routes are deleted when the network is made.",
    why="The default route leads every packet to the internet; only a firewall rule stands between.",
    severity=Severity.HIGH,
    types=(NETWORK,),
    paths=("deleteDefaultRoutesOnCreate",),
    fix="set delete_default_routes_on_create=True on the network",
    url="https://cloud.google.com/vpc/docs/routes#routingpacketsinternet",
    crosswalk=ids(nist="SC-7 SC-7(5) AC-4", iso="A.8.20 A.8.22", soc2="CC6.6"),
)
def _network_no_default_route(look: Look, _: Context) -> Verdict:
    if look.resource.source == "live":
        return look.does_not_apply("the setting acts when a network is made; its routes are judged by themselves")
    if look.at("deleteDefaultRoutesOnCreate") is not True:
        return look.fails("deleteDefaultRoutesOnCreate is not true, so every packet finds the internet")
    return look.passes("only declared routes exist")


@resource_control(
    id="route-restricted-only",
    title="Routes to Google lead to the restricted range only",
    text="A route through the internet gateway goes to 199.36.153.4/30 and nowhere else.",
    why="The gateway takes a packet wherever its route says, the whole internet included.",
    severity=Severity.HIGH,
    types=(ROUTE,),
    paths=("nextHopGateway", "destRange"),
    fix='set dest_range="199.36.153.4/30" on the route',
    url="https://cloud.google.com/vpc-service-controls/docs/set-up-private-connectivity",
    crosswalk=ids(cis5="3.9", nist="SC-7 SC-7(5) AC-4", iso="A.8.20", soc2="CC6.6"),
)
def _route_restricted_only(look: Look, _: Context) -> Verdict:
    if "default-internet-gateway" not in str(look.at("nextHopGateway", "")):
        return look.does_not_apply("the route does not lead through the internet gateway")
    if not _restricted(look.at("destRange", "")):
        return look.fails("destRange leads out of Google's restricted range, so packets reach what no perimeter sees")
    return look.passes("the route leads to the restricted range")


def _restricted(text: object) -> bool:
    try:
        network = ipaddress.ip_network(str(text))
    except ValueError:
        return False
    return isinstance(network, ipaddress.IPv4Network) and network.subnet_of(RESTRICTED)


@resource_control(
    id="firewall-no-open-ingress",
    title="Nothing is let in from everywhere",
    text="No firewall rule allows ingress from 0.0.0.0/0 or ::/0, from ranges that together hold half of all "
    "addresses, or from every source by naming none.",
    why="Whatever listens is found within minutes.",
    severity=Severity.HIGH,
    types=(FIREWALL,),
    paths=("direction", "allows", "sourceRanges", "sourceTags", "sourceServiceAccounts", "disabled"),
    fix="name the ranges or the service accounts that may come in",
    url="https://cloud.google.com/firewall/docs/firewalls",
    crosswalk=ids(cis5="3.6 3.7", cis4="3.6 3.7", nist="SC-7 SC-7(5)", iso="A.8.20", soc2="CC6.6"),
)
def _firewall_no_open_ingress(look: Look, _: Context) -> Verdict:
    if look.at("direction", "INGRESS") != "INGRESS":
        return look.does_not_apply("the rule is about what leaves")
    if not look.at("allows", ()):
        return look.does_not_apply("the rule allows nothing")
    if look.at("disabled", default=False) is True:
        return look.does_not_apply("the rule is switched off")
    ranges = list(look.each("sourceRanges[]"))
    if everywhere(value for _, value in ranges):
        return look.fails("sourceRanges holds every address, so everybody may come in")
    for path, value in ranges:
        if isinstance(value, Unknown):
            raise Open(path, value)
    named = [look.at(path, ()) for path in ("sourceTags", "sourceServiceAccounts")]
    if not ranges and not any(named):
        return look.fails("the rule names no source, so everybody may come in")
    return look.passes("only named sources may come in")


@resource_control(
    id="firewall-denials-logged",
    title="What the firewall refuses is written down",
    text="Every rule that denies has a log configuration.",
    why="A refused connection out of a campaign is the first trace of code that was broken into.",
    severity=Severity.MEDIUM,
    types=(FIREWALL,),
    paths=("denies", "logConfig"),
    fix='set log_config={"metadata": "INCLUDE_ALL_METADATA"} on the rule',
    url="https://cloud.google.com/firewall/docs/firewall-rules-logging",
    crosswalk=ids(nist="AU-12 SI-4", iso="A.8.15 A.8.16", soc2="CC7.2", google="COM-CO-7.5"),
)
def _firewall_denials_logged(look: Look, _: Context) -> Verdict:
    if not look.at("denies", ()):
        return look.does_not_apply("the rule denies nothing")
    if look.at("logConfig") is MISSING:
        return look.fails("logConfig is missing, so nobody sees what was refused")
    return look.passes("refusals are written down")


@resource_control(
    id="subnet-flow-logs",
    title="Subnets write flow logs",
    text="Every subnet has a log configuration.",
    why="Without flow logs nobody can tell afterwards what talked to what.",
    severity=Severity.MEDIUM,
    types=(SUBNET,),
    paths=("purpose", "logConfig"),
    fix='set log_config={"flow_sampling": 1.0, "metadata": "INCLUDE_ALL_METADATA"} on the subnet',
    url="https://cloud.google.com/vpc/docs/flow-logs",
    crosswalk=ids(cis5="3.10", cis4="3.8", nist="AU-12 SI-4", iso="A.8.16 A.8.20", soc2="CC7.2", google="COM-CO-7.4"),
)
def _subnet_flow_logs(look: Look, _: Context) -> Verdict:
    if look.at("purpose", "PRIVATE") != "PRIVATE":
        return look.does_not_apply("subnets of this purpose write no flow logs")
    if look.at("logConfig") is MISSING:
        return look.fails("logConfig is missing, so nobody can tell what talked to what")
    return look.passes("flows are written down")


@resource_control(
    id="subnet-private-google-access",
    title="Subnets reach Google without public addresses",
    text="Private Google access is on in every subnet.",
    why="Without it instances need public addresses to reach any API.",
    severity=Severity.MEDIUM,
    types=(SUBNET,),
    paths=("purpose", "privateIpGoogleAccess"),
    fix="set private_ip_google_access=True on the subnet",
    url="https://cloud.google.com/vpc/docs/private-google-access",
    crosswalk=ids(nist="SC-7", iso="A.8.20", soc2="CC6.6"),
)
def _subnet_private_google_access(look: Look, _: Context) -> Verdict:
    if look.at("purpose", "PRIVATE") != "PRIVATE":
        return look.does_not_apply("nothing runs in subnets of this purpose")
    if look.at("privateIpGoogleAccess") is not True:
        return look.fails("privateIpGoogleAccess is not true, so APIs are reached over public addresses or not at all")
    return look.passes("APIs are reached over private addresses")


@resource_control(
    id="private-connect-restricted",
    title="Private Service Connect reaches restricted APIs only",
    text="An endpoint for Google's APIs has the target vpc-sc, not all-apis.",
    why="all-apis serves what no perimeter protects.",
    severity=Severity.MEDIUM,
    types=(FORWARDING,),
    paths=("target",),
    fix='set target="vpc-sc" on the forwarding rule',
    url="https://cloud.google.com/vpc/docs/configure-private-service-connect-apis",
    crosswalk=ids(cis5="3.9", nist="SC-7 SC-8", iso="A.8.20", soc2="CC6.6"),
)
def _private_connect_restricted(look: Look, _: Context) -> Verdict:
    target = look.at("target", "")
    if target not in {"all-apis", "vpc-sc"}:
        return look.does_not_apply("the rule is no endpoint for Google's APIs")
    if target != "vpc-sc":
        return look.fails("target serves every API, those outside the perimeter included")
    return look.passes("the endpoint serves restricted APIs only")


def _about(resource: Resource, paths: tuple[str, ...], network: Resource) -> bool | None:
    """Whether a resource names a network; None where that cannot be told."""
    names = {value for value in (network.at("id"), network.at("selfLink")) if isinstance(value, str)}
    head = paths[0].split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if network.urn in resource.dependencies.get(head, ()):
        return True
    answer: bool | None = False
    for path in paths:
        for _, value in resource.each(path) if "[]" in path else [(path, resource.at(path))]:
            if isinstance(value, Unknown):
                answer = None
            elif isinstance(value, str) and any(_same(value, name) for name in names):
                return True
    return answer


def _same(one: str, other: str) -> bool:
    return one.rpartition("projects/")[2] == other.rpartition("projects/")[2]


@stack_control(
    id="network-private-names",
    title="Google's names lead to private addresses",
    text="Every network of a campaign sees a private zone for googleapis.com.",
    why="With public names, packets look for public addresses, and the perimeter never sees the call.",
    severity=Severity.MEDIUM,
    paths=("dnsName", "visibility", "privateVisibilityConfig"),
    fix='make a private zone: gcp.dns.ManagedZone(dns_name="googleapis.com.", visibility="private", ...)',
    url="https://cloud.google.com/vpc-service-controls/docs/set-up-private-connectivity",
    crosswalk=ids(cis5="3.9", nist="SC-7 SC-8", iso="A.8.20", soc2="CC6.6"),
)
def _network_private_names(survey: Survey) -> Verdict:
    context = survey.context
    networks = context.of(NETWORK)
    if not networks:
        return survey.does_not_apply("the stack has no network")
    zones = [
        zone
        for zone in context.of(ZONE)
        if survey.at(zone, "dnsName") == "googleapis.com." and survey.at(zone, "visibility") == "private"
    ]
    for network in networks:
        answers = [_about(zone, ("privateVisibilityConfig.networks[].networkUrl",), network) for zone in zones]
        if True in answers:
            continue
        if None in answers:
            survey.undecided(network, "which zones it sees is known only after deployment")
        else:
            survey.offends(network, "sees no private zone for googleapis.com, so calls go to public addresses")
    return survey.result("every network has private names")


@stack_control(
    id="network-dns-logging",
    title="Names that are asked for are written down",
    text="Every network has a DNS policy with logging.",
    why="Data can be carried out in names, and only the DNS log shows it.",
    severity=Severity.MEDIUM,
    paths=("enableLogging", "networks"),
    fix="gcp.dns.Policy(enable_logging=True, networks=[{...}])",
    url="https://cloud.google.com/dns/docs/monitoring",
    crosswalk=ids(cis5="2.13", cis4="2.12", nist="AU-12 SI-4", iso="A.8.15 A.8.16", soc2="CC7.2"),
)
def _network_dns_logging(survey: Survey) -> Verdict:
    context = survey.context
    networks = context.of(NETWORK)
    if not networks:
        return survey.does_not_apply("the stack has no network")
    policies = [policy for policy in context.of(DNS_POLICY) if survey.at(policy, "enableLogging") is True]
    for network in networks:
        answers = [_about(policy, ("networks[].networkUrl",), network) for policy in policies]
        if True in answers:
            continue
        if None in answers:
            survey.undecided(network, "whether a DNS policy names it is known only after deployment")
        else:
            survey.offends(network, "has no DNS policy with logging, so nobody sees which names are asked for")
    return survey.result("every network writes down the names that are asked for")


@stack_control(
    id="subnet-room-for-instances",
    title="Subnets have room for every instance",
    text="A function's subnet has two addresses for each instance it may have.",
    why="An instance without an address does not start: requests fail long before the limit that the alert watches.",
    severity=Severity.MEDIUM,
    paths=("ipCidrRange", "serviceConfig.maxInstanceCount"),
    fix="set network.ipRange in the campaign file to a larger range, or function.maxInstances to fewer",
    url="https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#ip_address_allocation",
    crosswalk=ids(nist="SC-5", iso="A.8.6", soc2="A1.1"),
)
def _subnet_room_for_instances(survey: Survey) -> Verdict:
    context = survey.context
    pairs = [
        (function, subnet)
        for function in context.of(FUNCTION)
        for subnet in context.of(SUBNET)
        if _uses(function, subnet)
    ]
    if not pairs:
        return survey.does_not_apply("no function of the stack has a subnet of the stack")
    for function, subnet in pairs:
        limit = survey.at(function, "serviceConfig.maxInstanceCount", 100)
        text = survey.at(subnet, "ipCidrRange", "")
        if isinstance(limit, Unknown) or isinstance(text, Unknown):
            survey.undecided(function, "its size is known only after deployment")
            continue
        if _addresses(text) < ADDRESSES_PER_INSTANCE * float(limit):
            survey.offends(function, "may have more instances than its subnet has addresses for, so requests will fail")
    return survey.result("every instance gets an address")


def _addresses(text: object) -> int:
    try:
        return ipaddress.ip_network(str(text)).num_addresses - RESERVED_ADDRESSES
    except ValueError:
        return 0


def _uses(function: Resource, subnet: Resource) -> bool:
    if subnet.urn in function.dependencies.get("serviceConfig", ()):
        return True
    names = {value for value in (subnet.at("id"), subnet.at("selfLink"), subnet.at("name")) if isinstance(value, str)}
    return any(
        isinstance(value, str) and any(_same(value, name) for name in names)
        for _, value in function.each("serviceConfig.directVpcNetworkInterfaces[].subnetwork")
    )


CONTROLS = (
    _network_no_automatic_subnets,
    _network_no_default_route,
    _route_restricted_only,
    _firewall_no_open_ingress,
    _firewall_denials_logged,
    _subnet_flow_logs,
    _subnet_private_google_access,
    _private_connect_restricted,
    _network_private_names,
    _network_dns_logging,
    _subnet_room_for_instances,
)
