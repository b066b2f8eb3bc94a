"""What the stack ``sandbox`` needs besides its file: an environment for pulumi, and settings for another port."""

from __future__ import annotations

from pathlib import Path

from plantain.engine import Engine, resolve
from plantain.sandbox_process import Sandbox
from sandbox.settings import DEFAULT_PORT

#: Protects the secrets of local stacks only; they hold none that open anything outside the sandbox.
PASSPHRASE = "sandbox"  # noqa: S105

#: Folder of the sandbox that a shell was pointed to, for ``plantain sandbox`` without ``--data``.
DATA_VARIABLE = "PLANTAIN_SANDBOX_DATA"


def sandbox_environment(data: Path, engine: Engine | None = None) -> dict[str, str]:
    """Variables that make ``pulumi`` keep its state beside the sandbox's and use the engine of this project.

    Raises:
        EngineError: no engine is to be had.
    """
    engine = engine or resolve()
    backend = data.resolve() / "pulumi"
    backend.mkdir(parents=True, exist_ok=True)
    return {
        **engine.environment(),
        DATA_VARIABLE: str(data.resolve()),
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_GCP_SKIP_REGION_VALIDATION": "true",
        "PULUMI_GCP_DISABLE_GLOBAL_PROJECT_WARNING": "true",
    }


def settings_file(settings: Path, sandbox: Sandbox) -> Path | None:
    """A copy of a stack file, beside the sandbox's state, that points to its port; None when the file itself does."""
    standard = f"http://127.0.0.1:{DEFAULT_PORT}/"
    if standard.rstrip("/") == sandbox.url:
        return None
    copy = sandbox.data / settings.name
    copy.write_text(settings.read_text().replace(standard, f"{sandbox.url}/"))
    return copy
