"""Every way to type a command wrongly, read from the commands themselves: exit code 2, and the reason."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from plantain import main
from plantain.verbs import VERBS

NUMBERS = (int, float)


def leaves(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that lead to it."""
    below = getattr(command, "commands", None)
    if not below:
        yield words, command
        return
    for name in below:
        yield from leaves(below[name], *words, name)


def arguments(command: Any) -> list[str]:
    """Something for each argument that a command needs."""
    return ["x" for one in command.params if one.param_type_name == "argument" and one.required]


def required(command: Any) -> list[str]:
    """The options that a command needs."""
    return [one.opts[0] for one in command.params if one.param_type_name == "option" and one.required]


def wrong(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Command lines, and what is said of them."""
    needed = arguments(command)
    yield (*words, *needed, "--no-such-option"), "No such option: --no-such-option"
    if needed:
        yield words, "Missing argument"
    for one in command.params:
        option = next((name for name in one.opts if name.startswith("--")), "")
        if not option:
            continue
        if not one.is_flag:
            yield (*words, *needed, option), f"Option '{option}' requires an argument."
        if one.required:
            others = [name for name in required(command) if name != option]
            given = [word for name in others for word in (name, "1")]
            yield (*words, *needed, *given), f"Missing option '{option}'"
        if one.type_descriptor.annotation in NUMBERS:
            yield (*words, *needed, option, "many"), f"Invalid value for '{option}'"
        if one.type_descriptor.parameter_info.min is not None:
            yield (*words, *needed, option, "-7"), f"Invalid value for '{option}'"


CASES = {words: list(wrong(words, command)) for words, command in leaves(typer.main.get_command(main.app))}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", CASES, ids=" ".join)
def test_what_is_typed_wrongly_ends_with_2_and_says_what_is_wrong(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, says in CASES[command]:
        monkeypatch.setattr(sys, "argv", ["plantain", *words])
        with pytest.raises(SystemExit) as caught:
            main.main()
        shown = capsys.readouterr()
        assert (words, caught.value.code, shown.out) == (words, 2, "")
        assert says in shown.err
        assert "Traceback" not in shown.err


def test_every_verb_and_every_kind_of_mistake_is_among_the_cases() -> None:
    assert {words[0] for words in CASES} == {verb.name for verb in VERBS}
    said = [says for cases in CASES.values() for _, says in cases]
    assert len(said) > 150
    for kind in ("No such option", "Missing argument", "Missing option", "requires an argument", "Invalid value"):
        assert any(kind in says for says in said), kind
