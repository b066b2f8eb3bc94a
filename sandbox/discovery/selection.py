"""Which of Google's service versions the sandbox describes, and which part of the large ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """One discovery document to reduce.

    Attributes:
        name: ``service.version`` of the document.
        aliases: other versions of the same service that are answered from this description.
        only: method id prefixes to keep; empty keeps all.
    """

    name: str
    aliases: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def admits(self, method_id: str) -> bool:
        """Whether the method belongs to the selection."""
        return not self.only or method_id.startswith(self.only)


SELECTION = (
    Selection("accesscontextmanager.v1"),
    Selection(
        "aiplatform.v1",
        aliases=("v1beta1",),
        only=(
            "aiplatform.projects.locations.batchPredictionJobs.",
            "aiplatform.projects.locations.endpoints.",
            "aiplatform.projects.locations.operations.",
            "aiplatform.projects.locations.publishers.",
            "aiplatform.projects.getCacheConfig",
            "aiplatform.projects.updateCacheConfig",
            "aiplatform.publishers.models.",
        ),
    ),
    Selection("artifactregistry.v1"),
    Selection(
        "bigquery.v2",
        only=tuple(f"bigquery.{collection}." for collection in ("datasets", "jobs", "projects", "tabledata", "tables")),
    ),
    Selection("billingbudgets.v1", aliases=("v1beta1",)),
    Selection("binaryauthorization.v1"),
    Selection("cloudasset.v1"),
    Selection("cloudbilling.v1"),
    Selection("cloudbuild.v1"),
    Selection("cloudfunctions.v1"),
    Selection("cloudfunctions.v2", aliases=("v2beta", "v2alpha")),
    Selection("cloudidentity.v1", only=("cloudidentity.groups.",)),
    Selection("cloudkms.v1"),
    Selection("cloudresourcemanager.v1"),
    Selection("cloudresourcemanager.v2", aliases=("v2beta1",)),
    Selection("cloudresourcemanager.v3"),
    Selection("cloudtasks.v2"),
    Selection(
        "compute.v1",
        aliases=("beta",),
        only=tuple(
            f"compute.{collection}."
            for collection in (
                "addresses",
                "firewallPolicies",
                "firewalls",
                "forwardingRules",
                "globalAddresses",
                "globalForwardingRules",
                "globalOperations",
                "globalOrganizationOperations",
                "healthChecks",
                "networkAttachments",
                "networkFirewallPolicies",
                "networks",
                "projects",
                "regionOperations",
                "regions",
                "routers",
                "routes",
                "subnetworks",
                "zoneOperations",
                "zones",
            )
        ),
    ),
    Selection("dns.v1", aliases=("v1beta2",)),
    Selection("essentialcontacts.v1"),
    Selection("eventarc.v1"),
    Selection("iam.v1"),
    Selection("iam.v2", aliases=("v2beta",)),
    Selection("iamcredentials.v1"),
    Selection("logging.v2"),
    Selection("monitoring.v1"),
    Selection("monitoring.v3"),
    Selection("oauth2.v2"),
    Selection("orgpolicy.v2"),
    Selection("pubsub.v1"),
    Selection("run.v2"),
    Selection("secretmanager.v1"),
    Selection("serviceusage.v1"),
    Selection("serviceusage.v1beta1"),
    Selection("storage.v1"),
    Selection("sts.v1"),
    Selection("vpcaccess.v1", aliases=("v1beta1",)),
)
