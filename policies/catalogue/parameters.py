"""What an organisation decides where controls leave a choice; read from `policies:` in the stack's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from policies.errors import ParameterError

NAMESPACE = "policies"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True)
class Parameters:
    """Choices with their defaults. Each can be set as `policies:<camelCase name>`.

    Attributes:
        required_labels: labels that everything that takes labels must have.
        allowed_locations: regions and multi-regions where data may lie; empty: the stack's region only.
        allowed_services: APIs a project may enable besides those of a campaign.
        log_retention_days: least retention of logs.
        evidence_retention_days: least retention of evidence; six years is what HIPAA 164.316(b)(2)(i) asks for.
        key_rotation_days: longest time between rotations of a key (CIS: 90).
        key_destroy_days: least time between a key's scheduled and real destruction.
        soft_delete_days: least time a deleted object can be brought back.
        hsm_data_classes: data classes whose keys must be in an HSM.
        external_resources: resources outside Google that egress rules may name, such as s3://bucket.
        key_projects: projects that may hold keys besides those of the stack; empty: any project of the stack.
        separate_key_project: whether keys must lie in another project than the data.
        residency: whether the model must not be called at its `global` endpoint.
        member_domains: domains whose people may be in groups that hold roles; empty: the group's own.
        capacity_alert_ratio: largest part of a limit at which an alert must fire.
    """

    required_labels: tuple[str, ...] = field(
        default_factory=lambda: _words("campaign owner cost-center env data-class ends-on")
    )
    allowed_locations: tuple[str, ...] = ()
    allowed_services: tuple[str, ...] = ()
    log_retention_days: int = 365
    evidence_retention_days: int = 2190
    key_rotation_days: int = 90
    key_destroy_days: int = 30
    soft_delete_days: int = 7
    hsm_data_classes: tuple[str, ...] = field(default_factory=lambda: _words("restricted"))
    external_resources: tuple[str, ...] = ()
    key_projects: tuple[str, ...] = ()
    separate_key_project: bool = False
    residency: bool = False
    member_domains: tuple[str, ...] = ()
    capacity_alert_ratio: float = 0.85


def camel(name: str) -> str:
    """`log_retention_days` as settings have it: logRetentionDays."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def parse(raw: Mapping[str, Any]) -> Parameters:
    """Parameters from settings under `policies:`, without the prefix.

    Raises:
        ParameterError: an unknown name, or a value of the wrong kind.
    """
    known = {camel(entry.name): entry for entry in fields(Parameters)}
    defaults = Parameters()
    values: dict[str, Any] = {}
    for name, given in raw.items():
        if name not in known:
            raise ParameterError(
                f"{NAMESPACE}:{name} is no parameter of any control, so it would have no effect; "
                f"known are {', '.join(sorted(known))}: pulumi config rm {NAMESPACE}:{name}"
            )
        default = getattr(defaults, known[name].name)
        values[known[name].name] = _value(name, given, default)
    return Parameters(**values)


def _value(name: str, given: Any, default: Any) -> Any:
    wanted = type(default)
    if wanted is tuple:
        if isinstance(given, list) and all(isinstance(item, str) for item in given):
            return tuple(given)
        kind, example = "a list of texts", "--path 'policies:%s[0]' VALUE"
    elif wanted is bool:
        if given in {True, False, "true", "false"}:
            return given in {True, "true"}
        kind, example = "true or false", "policies:%s true"
    else:
        try:
            number = wanted(given)
        except (TypeError, ValueError):
            number = 0
        if number > 0 and not isinstance(given, bool):
            return number
        kind, example = "a number above 0", f"policies:%s {default}"
    raise ParameterError(
        f"{NAMESPACE}:{name} must be {kind}, so the controls that read it cannot judge: "
        f"pulumi config set {example % name}"
    )
