"""Many stacks join one perimeter at the same moment. Too much memory for the tests: every stack is three processes.

python -m bench.joining 20
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from plantain.errors import StackError
from plantain.stack import Stack
from tests.end_to_end.organization import NUMBER, ROOT, Organization, change, joined, owned


def measure(count: int, folder: Path) -> dict[str, Any]:
    """Members, failures and seconds of ``count`` stacks that are brought up at once and then taken down at once."""
    organization = Organization.make(folder)
    try:
        foundation = organization.stack("foundation", campaigns="", perimeter=owned())
        foundation.up()
        perimeter = foundation.outputs()["perimeter"]
        shutil.copytree(ROOT / "tests" / "end_to_end" / "joining", organization.project / "joining")
        program = organization.project / "Pulumi.yaml"
        program.write_text(program.read_text().replace("main: infra", "main: joining"))
        stacks = [_stack(organization, index, perimeter) for index in range(count)]
        report: dict[str, Any] = {"stacks": count}
        for verb in ("up", "destroy"):
            begun = time.monotonic()
            with ThreadPoolExecutor(count) as threads:
                failed = [error for error in threads.map(lambda stack, verb=verb: _run(stack, verb), stacks) if error]
            members = organization.call("GET", f"accesscontextmanager/v1/{perimeter}")["status"].get("resources", [])
            seconds = round(time.monotonic() - begun, 1)
            report[verb] = {"seconds": seconds, "failed": len(failed), "members": len(members), "first": failed[:1]}
        return report
    finally:
        organization.close()


def check(report: dict[str, Any]) -> None:
    """Refuse a report in which somebody did not join, or did not leave.

    Raises:
        AssertionError: with the report.
    """
    joined_all = (report["up"]["failed"], report["up"]["members"]) == (0, report["stacks"])
    left_all = (report["destroy"]["failed"], report["destroy"]["members"]) == (0, 0)
    if not (joined_all and left_all):
        raise AssertionError(f"not every stack joined and left: {report}")


def _stack(organization: Organization, index: int, perimeter: str) -> Stack:
    project = f"campaign-{index}-x"
    body = {"projectId": project, "name": "x", "parent": {"type": "organization", "id": NUMBER}}
    organization.call("POST", "cloudresourcemanager/v1/projects", body)
    number = organization.call("GET", f"cloudresourcemanager/v1/projects/{project}")["projectNumber"]
    stack = organization.stack(f"campaign-{index}", campaigns="", perimeter=joined(perimeter))
    change(stack, **{"joining:number": number})
    return stack


def _run(stack: Stack, verb: str) -> str:
    try:
        if verb == "up":
            stack.up()
        else:
            stack.destroy(run_program=True)
    except StackError as error:
        return str(error)[-500:]
    return ""


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        measured = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20, Path(temporary))
    print(json.dumps(measured, indent=2))
    check(measured)
