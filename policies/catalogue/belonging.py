"""Which project a resource belongs to, and which projects are campaigns."""

from collections.abc import Mapping, Sequence
from typing import Any

from policies.catalogue.resource import Resource
from policies.catalogue.unknown import MISSING, Unknown

SHARED = "shared"
"""The campaign label of what belongs to no campaign: the seed project, the project of logs."""
PROJECT = "gcp:organizations/project:Project"


def named(value: object) -> str:
    """A project's id or number without `projects/` before it; empty for what is no text."""
    return value.removeprefix("projects/").split("/")[0] if isinstance(value, str) else ""


def by_project(resources: Sequence[Resource]) -> Mapping[str, Sequence[Resource]]:
    """For each project's URN, the resources in it: those that name it, and those whose `project` comes from it."""
    projects = [resource for resource in resources if resource.type == PROJECT]
    urns = {project.urn for project in projects}
    names: dict[str, str] = {}
    for project in projects:
        for path in ("projectId", "number"):
            name = named(project.at(path))
            if name:
                names[name] = project.urn
    found: dict[str, list[Resource]] = {urn: [] for urn in urns}
    for resource in resources:
        owner = _owner(resource, names, urns)
        if owner:
            found[owner].append(resource)
    return found


def _owner(resource: Resource, names: Mapping[str, str], urns: set[str]) -> str | None:
    value = resource.at("project")
    if isinstance(value, str):
        return names.get(named(value))
    if value is MISSING and resource.provider_project is not None:
        return names.get(resource.provider_project)
    return next((urn for urn in resource.dependencies.get("project", ()) if urn in urns), None)


def campaign_label(project: Resource) -> Any:
    """The campaign a project is labelled with; of a project somebody else made, only the effective labels are known."""
    label = project.at("labels.campaign")
    return project.at("effectiveLabels.campaign") if label is MISSING else label


def is_campaign(project: Resource) -> bool:
    """Whether a project carries a campaign; one whose labels cannot be read might."""
    label = campaign_label(project)
    return isinstance(label, Unknown | str) and label not in {"", SHARED}


def names_project(resource: Resource, path: str, project: Resource) -> bool | None:
    """Whether a property names a project by id or number; None while that cannot be told but may be so."""
    number, project_id = named(project.at("number")), named(project.at("projectId"))
    values = [value for _, value in resource.each(path)] if "[]" in path else [resource.at(path)]
    for value in values:
        if isinstance(value, str) and named(value) in {number, project_id} - {""}:
            return True
    head = path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    if project.urn in resource.dependencies.get(head, ()):
        return None
    return False
