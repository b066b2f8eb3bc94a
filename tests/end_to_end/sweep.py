"""The fault sweep: requests of an update fail, the update is run again, and the outcome is that of one unharmed."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from plantain.errors import StackError
from plantain.recovery import adopted
from plantain.sandbox_process import Sandbox
from plantain.stack import Stack

#: The four ways, as plans of ``sandbox.faults``.
WAYS: dict[str, dict[str, Any]] = {
    "503 once": {"kind": "error", "code": 503},
    "reset": {"kind": "reset"},
    "lost answer": {"kind": "lost"},
    "process kill": {"kind": "kill", "after": True},
}

#: Not resources: what was asked, done and counted on the way.
JOURNALS = re.compile(
    r"^sandbox\.|\.operations$|^operations\.|^logging\.entries$|^cloudasset\.|^storage\.usage$|^dns\.changes$|deleted|"
    r"^monitoring\.(alerts|notifications|timeSeries)$",
    re.IGNORECASE,
)
#: Numbers and identifiers that the server makes, and the digits by which Pulumi tells apart what it names itself.
GENERATED = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{6,}|[0-9a-f]{16,}|(?<=-)[0-9a-f]{10}(?=-)|(?<=-)[0-9a-f]{7}(?![0-9a-z])"
)
#: How Pulumi heads what it has to say of a resource: type without module, name.
HEADER = re.compile(r"^\s*(\S+) \((\S+)\):$", re.MULTILINE)
ATTEMPTS = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one experiment.

    Attributes:
        way: one of ``WAYS``.
        positions: which requests of the update failed, from 1.
        happened: how many faults took place.
        attempts: updates until one succeeded, the harmed one included.
        recovered: whether ``Stack.recover`` had to take over what had been begun.
        missing, surplus: resources that the unharmed update has and this one has not, and the reverse.
        failure: the last update's failure; empty when it converged.
    """

    way: str
    positions: tuple[int, ...]
    happened: int
    attempts: int
    recovered: bool
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    failure: str = ""

    @property
    def converged(self) -> bool:
        """The same resources, none doubled, none orphaned."""
        return not (self.missing or self.surplus or self.failure)


def resources(sandbox: Sandbox, project: str = "") -> Counter[str]:
    """Every resource, by kind and name; generated numbers and the project's random suffix do not count."""
    found: Counter[str] = Counter()
    for kind, names in sandbox.get("resources").items():
        if not JOURNALS.search(kind):
            found.update(f"{kind} {normal(name, project)}" for name in names)
    return found


def normal(name: str, project: str) -> str:
    """A name without what differs from one deployment to the next."""
    return GENERATED.sub("#", name.replace(project, "PROJECT") if project else name)


class Keeper:
    """Starts a sandbox again, on its port and its state, whenever a fault has killed it.

    Attributes:
        sandbox: the running one; the last one when it has just been killed.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._ended = threading.Event()

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Watch while something is going on."""
        self._ended.clear()
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(60)

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            if Sandbox.find(self.sandbox.data) is None:
                if self.sandbox.child:
                    self.sandbox.child.wait()
                self.sandbox = Sandbox.start(self.sandbox.data, int(self.sandbox.url.rpartition(":")[2]))

    def ready(self) -> Sandbox:
        """The running sandbox, after a kill too.

        Raises:
            TimeoutError: it did not come back.
        """
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = Sandbox.find(self.sandbox.data)
            # The process that was started last, and no other: it alone knows the token that goes with it.
            if found and found.pid == self.sandbox.pid and self.sandbox.answers():
                return self.sandbox
            time.sleep(0.05)
        raise TimeoutError(f"The sandbox of {self.sandbox.data} did not come back.")

    def close(self) -> None:
        """Stop it."""
        self.sandbox.stop()


def run(stack: Stack, keeper: Keeper, way: str, positions: Sequence[int]) -> tuple[int, int, bool, str]:
    """Deploy with faults at some requests, then again until it succeeds: faults, attempts, recovered, failure."""
    for position in positions:
        keeper.sandbox.post("faults", {"method": "*", "skip": position - 1, **WAYS[way]})
    happened, recovered, failure = 0, False, ""
    with keeper.awake():
        for attempt in range(1, ATTEMPTS + 1):
            try:
                stack.up()
                failure = ""
            except StackError as error:
                failure = error.message[-2000:]
            alive = keeper.ready()
            if attempt == 1:
                left = len(alive.get("faults"))
                happened = len(positions) - left if way != "process kill" else 1
                alive.delete("faults")
            if not failure:
                return happened, attempt, recovered, ""
            if attempt > 1:  # the answer that was lost had made something: take it over, as an operator would
                stack.recover()
                take_over(stack, failure)
                recovered = True
    return happened, ATTEMPTS, recovered, failure


def take_over(stack: Stack, failure: str) -> None:
    """Import what the last update could not create because it exists, which ``plantain recover`` leaves to people."""
    blocks = re.split(r"\n(?=\s*\S+ \(\S+\):\n)", failure)
    named = {find[0] for block in blocks if "alreadyExists" in block and (find := HEADER.findall(block))}
    events = [json.loads(line).get("resourcePreEvent", {}) for line in stack.preview_events().splitlines()]
    steps = [event["metadata"] for event in events if event.get("metadata", {}).get("op") == "create"]
    asked = [s["new"] for s in steps if (re.sub(r"/\w+", "", s["type"]), s["urn"].rpartition("::")[2]) in named]
    if asked:
        state = stack.export()
        state["deployment"]["pending_operations"] = [{"type": "creating", "resource": one} for one in asked]
        stack.replace_state(adopted(state))
        stack.refresh()


def experiment(
    stack: Stack, keeper: Keeper, expected: Counter[str], way: str, positions: Sequence[int], project: str = ""
) -> Outcome:
    """One experiment, compared with what an unharmed update leaves."""
    happened, attempts, recovered, failure = run(stack, keeper, way, positions)
    found = resources(keeper.ready(), project)
    return Outcome(
        way,
        tuple(positions),
        happened,
        attempts,
        recovered,
        tuple(sorted((expected - found).elements())),
        tuple(sorted((found - expected).elements())),
        failure,
    )


def call(sandbox: Sandbox, verb: str, path: str, body: Any = None) -> httpx.Response:
    """A call of the administrator."""
    headers = {"Authorization": "Bearer sandbox"}
    return httpx.request(verb, f"{sandbox.url}/{path}", json=body, headers=headers, trust_env=False, timeout=60)


def write_program(folder: Path, root: Path, endpoints: dict[str, str]) -> None:
    """The small program of ``swept_program.py`` as a Pulumi project."""
    folder.mkdir(parents=True)
    shutil.copy(root / "tests" / "end_to_end" / "swept_program.py", folder / "swept_program.py")
    (folder / "__main__.py").write_text("from swept_program import deploy\n\ndeploy()\n")
    (folder / ".venv").symlink_to(root / ".venv")
    runtime = {"name": "python", "options": {"virtualenv": ".venv"}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "swept", "runtime": runtime}))
    (folder / "Pulumi.swept.yaml").write_text(yaml.safe_dump({"config": {"swept:endpoints": endpoints}}))
