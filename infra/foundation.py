"""What campaigns stand on: seed project, log project, organisation policies, contacts, tags. It only wires."""

from typing import Any

import pulumi

from infra.bootstrap import Seed
from infra.central_logs import LogProject
from infra.component import Component
from infra.contacts import Contacts
from infra.org_policies import PolicySet
from infra.retention import Retention
from infra.settings import Settings
from infra.tags import TagKeys


class Foundation(Component):
    """Everything of a stack that belongs to no campaign, apart from the perimeter.

    Attributes:
        logs: the log project, if this stack has one.
        tags: the tag keys, if this stack has them.
        outputs: what the stack says about it.
    """

    def __init__(self, settings: Settings, *, retention: Retention, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("Foundation", "foundation", opts=opts)
        self.outputs: dict[str, Any] = {}
        self.logs: LogProject | None = None
        self.tags: TagKeys | None = None
        first: list[pulumi.Resource] = []
        if settings.bootstrap and settings.labels:
            seed = Seed(settings, settings.bootstrap, settings.labels, retention=retention, opts=self._options())
            self.outputs["bootstrap"] = seed.outputs
            first.append(seed)
        if settings.organization_policies:
            policies = PolicySet(settings, settings.organization_policies, opts=self._options())
            self.outputs["organizationPolicies"] = sorted(policies.policies)
            first.append(policies)
        if settings.contacts:
            Contacts(settings.scope, settings.contacts, after=first, opts=self._options())
        if settings.central_logs and settings.labels:
            self.logs = LogProject(
                settings, settings.central_logs, settings.labels, retention=retention, opts=self._options()
            )
            self.outputs["logs"] = self.logs.outputs
        if settings.tags and settings.tags.keys:
            self.tags = TagKeys(settings, settings.tags, opts=self._options())
            self.outputs["tags"] = {
                label: {value: tag.id for value, tag in values.items()} for label, values in self.tags.values.items()
            }
        self.register_outputs({})
