"""Updates that are killed without warning: the engine, the program and the provider at the same moment."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from plantain.google_cloud import GoogleCloud
from plantain.recovery.leftovers import delete
from plantain.recovery.unfinished import unfinished
from plantain.sandbox_process import Sandbox
from plantain.stack import Stack, pulumi

from .organization import Organization, owned, resources
from .steps import Steps
from .sweep import JOURNALS
from .sweep import resources as inventory

SEED = 20261121
KILLS = 5
PATIENCE_SECONDS = 300
POLL_SECONDS = 0.05
#: Of an update's changes, those within which it is killed: the last ones are over before a kill comes.
SHARE = 0.9
#: The provider waits 15 s after it made a project, 10 s after an account: a moment later, it is in such a wait.
LATER_SECONDS = 4.0
#: Methods that change something: how many were called says how far an update is.
CHANGE = re.compile(
    r"\.(create\w*|insert|patch|update\w*|delete|setIamPolicy|enable|batchEnable|generateServiceIdentity)$"
)
#: What Google itself makes or keeps, and what was measured: nobody's state has it.
GOOGLES_OWN = re.compile(
    r"^(cloudbilling\.|cloudidentity\.|cloudresourcemanager\.(organizations|projectNumbers)|iam\.(policies|serviceAgents)|"
    r"serviceusage\.|storage\.(clock|sessions)|run\.|cloudbuild\.builds)|"
    r"/_(Default|Required|AllLogs)$|/default-route-r-|/(SOA|NS)$|-compute@developer\.gserviceaccount\.com$"
)
#: The provider enables Compute Engine in a project that it made, to delete the default network. One that is taken over
#: does without, as nothing of the stack needs it there.
PROVIDERS_OWN = re.compile(
    r"projects/plantain-logs-#/(services/(compute|oslogin)\.googleapis\.com|serviceAccounts/#-compute@)|"
    r"^iam\.serviceAgents (#-compute@|service-#@compute-system\.)|^compute\.firstUse plantain-logs-#"
)

Begin = Callable[[Path], tuple[Organization, Stack]]


def changes(sandbox: Sandbox) -> int:
    """How many calls have changed something since the sandbox was started."""
    found: dict[str, int] = sandbox.get("status")["methods"]
    return sum(count for method, count in found.items() if CHANGE.search(method))


def points(least: int, most: int, count: int = KILLS, seed: int = SEED) -> list[tuple[int, float]]:
    """Moments to kill at: after how many changes, and how many seconds later; in order."""
    chance = random.Random(seed)  # noqa: S311 -- moments, no secrets
    numbers = sorted(chance.sample(range(least, most), count))
    return [(number, round(chance.uniform(0, LATER_SECONDS), 1)) for number in numbers]


def killed_update(stack: Stack, sandbox: Sandbox, point: tuple[int, float]) -> dict[str, Any]:
    """Start an update and kill all of it at a point; says whether it was alive until then, and what was left over.

    One that begins beyond its point, because the one before was faster than its kill, has changed something itself.
    """
    number, later = point
    number = max(number, changes(sandbox) + 1)
    command = [pulumi(stack.environment), "up", "--yes", "--skip-preview", "--non-interactive", "--cwd"]
    command += [str(stack.project), "--stack", stack.name]
    command += ["--config-file", str(stack.config_file)] if stack.config_file else []
    with subprocess.Popen(
        command,
        env=dict(stack.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and process.poll() is None and changes(sandbox) < number:
            time.sleep(POLL_SECONDS)
        time.sleep(later)
        alive = process.poll() is None
        family = kill(process.pid) if alive else []
    _, left = psutil.wait_procs(family, timeout=60)
    return {"killed": alive and process.returncode == -signal.SIGKILL, "left": [one.name() for one in left]}


def kill(pid: int) -> list[psutil.Process]:
    """Kill a process group and every descendant, which pulumi puts into groups of their own; returns them."""
    family = psutil.Process(pid).children(recursive=True)
    os.killpg(pid, signal.SIGKILL)
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    return family


def unclaimed(names: Mapping[str, Sequence[str]], state: Iterable[Mapping[str, Any]]) -> list[str]:
    """Live resources that no resource of a state knows: orphans, and the second of a pair."""
    known = "\n".join(f"{entry.get('id')}\n{entry.get('outputs')}" for entry in state)
    return sorted(
        f"{kind} {name}"
        for kind, found in names.items()
        if not JOURNALS.search(kind)
        for name in found
        if not GOOGLES_OWN.search(f"{kind} {name}") and name.rpartition("/")[2] not in known
    )


def doubled(state: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids that two resources of the same type and project share in a state."""
    counted = Counter(
        f"{entry['type']} {entry.get('outputs', {}).get('project', '')} {entry['id']}"
        for entry in state
        # Rules of a perimeter are all known by its name.
        if entry.get("id") and "gressPolicy" not in entry["type"]
    )
    return sorted(name for name, count in counted.items() if count > 1)


def campaign_stack(folder: Path) -> tuple[Organization, Stack]:
    """A sandbox and a stack of one full campaign, not yet deployed."""
    organization = Organization.make(folder)
    glob = organization.campaign("spring-launch")
    return organization, organization.stack("prod", campaigns=glob, perimeter=owned("inline"))


def five_kills(folder: Path, steps: Steps, begin: Begin = campaign_stack) -> None:
    """A stack's first update, killed at five random points; between two kills it is taken up again.

    What is left when the last update has ended is compared with what an undisturbed one leaves.

    Args:
        folder: where both are deployed.
        steps: where steps are recorded.
        begin: makes a sandbox and a stack, not yet deployed, in a folder.
    """
    organization, stack = begin(folder / "undisturbed")
    try:
        before = changes(organization.sandbox)
        with steps.step("undisturbed: up"):
            stack.up()
            expected = inventory(organization.sandbox)
            urns = set(resources(stack))
            moments = points(before + 1, before + int(SHARE * (changes(organization.sandbox) - before)))
    finally:
        organization.close()
    organization, stack = begin(folder / "killed")
    try:
        others = named(organization.sandbox)
        for number, point in enumerate(moments, 1):
            with steps.step(f"kill {number}, {point[1]} s after {point[0]} changes, and plantain recover"):
                report = killed_update(stack, organization.sandbox, point)
                assert report == {"killed": True, "left": []}, report
                stack.recover()
        with steps.step("up converges: the resources of the undisturbed one, none missing, none twice, none nobody's"):
            stack.up()
            with GoogleCloud(lambda _: "sandbox", sandbox=organization.sandbox.url) as cloud:
                for leftover in unfinished(stack.export(), cloud):
                    delete(leftover, cloud)
            found = inventory(organization.sandbox)
            lacking, surplus = sorted((expected - found).elements()), sorted((found - expected).elements())
            missing = [one for one in lacking if not PROVIDERS_OWN.search(one)]
            assert (missing, surplus) == ([], []), {"missing": missing, "surplus": surplus}
            state = resources(stack)
            assert set(state) == urns
            assert doubled(state.values()) == []
            found_unclaimed = unclaimed(organization.sandbox.get("resources"), state.values())
            nobodys = [one for one in found_unclaimed if one not in others]
            assert nobodys == [], nobodys
        with steps.step("next preview is empty"):
            stack.preview(expect_no_changes=True)
        with steps.step("destroy"):
            stack.destroy()
            assert not resources(stack)
    finally:
        organization.close()


def named(sandbox: Sandbox) -> set[str]:
    """What there is, as ``unclaimed`` names it."""
    return {f"{kind} {name}" for kind, found in sandbox.get("resources").items() for name in found}
