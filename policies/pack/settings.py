"""What the pack is told: the stack's settings, as Pulumi hands them to it."""

import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.catalogue.control import Control, Severity
from policies.catalogue.parameters import NAMESPACE, Parameters, parse
from policies.errors import ParameterError
from policies.exceptions import Exceptions

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "functions" / "generation" / "models.json"
EXCEPTIONS = ROOT / "policies" / "exceptions.yaml"
LEVELS = ("advisory", "mandatory", "disabled")
MANDATORY = frozenset({Severity.CRITICAL, Severity.HIGH})
UNKNOWN_VALUES = ("pending", "refuse")
SECRET = frozenset({"accessToken"})
"""Settings that no control may see."""


@dataclass(frozen=True)
class Settings:
    """The stack's settings as far as policies care.

    Attributes:
        stack: settings under `plantain:`, objects as objects.
        parameters: the organisation's choices.
        enforcement: levels by control, and under `all` for those without one.
        unknown_values: what happens when a value that decides is not known: pending lets it pass, refuse does not.
        models: the table of models.
        exceptions: what is allowed although a control refuses it.
        date: today.
    """

    stack: Mapping[str, Any]
    parameters: Parameters
    enforcement: Mapping[str, str]
    unknown_values: str
    models: Mapping[str, Any]
    exceptions: Exceptions
    date: dt.date

    def level(self, control: Control) -> str:
        """The enforcement level of a control: mandatory for high and critical ones unless the settings differ."""
        usual = "mandatory" if control.severity in MANDATORY else "advisory"
        return self.enforcement.get(control.id) or self.enforcement.get("all") or usual


def load(known: frozenset[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the stack that is judged.

    Args:
        known: ids of all controls.
        environment: where Pulumi says what the stack's configuration is.

    Raises:
        PolicyError: something in the settings or in the file of exceptions makes no sense.
    """
    config = json.loads(environment.get("PULUMI_CONFIG", "{}"))
    stack = _under("plantain", config)
    own = dict(_under(NAMESPACE, config))
    enforcement = own.pop("enforcement", {})
    unknown_values = own.pop("unknownValues", UNKNOWN_VALUES[0])
    _check(enforcement, unknown_values, known)
    return Settings(
        stack={key: value for key, value in stack.items() if key not in SECRET},
        parameters=parse(own),
        enforcement=enforcement,
        unknown_values=unknown_values,
        models=json.loads(MODELS.read_text("utf-8")),
        exceptions=Exceptions.load(EXCEPTIONS, known),
        date=dt.datetime.now(dt.UTC).date(),
    )


def _under(namespace: str, config: Mapping[str, str]) -> Mapping[str, Any]:
    prefix = f"{namespace}:"
    return {key.removeprefix(prefix): _value(text) for key, text in config.items() if key.startswith(prefix)}


def _value(text: str) -> Any:
    if text[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _check(enforcement: Any, unknown_values: Any, known: frozenset[str]) -> None:
    if not isinstance(enforcement, Mapping):
        raise ParameterError(
            f"{NAMESPACE}:enforcement must be a map from controls to levels, so it has no effect as it is: "
            f"pulumi config set --path '{NAMESPACE}:enforcement.all' mandatory"
        )
    for control, level in enforcement.items():
        if control != "all" and control not in known:
            raise ParameterError(
                f"{NAMESPACE}:enforcement names {control}, which is no control, so its level has no effect: "
                f"pulumi config rm --path '{NAMESPACE}:enforcement.{control}'; docs/policies.md lists all controls"
            )
        if level not in LEVELS:
            raise ParameterError(
                f"{NAMESPACE}:enforcement.{control} must be one of {', '.join(LEVELS)}, so it cannot be applied: "
                f"pulumi config set --path '{NAMESPACE}:enforcement.{control}' mandatory"
            )
    if unknown_values not in UNKNOWN_VALUES:
        raise ParameterError(
            f"{NAMESPACE}:unknownValues must be one of {', '.join(UNKNOWN_VALUES)}, so nobody knows what to do with "
            f"values that are not known yet: pulumi config set {NAMESPACE}:unknownValues pending"
        )
