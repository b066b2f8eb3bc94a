"""What the end of a campaign looks like at the terminal."""

from __future__ import annotations

from typing import Any

from plantain import output


def plan(name: str, steps: tuple[str, ...], done: dict[str, Any], *, json: bool) -> None:
    """The steps, which are done, and the next."""
    meaning = {
        "read-only": "takes run.invoker away: no new images, existing ones stay readable",
        "evidence": "exports project, policies, keys, object list, outcomes; digests of all",
        "detach": "takes the campaign out of the stack's state; deletes nothing",
        "delete": "removes the lien, marks the project for deletion in 30 days",
    }
    following = next((one for one in steps if one not in done), None)
    if json:
        output.document({"campaign": name, "steps": {one: done.get(one) for one in steps}, "next": following})
        return
    rows = [(one, done[one]["at"] if one in done else "-", meaning[one]) for one in steps]
    output.table(("step", "done", "what it does"), rows)
    output.say(f"Next: plantain campaign retire {name} --step {following}" if following else "All steps are done.")
