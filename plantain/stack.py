"""A Pulumi stack of this project: the only caller of the pulumi command. Raises, never returns success flags."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plantain import local_backend
from plantain.errors import StackError
from plantain.recovery.pending import Pending, adopted, pending_creations

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud

TAIL_LINES = 30


@dataclass(frozen=True)
class Stack:
    """One stack, by name.

    Attributes:
        name: as in ``Pulumi.<name>.yaml``.
        project: folder of ``Pulumi.yaml``.
        environment: the whole environment of the pulumi process.
        config_file: settings file, when it is not ``Pulumi.<name>.yaml``.
        echo: pass pulumi's output on to standard output.
    """

    name: str
    project: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    config_file: Path | None = None
    echo: bool = False

    def select(self) -> None:
        """Create the stack unless it exists."""
        self._run("stack", "select", "--create", self.name, with_stack=False)

    def up(self, *, continue_on_error: bool = False) -> str:
        """Deploy; returns what pulumi printed. ``continue_on_error`` lets no failure keep back what is independent."""
        extra = ["--continue-on-error"] if continue_on_error else []
        return self._run("up", "--yes", "--skip-preview", "--non-interactive", *extra, *self._config())

    def preview(self, *, expect_no_changes: bool = False, refresh: bool = True) -> str:
        """What ``up`` would do; raises when there would be changes and none are expected.

        Without ``refresh`` the state is believed, and nothing of Google Cloud is read but what the program asks for.
        """
        extra = [*(["--expect-no-changes"] if expect_no_changes else []), *([] if refresh else ["--refresh=false"])]
        return self._run("preview", "--diff", "--non-interactive", *extra, *self._config())

    def refresh(self, *, expect_no_changes: bool = False, targets: Iterable[str] = ()) -> str:
        """Read the real state of every resource, or of some by their URNs."""
        options = ["--expect-no-changes"] if expect_no_changes else []
        options += [f"--target={urn}" for urn in targets]
        return self._run("refresh", "--yes", "--skip-preview", "--non-interactive", *options, *self._config())

    def destroy(self, *, run_program: bool = False) -> str:
        """Remove everything.

        With ``run_program`` the program's hooks are at hand: the one that tries again when another stack leaves the
        same perimeter at the same moment, and the one that says what to do about a lien.
        """
        extra = ["--run-program"] if run_program else []
        return self._run("destroy", "--yes", "--skip-preview", "--non-interactive", *extra, *self._config())

    def cancel(self) -> None:
        """Release the lock that a killed run left."""
        self._run("cancel", "--yes", self.name, with_stack=False)

    def recover(self) -> list[Pending]:
        """Make a stack whose update was killed usable again; returns what the update had begun to create.

        What exists is taken into the state, what does not is dropped from it.

        Raises:
            GoogleCloudError: what was begun could not be looked for; the state is as the update left it.
        """
        local_backend.mend(self.environment.get("PULUMI_BACKEND_URL", ""))
        self.cancel()
        exported = self.export()
        if not exported["deployment"].get("pending_operations"):
            return []
        with self.cloud() as cloud:
            pending = pending_creations(exported, cloud)
        self.replace_state(adopted(exported, pending))
        self.refresh()
        return pending

    def cloud(self) -> GoogleCloud:
        """What the stack's settings mean by Google Cloud."""
        # Only a stack that is recovered asks Google itself, so only it loads what asking takes.
        from plantain.google_cloud import GoogleCloud  # noqa: PLC0415

        return GoogleCloud.from_environment(self.project, self.name, settings_file=self.config_file)

    def replace_state(self, export: dict[str, Any]) -> None:
        """Put an export in the place of the state."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(export, file)
            file.flush()
            self._run("stack", "import", "--file", file.name)

    def set_config(self, path: str, value: str) -> None:
        """Set one of the stack's settings; ``path`` may name a part of one, as ``plantain:perimeter.enforcement``."""
        self._run("config", "set", "--path", path, value, *self._config(), quiet=True)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets included.

        Raises:
            StackError: there is no such stack, or it is not deployed.
        """
        text = self._run("stack", "output", "--json", "--show-secrets", quiet=True)
        found: dict[str, Any] = json.loads(text)
        return found

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The state as pulumi keeps it; ``show_secrets`` leaves nothing encrypted in it."""
        extra = ["--show-secrets"] if show_secrets else []
        found: dict[str, Any] = json.loads(self._run("stack", "export", *extra, quiet=True))
        return found

    def preview_events(self, *, refresh: bool = True) -> str:
        """The engine's events of a preview, one JSON object a line; a policy's refusal is an event, not a failure.

        Without ``refresh`` as in ``preview``.

        Source: https://github.com/pulumi/pulumi pkg/backend/display/json.go (read 2026-11).

        Raises:
            StackError: the program does not run.
        """
        streaming = replace(self, environment={**self.environment, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"})
        extra = [] if refresh else ["--refresh=false"]
        return streaming._run("preview", "--json", "--non-interactive", *extra, *self._config(), quiet=True)  # noqa: SLF001 -- the same class

    def _config(self) -> list[str]:
        return ["--config-file", str(self.config_file)] if self.config_file else []

    def _run(self, *arguments: str, with_stack: bool = True, quiet: bool = False) -> str:
        command = [pulumi(self.environment), *arguments, "--cwd", str(self.project), "--color", "never"]
        if with_stack:
            command += ["--stack", self.name]
        lines: list[str] = []
        try:
            process = subprocess.Popen(  # noqa: S603 -- pulumi, with our own arguments
                command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if quiet else subprocess.STDOUT,
                text=True,
            )
        except FileNotFoundError:
            raise StackError("pulumi is not on PATH.", cure="plantain engine") from None
        with process:
            try:
                errors = self._collect(process, lines, quiet=quiet)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            shown = errors or ("" if self.echo else said(lines))
            raise StackError(
                f"pulumi {arguments[0]} of stack {self.name} failed.\n{shown.strip()}".strip(),
                cure="mend what pulumi names above, then run it again: it goes on where it stopped",
            )
        return "".join(lines)

    def _collect(self, process: subprocess.Popen[str], lines: list[str], *, quiet: bool) -> str:
        if quiet:
            text, errors = process.communicate()
            lines.append(text)
            return errors
        for line in process.stdout or ():
            lines.append(line)
            if self.echo:
                sys.stdout.write(line)
                sys.stdout.flush()
        return ""


def said(lines: list[str]) -> str:
    """What a failed run says of its failures: its diagnostics, which outputs may follow; else its last lines."""
    text = "".join(lines)
    _, found, after = text.rpartition("\nDiagnostics:\n")
    if not found:
        return "".join(lines[-TAIL_LINES:])
    return re.split(r"^(?:Outputs|Resources|Duration):", after, maxsplit=1, flags=re.MULTILINE)[0].rstrip()


def pulumi(environment: Mapping[str, str]) -> str:
    """Path of the pulumi that the environment's PATH finds first."""
    for folder in environment.get("PATH", "").split(os.pathsep):
        candidate = Path(folder) / "pulumi"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    return "pulumi"
