"""Run below ``unshare --net``: deploy, be killed five times, deploy on, destroy; with no way off the machine.

The namespace has a loopback interface and no route. The kernel counts every attempt to send anything anywhere else, so
the count says whether somebody tried. Prints one JSON document.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from . import killing
from .deployment import Deployment

UP_FLAG, SET_FLAGS = 0x1, 0x8914

#: The published plugin holds the provider's beta half, whose base paths differ.
BETA_PATHS = {
    "compute/v1/": "compute/beta/",
    "dns/v1/": "dns/v1beta2/",
    "cloudfunctions/v2/": "cloudfunctions/v2beta/",
    "aiplatform/v1/": "aiplatform/v1beta1/",
    "vpcaccess/v1/": "vpcaccess/v1beta1/",
}

#: As many as an update makes at least, so that no kill comes too late.
CHANGES = 90


def raise_loopback() -> None:
    """``ip link set lo up`` without that program."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, SET_FLAGS, struct.pack("16sH14s", b"lo", UP_FLAG, b""))


def unrouted_attempts() -> int:
    """Packets and connections that had nowhere to go, since the namespace was made."""
    count = 0
    lines = Path("/proc/self/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    count += int(values[names.index("OutNoRoutes")])
    for line in Path("/proc/self/net/snmp6").read_text().splitlines():
        name, value = line.split()
        if name == "Ip6OutNoRoutes":
            count += int(value)
    return count


def attempt_is_counted() -> bool:
    """The control: one attempt to reach another machine is seen."""
    before = unrouted_attempts()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle, contextlib.suppress(OSError):
        handle.sendto(b"x", ("192.0.2.1", 9))
    return unrouted_attempts() > before


def killed_updates(made: Deployment) -> dict[str, Any]:
    """Start an update and kill it without warning, five times over; between two kills it is taken up again."""
    before = killing.changes(made.sandbox)
    report: dict[str, Any] = {"killed": 0, "orphans": [], "pending": []}
    for point in killing.points(before + 1, before + CHANGES):
        found = killing.killed_update(made.stack, made.sandbox, point)
        report["killed"] += found["killed"]
        report["orphans"] += found["left"]
        report["pending"] += [one.type for one in made.stack.recover()]
    return report


def projects(made: Deployment) -> list[dict[str, Any]]:
    """Active projects of the organisation."""
    found: list[dict[str, Any]] = made.call("GET", "cloudresourcemanager/v1/projects").json().get("projects", [])
    return found


def main() -> None:
    """Everything, in order."""
    raise_loopback()
    counted = attempt_is_counted()
    before = unrouted_attempts()
    made = Deployment.make(Path(sys.argv[1]), BETA_PATHS)
    try:
        report: dict[str, Any] = {"counted": counted, **killed_updates(made)}
        made.stack.up()
        state = made.stack.export()["deployment"]["resources"]
        report["unclaimed"] = killing.unclaimed(made.sandbox.get("resources"), state)
        report["doubled"] = killing.doubled(state)
        report["resources"] = len(state)
        report["projects"] = len(projects(made))
        made.stack.preview(expect_no_changes=True)
        made.stack.destroy()
        report["left"] = len(made.stack.export()["deployment"].get("resources") or [])
        report["active_projects"] = len(projects(made))
        requests = made.sandbox.get("requests?count=5000")
        report["paths"] = sorted({"/".join(entry["path"].split("/")[1:3]) for entry in requests})
        status = made.sandbox.get("status")
        report |= {"refused": status["refusedHosts"], "defects": status["defects"]}
    finally:
        made.close()
    report["attempts"] = unrouted_attempts() - before
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
