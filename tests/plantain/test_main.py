from __future__ import annotations

import io
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from plantain import completion, main, output
from plantain.errors import InputError, WarningFound
from tests.plantain.conftest import ROOT


def plantain(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "plantain.main", *arguments]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=60, **options)


def test_a_failure_is_told_on_standard_error_with_its_cure_and_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**_: Any) -> None:
        raise InputError("Nothing to do.", cure="give something")

    monkeypatch.setattr(main, "app", fails)
    with pytest.raises(SystemExit) as caught:
        main.main()
    shown = capsys.readouterr()
    assert (caught.value.code, shown.out) == (2, "")
    assert shown.err == "error: Nothing to do.\n  cure: give something\n"


def test_what_is_only_a_warning_is_not_called_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    output.failure(WarningFound("Soon."))
    assert capsys.readouterr().err == "warning: Soon.\n"


def test_control_c_ends_with_130_and_no_traceback(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("plantain.commands.campaign.project_root", interrupted)
    monkeypatch.setattr(sys, "argv", ["plantain", "campaign", "list"])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 130
    assert capfd.readouterr().err == "Interrupted.\n"


def test_a_full_disk_is_told_in_a_line_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "out/run.jsonl")

    monkeypatch.setattr("plantain.commands.campaign.project_root", full)
    monkeypatch.setattr(sys, "argv", ["plantain", "campaign", "list"])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: out/run.jsonl: No space left on device. What was done until then stays.")
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("modles",), "'models'"),
        (("perimeter", "reprot"), "'report'"),
        (("models", "check", "--projct", "x"), "--project"),
        (("cost", "forecast", "spring-lunch", "--images", "5"), "'spring-launch'"),
        (("campaign", "list", "--stack", "prd"), "'prod'"),
        (("campaign", "show", "spring-launch", "--stack", "sandbx"), "'sandbox'"),
        (("doctor", "--only", "quota"), "'quotas'"),
        (("models", "show", "gemini-3-pro-imag"), "'gemini-3-pro-image'"),
        (("graph", "--format", "mermiad"), "'mermaid'"),
        (("campaign", "retire", "spring-launch", "--step", "readonly"), "'read-only'"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_one_that_was_meant(
    arguments: tuple[str, ...], meant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["plantain", *arguments])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 2
    assert meant in capsys.readouterr().err


def test_the_version_is_that_of_the_installed_package() -> None:
    done = plantain("--version")
    assert (done.returncode, done.stdout) == (0, f"plantain {version('plantain')}\n")


def test_help_names_the_way_in_and_the_exit_codes() -> None:
    shown = plantain("--help").stdout
    assert "Begin with: plantain sandbox up." in shown
    assert "7 a Google API" in " ".join(shown.split())


def test_an_unknown_verb_and_an_unknown_option_end_with_2() -> None:
    assert plantain("conjure").returncode == 2
    assert plantain("models", "--conjure").returncode == 2


def test_a_reader_that_has_seen_enough_causes_no_traceback() -> None:
    command = f"{sys.executable} -m plantain.main models list --json | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, text=True, capture_output=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr


def test_output_in_a_pipe_has_no_colour_and_help_fits_eighty_columns() -> None:
    listed = plantain("models", "list").stdout
    assert "\x1b" not in listed
    assert max(map(len, listed.splitlines()[:5])) <= output.WIDTH_WITHOUT_TERMINAL
    for arguments in (("--help",), ("cost", "--help"), ("batch", "--help")):
        assert max(map(len, plantain(*arguments).stdout.splitlines())) <= 80


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_fits_a_terminal_of_eighty_columns_and_shows_markup_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    output.table(("prompt", "cost"), [("word " * 60, "[bold]1[/bold]")], right=("cost",))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()
    assert max(map(len, lines)) <= 80
    assert any("[bold]" in line for line in lines)


def test_a_name_is_never_broken_though_the_terminal_is_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    output.table(("model", "note"), [("gemini-3.1-flash-lite-image", "word " * 9)], whole=("model",))
    assert "gemini-3.1-flash-lite-image" in screen.getvalue()


def test_progress_without_a_terminal_is_a_line_for_every_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("rows", 100) as bar:
        for _ in range(100):
            bar.advance(note="fast")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[-1] == "rows: 100 of 100  fast"


def test_progress_on_a_terminal_is_a_bar_that_fits_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    output.problems.cache_clear()
    with output.progress("requests", 4) as bar:
        for _ in range(4):
            bar.advance(note="30 images/min, 0.54 USD")
    output.problems.cache_clear()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).replace("\r", "\n").splitlines()
    assert any("4/4" in line and "0.54 USD" in line for line in drawn), drawn
    assert max(map(len, drawn)) <= 80
    assert screen.getvalue().rstrip().endswith("\x1b[2K")


def test_progress_without_a_total_says_nothing_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("rows", None) as bar:
        bar.advance(1000)
    assert capsys.readouterr().err == ""


def test_completion_knows_verbs_and_their_options() -> None:
    environment = {
        "_PLANTAIN_COMPLETE": "complete_bash",
        "COMP_WORDS": "plantain pe",
        "COMP_CWORD": "1",
        "PATH": "/usr/bin",
    }
    assert plantain(env=environment).stdout.split() == ["perimeter"]
    environment |= {"COMP_WORDS": "plantain models ch", "COMP_CWORD": "2"}
    assert plantain(env=environment).stdout.split() == ["check"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("plantain doctor --stack pr", {"prod"}),
        ("plantain doctor --only qu", {"quotas"}),
        ("plantain campaign show sp", {"spring-launch"}),
        ("plantain campaign retire spring-launch --step de", {"detach", "delete"}),
        ("plantain models show gemini-3-", {"gemini-3-pro-image"}),
        ("plantain generate --fallback gemini-nano", {"gemini-nano-banana-2.1"}),
        ("plantain sandbox rehearse pr", {"prod"}),
    ],
)
def test_completion_knows_the_names_of_the_project(words: str, found: set[str]) -> None:
    environment = {
        "_PLANTAIN_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "PATH": "/usr/bin",
    }
    assert set(plantain(env=environment).stdout.split()) == found


def test_outside_of_a_project_completion_knows_nothing_and_does_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert completion.stacks("") == completion.campaigns("") == []


def test_sentences_on_a_terminal_break_between_words_and_commands_never(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("COLUMNS", "30")
    output.tell("so      a sentence that is longer than the line has room for", hang=8)
    output.say("pulumi config set --path plantain:perimeter.enforcement enforced")
    output.failure(
        InputError("Two things:\n  the first of them is a long one", cure="a command that is never broken, so long")
    )
    assert out.getvalue().splitlines() == [
        "so      a sentence that is",
        "        longer than the line",
        "        has room for",
        "pulumi config set --path plantain:perimeter.enforcement enforced",
    ]
    assert err.getvalue().splitlines() == [
        "error: Two things:",
        "  the first of them is a long",
        "  one",
        "  cure: a command that is never broken, so long",
    ]
    monkeypatch.delenv("COLUMNS")
    assert output.width() == 80
