"""One of every network, naming, logging and monitoring resource that a landing zone has.

Settings: ``url`` of the sandbox, ``endpoints`` by provider argument, ``changed`` for the second shape of everything.
"""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_gcp as gcp

ORGANIZATION = "123456789012"
PROJECT = "provider-project"
REGION = "europe-west4"
APIS = ("artifactregistry", "cloudkms", "compute", "dns", "logging", "monitoring", "orgpolicy", "pubsub")
REQUESTS = 'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"'


class Zone:
    """Everything in one project."""

    def __init__(self) -> None:
        config = pulumi.Config()
        self.changed = config.get_bool("changed") or False
        endpoints: dict[str, str] = config.require_object("endpoints")
        arguments: dict[str, Any] = {f"{name}_custom_endpoint": url for name, url in endpoints.items()}
        self.provider = gcp.Provider("gcp", access_token="sandbox", poll_interval="100ms", **arguments)
        self.plain = pulumi.ResourceOptions(provider=self.provider)
        made = gcp.organizations.Project(
            "project",
            project_id=PROJECT,
            name=PROJECT,
            org_id=ORGANIZATION,
            billing_account="010101-010101-010101",
            auto_create_network=False,
            deletion_policy="DELETE",
            opts=self.plain,
        )
        self.number, self.project = made.number, made.project_id
        services = [
            gcp.projects.Service(
                name, project=self.project, service=f"{name}.googleapis.com", disable_on_destroy=False, opts=self.plain
            )
            for name in APIS
        ]
        self.after = pulumi.ResourceOptions(provider=self.provider, depends_on=services)

    def either(self, first: Any, second: Any) -> Any:
        """The first shape of something, or its second."""
        return second if self.changed else first

    def network(self) -> gcp.compute.Network:
        """A network with all that lies in it."""
        own: dict[str, Any] = {"project": self.project, "opts": self.after}
        network = gcp.compute.Network(
            "net",
            name="net",
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,
            routing_mode=self.either("REGIONAL", "GLOBAL"),
            **own,
        )
        gcp.compute.Network("auto", name="auto", auto_create_subnetworks=True, **own)
        subnet = gcp.compute.Subnetwork(
            "sub",
            name="sub",
            region=REGION,
            network=network.id,
            ip_cidr_range=self.either("10.0.0.0/24", "10.0.0.0/20"),
            private_ip_google_access=True,
            secondary_ip_ranges=[{"range_name": "pods", "ip_cidr_range": "10.16.0.0/20"}],
            log_config={
                "aggregation_interval": "INTERVAL_5_SEC",
                "flow_sampling": self.either(1.0, 0.5),
                "metadata": "INCLUDE_ALL_METADATA",
            },
            **own,
        )
        gcp.compute.SubnetworkIAMMember(
            "user",
            region=REGION,
            subnetwork=subnet.name,
            role="roles/compute.networkUser",
            member="user:jo@example.com",
            **own,
        )
        gcp.compute.Route(
            "restricted",
            name="restricted",
            network=network.id,
            dest_range="199.36.153.4/30",
            next_hop_gateway="default-internet-gateway",
            **own,
        )
        gcp.compute.Firewall(
            "deny",
            name="deny",
            network=network.id,
            direction="EGRESS",
            priority=65534,
            destination_ranges=["0.0.0.0/0"],
            denies=[{"protocol": "all"}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            description=self.either(None, "nothing leaves"),
            **own,
        )
        gcp.compute.Firewall(
            "allow",
            name="allow",
            network=network.name,
            source_ranges=["10.0.0.0/8"],
            allows=[{"protocol": "tcp", "ports": ["443"]}],
            **own,
        )
        self.addresses(network, subnet, own)
        self.policy(network, own)
        return network

    def addresses(self, network: gcp.compute.Network, subnet: gcp.compute.Subnetwork, own: dict[str, Any]) -> None:
        """Addresses, an endpoint for Google's APIs, a router."""
        endpoint = gcp.compute.GlobalAddress(
            "psc",
            name="psc",
            address_type="INTERNAL",
            purpose="PRIVATE_SERVICE_CONNECT",
            network=network.id,
            address="10.255.0.1",
            labels={"team": self.either("a", "b")},
            **own,
        )
        gcp.compute.GlobalForwardingRule(
            "psc",
            name="pscapis",
            network=network.id,
            ip_address=endpoint.id,
            target="vpc-sc",
            load_balancing_scheme="",
            **own,
        )
        gcp.compute.GlobalAddress(
            "range",
            name="range",
            address_type="INTERNAL",
            purpose="VPC_PEERING",
            network=network.id,
            prefix_length=16,
            **own,
        )
        gcp.compute.Address("outer", name="outer", region=REGION, **own)
        gcp.compute.Address("inner", name="inner", region=REGION, address_type="INTERNAL", subnetwork=subnet.id, **own)
        gcp.compute.Router("router", name="router", region=REGION, network=network.id, **own)

    def policy(self, network: gcp.compute.Network, own: dict[str, Any]) -> None:
        """A firewall policy with a rule and an association."""
        policy = gcp.compute.NetworkFirewallPolicy(
            "policy", name="policy", description=self.either("one", "two"), **own
        )
        gcp.compute.NetworkFirewallPolicyRule(
            "rule",
            firewall_policy=policy.name,
            priority=100,
            action="deny",
            direction="EGRESS",
            enable_logging=self.changed,
            match={"dest_ip_ranges": ["0.0.0.0/0"], "layer4_configs": [{"ip_protocol": "all"}]},
            **own,
        )
        gcp.compute.NetworkFirewallPolicyAssociation(
            "association", name="association", firewall_policy=policy.name, attachment_target=network.id, **own
        )

    def names(self, network: gcp.compute.Network) -> None:
        """A private zone with records, and both kinds of policies."""
        own: dict[str, Any] = {"project": self.project, "opts": self.after}
        networks: Any = [{"network_url": network.self_link}]
        zone = gcp.dns.ManagedZone(
            "zone",
            name="zone",
            dns_name="googleapis.com.",
            description=self.either("one", "two"),
            visibility="private",
            private_visibility_config={"networks": networks},
            labels={"a": "b"},
            **own,
        )
        host = "restricted.googleapis.com."
        addresses = ["199.36.153.4", "199.36.153.5", *self.either([], ["199.36.153.6"])]
        gcp.dns.RecordSet("a", managed_zone=zone.name, name=host, type="A", ttl=300, rrdatas=addresses, **own)
        gcp.dns.RecordSet(
            "cname", managed_zone=zone.name, name="*.googleapis.com.", type="CNAME", ttl=300, rrdatas=[host], **own
        )
        gcp.dns.Policy("server", name="server", enable_logging=True, networks=networks, **own)
        response = gcp.dns.ResponsePolicy("response", response_policy_name="response", networks=networks, **own)
        data: Any = {"name": "x.example.com.", "type": "A", "ttl": 300, "rrdatas": ["192.0.2.1"]}
        gcp.dns.ResponsePolicyRule(
            "answer",
            response_policy=response.response_policy_name,
            rule_name="answer",
            dns_name="x.example.com.",
            local_data={"local_datas": [data]},
            **own,
        )

    def logs(self) -> gcp.logging.Metric:
        """A bucket under a key, sinks, views, metrics."""
        own: dict[str, Any] = {"project": self.project, "opts": self.after}
        ring = gcp.kms.KeyRing("ring", name="ring", location=REGION, **own)
        key = gcp.kms.CryptoKey("key", name="key", key_ring=ring.id, opts=self.plain)
        settings = gcp.logging.get_project_cmek_settings_output(
            project=self.project, opts=pulumi.InvokeOptions(provider=self.provider)
        )
        grant = gcp.kms.CryptoKeyIAMMember(
            "grant",
            crypto_key_id=key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=settings.service_account_id.apply(lambda email: f"serviceAccount:{email}"),
            opts=self.plain,
        )
        bucket = gcp.logging.ProjectBucketConfig(
            "audit",
            project=self.project,
            location=REGION,
            bucket_id="audit",
            retention_days=self.either(30, 400),
            cmek_settings={"kms_key_name": key.id},
            opts=pulumi.ResourceOptions.merge(self.after, pulumi.ResourceOptions(depends_on=[grant])),
        )
        gcp.logging.ProjectBucketConfig("default", location="global", bucket_id="_Default", retention_days=7, **own)
        gcp.logging.LogView("view", name="view", bucket=bucket.id, description=self.either("1", "2"), opts=self.after)
        destination = bucket.id.apply(lambda name: f"logging.googleapis.com/{name}")
        log = self.either('LOG_ID("one")', 'LOG_ID("two")')
        gcp.logging.ProjectSink("sink", name="sink", destination=destination, filter=log, **own)
        gcp.logging.OrganizationSink(
            "all",
            name="all",
            org_id=ORGANIZATION,
            destination=destination,
            include_children=True,
            filter="severity>=ERROR",
            opts=self.after,
        )
        gcp.logging.ProjectExclusion("noise", name="noise", filter="severity<INFO", **own)
        gcp.logging.Metric(
            "latency",
            name="latency",
            filter="jsonPayload.ms>0",
            value_extractor="EXTRACT(jsonPayload.ms)",
            metric_descriptor={"metric_kind": "DELTA", "value_type": "DISTRIBUTION", "unit": "ms"},
            bucket_options={"exponential_buckets": {"num_finite_buckets": 10, "growth_factor": 2, "scale": 1}},
            **own,
        )
        label: Any = {"key": "model", "value_type": "STRING"}
        return gcp.logging.Metric(
            "errors",
            name="errors",
            filter=self.either("severity>=WARNING", "severity>=ERROR"),
            metric_descriptor={"metric_kind": "DELTA", "value_type": "INT64", "labels": [label]},
            label_extractors={"model": "EXTRACT(jsonPayload.model)"},
            **own,
        )

    def watch(self, errors: gcp.logging.Metric) -> None:
        """Channel, policies, dashboard, objective, checks."""
        own: dict[str, Any] = {"project": self.project, "opts": self.after}
        channel = gcp.monitoring.NotificationChannel(
            "mail",
            type="email",
            display_name=self.either("one", "two"),
            labels={"email_address": "a@example.com"},
            force_delete=True,
            **own,
        )
        step: Any = {
            "alignment_period": "60s",
            "per_series_aligner": "ALIGN_DELTA",
            "cross_series_reducer": "REDUCE_SUM",
        }
        threshold: Any = {
            "filter": errors.name.apply(
                lambda name: f'metric.type="logging.googleapis.com/user/{name}" AND resource.type="global"'
            ),
            "comparison": "COMPARISON_GT",
            "threshold_value": self.either(0, 2),
            "duration": "0s",
            "aggregations": [{**step, "group_by_fields": ["metric.labels.model"]}],
            "trigger": {"count": 1},
        }
        rate = {"alignment_period": "60s", "per_series_aligner": "ALIGN_RATE"}
        absence: Any = {"filter": REQUESTS, "duration": "3600s", "aggregations": [rate]}
        gcp.monitoring.AlertPolicy(
            "errors",
            display_name="errors",
            combiner="OR",
            severity="WARNING",
            conditions=[
                {"display_name": "many", "condition_threshold": threshold},
                {"display_name": "none", "condition_absent": absence},
            ],
            documentation={"mime_type": "text/markdown", "content": "what to do"},
            alert_strategy={"auto_close": "86400s"},
            notification_channels=[channel.id],
            user_labels={"a": "b"},
            **own,
        )
        query = {"timeSeriesFilter": {"filter": REQUESTS, "aggregation": {"perSeriesAligner": "ALIGN_RATE"}}}
        chart = {"title": "requests", "xyChart": {"dataSets": [{"timeSeriesQuery": query}]}}
        board = {
            "displayName": self.either("one", "two"),
            "gridLayout": {"widgets": [chart, {"text": {"content": "hi"}}]},
        }
        gcp.monitoring.Dashboard("board", dashboard_json=json.dumps(board), **own)
        gcp.monitoring.MetricDescriptor(
            "images",
            type="custom.googleapis.com/images",
            metric_kind="GAUGE",
            value_type="INT64",
            display_name="images",
            description="images made",
            labels=[{"key": "model", "value_type": "STRING"}],
            **own,
        )
        service = gcp.monitoring.CustomService("service", service_id="service", display_name="service", **own)
        good = f'{REQUESTS} AND metric.labels.response_code_class="2xx"'
        ratio: Any = {"good_service_filter": good, "total_service_filter": REQUESTS}
        gcp.monitoring.Slo(
            "objective",
            service=service.service_id,
            slo_id="objective",
            goal=self.either(0.99, 0.95),
            rolling_period_days=30,
            request_based_sli={"good_total_ratio": ratio},
            **own,
        )
        gcp.monitoring.UptimeCheckConfig(
            "check",
            display_name="check",
            timeout=self.either("30s", "60s"),
            http_check={"path": "/", "port": 443, "use_ssl": True},
            monitored_resource={"type": "uptime_url", "labels": {"project_id": PROJECT, "host": "example.com"}},
            **own,
        )

    def govern(self) -> None:
        """Registry, organisation policies, contact, budget."""
        own: dict[str, Any] = {"project": self.project, "opts": self.after}
        repository = gcp.artifactregistry.Repository(
            "images",
            location=REGION,
            repository_id="images",
            format="DOCKER",
            description=self.either("one", "two"),
            cleanup_policies=[{"id": "keep", "action": "KEEP", "most_recent_versions": {"keep_count": 5}}],
            **own,
        )
        gcp.artifactregistry.RepositoryIamMember(
            "reader",
            location=REGION,
            repository=repository.name,
            role="roles/artifactregistry.reader",
            member="user:jo@example.com",
            **own,
        )
        parent = self.project.apply(lambda project: f"projects/{project}")
        gcp.orgpolicy.Policy(
            "keys",
            name=f"projects/{PROJECT}/policies/iam.disableServiceAccountKeyCreation",
            parent=parent,
            spec={"rules": [{"enforce": self.either("TRUE", "FALSE")}]},
            opts=self.after,
        )
        gcp.essentialcontacts.Contact(
            "security",
            parent=parent,
            email="sec@example.com",
            language_tag="en",
            notification_category_subscriptions=["SECURITY", *self.either([], ["TECHNICAL"])],
            opts=self.after,
        )
        topic = gcp.pubsub.Topic("spend", name="spend", **own)
        gcp.billing.Budget(
            "budget",
            billing_account="010101-010101-010101",
            display_name=self.either("one", "two"),
            budget_filter={"projects": [self.number.apply(lambda number: f"projects/{number}")]},
            amount={"specified_amount": {"currency_code": "USD", "units": "1000"}},
            threshold_rules=[
                {"threshold_percent": 0.5},
                {"threshold_percent": 0.85, "spend_basis": "FORECASTED_SPEND"},
            ],
            all_updates_rule={"pubsub_topic": topic.id, "disable_default_iam_recipients": True},
            opts=self.after,
        )


def deploy() -> None:
    """All of it."""
    zone = Zone()
    zone.names(zone.network())
    zone.watch(zone.logs())
    zone.govern()
