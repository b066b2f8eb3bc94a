"""The catalogue of controls: what must hold of a deployment, and pure functions that say whether it does.

Python alone, without any package: the policy pack runs it in an environment of its own.
"""

from policies.catalogue import (
    alerts,
    audit_logs,
    capacity,
    identity,
    inheritance,
    keys,
    manual,
    model,
    network,
    organization,
    perimeter,
    project,
    serverless,
    storage,
)
from policies.catalogue.context import Context
from policies.catalogue.control import Control, Severity
from policies.catalogue.parameters import Parameters
from policies.catalogue.resource import Resource
from policies.catalogue.unknown import UNKNOWN, Unknown
from policies.catalogue.verdict import Reading, Status, Verdict

CONTROLS: tuple[Control, ...] = (
    *project.CONTROLS,
    *organization.CONTROLS,
    *identity.CONTROLS,
    *inheritance.CONTROLS,
    *perimeter.CONTROLS,
    *network.CONTROLS,
    *keys.CONTROLS,
    *storage.CONTROLS,
    *serverless.CONTROLS,
    *audit_logs.CONTROLS,
    *alerts.CONTROLS,
    *capacity.CONTROLS,
    *model.CONTROLS,
    *manual.CONTROLS,
)
"""Every control, in the order of the documentation."""

__all__ = [
    "CONTROLS",
    "UNKNOWN",
    "Context",
    "Control",
    "Parameters",
    "Reading",
    "Resource",
    "Severity",
    "Status",
    "Unknown",
    "Verdict",
]
