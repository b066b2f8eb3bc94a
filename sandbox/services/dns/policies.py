"""Server policies, response policies with their rules, and a project's quota."""

from __future__ import annotations

from typing import Any

from sandbox.call import Call
from sandbox.services.dns import refusals
from sandbox.services.dns.resource import DnsResource

Document = dict[str, Any]

#: https://docs.cloud.google.com/dns/quotas (read 2026-08).
QUOTA = {
    "kind": "dns#quota",
    "managedZones": 10000,
    "managedZonesPerNetwork": 10000,
    "networksPerManagedZone": 100,
    "networksPerPolicy": 100,
    "policies": 100,
    "resourceRecordsPerRrset": 100,
    "responsePolicies": 100,
    "responsePolicyRulesPerResponsePolicy": 10000,
    "rrsetAdditionsPerChange": 1000,
    "rrsetDeletionsPerChange": 1000,
    "rrsetsPerManagedZone": 10000,
    "targetNameServersPerManagedZone": 50,
    "targetNameServersPerPolicy": 50,
    "totalRrdataSizePerChange": 100000,
}


class Policy(DnsResource):
    """A server policy: inbound forwarding, logging, other name servers."""

    kind = "dns.policies"
    noun = "policy"
    list_noun = "policies"

    def prepare(self, call: Call, document: Document) -> None:
        """Kinds and defaults."""
        self.complete(document)
        self.refuse_second(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Kinds of new parts."""
        self.complete(after)
        self.refuse_second(call, after)

    @staticmethod
    def complete(document: Document) -> None:
        """Kinds of the parts."""
        document.setdefault("description", "")
        document.setdefault("enableInboundForwarding", False)
        document.setdefault("enableLogging", False)
        for network in document.get("networks", []):
            network["kind"] = "dns#policyNetwork"
        if servers := document.get("alternativeNameServerConfig"):
            servers["kind"] = "dns#policyAlternativeNameServerConfig"
            for target in servers.get("targetNameServers", []):
                target["kind"] = "dns#policyAlternativeNameServerConfigTargetNameServer"
                target.setdefault("forwardingPath", "default")

    def refuse_second(self, call: Call, document: Document) -> None:
        """A network follows one server policy."""
        mine = {network["networkUrl"] for network in document.get("networks", [])}
        for other in call.cloud.store.documents(self.kind):
            shared = mine & {network["networkUrl"] for network in other.get("networks", [])}
            if other["id"] != document["id"] and shared:
                raise refusals.taken("entity.policy.networks", f"{shared.pop()} (policy {other['name']})")

    def deleting(self, call: Call, document: Document) -> None:
        """Networks must have let go of it."""
        if document.get("networks"):
            raise refusals.not_empty(document["name"], "networks")


class ResponsePolicy(DnsResource):
    """A policy that overrides answers, as for the restricted addresses of Google's APIs."""

    kind = "dns.responsePolicies"
    noun = "responsePolicy"
    list_noun = "responsePolicies"
    naming = "responsePolicyName"

    def prepare(self, call: Call, document: Document) -> None:
        """Kinds of the parts."""
        document.setdefault("description", "")
        for network in document.get("networks", []):
            network["kind"] = "dns#responsePolicyNetwork"

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Kinds of new parts."""
        self.prepare(call, after)

    def deleting(self, call: Call, document: Document) -> None:
        """Rules and networks go first."""
        if document.get("networks"):
            raise refusals.not_empty(document[self.naming], "networks")
        if call.cloud.store.documents(ResponsePolicyRule.kind, f"{call.name}/rules"):
            raise refusals.not_empty(document[self.naming], "response policy rules")


class ResponsePolicyRule(DnsResource):
    """What a response policy answers for one name."""

    kind = "dns.responsePolicyRules"
    noun = "responsePolicyRule"
    list_noun = "responsePolicyRules"
    naming = "ruleName"
    with_id = False

    def prepare(self, call: Call, document: Document) -> None:
        """The policy exists, the name is one, its data belongs to it."""
        policy = call.name.removesuffix("/rules")
        if call.cloud.store.get(ResponsePolicy.kind, policy) is None:
            raise refusals.missing("responsePolicy", policy)
        self.check(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Still well formed."""
        self.check(after)

    @staticmethod
    def check(document: Document) -> None:
        """Kinds of the local data, whose names are the rule's."""
        name = document.get("dnsName", "")
        if not name.endswith("."):
            raise refusals.invalid("entity.responsePolicyRule.dnsName", name)
        for index, record in enumerate(document.get("localData", {}).get("localDatas", [])):
            if record.get("name") != name:
                path = f"entity.responsePolicyRule.localData.localDatas[{index}].name"
                raise refusals.invalid(path, record.get("name", ""))
            record["kind"] = "dns#resourceRecordSet"


def project(call: Call) -> Document:
    """The project's quota."""
    number = call.cloud.hierarchy.project_number(call.project or "")
    return {"kind": "dns#project", "number": number, "id": call.project, "quota": QUOTA}


HANDLERS = {"dns.projects.get": project}
