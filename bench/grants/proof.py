"""What becomes of one grant that is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.deployment import CAMPAIGN
from tests.end_to_end.privilege_removal import Granted

Document = dict[str, Any]


@dataclass(frozen=True)
class Proof:
    """What became of one grant that was taken away.

    Attributes:
        grant: its logical name in the stack.
        of: whose it is: deployer, previewer, runtime, build, invoker, service agent, or another.
        role: what was granted.
        on: address of the policy below the sandbox, without ids made by chance.
        step: what failed.
        denied: the first method that was refused, or the message of the step; empty when nothing failed.
        permission: what it lacked, where that is known.
        seconds: how long it took until then.
        alone: whether the recording says that nothing else gave what it gave; filled in at the end.
        reason: why it is kept, when nothing failed.
    """

    grant: str
    of: str
    role: str
    on: str
    step: str
    denied: str
    permission: str
    seconds: float
    alone: bool
    reason: str = ""


def whose(name: str, member: str) -> str:
    """Whose a grant is."""
    kinds = {
        "deployer@": "deployer",
        "previewer@": "previewer",
        "image-runtime@": "runtime",
        "image-build@": "build",
        "gcp-sa-": "service agent",
        "gcf-admin-robot": "service agent",
        "gs-project-accounts": "service agent",
        "serverless-robot-prod": "service agent",
        "system.gserviceaccount.com": "service agent",
        "cloud-storage-analytics": "service agent",
        "principalSet:": "pipeline",
    }
    if name.startswith(f"{CAMPAIGN}-invoker-"):
        return "invoker"
    return next((kind for part, kind in kinds.items() if part in member), "people")


def place(grant: Granted, ids: Mapping[str, str]) -> str:
    """Where a grant is made, without ids that chance chose."""
    text = grant.policy
    for found, shown in ids.items():
        text = text.replace(found, shown)
    return text
