"""A campaign's project: its id, labels, billing, lien and APIs.

The id is the campaign's name and a random suffix. The provider draws the suffix when it first creates the project
and the state keeps it; nothing else has to. A project that was deleted blocks its id for 30 days, and a key ring
blocks its name for ever: since a new project gets a new suffix, `pulumi up` after `pulumi destroy` just works.

Deliberately not here: folders and organisation policies, which belong to the foundation.
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from infra import error_hooks, naming
from infra.campaign_model import Campaign
from infra.component import Component
from infra.errors import Problem, ProjectError
from infra.retention import Retention

APIS = (
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudasset.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudtasks.googleapis.com",
    "compute.googleapis.com",
    "dns.googleapis.com",
    "eventarc.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
)
"""What a campaign calls, what the services it uses insist on (eventarc and pubsub: Cloud Functions), and what an audit
lists it with (cloudasset)."""


def apis_of(campaign: Campaign) -> tuple[str, ...]:
    """The APIs a campaign needs."""
    return (
        *APIS,
        *(("binaryauthorization.googleapis.com",) if campaign.function.binary_authorization else ()),
        *(("cloudquotas.googleapis.com",) if campaign.quotas or campaign.capacity.quota_adjuster else ()),
        *(("containerscanning.googleapis.com",) if campaign.build.scan else ()),
        *(("secretmanager.googleapis.com",) if campaign.function.secrets else ()),
    )


class CampaignProject(Component):
    """One labelled project with its APIs enabled.

    Attributes:
        project: the project.
        project_id: its id, known from its first deployment on.
        number: its number, which perimeters and service agents want instead of the id.
        services: the enabled APIs; everything that calls one waits for them.
    """

    def __init__(
        self,
        campaign: Campaign,
        *,
        parent: Mapping[str, str],
        billing_account: str,
        retention: Retention,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        name, labels = campaign.name, campaign.labels.as_labels()
        super().__init__("Project", name, after=after, opts=opts)
        existing = campaign.project.existing
        self.lien: gcp.resourcemanager.Lien | None = None
        if existing:
            # Read, never changed and never deleted: others made it, pay for it and keep it.
            self.project = gcp.organizations.Project.get(name, existing, opts=self._options())
            # A read without a program of its own finds labels here only.
            self.project_id = pulumi.Output.all(self.project.project_id, self.project.effective_labels).apply(
                lambda found: _with_labels(found[0], found[1] or {}, labels)
            )
        else:
            self.project = gcp.organizations.Project(
                name,  # the logical name is the stem of the auto-named id
                name=name,
                org_id=parent.get("org_id"),
                folder_id=parent.get("folder_id"),
                billing_account=billing_account,
                labels=labels,
                auto_create_network=False,
                deletion_policy=retention.project,
                opts=self._options(protect=retention.protect, hooks=error_hooks.held()),
            )
            self.project_id = self.project.project_id
            self.lien = gcp.resourcemanager.Lien(
                f"{name}-deletion",
                parent=self.project.number.apply(naming.project_member),
                origin="plantain",
                reason="Campaign project; delete it with pulumi destroy, which removes this lien first.",
                restrictions=["resourcemanager.projects.delete"],
                opts=self._options(),
            )
        self.number = self.project.number
        self.services = {
            api: gcp.projects.Service(
                f"{name}-{api.removesuffix('.googleapis.com')}",
                project=self.project_id,
                service=api,
                # Disabling an API breaks whatever else uses it, and deleting the project disables them all.
                disable_on_destroy=False,
                opts=self._options(),
            )
            for api in apis_of(campaign)
        }
        self.register_outputs({"projectId": self.project_id, "number": self.number})

    def enabled(self, *apis: str) -> tuple[gcp.projects.Service, ...]:
        """Some of the enabled APIs, by their names without domain.

        Whoever waits for those it calls, and not for all, is created earlier, and the engine has a tenth of the
        dependencies to keep.
        """
        return tuple(self.services[f"{api}.googleapis.com"] for api in apis)


def _with_labels(project_id: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """The id of a project of others, once it is known to carry the campaign's labels: cost is reported by them."""
    missing = {key: value for key, value in wanted.items() if found.get(key) != value}
    if missing:
        labels = ",".join(f"{key}={value}" for key, value in sorted(missing.items()))
        problem = Problem(
            file=f"campaigns/{wanted['campaign']}.yaml",
            key="project.existing",
            cause=f"the project lacks the labels {', '.join(sorted(missing))}, or has other values of them",
            rule="a project that carries the campaign's six labels, because its cost is reported by them",
            cure=f"gcloud projects update {project_id} --update-labels={labels}",
        )
        raise pulumi.RunError(str(ProjectError([problem])))
    return project_id
