"""The fault sweep: requests of an update fail, the update is run again, and the outcome is that of one unharmed."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from plantain.errors import StackError
from plantain.google_cloud import GoogleCloud
from plantain.recovery.copies import copies
from plantain.recovery.existing import take_over
from plantain.recovery.leftovers import delete
from plantain.recovery.unfinished import unfinished
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
    r"^sandbox\.|\.operations$|^operations\.|^logging\.entries$|^cloudasset\.|^storage\.usage$|^dns\.(changes|\w+Operations)$|deleted|"
    r"^monitoring\.(alerts|notifications|timeSeries)$",
    re.IGNORECASE,
)
#: Numbers and identifiers that the server makes, and the digits by which Pulumi tells apart what it names itself.
GENERATED = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=-)[0-9a-f]{10}(?=-)|\d{6,}|[0-9a-f]{16,}|(?<=-)[0-9a-f]{7}(?![0-9a-z])|"
    r"(?<=-\d{5}-)[a-z]{3}$"
)
#: Updates beyond one for each fault until an experiment counts as failed.
PATIENCE = 5
EXISTS = re.compile(r"already ?exists", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A request of an update, by what it asks for and not by its number, which differs from one update to the next.

    Attributes:
        number: its place in the unharmed update, from 1.
        method: id of the API method.
        path: a glob, with ``*`` for whatever a server or pulumi draws.
        earlier: how many requests for the same came before it.
    """

    number: int
    method: str
    path: str
    earlier: int

    def fault(self, way: str, spent: int = 0) -> dict[str, Any]:
        """The plan that fails it; ``spent``: how many of the earlier ones fail too, and so do not pass unharmed.

        The seed is no seed: it tells which request a plan is for, also after a kill.
        """
        skip = self.earlier - spent
        return {"method": self.method, "path": self.path, "skip": skip, "seed": self.number, **WAYS[way]}


@dataclass(frozen=True)
class Outcome:
    """What became of one deployment whose requests failed in one way.

    Attributes:
        way: one of ``WAYS``.
        wanted: numbers of the requests that were to fail.
        happened: numbers of those that did.
        updates: until one succeeded, with no fault left, the harmed ones included.
        taken: names of the resources that ``plantain recover`` took over.
        copies: names of the doubled ones that it removed.
        missing, surplus: resources that the unharmed update has and this one has not, and the reverse.
        failure: the last update's failure; empty when it succeeded.
    """

    way: str
    wanted: tuple[int, ...]
    happened: tuple[int, ...]
    updates: int
    taken: tuple[str, ...]
    copies: tuple[str, ...]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    failure: str = ""

    @property
    def converged(self) -> bool:
        """The same resources, none doubled, none orphaned."""
        return not (self.missing or self.surplus or self.failure)


def identified(entries: Iterable[Mapping[str, Any]]) -> list[Request]:
    """The requests of an update, in its order."""
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for number, entry in enumerate(entries, 1):
        key = entry["method"], re.sub(r"\*[\w*.-]*\*", "*", GENERATED.sub("*", entry["path"]))
        found.append(Request(number, *key, counted[key]))
        counted[key] += 1
    return found


def plans(way: str, requests: Iterable[Request]) -> list[dict[str, Any]]:
    """Faults for some requests of one deployment."""
    spent: Counter[tuple[str, str]] = Counter()
    found = []
    for one in sorted(requests, key=lambda request: request.number):
        found.append(one.fault(way, spent[one.method, one.path]))
        spent[one.method, one.path] += 1
    return found


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

    Args:
        sandbox: the first one.
        listener: its socket, in which callers wait while a sandbox is started again; without one they are refused.

    Attributes:
        sandbox: the running one; the last one when it has just been killed.
    """

    def __init__(self, sandbox: Sandbox, listener: socket.socket | None = None) -> None:
        self.sandbox = sandbox
        self.listener = listener
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
                port = int(self.sandbox.url.rpartition(":")[2])
                self.sandbox = Sandbox.start(self.sandbox.data, port, listener=self.listener)

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
        if self.listener:
            self.listener.close()


@dataclass
class Course:
    """What happened while an update was run until it succeeded."""

    happened: set[int] = field(default_factory=set)
    updates: int = 0
    taken: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    failure: str = ""


def run(stack: Stack, keeper: Keeper, way: str, requests: Sequence[Request]) -> Course:
    """Deploy with faults at some requests, and again until it succeeds: ``plantain recover`` where one says "exists".

    As long as faults are left, a failure does not keep back what is independent of it: one update meets several.
    """
    for plan in plans(way, requests):
        keeper.sandbox.post("faults", plan)
    course, left = Course(), {one.number for one in requests}
    with keeper.awake():
        for course.updates in range(1, len(requests) + PATIENCE + 1):
            before = left
            try:
                stack.up(continue_on_error=len(requests) > 1 and bool(left))
                course.failure = ""
            except StackError as error:
                course.failure = error.message[-4000:]
            left = {plan["seed"] for plan in keeper.ready().get("faults")}
            course.happened |= before - left
            if not course.failure:
                break
            recover(stack, keeper, course)
        keeper.ready().delete("faults")
        if not course.failure:
            recover(stack, keeper, course)
    return course


def recover(stack: Stack, keeper: Keeper, course: Course) -> None:
    """What ``plantain recover --delete-leftovers`` does."""
    stack.recover()
    with GoogleCloud(lambda _: "sandbox", sandbox=keeper.ready().url) as cloud:
        if EXISTS.search(course.failure):
            course.taken += [one.name for one in take_over(stack, cloud) if not one.refusal]
        if not course.failure:
            export = stack.export()
            for leftover in [*copies(export, cloud), *unfinished(export, cloud)]:
                delete(leftover, cloud)
                course.copies.append(leftover.name)


def experiment(
    stack: Stack,
    keeper: Keeper,
    expected: Counter[str],
    way: str,
    requests: Sequence[Request],
    project: Callable[[], str] = str,
) -> Outcome:
    """One experiment, compared with what an unharmed update leaves; ``project`` gives the project's id afterwards."""
    course = run(stack, keeper, way, requests)
    found = Counter[str]() if course.failure else resources(keeper.ready(), project())
    wanted = tuple(sorted(one.number for one in requests))
    return Outcome(
        way,
        wanted,
        tuple(sorted(course.happened)),
        course.updates,
        tuple(course.taken),
        tuple(normal(name, "") for name in course.copies),
        () if course.failure else tuple(sorted((expected - found).elements())),
        () if course.failure else tuple(sorted((found - expected).elements())),
        course.failure,
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
