"""Resource Manager, v1 and v3: organisations, folders, projects, liens, tags."""

from __future__ import annotations

from sandbox.services.cloudresourcemanager import (
    folders,
    liens,
    organization_policies,
    organizations,
    projects,
    tags,
)
from sandbox.services.registry import Service

SERVICE = Service(
    name="cloudresourcemanager",
    title="Cloud Resource Manager API",
    prefix="google.cloud.resourcemanager.v3",
    resources=(
        folders.Folder,
        liens.Lien,
        organizations.Organization,
        projects.Project,
        tags.TagBinding,
        tags.TagHold,
        tags.TagKey,
        tags.TagValue,
    ),
    handlers={
        **folders.HANDLERS,
        **organization_policies.HANDLERS,
        **organizations.HANDLERS,
        **projects.HANDLERS,
        **tags.HANDLERS,
    },
    targets={**folders.TARGETS, **liens.TARGETS, **projects.TARGETS, **tags.TARGETS},
)
