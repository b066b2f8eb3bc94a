"""Tells Cloud Logging what turned for the worse, so that an alert policy can ring.

One entry for each control that passed before and fails now, and one for each audit that ran: an alert on the absence of
the latter finds an audit that stopped running.
"""

from __future__ import annotations

from typing import Any

from plantain.audit.diff import Diff
from plantain.audit.run import Done
from plantain.google_cloud import GoogleCloud

LOG = "plantain-audit"
REGRESSED = "control-regressed"
COMPLETED = "audit-completed"


def entries(done: Done, difference: Diff | None) -> list[dict[str, Any]]:
    """The entries of one audit."""
    found: list[dict[str, Any]] = [
        {
            "severity": "NOTICE",
            "jsonPayload": {
                "event": COMPLETED,
                "scope": done.manifest.scope,
                "sequence": done.manifest.sequence,
                "manifest": done.manifest.digest,
                "byStatus": done.summary["byStatus"],
                "population": done.inventory["totals"],
            },
        }
    ]
    if difference is None:
        return found
    for control in difference.regressed:
        changes = [change for change in difference.changes if change.control == control and change.regressed]
        found.append(
            {
                "severity": "ERROR",
                "jsonPayload": {
                    "event": REGRESSED,
                    "scope": done.manifest.scope,
                    "sequence": done.manifest.sequence,
                    "control": control,
                    "resources": [change.resource or change.unit for change in changes][:20],
                    "reason": changes[0].reason,
                },
            }
        )
    return found


def announce(cloud: GoogleCloud, project: str, done: Done, difference: Diff | None) -> int:
    """Write the entries to a project's log; returns how many.

    Raises:
        GoogleCloudError: they cannot be written.
    """
    written = entries(done, difference)
    body = {"logName": f"projects/{project}/logs/{LOG}", "resource": {"type": "global"}, "entries": written}
    cloud.call("POST", "logging", "v2/entries:write", body=body)
    return len(written)
