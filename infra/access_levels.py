"""Access levels: where a call may come from. Rules of the perimeter name them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra.access_settings import AccessLevel, Device
from infra.component import Component


class AccessLevels(Component):
    """The access levels of a perimeter's owner.

    Attributes:
        names: full names by the names the settings use.
    """

    def __init__(
        self,
        prefix: str,
        *,
        policy: pulumi.Output[str],
        levels: Sequence[AccessLevel],
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the levels.

        Args:
            prefix: short name of the perimeter, which keeps levels of two perimeters apart.
            policy: full name of the access policy.
            levels: what the settings say.
            after: what must exist before.
            opts: options of the component.
        """
        super().__init__("AccessLevels", prefix, after=after, opts=opts)
        self.names: dict[str, pulumi.Output[str]] = {}
        for level in _in_order(levels):
            conditions: Any = (
                {"custom": {"expr": {"expression": level.expression, "title": level.name}}}
                if level.expression is not None
                else {"basic": self._basic(level)}
            )
            made = gcp.accesscontextmanager.AccessLevel(
                f"{prefix}-{level.name}",
                name=pulumi.Output.concat(policy, f"/accessLevels/{prefix}_{level.name}"),
                parent=policy,
                title=f"{prefix} {level.name}",
                # Titles are unique in a policy, so the new one cannot exist beside the old one.
                opts=self._options(delete_before_replace=True),
                **conditions,
            )
            self.names[level.name] = made.name
        self.register_outputs({})

    def named(self, level: str) -> pulumi.Input[str]:
        """The full name of a level that a rule asks for."""
        return self.names.get(level, level)

    def _basic(self, level: AccessLevel) -> dict[str, Any]:
        # Fields of one condition must all hold; of several conditions, one or all, as the function says.
        fields: dict[str, Any] = {
            "ip_subnetworks": sorted(level.ip_subnetworks),
            "regions": sorted(level.countries),
            "members": sorted(level.members),
            "device_policy": _device(level.device) if level.device else None,
            "required_access_levels": [self.named(name) for name in level.requires],
        }
        given = {name: value for name, value in fields.items() if value}
        if not level.any_of:
            return {"combining_function": "AND", "conditions": [given]}
        return {"combining_function": "OR", "conditions": [{name: value} for name, value in given.items()]}


def _device(device: Device) -> Mapping[str, Any]:
    policy: dict[str, Any] = {
        "require_screen_lock": device.screen_lock or None,
        "require_corp_owned": device.corporate or None,
        "require_admin_approval": device.approved or None,
        "allowed_encryption_statuses": ["ENCRYPTED"] if device.encrypted else None,
        "os_constraints": [
            {"os_type": system, "minimum_version": version or None}
            for system, version in sorted(device.systems.items())
        ]
        or None,
    }
    return {name: value for name, value in policy.items() if value is not None}


def _in_order(levels: Sequence[AccessLevel]) -> list[AccessLevel]:
    """Levels with those that others require before them; the settings have no circles."""
    ordered: list[AccessLevel] = []
    waiting = sorted(levels, key=lambda level: level.name)
    while waiting:
        made = {level.name for level in ordered}
        names = {level.name for level in levels}
        ready = [level for level in waiting if not (set(level.requires) & names) - made]
        ordered += ready
        waiting = [level for level in waiting if level not in ready]
    return ordered
