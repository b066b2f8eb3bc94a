"""Taking every grant away, one after the other."""

from __future__ import annotations

import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.grants.organization_steps import Others
from bench.grants.proof import Proof, place, whose
from bench.grants.replay import replays
from bench.grants.world import SEED, Refused, World
from plantain.errors import StackError
from plantain.stack import Stack
from tests.end_to_end.deployment import CAMPAIGN, Deployment
from tests.end_to_end.least_privilege import AT_ONCE, HOURLY, LISTED, NEEDED
from tests.end_to_end.privilege_removal import Granted, Without, granted
from tests.end_to_end.privilege_steps import Steps
from tests.end_to_end.privilege_usage import permissions_used, used_alone

Document = dict[str, Any]

#: Needed only when nearly everything is there.
LATE = ("deployer-billing-costsManager", "deployer-budgets", "deployer-logging-configWriter")


def works(step: Callable[[], str]) -> bool:
    """Whether a step does not fail; a failure is told, and no proof rests on such a step."""
    if failure := step():
        sys.stderr.write(f"{getattr(step, '__name__', 'a step')} fails with every grant: {failure}\n")
    return not failure


@dataclass
class Bench:
    """All proofs of one run.

    Attributes:
        folder: where it works.
        only: which grants are taken away; all when it is empty.
        seed: where the organisation after its seed stack is kept between runs; None for nowhere.
        written: gets the report after each grant, for a run that is broken off.
        proofs: what became of each grant.
        proved: names of grants, with whose they are, that are left alone because an earlier run took them away.
        checks: what the sandbox recorded.
        ids: names that chance chose, and how they are shown.
        timings: seconds of each part.
        usual: methods that the previewer is refused although nothing is missing: pulumi tries to lock the state.
    """

    folder: Path
    only: str
    seed: Path | None = None
    written: Callable[[Document], None] = lambda _: None
    proved: frozenset[tuple[str, str]] = frozenset()
    proofs: list[Proof] = field(default_factory=list)
    checks: list[Document] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    usual: frozenset[str] = frozenset()

    def open_(self, name: str, member: str) -> bool:
        """Whether a grant still has to be taken away."""
        return (whose(name, member), name.removeprefix(f"{CAMPAIGN}-")) not in self.proved

    def wanted(self, kind: str) -> bool:
        """Whether a kind of grants is asked for."""
        return self.only in {"", kind}

    def run(self) -> Document:
        """Everything, in order."""
        snapshot = self.seeded()
        self.ids[snapshot.outputs["projectId"]] = "SEED"
        self.folder.joinpath("copies").mkdir()
        live = snapshot.copied(self.folder / "world").open()
        try:
            seeded = {
                name: grant
                for name, grant in self.seed_grants(live).items()
                if whose(name, grant.member) == "deployer" and not name.startswith("seed-")
            }
            if self.only != "deployer":
                self.whole(live)
        except (StackError, AssertionError, httpx.HTTPError, KeyError):
            # What was found until then is worth keeping.
            traceback.print_exc()
        finally:
            live.close()
        if self.wanted("deployer"):
            self.deployer(snapshot, seeded)
        else:
            for grant in seeded.values():
                self.add(grant, "", "", "", 0.0)
        return self.report()

    def seeded(self) -> World:
        """The organisation after its seed stack, not running; one that was kept is taken as it is."""
        kept = self.seed or self.folder / "snapshot"
        if not kept.exists():
            with self.timed("seed"):
                world = World.found(self.folder / "first")
            world.close()
            return world.copied(kept)
        return World.kept(kept)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long something took."""
        started = time.monotonic()
        yield
        self.timings[name] = round(time.monotonic() - started, 1)
        sys.stderr.write(f"{name}: {self.timings[name]} s\n")

    def seed_grants(self, world: World) -> dict[str, Granted]:
        """The grants of the seed stack."""
        stack = Stack(SEED, world.folder / "project", world.organization.environment(), None)
        return granted(stack.export())

    def whole(self, world: World) -> None:
        """Deploy, look, take grants away, take down; recorded wherever the deployer works."""
        sandbox = world.organization.sandbox
        sandbox.post("grants", {"recording": True})
        stack = world.stack("deployer")
        with self.timed("up"):
            stack.up()
        with self.timed("preview"):
            stack.preview(expect_no_changes=True)
        with self.timed("refresh"):
            stack.refresh(expect_no_changes=True)
        outputs = stack.outputs()
        self.ids[outputs["logs"]["projectId"]] = "LOGS"
        self.ids[outputs["campaigns"][CAMPAIGN]["projectId"]] = "CAMPAIGN"
        self.ids[outputs["campaigns"][CAMPAIGN]["projectNumber"]] = "NUMBER"
        self.previews(world)
        if self.wanted("campaign"):
            self.deployed(world, stack, outputs)
        if self.only == "previewer":
            return
        sandbox.post("grants", {"recording": True})
        stack = world.stack("deployer")
        with self.timed("destroy"):
            stack.destroy()
        self.keep(world)

    def keep(self, world: World) -> None:
        """Take over what was recorded, and stop recording."""
        sandbox = world.organization.sandbox
        self.checks += sandbox.get("grants")["checks"]
        sandbox.post("grants", {"recording": False})

    def tried(
        self,
        world: World,
        grant: Granted,
        step: str,
        action: Callable[[], str],
        *,
        member: str = "",
        permission: str = "",
        reason: str = "",
    ) -> None:
        """Take a grant away on a deployed organisation, do a step, keep what came of it."""
        started = time.monotonic()
        since = world.newest()
        with Without(world.organization.answer, grant):
            try:
                message = action()
            except (AssertionError, httpx.HTTPError, KeyError, ValueError) as error:
                # A step that breaks off says nothing about the grant: it is told, and counts as not proved.
                sys.stderr.write(f"{grant.name}: {step} broke off: {type(error).__name__}: {error}\n")
                message = ""
        seconds = round(time.monotonic() - started, 1)
        method, lacked = world.refused(member, since, self.usual) if member else ("", "")
        permission = lacked or (permission if message else "")
        self.add(grant, step, method or message, permission, seconds, reason)

    def add(self, grant: Granted, step: str, denied: str, permission: str, seconds: float, reason: str = "") -> None:
        """Keep one proof."""
        text = denied.partition("\n")[0]
        for found, shown in self.ids.items():
            text = text.replace(found, shown)
        name = grant.name.removeprefix(f"{CAMPAIGN}-")
        proof = Proof(
            name,
            whose(grant.name, grant.member),
            grant.role,
            place(grant, self.ids),
            step,
            text[:300],
            permission,
            seconds,
            alone=False,
            reason=reason,
        )
        self.proofs.append(proof)
        self.written(self.report())
        sys.stderr.write(f"{proof.of} {name}: {step}: {text[:100] or 'NOTHING FAILED'} ({seconds} s)\n")

    def previews(self, world: World) -> None:
        """The previewer's grants, by a preview that looks at everything."""
        member = f"serviceAccount:{world.outputs['previewer']}"

        def look() -> str:
            try:
                world.stack("previewer").preview()
            except Refused as refused:
                return str(refused)
            except StackError as error:
                return str(error)
            return ""

        with self.timed("preview as previewer"):
            sound = works(look)
        self.usual = world.refusals(member)
        # Recorded while something is missing, what is left would look as if it had been the only one.
        self.keep(world)
        grants = {
            name: grant
            for name, grant in self.seed_grants(world).items()
            if grant.member == member and grant.kind != "serviceaccount/iAMMember" and "cryptoKey" not in grant.kind
        }
        calls = replays(world, member, self.checks, grants)
        for name, grant in grants.items():
            if not (sound and self.wanted("previewer") and self.open_(name, grant.member)):
                self.add(grant, "", "", "", 0.0)
            elif name in calls and works(calls[name]):
                step = f"pulumi preview: {calls[name].need.step}"
                self.tried(world, grant, step, calls[name], permission=calls[name].need.permission)
            else:
                self.tried(world, grant, "pulumi preview", look, member=member)

    def deployed(self, world: World, stack: Stack, outputs: Document) -> None:
        """The grants of what is deployed, each by the step that needs it."""
        found = granted(stack.export())
        steps = Steps(
            Deployment(world.organization.sandbox, world.folder / "project", stack), outputs["campaigns"][CAMPAIGN]
        )
        others = Others(world, steps, outputs)
        grants = {name.removeprefix(f"{CAMPAIGN}-"): one for name, one in found.items()}
        try:
            sound = {step: works(getattr(steps, step)) for step in dict.fromkeys(NEEDED[name] for name in AT_ONCE)}
            for name in (name for name in AT_ONCE if sound[NEEDED[name]] and self.open_(name, grants[name].member)):
                self.tried(world, grants[name], NEEDED[name], getattr(steps, NEEDED[name]))
            for name, reason in LISTED.items():
                self.add(grants[name], "", "", "", 0.0, reason)
            everything = {**found, **self.seed_grants(world)}
            for name, action in others.by_grant().items():
                if name in everything and self.open_(name, everything[name].member) and works(action):
                    self.tried(world, everything[name], action.__name__, action)
            rest = set(found) - {f"{CAMPAIGN}-{name}" for name in (*NEEDED, *LISTED)} - set(others.by_grant())
            for name in sorted(rest):
                self.add(found[name], "", "", "", 0.0)
            for name in (name for name in HOURLY if self.open_(name, grants[name].member)):
                self.tried(world, grants[name], NEEDED[name], steps.records_usage)
                works(steps.records_usage)
        finally:
            steps.close()

    def deployer(self, snapshot: World, grants: Mapping[str, Granted]) -> None:
        """The deployer's grants: the whole deployment is begun without each of them; the longest trials come last."""
        member = f"serviceAccount:{snapshot.outputs['deployer']}"
        left = {name: grant for name, grant in grants.items() if self.open_(name, grant.member)}
        for name, grant in sorted(left.items(), key=lambda item: (item[0] in LATE, item[0])):
            world = snapshot.copied(self.folder / "copies" / name).open()
            started = time.monotonic()
            step = message = ""
            try:
                without = Without(world.organization.answer, grant)
                without.__enter__()
                for step in ("up", "refresh", "destroy"):
                    message = attempt(world, step)
                    if message:
                        break
                method, permission = world.refused(member)
            finally:
                world.close()
                shutil.rmtree(world.folder, ignore_errors=True)
            seconds = round(time.monotonic() - started, 1)
            self.add(grant, f"pulumi {step}" if message else "", method or telling(message), permission, seconds)

    def report(self) -> Document:
        """As JSON: proofs, what the recording says, which permissions of a role were used."""
        return {
            "measured": datetime.now(UTC).date().isoformat(),
            "timings": self.timings,
            "grants": [asdict(proof) for proof in self.proofs],
            "derived": self.derived(),
            "used": self.used(),
        }

    def derived(self) -> list[Document]:
        """The bindings that were the only ones to give something, with the first step that needed it."""
        found = []
        for binding, need in sorted(used_alone(self.checks).items()):
            on = binding.resource
            for real, shown in self.ids.items():
                on = on.replace(real, shown)
            of = whose("", binding.member)
            entry = {"of": of, "role": binding.role, "on": on, "step": need.step, "permission": need.permission}
            found.append(entry)
        return found

    def used(self) -> list[Document]:
        """Of deployer and previewer: each role with the permissions that were used through it."""
        found: dict[tuple[str, str], set[str]] = {}
        for identity in ("deployer", "previewer"):
            members = {c["principal"] for c in self.checks if c["principal"].startswith(f"serviceAccount:{identity}@")}
            for member in members:
                for binding, permissions in permissions_used(self.checks, member).items():
                    if binding.member == member:
                        found.setdefault((identity, binding.role), set()).update(permissions)
        return [
            {"identity": identity, "role": role, "permissions": sorted(permissions)}
            for (identity, role), permissions in sorted(found.items())
        ]


def telling(message: str) -> str:
    """The line of a failure that says what was missing; the provider asks for some permissions before it calls."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for word in ("permission", "rror") for line in lines if word in line), "".join(lines[:1]))


def attempt(world: World, verb: str) -> str:
    """One verb of pulumi as the deployer; what went wrong, empty when nothing did."""
    try:
        getattr(world.stack("deployer"), verb)()
    except Refused as refused:
        return str(refused)
    except StackError as error:
        return str(error)
    return ""
