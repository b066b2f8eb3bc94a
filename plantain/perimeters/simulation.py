"""Would this call pass? Answered from documents alone, by the rules that the sandbox enforces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Document = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One call.

    Attributes:
        member: who calls, as ``user:jo@example.com``.
        service: API host.
        method: as audit logs name it, or the permission.
        target: ``projects/<number>`` it goes to.
        source: ``projects/<number>`` of the caller's network; None from the internet.
        network: full name of that network.
        address: of the caller.
        region: country of that address.
        groups: the caller is in.
    """

    member: str
    service: str
    method: str
    target: str
    source: str | None = None
    network: str | None = None
    address: str = "203.0.113.1"
    region: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one configuration says.

    Attributes:
        allowed: by this configuration.
        dry_run: it is the dry-run configuration, which refuses nothing.
        because: in a sentence.
        rule: that admits the call.
        misses: each rule that does not, with what does not fit.
    """

    perimeter: str
    allowed: bool
    dry_run: bool
    direction: str
    reason: str
    because: str
    rule: str
    misses: tuple[str, ...]


def simulate(perimeters: Iterable[Document], levels: Mapping[str, Document], question: Question) -> list[Answer]:
    """The answers of every configuration of every perimeter, enforced ones first."""
    from sandbox.enforcement.perimeter import Crossing, Perimeters  # noqa: PLC0415 -- only this needs it

    crossing = Crossing(
        service=question.service,
        methods=frozenset(spellings(question.method)),
        target=question.target,
        member=question.member,
        source=question.source,
        network=question.network,
        address=question.address,
        region=question.region,
        identities=frozenset({question.member, *(f"group:{one.removeprefix('group:')}" for one in question.groups)}),
    )
    return [
        Answer(
            one.perimeter,
            one.allowed,
            one.dry_run,
            one.direction,
            one.reason,
            one.because,
            one.rule,
            tuple(f"{miss.rule} {miss.title}: {'; '.join(miss.misses)}" for miss in one.near_misses),
        )
        for one in Perimeters(tuple(perimeters), levels).decisions(crossing)
    ]


def spellings(method: str) -> set[str]:
    """The ways in which a rule may name a method: as logs do, and without or with the leading ``google.``."""
    short = method.removeprefix("google.")
    return {method, short, f"google.{short}"}


def passes(answers: Iterable[Answer]) -> bool:
    """Whether the call passes: no enforced configuration refuses it."""
    return all(one.allowed or one.dry_run for one in answers)
