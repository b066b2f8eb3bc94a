"""A campaign's network, from which nothing can be reached but Google's restricted address range.

The default route is deleted, one route leads to the restricted range, private zones send every Google domain there,
and the firewall refuses everything else. Google's restricted range serves only what VPC Service Controls protects.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra import naming
from infra.component import Component

RESTRICTED_RANGE = "199.36.153.4/30"
RESTRICTED_ADDRESSES = ("199.36.153.4", "199.36.153.5", "199.36.153.6", "199.36.153.7")
"""restricted.googleapis.com (cloud.google.com/vpc/docs/configure-private-google-access, 2026-11)."""
RESTRICTED_HOST = "restricted.googleapis.com."

DOMAINS = ("googleapis.com.", "pkg.dev.", "gcr.io.", "run.app.", "cloudfunctions.net.")
TTL_SECONDS = 300
LAST = 65534
"""Lowest priority a rule of one's own can have."""


class Network(Component):
    """Network, subnet, route, zones and firewall.

    Attributes:
        network: the network.
        subnet: its only subnet, with room for the function's instances.
    """

    def __init__(
        self,
        name: str,
        *,
        project: gcp.organizations.Project,
        region: str,
        ip_range: str,
        labels: Mapping[str, str],
        after: Sequence[pulumi.Resource],
        kept: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the network.

        Args:
            name: prefix of logical names.
            project: where it lives.
            region: region of the subnet.
            ip_range: its addresses.
            labels: labels of the zones.
            after: what must exist before.
            kept: whether the project outlives the stack, so that the network must be deleted by itself.
            opts: options of the component.
        """
        super().__init__("Network", name, after=after, opts=opts)
        self._name = name
        # Cloud Run holds on to a subnet's addresses for up to two hours after a function is deleted, and neither subnet
        # nor network can be deleted before. When the project goes, they go with it.
        with_project = None if kept else project
        self._project_id = project.project_id
        self.network = gcp.compute.Network(
            f"{name}-network",
            name=naming.NETWORK,
            project=self._project_id,
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,
            routing_mode="REGIONAL",
            opts=self._options(deleted_with=with_project),
        )
        # The provider makes its name, with a suffix: another range is another subnet, beside the old one until the
        # function has moved.
        self.subnet = gcp.compute.Subnetwork(
            f"{name}-subnet",
            project=self._project_id,
            region=region,
            network=self.network.id,
            ip_cidr_range=ip_range,
            private_ip_google_access=True,
            log_config=gcp.compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_5_SEC", flow_sampling=1.0, metadata="INCLUDE_ALL_METADATA"
            ),
            opts=self._options(deleted_with=with_project),
        )
        self.route = gcp.compute.Route(
            f"{name}-restricted",
            name="restricted-google-apis",
            project=self._project_id,
            network=self.network.id,
            dest_range=RESTRICTED_RANGE,
            next_hop_gateway="default-internet-gateway",
            priority=1000,
            opts=self._options(),
        )
        self.firewalls = self._firewalls()
        self.records = [record for domain in DOMAINS for record in self._zone(domain, labels)]
        # Every name that is asked for is logged: an attempt to get out starts with one.
        self.dns_logging = gcp.dns.Policy(
            f"{name}-dns-logging",
            name="log-queries",
            project=self._project_id,
            description="Logs every query.",
            enable_logging=True,
            networks=[gcp.dns.PolicyNetworkArgs(network_url=self.network.self_link)],
            deletion_policy="DELETE",
            opts=self._options(),
        )
        self.register_outputs({"network": self.network.id, "subnet": self.subnet.id})

    def _firewalls(self) -> list[gcp.compute.Firewall]:
        everything = [gcp.compute.FirewallDenyArgs(protocol="all")]
        log = gcp.compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA")
        return [
            gcp.compute.Firewall(
                f"{self._name}-allow-restricted",
                name="allow-egress-restricted-google-apis",
                project=self._project_id,
                network=self.network.id,
                direction="EGRESS",
                priority=1000,
                destination_ranges=[RESTRICTED_RANGE],
                allows=[gcp.compute.FirewallAllowArgs(protocol="tcp", ports=["443"])],
                opts=self._options(),
            ),
            gcp.compute.Firewall(
                f"{self._name}-deny-egress",
                name="deny-egress",
                project=self._project_id,
                network=self.network.id,
                direction="EGRESS",
                priority=LAST,
                destination_ranges=["0.0.0.0/0"],
                denies=everything,
                log_config=log,
                opts=self._options(),
            ),
            gcp.compute.Firewall(
                f"{self._name}-deny-ingress",
                name="deny-ingress",
                project=self._project_id,
                network=self.network.id,
                direction="INGRESS",
                priority=LAST,
                source_ranges=["0.0.0.0/0"],
                denies=everything,
                log_config=log,
                opts=self._options(),
            ),
        ]

    def _zone(self, domain: str, labels: Mapping[str, str]) -> list[gcp.dns.RecordSet]:
        """A private zone: one name with the restricted addresses, and everything below the domain points to it."""
        zone_name = naming.dns_zone(domain)
        zone = gcp.dns.ManagedZone(
            f"{self._name}-{zone_name}",
            name=zone_name,
            project=self._project_id,
            dns_name=domain,
            description=f"Sends {domain} to Google's restricted address range.",
            visibility="private",
            private_visibility_config=gcp.dns.ManagedZonePrivateVisibilityConfigArgs(
                networks=[gcp.dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=self.network.self_link)]
            ),
            labels=dict(labels),
            opts=self._options(),
        )
        host = RESTRICTED_HOST if RESTRICTED_HOST.endswith(f".{domain}") else domain
        return [
            gcp.dns.RecordSet(
                f"{self._name}-{zone_name}-addresses",
                project=self._project_id,
                managed_zone=zone.name,
                name=host,
                type="A",
                ttl=TTL_SECONDS,
                rrdatas=list(RESTRICTED_ADDRESSES),
                opts=self._options(),
            ),
            gcp.dns.RecordSet(
                f"{self._name}-{zone_name}-names",
                project=self._project_id,
                managed_zone=zone.name,
                name=f"*.{domain}",
                type="CNAME",
                ttl=TTL_SECONDS,
                rrdatas=[host],
                opts=self._options(),
            ),
        ]
