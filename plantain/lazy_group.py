"""A group of commands that imports a command's module when the command is asked for, and not before."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from plantain.verbs import VERBS, Verb


class Commands(MutableMapping[str, Any]):
    """The commands by name, each made on first use."""

    def __init__(self, verbs: Sequence[Verb]) -> None:
        self._verbs = {verb.name: verb for verb in verbs}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = command_of(self._verbs[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._verbs, *self._made}))

    def __len__(self) -> int:
        return len({*self._verbs, *self._made})


def command_of(verb: Verb) -> Any:
    """The command that a verb's module defines."""
    found = getattr(importlib.import_module(verb.module), verb.attribute)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(rich_markup_mode=None, add_completion=False)
        app.command(verb.name)(found)
        found = app
    found.rich_markup_mode = None  # plain help: the same at every width, in a pipe, and without Rich's import
    command: Any = typer.main.get_command(found)
    command.name = verb.name
    # Completion belongs to plantain, not to each verb.
    command.params = [one for one in command.params if one.name not in {"install_completion", "show_completion"}]
    return command


class LazyGroup(TyperGroup):
    """Lists its verbs from the table, without importing them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands(VERBS)

    def list_commands(self, ctx: Any) -> list[str]:
        """Every verb, in alphabetical order."""
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb's command; None when there is no such verb."""
        try:
            return self.commands[cmd_name]
        except KeyError:
            return None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of verbs, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb.name, verb.help) for verb in VERBS if not verb.hidden])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Names of verbs that begin with what was typed, without importing them."""
        from typer._click.shell_completion import CompletionItem  # noqa: PLC0415 -- only a shell asks for it

        found = [CompletionItem(v.name, help=v.help) for v in VERBS if v.name.startswith(incomplete) and not v.hidden]
        return found if found or not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)
