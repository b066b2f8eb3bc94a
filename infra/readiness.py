"""Waiting until Google Cloud is ready, by asking it.

An API answers that it is enabled before it is, a grant is written before it is known everywhere, and a member joins a
perimeter up to half an hour before it is inside. A fixed wait is too short on some days and too long on all others.
So this asks, until several answers in a row agree, and gives up after a bound with what was still missing.

It asks in a hook that the engine calls before it creates the resource, so a preview asks nothing, and the state holds
what was waited for: a `Stash`, whose value is the list of conditions.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential_jitter

from infra.component import Component
from infra.google_api import Answer, GoogleApi

AGREEING = 3
"""Answers in a row that must agree: the servers of one API learn of a change at different moments."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
BOUND_SECONDS = 600.0


class NotReadyError(Exception):
    """The bound was reached. Says what was asked, what was answered, and that running again goes on."""


@dataclass(frozen=True)
class Condition:
    """Something that must be so.

    Attributes:
        what: in words, such as `cloudkms.googleapis.com is enabled`.
        api: the provider's name of the API that knows.
        path: what is read.
        field: dotted path into the answer; empty when any answer will do that is not an error.
        value: what the field must be, or hold when it is a list; empty when it only has to be there.
    """

    what: str
    api: str
    path: str
    field: str = ""
    value: str = ""

    def met(self, answer: Answer) -> bool:
        """Whether an answer says so."""
        if not 200 <= answer.status < 300:  # noqa: PLR2004 -- HTTP's classes
            return False
        if not self.field:
            return True
        found = _found(answer.body, self.field.split("."))
        return self.value in found if self.value else bool(found)

    def as_properties(self) -> dict[str, str]:
        """As the state keeps it."""
        return {"what": self.what, "api": self.api, "path": self.path, "field": self.field, "value": self.value}


def enabled(project: str, api: str) -> Condition:
    """An API is enabled in a project."""
    return Condition(f"{api} is enabled", "service_usage", f"projects/{project}/services/{api}", "state", "ENABLED")


def member_of(perimeter: str, member: str, configuration: str) -> Condition:
    """A project is a member of a perimeter: `status` is what is enforced, `spec` the dry run."""
    return Condition(f"{member} is inside", "access_context_manager", perimeter, f"{configuration}.resources", member)


def service_account(email: str) -> Condition:
    """A service account can be read."""
    return Condition(f"{email} exists", "iam_beta", f"projects/-/serviceAccounts/{email}", "email", email)


def key_user(key: str, member: str) -> Condition:
    """A member is in a key's allow policy."""
    return Condition(f"{member} may use {key}", "kms", f"{key}:getIamPolicy", "bindings.members", member)


@dataclass(frozen=True)
class Waited:
    """What a wait came to.

    Attributes:
        seconds: how long it took.
        asked: how many answers were read, by condition.
    """

    seconds: float
    asked: Mapping[str, int]

    def __str__(self) -> str:
        """In one line."""
        many = ", ".join(f"{what} ({count} answers)" for what, count in self.asked.items())
        return f"Ready after {self.seconds:.1f} s: {many}."


def wait(
    api: GoogleApi,
    conditions: Sequence[Condition],
    *,
    bound: float = BOUND_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Waited:
    """Ask until every condition is met by several answers in a row that agree.

    Args:
        api: where to ask.
        conditions: what must be so; they are asked for one after the other.
        bound: seconds for all of them together.
        sleep: how to pause between two answers.
        clock: seconds, from anywhere on.

    Raises:
        NotReadyError: the bound was reached.
    """
    begun = clock()
    asked: dict[str, int] = {}
    for condition in conditions:
        asked[condition.what] = _ask(api, condition, lambda: clock() - begun, bound, sleep)
    return Waited(clock() - begun, asked)


class Readiness(Component):
    """A resource that exists once Google Cloud is ready for what depends on it.

    Attributes:
        done: what to depend on.
    """

    def __init__(
        self,
        name: str,
        api: GoogleApi,
        conditions: pulumi.Input[Sequence[Condition]],
        *,
        bound: float = BOUND_SECONDS,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Wait before anything that depends on `done` is created.

        Args:
            name: what it waits for, such as summer-apis.
            api: where to ask.
            conditions: what must be so.
            bound: seconds after which it gives up.
            after: what is waited for; it must have been asked for before.
            opts: options of the component.
        """
        super().__init__("Readiness", name, after=after, opts=opts)

        def before(arguments: pulumi.ResourceHookArgs) -> None:
            listed = (arguments.new_inputs or {}).get("input") or []
            waited = wait(api, [Condition(**condition) for condition in listed], bound=bound)
            pulumi.log.info(f"{name}: {waited}", ephemeral=False)

        hook = pulumi.ResourceHook(f"{name}-readiness", before)
        self.done = pulumi.Stash(
            name,
            input=pulumi.Output.from_input(conditions).apply(
                lambda listed: [condition.as_properties() for condition in listed]
            ),
            opts=self._options(hooks=pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])),
        )
        self.register_outputs({})


def _ask(
    api: GoogleApi, condition: Condition, spent: Callable[[], float], bound: float, sleep: Callable[[float], None]
) -> int:
    """Read until enough answers in a row agree; returns how many were read."""
    agreeing: list[str] = []
    last: list[Answer] = []

    def read() -> bool:
        answer = api.get(condition.api, condition.path)
        last[:] = [answer]
        if not condition.met(answer):
            agreeing.clear()
        elif agreeing and agreeing[-1] != answer.fingerprint:
            agreeing[:] = [answer.fingerprint]
        else:
            agreeing.append(answer.fingerprint)
        return len(agreeing) >= AGREEING

    def give_up(state: RetryCallState) -> None:
        raise NotReadyError(
            f"Not ready after {bound:.0f} s: it is not so that {condition.what}. The last of {state.attempt_number} "
            f"answers was {last[0].reason}. Nothing that depends on it was created; pulumi up goes on from here."
        )

    asking = Retrying(
        retry=retry_if_result(lambda agreed: not agreed),
        stop=lambda _: spent() >= bound,
        wait=wait_exponential_jitter(
            initial=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS, jitter=FIRST_PAUSE_SECONDS
        ),
        sleep=sleep,
        retry_error_callback=give_up,
    )
    asking(read)
    attempts = asking.statistics["attempt_number"]
    return int(attempts)


def _found(value: Any, steps: Sequence[str]) -> list[str]:
    """Every text that a dotted path leads to; lists on the way are gone through."""
    if isinstance(value, list):
        return [text for member in value for text in _found(member, steps)]
    if not steps:
        return [] if value is None else [str(value)]
    return _found(value.get(steps[0]), steps[1:]) if isinstance(value, Mapping) else []
