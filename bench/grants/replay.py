"""The calls of a preview, done once more: each by itself, with and without the grant that let it through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bench.grants.proof import whose
from bench.grants.report import same
from bench.grants.world import World
from tests.end_to_end.privilege_removal import Granted
from tests.end_to_end.privilege_steps import said
from tests.end_to_end.privilege_usage import Need, used_alone

Document = Mapping[str, Any]

OLDEST = 5000
FIRST_FAILURE = 400


@dataclass(frozen=True)
class Replay:
    """One call of a preview that a single grant let through.

    Attributes:
        world: the organisation it is done in.
        member: whose call it is.
        token: their access token.
        call: the call, as the sandbox noted it.
        need: what it needs, and nothing else gave.
    """

    world: World
    member: str
    token: str
    call: Document
    need: Need

    def __call__(self) -> str:
        """Do it; what the refusal says, empty when there was none."""
        sandbox = self.world.organization.sandbox
        reply = httpx.request(
            self.call["verb"],
            f"{sandbox.url}{self.call['path']}",
            json={} if self.call["verb"] == "POST" else None,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Host": self.call["host"],
                "X-Goog-User-Project": self.world.outputs["projectId"],
            },
            trust_env=False,
            timeout=60,
        )
        return "" if reply.is_success else said(reply)


def replays(world: World, member: str, checks: Iterable[Document], grants: Mapping[str, Granted]) -> dict[str, Replay]:
    """For each grant that was the only one to let a call of the member through, that call.

    Args:
        world: where the member has just done all its calls.
        member: who.
        checks: what the sandbox recorded of them.
        grants: the member's grants by name.
    """
    alone = used_alone(checks, member)
    done = [
        entry
        for entry in world.organization.sandbox.get(f"requests?count={OLDEST}")
        if entry["principal"] == member and entry["status"] < FIRST_FAILURE
    ]
    token = world.organization.token(member)
    found = {}
    for name, grant in grants.items():
        proof = {"role": grant.role, "of": whose(name, grant.member), "on": grant.policy}
        for binding, need in alone.items():
            if not same(proof, {"role": binding.role, "of": whose("", binding.member), "on": binding.resource}):
                continue
            calls = [entry for entry in done if entry["method"] == need.step]
            # The same method is called for many resources; the condition of a grant may hold for some of them only.
            last = need.resource.rpartition("/")[2]
            if calls:
                call = next((entry for entry in calls if last in entry["path"]), calls[0])
                found[name] = Replay(world, member, token, call, need)
    return found
