"""After an answer was lost: take over what a program is still to create and Google Cloud has already.

The work of a request was done, its answer never came, and ``pulumi up`` ends with "already exists" from then on: Google
knows the resource, the state does not. A preview says what is still to be created, and with which inputs. What of this
exists is put into the state as ``pending`` does it for killed updates. Then it is judged, because a name may be taken
by somebody else: only what contradicts in nothing what was asked for, or lies in a project of the stack and needs an
update at most, stays in the state. Everything else is left alone.

Events: pulumi 3.259, pkg/backend/display/json.go; a value that only Google can say is UNKNOWN (read 2026-11).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plantain.errors import StackError
from plantain.recovery.drawn_names import under_earlier_names
from plantain.recovery.import_ids import PROJECT
from plantain.recovery.pending import Pending, adopted, pending_creations

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud
    from plantain.stack import Stack

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
#: The key that marks a secret in inputs.
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 -- pulumi's fixed signature, secret itself of nothing
#: How pulumi heads what it has to say of a resource: type without module, name.
HEADER = re.compile(r"^\s*(\S+) \((\S+)\):$", re.MULTILINE)
#: What becomes of a resource in a preview, worst first.
WORST = ("delete", "replace", "update", "same")


@dataclass(frozen=True)
class Existing:
    """A resource that was to be created and exists.

    Attributes:
        urn: of the resource.
        type: its type token.
        id: what the provider knows it by.
        refusal: why it is not taken over; empty when it is in the state now.
    """

    urn: str
    type: str
    id: str
    refusal: str = ""

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rpartition("::")[2]


def take_over(stack: Stack, cloud: GoogleCloud) -> list[Existing]:
    """Put into the state what the program is still to create and exists, where it is the stack's.

    Returns:
        what existed, refused ones included.

    Raises:
        StackError: the program does not run, or what exists could not be read; the state is as it was.
        GoogleCloudError: a search was refused; the state is as it was.
    """
    before = stack.export()
    wanted = under_earlier_names(creations(stack.preview_events(refresh=False), before), cloud, before)
    asked = {**before, "deployment": {**before["deployment"], "pending_operations": pending_operations(wanted)}}
    pending = [one for one in pending_creations(asked, cloud) if one.id]
    if not pending:
        return []
    try:
        unreadable = _read(stack, asked, pending)
        found = _existing(stack.export(), [one for one in pending if one.urn not in unreadable])
        judged = [*unreadable.values(), *judge(found, stack.preview_events(refresh=False), before, stack.export())]
        refused = {one.urn for one in judged if one.refusal}
        if refused:
            stack.replace_state(without(stack.export(), refused))
    except BaseException:
        stack.replace_state(before)
        raise
    return sorted(judged, key=lambda one: one.urn)


def creations(events: str, export: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Resources that a preview would create, as a state would hold them, dependencies that are not there left out.

    Args:
        events: as ``Stack.preview_events`` gives them.
        export: the state; what belongs to a component or a provider that it lacks cannot exist yet.
    """
    known = {resource["urn"] for resource in export["deployment"].get("resources") or ()}
    for line in events.splitlines():
        step = json.loads(line).get("resourcePreEvent", {}).get("metadata", {})
        new = step.get("new")
        if step.get("op") != "create" or not new or not new.get("custom"):
            continue
        provider = str(new.get("provider", "")).rpartition("::")[0]
        if provider not in known or new.get("parent", provider) not in known:
            continue
        kept = {key: new[key] for key in ("urn", "type", "custom", "parent", "provider") if key in new}
        yield {**kept, "inputs": said(new.get("inputs", {}))}


def said(value: Any) -> Any:
    """Inputs without what a preview does not say: values not known yet, and secrets."""
    if isinstance(value, dict):
        return {key: said(inner) for key, inner in value.items() if not unsaid(inner)}
    return [said(inner) for inner in value if not unsaid(inner)] if isinstance(value, list) else value


def unsaid(value: Any) -> bool:
    """Whether a preview leaves a value open."""
    return (isinstance(value, str) and UNKNOWN in value) or (isinstance(value, dict) and SECRET in value)


def pending_operations(wanted: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Creations as a killed update would have left them."""
    return [{"type": "creating", "resource": one} for one in wanted]


def _read(stack: Stack, asked: dict[str, Any], pending: list[Pending]) -> dict[str, Existing]:
    """Have the provider read what may exist; returns what it was not allowed to read, which the state then lacks."""
    refused: dict[str, Existing] = {}
    while True:
        trying = [one for one in pending if one.urn not in refused]
        stack.replace_state(adopted(asked, trying))
        if not trying:
            return refused
        try:
            stack.refresh(targets=[one.urn for one in trying])
        except StackError as error:
            blamed = {one.urn: one for one in trying if (_kind(one.type), one.urn.rpartition("::")[2]) in blame(error)}
            if not blamed:
                raise
            why = f"it cannot be read: {last_line(error.message)}"
            refused |= {urn: Existing(urn, one.type, str(one.id), why) for urn, one in blamed.items()}
        else:
            return refused


def blame(error: StackError) -> set[tuple[str, str]]:
    """Types and names of the resources that pulumi has complaints about, as it writes them."""
    return set(HEADER.findall(error.message))


def last_line(message: str) -> str:
    """The end of pulumi's complaint, which names the cause."""
    return message.strip().splitlines()[-1].strip().removeprefix("* ")


def _kind(token: str) -> str:
    """A type token as pulumi shows it: ``gcp:pubsub:Topic`` of ``gcp:pubsub/topic:Topic``."""
    return re.sub(r"/\w+", "", token)


def _existing(export: dict[str, Any], pending: Iterable[Pending]) -> list[Existing]:
    ids = {resource["urn"]: resource.get("id") for resource in export["deployment"].get("resources") or ()}
    return [Existing(one.urn, one.type, str(ids[one.urn])) for one in pending if ids.get(one.urn)]


def judge(found: Iterable[Existing], events: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Existing]:
    """Refuse what is not the stack's.

    Args:
        found: what exists.
        events: of a preview with all of it in the state.
        before: the state without it, whose projects are the stack's own.
        after: the state with it, as it was read.
    """
    steps: dict[str, str] = {}
    for line in events.splitlines():
        step = json.loads(line).get("resourcePreEvent", {}).get("metadata", {})
        if (operation := _worst(step)) is not None:
            steps[step["urn"]] = min(operation, steps.get(step["urn"], "same"), key=WORST.index)
    own = {one["outputs"]["projectId"] for one in _resources(before) if one["type"] == PROJECT}
    read = {one["urn"]: one for one in _resources(after)}
    for one in found:
        resource = read[one.urn]
        asked, there = resource.get("inputs", {}), resource.get("outputs", {})
        place = there.get("project")
        differing = sorted(key for key in asked if differs(asked[key], there.get(key)))
        if place != asked.get("project", place):
            reason = f"it is in project {place}"
        elif steps.get(one.urn) in ("delete", "replace"):
            reason = "it is another one: pulumi up would replace it"
        elif differing and place not in own:
            reason = f"its {', '.join(differing)} is not what was asked for, and it is in no project of this stack"
        else:
            reason = ""
        yield Existing(one.urn, one.type, one.id, reason)


def differs(asked: Any, there: Any) -> bool:
    """Whether what was read contradicts what was asked for; what only the provider knows is not read, and cannot."""
    if not there:
        return False
    if isinstance(asked, dict) and isinstance(there, dict):
        return any(differs(asked[key], there.get(key)) for key in asked if key != "__defaults")
    if isinstance(asked, list) and isinstance(there, list):
        return len(asked) != len(there) or any(differs(*pair) for pair in zip(asked, there, strict=True))
    # Names are asked for in short and answered in full.
    return not str(there).endswith(str(asked)) and str(asked).lower() != str(there).lower()


def _worst(step: dict[str, Any]) -> str | None:
    operation = str(step.get("op", ""))
    return next((known for known in WORST if known in operation), None)


def _resources(export: dict[str, Any]) -> list[dict[str, Any]]:
    return list(export["deployment"].get("resources") or ())


def without(export: dict[str, Any], urns: set[str]) -> dict[str, Any]:
    """A state that has forgotten some resources, which nothing in it depends on."""
    kept = [resource for resource in _resources(export) if resource["urn"] not in urns]
    return {**export, "deployment": {**export["deployment"], "resources": kept}}
