"""What controls know besides the resource they judge."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies.catalogue.belonging import PROJECT, by_project, is_campaign
from policies.catalogue.parameters import Parameters
from policies.catalogue.resource import Resource


@dataclass(frozen=True)
class Context:
    """The surroundings of a resource.

    Attributes:
        resources: every resource of the stack; empty while resources are judged one by one.
        settings: the stack's configuration under `plantain:`, without the prefix, objects as objects.
        date: the day for which is judged.
        models: the table of models, as functions/generation/models.json has it.
        parameters: what the organisation decided where a control leaves a choice.
    """

    resources: Sequence[Resource] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    date: dt.date = dt.date.min
    models: Mapping[str, Any] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=Parameters)

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.type, []).append(resource)
        return found

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Resources by URN."""
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def by_project(self) -> Mapping[str, Sequence[Resource]]:
        """For each project's URN, the resources in it."""
        return by_project(self.resources)

    @cached_property
    def campaigns(self) -> Sequence[Resource]:
        """The projects that carry a campaign."""
        return [project for project in self.of(PROJECT) if is_campaign(project)]

    def of(self, *types: str) -> list[Resource]:
        """Resources of some types, in the stack's order within a type."""
        return [resource for type_ in types for resource in self._by_type.get(type_, ())]
