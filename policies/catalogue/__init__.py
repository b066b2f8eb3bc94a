"""The catalogue of controls: what must hold of a deployment, and pure functions that say whether it does.

Python alone, without any package: the policy pack runs it in an environment of its own.
"""

from policies.catalogue import storage
from policies.catalogue.context import Context
from policies.catalogue.control import Control, Severity
from policies.catalogue.parameters import Parameters
from policies.catalogue.resource import Resource
from policies.catalogue.unknown import UNKNOWN, Unknown
from policies.catalogue.verdict import Reading, Status, Verdict

CONTROLS: tuple[Control, ...] = (*storage.CONTROLS,)

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
