"""The page of all verbs with their options, from the verbs themselves."""

from __future__ import annotations

from typing import Any

import typer

HEAD = """# All verbs and options

Generated from the command line itself by `make docs`; a test fails when it is stale. What the verbs are for, and the
exit codes: [Command line](cli.md).
"""


def page() -> str:
    """The page as Markdown."""
    from plantain.main import app  # noqa: PLC0415 -- it lists this package's verbs

    root: Any = typer.main.get_command(app)
    lines = [HEAD]
    for name in root.commands:
        command = root.commands[name]
        if command.hidden:
            continue
        lines += section(command, f"plantain {name}", 2)
    return "\n".join(lines).rstrip() + "\n"


def section(command: Any, name: str, level: int) -> list[str]:
    """One verb, then the verbs below it."""
    lines = [f"{'#' * level} {name}", "", (command.help or "").strip(), ""]
    rows = [row for parameter in command.params if (row := row_of(parameter))]
    if rows:
        lines += ["| argument or option | without it | what it is |", "|---|---|---|", *rows, ""]
    for below in sorted(getattr(command, "commands", {})):
        lines += section(command.commands[below], f"{name} {below}", level + 1)
    return lines


def row_of(parameter: Any) -> str:
    """One line of a table; empty for an option that is not shown."""
    if getattr(parameter, "hidden", False):
        return ""
    names = sorted([*parameter.opts, *parameter.secondary_opts], key=lambda one: one.lstrip("-"))
    spelled = (
        ", ".join(f"`{name}`" for name in names)
        if parameter.param_type_name == "option"
        else f"`{parameter.name.upper()}`"
    )
    default = parameter.default
    without = (
        "**needed**"
        if parameter.required
        else ""
        if default is None or default is False or default == [] or callable(default)
        else f"`{default}`"
    )
    text = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| {spelled} | {without} | {text} |"
