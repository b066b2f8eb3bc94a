"""A project that belongs to no campaign: the seed, or the one that keeps audit logs."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra import error_hooks, naming
from infra.component import Component
from infra.foundation_labels import FoundationLabels
from infra.retention import Retention
from infra.settings import Settings


class SharedProject(Component):
    """A labelled project with a lien and its APIs.

    Attributes:
        project: the project.
        project_id: its id: the stem and a random suffix.
        number: its number.
        services: the enabled APIs; everything that calls one waits for them.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        stem: str,
        labels: FoundationLabels,
        apis: Sequence[str],
        retention: Retention,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the project.

        Args:
            name: what it is, such as seed.
            settings: where it lies and who pays.
            stem: beginning of its id.
            labels: its labels.
            apis: APIs it needs, as host names.
            retention: what may be deleted.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("SharedProject", name, after=after, opts=opts)
        self.project = gcp.organizations.Project(
            stem,
            name=stem,
            org_id=settings.parent.get("org_id"),
            folder_id=settings.parent.get("folder_id"),
            billing_account=settings.billing_account,
            labels=labels.as_labels(),
            auto_create_network=False,
            deletion_policy=retention.project,
            opts=self._options(protect=retention.protect, hooks=error_hooks.held()),
        )
        self.project_id = self.project.project_id
        self.number = self.project.number
        self.lien = gcp.resourcemanager.Lien(
            f"{name}-deletion",
            parent=self.number.apply(naming.project_member),
            origin="plantain",
            reason="Shared by all campaigns; delete it with pulumi destroy, which removes this lien first.",
            restrictions=["resourcemanager.projects.delete"],
            opts=self._options(),
        )
        self._by_api = {
            api: gcp.projects.Service(
                f"{name}-{api.removesuffix('.googleapis.com')}",
                project=self.project_id,
                service=api,
                disable_on_destroy=False,
                opts=self._options(),
            )
            for api in apis
        }
        self.services: tuple[pulumi.Resource, ...] = tuple(self._by_api.values())
        self.register_outputs({"projectId": self.project_id, "number": self.number})

    def enabled(self, api: str) -> list[pulumi.Resource]:
        """One of the APIs, by its name without domain: what asks it waits for no other, see `ServiceAgents`."""
        return [self._by_api[f"{api}.googleapis.com"]]
